"""IP addresses: what kind of place they lead to, and the odd spellings that mean one.

Nothing here asks a name server. Who connects has to look at the address that it connects to as
well; this module is the same for both.
"""

import ipaddress
import re
import unicodedata
from ipaddress import IPv4Address, IPv6Address
from typing import Literal
from urllib.parse import unquote

Address = IPv4Address | IPv6Address
Kind = Literal["public", "private", "loopback", "link-local", "metadata", "reserved"]
"""``reserved`` are addresses at which no host answers: multicast, broadcast, documentation."""

_METADATA = frozenset(
    map(
        ipaddress.ip_address,
        (
            "169.254.169.254",  # nearly everybody
            "169.254.170.2",  # AWS, containers
            "169.254.170.23",  # AWS, pods
            "fd00:ec2::254",
            "fd00:ec2::23",
            "fd20:ce::254",  # Google
            "100.100.100.200",  # Alibaba
            "192.0.0.192",  # Oracle
            "168.63.129.16",  # Azure; public by its number
        ),
    )
)
_METADATA_NAMES = ("metadata", "metadata.google.internal", "metadata.goog", "instance-data")
_LOOPBACK_NAMES = ("localhost", "localhost.localdomain", "ip6-localhost", "ip6-loopback")
_PRIVATE_SUFFIXES = (
    ".internal",
    ".local",
    ".localdomain",
    ".lan",
    ".home.arpa",
    ".intranet",
    ".corp",
    ".private",
)

_THIS_HOST = ipaddress.ip_network("0.0.0.0/8")  # a connection there goes to this host
_PRIVATE = tuple(
    map(
        ipaddress.ip_network,
        (
            "10.0.0.0/8",
            "172.16.0.0/12",
            "192.168.0.0/16",
            "100.64.0.0/10",  # RFC 6598: behind a provider's NAT
            "198.18.0.0/15",  # RFC 2544: between devices under test
            "192.0.0.0/24",  # RFC 6890
            "fc00::/7",
            "fec0::/10",  # RFC 3879
        ),
    )
)
_NAT64 = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("64:ff9b:1::/48"))
_COMPATIBLE = ipaddress.ip_network("::/96")

_PART = re.compile(r"0x[0-9a-f]*|[0-9]+")


def kind_of(address: Address) -> Kind:
    """What kind of place it is. An IPv6 address with an IPv4 address inside is what that is."""
    inner = embedded(address)
    if inner is not None:
        return kind_of(inner)
    if address in _METADATA:
        return "metadata"
    if address.is_loopback or address in _THIS_HOST or int(address) == 0:
        return "loopback"
    if address.is_link_local:
        return "link-local"
    if any(address in network for network in _PRIVATE):
        return "private"
    if address.is_multicast or address.is_reserved or not address.is_global:
        return "reserved"
    return "public"


def embedded(address: Address) -> IPv4Address | None:
    """The IPv4 address that packets to an IPv6 address reach in the end, if it is such a one."""
    if not isinstance(address, IPv6Address):
        return None
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    last = IPv4Address(int(address) & 0xFFFFFFFF)
    if any(address in network for network in _NAT64):
        return last
    # ::1 and :: are themselves; ::7f00:1 is 127.0.0.1, as RFC 4291 once had it.
    if address in _COMPATIBLE and int(last) > 0xFFFF:
        return last
    return None


def parse(host: str) -> Address | None:
    """The address that a URL's host means, in whatever spelling; None for a name.

    Reads what ``inet_aton`` and the URL standard read: one to four parts, each decimal, octal
    (``0177``) or hexadecimal (``0x7f``), the last one filling the rest (``127.1``,
    ``2130706433``); IPv6 with or without brackets and zone.
    """
    text = plain(host)
    if text.startswith("[") and text.endswith("]"):
        text = text[1:-1]
    if ":" in text:
        try:
            return IPv6Address(text.partition("%")[0])
        except ValueError:
            return None
    return _parse_v4(text)


def _parse_v4(text: str) -> IPv4Address | None:
    parts = text.split(".")
    if not 1 <= len(parts) <= 4 or not all(map(_PART.fullmatch, parts)):
        return None
    *first, last = map(_number, parts)
    if None in first or last is None:
        return None
    value = 0
    for byte in first:
        assert byte is not None
        if byte > 255:
            return None
        value = value << 8 | byte
    rest = 4 - len(first)
    if last >= 1 << 8 * rest:
        return None
    return IPv4Address(value << 8 * rest | last)


def _number(text: str) -> int | None:
    if len(text) > 40:
        return None
    if text.startswith("0x"):
        return int(text[2:] or "0", 16)
    if text.startswith("0") and len(text) > 1:
        # Readers differ when it has an 8 or 9; none of them makes it an octal number.
        return int(text, 8) if set(text) <= set("01234567") else int(text)
    return int(text)


def plain(host: str) -> str:
    """A host as resolvers see it: lower case, no percent signs, no wide digits, no dot at the
    end."""
    text = unicodedata.normalize("NFKC", unquote(host)).lower()
    return text.replace("。", ".").strip().removesuffix(".")  # the ideographic full stop


def kind_of_host(host: str) -> Kind | None:
    """The kind of place that an address in any spelling, or a well-known name, means.

    None for a name of which only a name server knows more.
    """
    address = parse(host)
    if address is not None:
        return kind_of(address)
    name = plain(host)
    if name in _METADATA_NAMES:
        return "metadata"
    if name in _LOOPBACK_NAMES or name.endswith((".localhost", ".localhost.localdomain")):
        return "loopback"
    if "." not in name or name.endswith(_PRIVATE_SUFFIXES):
        return "private"
    return None
