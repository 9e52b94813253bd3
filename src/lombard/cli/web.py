"""Addresses: where a node listens, as its operator writes it, as sockets and as people need it."""

import socket

from lombard.node.errors import CannotStart
from lombard.web import Listener


def address_of(host: str, port: int) -> tuple[str, int]:
    """Find the address to listen at, with a free port for 0. Raises `CannotStart`."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as fault:
        raise CannotStart(f"The host {host!r} is unknown: {fault.strerror}.") from fault
    family, _, _, _, address = min(found, key=lambda each: each[0] != socket.AF_INET)
    with socket.socket(family) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(address)
        except OSError as fault:
            raise CannotStart(
                f"Port {port} of {host} cannot be had: {(fault.strerror or str(fault)).lower()}. "
                "Choose another with --port, or stop the program that uses it."
            ) from fault
        name = trial.getsockname()
        return str(name[0]), int(name[1])


async def listen(listener: Listener, address: tuple[str, int]) -> None:
    """Serve at an address that `address_of` found. Raises `CannotStart`."""
    try:
        await listener.start(*address)
    except OSError as fault:
        raise CannotStart(
            f"The server cannot listen at {address[0]}:{address[1]}: {fault.strerror or fault}."
        ) from fault


def url_of(host: str, port: int) -> str:
    """Write the address of a server for people and clients."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def socket_url_of(host: str, port: int) -> str:
    """Write the address of the WebSocket."""
    return url_of(host, port).replace("http", "ws", 1) + "/v2/ws"
