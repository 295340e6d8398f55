"""From which address a request comes, where proxies stand between its client and us."""

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network
_V6_PREFIX = 64
"""One customer's network: whoever has one IPv6 address has all of these."""


def client_address(peer: str, forwarded_for: Sequence[str], trusted: Iterable[Network]) -> str:
    """The nearest address that is no trusted proxy's.

    ``forwarded_for`` are the values of ``X-Forwarded-For``, to which each proxy has appended the
    address that it saw; the last trusted one's word counts, and what stands before may be invented.
    """
    networks = tuple(trusted)
    hops = [hop.strip() for value in forwarded_for for hop in value.split(",")]
    address = peer
    while hops and _is_within(address, networks):
        before = hops.pop()
        if _parsed(before) is None:
            break
        address = before
    return address


def counted_as(address: str) -> str:
    """Under which name requests from there are counted: IPv6 by /64, IPv4 by address."""
    parsed = _parsed(address)
    if isinstance(parsed, IPv6Address):
        return str(ip_network((parsed, _V6_PREFIX), strict=False))
    return address if parsed is None else str(parsed)


def _is_within(address: str, networks: tuple[Network, ...]) -> bool:
    parsed = _parsed(address)
    return parsed is not None and any(parsed in network for network in networks)


def _parsed(address: str) -> IPv4Address | IPv6Address | None:
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return None
    return getattr(parsed, "ipv4_mapped", None) or parsed
