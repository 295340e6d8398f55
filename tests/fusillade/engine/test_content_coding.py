"""Encoded bodies, from any driver."""

import gzip
import zlib

import brotli
import pytest
from backports import zstd

from fusillade.engine.drivers.content_coding import (
    LARGEST_BODY_BYTES,
    Undecodable,
    decode,
    decode_content,
)

TEXT = b"all work and no play " * 1000


def raw_deflate(content: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(content) + packer.flush()


ENCODED = {
    "gzip": gzip.compress(TEXT),
    "x-gzip": gzip.compress(TEXT[:100]) + gzip.compress(TEXT[100:]) + b"\0\0",
    "deflate": zlib.compress(TEXT),
    "Deflate": raw_deflate(TEXT),
    "br": brotli.compress(TEXT),
    "zstd": zstd.compress(TEXT[:7]) + zstd.compress(TEXT[7:]),
    "identity": TEXT,
    "gzip, br": brotli.compress(gzip.compress(TEXT)),
    "gzip\r\nContent-Encoding: zstd": zstd.compress(gzip.compress(TEXT)),
}


@pytest.mark.parametrize("value", ENCODED)
def test_a_body_is_decoded_by_its_header(value: str) -> None:
    head = f"HTTP/1.1 200 OK\r\ncontent-encoding: {value}\r\n\r\n".encode()
    assert decode_content(head + ENCODED[value], len(head)) == head + TEXT


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
def test_a_body_that_was_cut_or_is_something_else_is_an_error(coding: str) -> None:
    whole = ENCODED[coding]
    for body in (whole[:-1], whole[: len(whole) // 2], whole[:1], b"<html>", b"\xff" * 50):
        with pytest.raises(Undecodable):
            decode(body, [coding])


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
def test_a_bomb_is_an_error_before_it_fills_the_memory(coding: str) -> None:
    content = bytes(LARGEST_BODY_BYTES + 1)
    body = {
        "gzip": lambda: gzip.compress(content, 1),
        "deflate": lambda: zlib.compress(content, 1),
        "br": lambda: brotli.compress(content, quality=1),
        "zstd": lambda: zstd.compress(content),
    }[coding]()
    with pytest.raises(Undecodable, match="more than"):
        decode(body, [coding])


def test_more_codings_than_anybody_needs_are_an_error() -> None:
    with pytest.raises(Undecodable):
        decode(b"x", ["gzip"] * 6)


def test_what_cannot_be_decoded_by_anybody_is_left_alone() -> None:
    part = b"HTTP/1.1 206 Partial Content\r\nContent-Encoding: gzip\r\n\r\n"
    unknown = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip, secret\r\n\r\n"
    empty = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n"
    assert decode_content(part + b"abc", len(part)) == part + b"abc"
    assert decode_content(unknown + b"abc", len(unknown)) == unknown + b"abc"
    assert decode_content(empty, len(empty)) == empty
