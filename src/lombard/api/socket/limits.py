"""How much of the house one client of the WebSocket may take up."""

from typing import Final, NamedTuple

# Nothing a client may say is longer than the body of a request.
MESSAGE_BYTES_MAX: Final = 64 * 1024
# The `args` of anything but an order (reference §6.1).
ARGS_BYTES_MAX: Final = 4096
# What waits in this process for one client to read; the kernel holds about as much again.
QUEUE_BYTES_MAX: Final = 512 * 1024
QUEUE_FRAMES_MAX: Final = 4096
KERNEL_BYTES: Final = 64 * 1024
# Above this a client's own questions wait until it has read.
QUEUE_BYTES_HIGH: Final = 64 * 1024
# Orders of one connection under way, and messages that wait to be looked at.
ORDERS_MAX: Final = 256
MESSAGES_WAITING_MAX: Final = 64


class Limits(NamedTuple):
    """The figures that may differ: a test's clock is a quicker one. Times are seconds."""

    handshake_s: float = 10.0
    # Without a ping from the client.
    idle_s: float = 120.0
    # Unread data that does not become less.
    stalled_s: float = 10.0
    # Between a close frame and the end of the connection.
    parting_s: float = 5.0
    sweep_s: float = 1.0
    channels: int = 1000


# Counted only where calls are counted as well (reference §1.9).
CONNECTIONS_PER_ADDRESS: Final = 100
CONNECTS_PER_FIVE_MINUTES: Final = 300
MESSAGES_PER_SECOND: Final = 10
SUBSCRIBES_PER_HOUR: Final = 240
# A sandbox counts no calls, but its memory is not endless either.
CONNECTIONS_MAX: Final = 10_000
