"""Where a key may be used from: addresses and networks, of IPv4 and IPv6."""

from collections.abc import Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Final

Network = IPv4Network | IPv6Network
ENTRIES_MAX: Final = 30


class AllowListError(ValueError):
    """Not a list of addresses and networks; the message says what is wrong."""


def parse_allowed(entries: Sequence[str]) -> tuple[Network, ...]:
    """Read addresses (`192.0.2.7`) and networks (`192.0.2.0/24`). Raises `AllowListError`."""
    if len(entries) > ENTRIES_MAX:
        raise AllowListError(f"at most {ENTRIES_MAX} addresses")
    found: list[Network] = []
    for entry in entries:
        try:
            network = ip_network(entry)
        except ValueError:
            raise AllowListError(f"{entry[:50]!r} is no address and no network") from None
        if network not in found:
            found.append(network)
    return tuple(found)


def write_allowed(networks: Sequence[Network]) -> list[str]:
    """Write a list as it is read: single addresses without their prefix length."""
    return [
        str(network.network_address) if network.prefixlen == network.max_prefixlen else str(network)
        for network in networks
    ]


def permits(networks: Sequence[Network], address: str) -> bool:
    """Say whether a call from an address is let in; an empty list lets all in."""
    if not networks:
        return True
    try:
        caller: IPv4Address | IPv6Address = ip_address(address)
    except ValueError:
        return False
    # A socket for both kinds shows IPv4 callers as ::ffff:192.0.2.7.
    if isinstance(caller, IPv6Address) and caller.ipv4_mapped is not None:
        caller = caller.ipv4_mapped
    return any(caller in network for network in networks)
