"""Which hosts a test may not send to: by name, by network, and some for everybody.

Names are looked at when a test is created and whenever a request is made; addresses again when a
connection is made, for only then it is known where a name leads.
"""

import ipaddress
import re
from collections.abc import Iterable
from urllib.parse import urlsplit

import msgspec

from fusillade import addresses

_DOMAIN = re.compile(r"[\w-]+(\.[\w-]+)*")
_ALWAYS = ("link-local", "metadata")
"""What nobody tests and many have attacked."""


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """What is blocked besides link-local and metadata addresses."""

    domains: tuple[str, ...] = ()
    """Each with all names below it."""
    networks: tuple[str, ...] = ()
    """As ``10.0.0.0/8``."""
    private: bool = False
    """Also private, loopback and reserved addresses."""


def rules(blocked: Iterable[str], *, allow_private: bool) -> Rules:
    """Rules of settings, which have domains and networks in one list.

    Raises ``ValueError`` for an entry that is neither.
    """
    domains, networks = [], []
    for entry in blocked:
        try:
            networks.append(str(ipaddress.ip_network(entry, strict=False)))
        except ValueError:
            domain = _name(entry).removeprefix("*.").removeprefix(".")
            if _DOMAIN.fullmatch(domain) is None:
                raise ValueError(
                    f"'{entry}' is neither a domain, as bank.example, nor a network, as 10.0.0.0/8"
                ) from None
            domains.append(domain)
    return Rules(domains=tuple(domains), networks=tuple(networks), private=not allow_private)


class Blocklist:
    """Rules, ready to be asked."""

    def __init__(self, given: Rules) -> None:
        self._domains = given.domains
        self._networks = [ipaddress.ip_network(network) for network in given.networks]
        self._private = given.private

    def blocks_host(self, host: str) -> bool:
        """Whether a name, or an address in any spelling, is blocked as it stands."""
        address = addresses.parse(host)
        if address is not None:
            return self.blocks_address(str(address))
        name = _name(host)
        if any(name == domain or name.endswith(f".{domain}") for domain in self._domains):
            return True
        return self._is_blocked_kind(addresses.kind_of_host(host))

    def blocks_address(self, text: str) -> bool:
        """Whether an address that a name server or the system has given is blocked."""
        try:
            address = ipaddress.ip_address(text.partition("%")[0])
        except ValueError:
            return False
        reached = {address, addresses.embedded(address) or address}
        if any(one in network for one in reached for network in self._networks):
            return True
        return self._is_blocked_kind(addresses.kind_of(address))

    def _is_blocked_kind(self, kind: addresses.Kind | None) -> bool:
        if kind is None or kind == "public":
            return False
        return kind in _ALWAYS or self._private


def _name(host: str) -> str:
    """A name as name servers have it: without capitals, other alphabets in their own ASCII form."""
    name = addresses.plain(host)
    try:
        return name.encode("idna").decode()
    except UnicodeError:
        return name


def host_of(url: str) -> str:
    """The host of a URL; empty for what is none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
