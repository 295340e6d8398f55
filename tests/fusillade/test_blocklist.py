"""Where tests may not send to."""

import pytest

from fusillade.blocklist import Blocklist, Rules, host_of, rules
from fusillade.settings import Settings


@pytest.mark.parametrize(
    ("host", "blocked"),
    [
        ("bank.example", True),
        ("WWW.Bank.example.", True),
        ("notbank.example", False),
        ("bank.example.org", False),
        ("wild.example", True),
        ("a.wild.example", True),
        ("10.1.2.3", True),
        ("0x0a010203", True),
        ("::ffff:10.1.2.3", True),
        ("64:ff9b::10.1.2.3", True),
        ("2002:a01:203::", True),
        ("bücher.example", True),
        ("www.xn--bcher-kva.example", True),
        ("11.1.2.3", False),
        ("2001:db8::1", False),
        ("169.254.169.254", True),
        ("2852039166", True),
        ("metadata.google.internal", True),
        ("fe80::1", True),
        ("localhost", False),
        ("192.168.0.1", False),
    ],
)
def test_domains_networks_and_metadata_are_blocked(host: str, blocked: bool) -> None:
    given = rules(
        ["bank.example", "*.wild.example", "BÜCHER.example", "10.0.0.0/8"], allow_private=True
    )
    assert Blocklist(given).blocks_host(host) is blocked


@pytest.mark.parametrize("host", ["localhost", "127.1", "192.168.0.1", "intranet", "[::1]", "::1"])
def test_private_places_are_blocked_where_the_settings_say_so(host: str) -> None:
    assert Blocklist(Rules(private=True)).blocks_host(host.strip("[]"))
    assert not Blocklist(Rules()).blocks_host(host.strip("[]"))
    assert not Blocklist(Rules(private=True)).blocks_host("example.com")


@pytest.mark.parametrize("entry", ["10.0.0.0/33", "https://bank.example/", "", " ", "a b", "a..b"])
def test_what_is_neither_a_domain_nor_a_network_is_refused(entry: str) -> None:
    with pytest.raises(ValueError, match="neither a domain"):
        Settings(blocked_domains=["bank.example", entry])


def test_a_url_without_a_host_has_none() -> None:
    assert host_of("https://Api.example.com:8443/x") == "api.example.com"
    assert host_of("http://[nonsense") == ""
