"""Where a webhook may lead."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusillade.errors import ValidationFailed
from fusillade.webhooks.urls import check_url


@pytest.mark.parametrize(
    "url",
    [
        "https://your-server.com/webhook",
        "HTTPS://your-server.com",
        "https://your-server.com:8443/a?b=c",
        "https://8.8.8.8/hook",
        "https://[2606:4700:4700::1111]:443/",
        "https://bücher.example.org/hook",
    ],
)
def test_a_public_https_url_is_taken(url: str) -> None:
    check_url(url)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://your-server.com/webhook", "must be HTTPS"),
        ("ftp://your-server.com", "must be HTTPS"),
        ("your-server.com/webhook", "must be HTTPS"),
        ("", "must be HTTPS"),
        ("https://", "no valid host"),
        ("https:///path", "no valid host"),
        ("https://user:secret@your-server.com/", "password"),
        ("https://your-server.com@127.0.0.1/", "password"),
        ("https://your-server.com\\@127.0.0.1/", "characters"),
        ("https://your-server.com/a b", "characters"),
        ("https://127.0.0.1\t.example.com/", "characters"),
        ("https://your-server.com:0/", "not a valid URL"),
        ("https://your-server.com:99999/", "not a valid URL"),
        ("https://[::1/", "not a valid URL"),
        ("https://%6c%6fcalhost/", "no valid host"),
        ("https://localhost/", "this machine itself"),
        ("https://localhost.:8443/", "this machine itself"),
        ("https://2130706433/", "this machine itself"),
        ("https://0x7f.1:443/", "this machine itself"),
        ("https://0177.0.0.1/", "this machine itself"),
        ("https://[::ffff:127.0.0.1]/", "this machine itself"),
        ("https://[::]/", "this machine itself"),
        ("https://①②⑦.⓪.⓪.①/", "this machine itself"),
        ("https://10.0.0.8/", "a private address"),
        ("https://[fd00::1]/", "a private address"),
        ("https://intranet/", "a private address"),
        ("https://169.254.0.9/", "a link-local address"),
        ("https://[fe80::1]/", "a link-local address"),
        ("https://169.254.169.254/latest/meta-data/", "metadata"),
        ("https://metadata.google.internal/", "metadata"),
        ("https://224.0.0.1/", "no host has"),
        ("https://your-server.com/" + "x" * 2048, "2,048"),
    ],
)
def test_any_other_url_is_refused_with_the_reason(url: str, words: str) -> None:
    with pytest.raises(ValidationFailed, match=words):
        check_url(url)


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1:8443/", "https://receiver.internal/", "https://10.0.0.8"]
)
def test_an_internal_receiver_can_be_allowed(url: str) -> None:
    check_url(url, allow_private=True)


@pytest.mark.parametrize(
    "url", ["http://10.0.0.8/", "https://169.254.169.254/", "https://[fe80::1]/"]
)
def test_metadata_link_local_addresses_and_plain_http_are_never_allowed(url: str) -> None:
    with pytest.raises(ValidationFailed):
        check_url(url, allow_private=True)


@given(st.text(max_size=40))
def test_any_text_is_taken_or_refused(rest: str) -> None:
    with contextlib.suppress(ValidationFailed):
        check_url(f"https://{rest}")
