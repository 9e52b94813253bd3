"""What one client of the listener may take, in bytes and in seconds."""

from typing import Final, NamedTuple

BACKLOG: Final = 1_024
CONNECTIONS_MAX: Final = 8_192
# Of one request: all of its head, its target and headers, and how many of these.
HEAD_BYTES_MAX: Final = 32_768
HEADERS_MAX: Final = 100
# What is taken in before it is asked for: of a body, and of requests that follow one another.
UNREAD_BYTES_MAX: Final = 65_536
PIPELINED_MAX: Final = 64


class Times(NamedTuple):
    """How long a connection is waited for, in seconds; tests shorten them."""

    # From the first byte of a request's head to its last.
    head_s: float = 10.0
    # From then to the last byte of its body.
    body_s: float = 10.0
    # Between two requests.
    idle_s: float = 75.0
    # Without reading any of what was sent.
    stalled_s: float = 20.0
    # After an answer whose request did not arrive whole, for the client to read it.
    linger_s: float = 2.0
    sweep_s: float = 1.0
