"""Who the client is, behind proxies and without."""

from ipaddress import ip_network

import pytest

from fusillade.client_address import client_address, counted_as

PROXIES = [ip_network("10.0.0.0/8"), ip_network("fd00::/8")]


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("203.0.113.5", [], "203.0.113.5"),
        # Nobody's word counts but a trusted proxy's.
        ("203.0.113.5", ["198.51.100.7"], "203.0.113.5"),
        ("10.0.0.1", ["198.51.100.7"], "198.51.100.7"),
        # The client has put the first one there.
        ("10.0.0.1", ["192.0.2.9, 198.51.100.7"], "198.51.100.7"),
        ("10.0.0.1", ["192.0.2.9", "198.51.100.7"], "198.51.100.7"),
        ("10.0.0.1", ["198.51.100.7, 10.0.0.2"], "198.51.100.7"),
        ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.7, nonsense"], "10.0.0.1"),
        ("::ffff:10.0.0.1", ["198.51.100.7"], "198.51.100.7"),
        ("fd00::1", ["2001:db8::1"], "2001:db8::1"),
        ("", ["198.51.100.7"], ""),
    ],
)
def test_the_client_is_the_nearest_that_is_no_trusted_proxy(
    peer: str, forwarded: list[str], client: str
) -> None:
    assert client_address(peer, forwarded, PROXIES) == client


def test_ipv6_clients_are_counted_by_their_network() -> None:
    assert counted_as("2001:db8::1") == counted_as("2001:db8::ffff:1")
    assert counted_as("2001:db8::1") != counted_as("2001:db8:0:1::1")
    assert counted_as("::ffff:192.0.2.1") == counted_as("192.0.2.1")
    assert counted_as("192.0.2.1") != counted_as("192.0.2.2")
