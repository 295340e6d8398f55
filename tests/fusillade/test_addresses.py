"""What an address is, however it is written."""

import ipaddress
import socket

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fusillade.addresses import kind_of, kind_of_host, parse

HOSTS = {
    "loopback": """127.0.0.1 127.255.255.254 127.1 127.0.1 2130706433 0x7f000001 0x7f.1 0177.0.0.1
        017700000001 0X7F.0x0.0.0x1 0.0.0.0 0 [::1] ::1 [::] [::ffff:127.0.0.1] [::ffff:7f00:1]
        [::127.0.0.1] [2002:7f00:1::] [64:ff9b::127.0.0.1] 127.0.0.1. localhost LOCALHOST
        localhost. foo.localhost ip6-localhost %31%32%37.0.0.1 \uff11\uff12\uff17.0.0.1
        ①②⑦.⓪.⓪.① 127。0。0。1""",
    "metadata": """169.254.169.254 2852039166 0xa9fea9fe 0251.0376.0251.0376
        [::ffff:169.254.169.254] [::ffff:a9fe:a9fe] [fd00:ec2::254] 100.100.100.200 168.63.129.16
        metadata.google.internal Metadata.Google.Internal. [64:ff9b::a9fe:a9fe]""",
    "private": """10.0.0.1 10.1 172.16.0.1 172.31.255.255 192.168.1.1 0xc0a80101 100.64.0.1
        198.18.0.1 [fc00::1] [fd12:3456::1] [::ffff:10.0.0.1] router printer.local db.internal
        nas.lan""",
    "link-local": "169.254.1.1 [fe80::1] [fe80::1%25eth0] fe80::1%eth0 [::ffff:169.254.1.1]",
    "reserved": "224.0.0.1 255.255.255.255 240.0.0.1 192.0.2.1 [ff02::1] [2001:db8::1]",
    "public": "8.8.8.8 134744072 172.32.0.1 [2606:4700:4700::1111] [::ffff:8.8.8.8] 11.0.0.1",
    None: """example.com your-server.com 127.0.0.1.example.com localhost.example.com a.b.c.d
        1.2.3.4.5 256.1.1.1""",
}


@pytest.mark.parametrize(
    ("host", "kind"), [(host, kind) for kind, hosts in HOSTS.items() for host in hosts.split()]
)
def test_a_host_is_known_in_every_spelling(host: str, kind: str | None) -> None:
    assert kind_of_host(host) == kind


def _aton(text: str) -> ipaddress.IPv4Address | None:
    try:
        return ipaddress.IPv4Address(socket.inet_aton(text))
    except OSError:
        return None


_NUMBERS = st.integers(0, 1 << 33) | st.integers(0, 300)
_PARTS = _NUMBERS.flatmap(
    lambda number: st.sampled_from([str(number), f"{number:#x}", f"0{number:o}", f"{number:#X}"])
)


@given(st.lists(_PARTS, min_size=1, max_size=5).map(".".join))
@example("127.0.0.1")
@example("4294967295")
@example("4294967296")
def test_numbers_mean_what_the_system_makes_of_them(text: str) -> None:
    assert parse(text) == _aton(text)


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_inside_an_ipv6_address_counts(address: ipaddress.IPv4Address) -> None:
    number = int(address)
    inside = [(0xFFFF << 32) | number, (0x2002 << 112) | number << 80, (0x64FF9B << 96) | number]
    for whole in inside:
        assert kind_of(ipaddress.IPv6Address(whole)) == kind_of(address)


@given(st.text(max_size=30))
def test_any_text_is_an_address_or_a_name(text: str) -> None:
    kind_of_host(text)
