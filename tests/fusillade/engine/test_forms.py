"""Bodies with fields and files, as they arrive."""

from email import message_from_bytes
from typing import Any

import pytest
from scripts import evaluate
from target import Target

FILES = {"data/a.txt": "żółć\n", "pic.bin": "\x00\x01\udcff\udcfe\r\n--x"}


@pytest.fixture
def base(shared_target: Target) -> str:
    return f"const base = '{shared_target.url}'; const pic = open('pic.bin', 'b');"


async def sent(base: str, body: str, options: str = "undefined") -> tuple[str, bytes]:
    """Content type and body of a POST as they arrived."""
    code = f"const seen = http.post(base + '/echo', {body}, {options}).json(); return [seen.headers, seen.body];"
    headers, content = await evaluate(code, head=base, files=FILES)
    types = [value for name, value in headers if name.lower() == "content-type"]
    assert len(types) <= 1
    return "".join(types), content.encode("utf-8", "surrogateescape")


def parts(content_type: str, body: bytes) -> list[tuple[Any, ...]]:
    """Name, filename, type and content of each part."""
    whole = message_from_bytes(b"Content-Type: %b\r\n\r\n" % content_type.encode() + body)
    assert whole.is_multipart()
    assert not whole.defects
    return [
        (
            part.get_param("name", header="content-disposition"),
            part.get_filename(),
            part.get_content_type() if "content-type" in part else None,
            part.get_payload(decode=True),
        )
        for part in whole.get_payload()
        if not isinstance(part, str)
    ]


PIC = FILES["pic.bin"].encode("utf-8", "surrogateescape")
TEXT = FILES["data/a.txt"].encode()


async def test_files_and_fields_are_parts(base: str) -> None:
    body = """{ a: 'x y', n: [1, 2], path: http.file('./data/a.txt'),
      typed: http.file('data/a.txt', 'b.md', 'text/markdown'), bytes: http.file(pic, 'p.png', 'image/png'),
      view: http.file(new Uint16Array([0x4241, 0x4443]).subarray(1)), text: http.file('no such file', 'n') }"""
    binary = "application/octet-stream"
    content_type, content = await sent(base, body)
    assert parts(content_type, content) == [
        ("a", None, None, b"x y"),
        ("n", None, None, b"1"),
        ("n", None, None, b"2"),
        ("path", "a.txt", binary, TEXT),
        ("typed", "b.md", "text/markdown", TEXT),
        ("bytes", "p.png", "image/png", PIC),
        ("view", "file", binary, b"CD"),
        ("text", "n", binary, b"no such file"),
    ]


async def test_a_form_is_the_same_when_its_body_is_taken_out(base: str) -> None:
    make = "(() => { const form = new FormData(); form.append('a', '1'); form.append('p', pic, 'p\\r\\n\"'); return form; })()"
    first = await sent(base, make)
    assert [part[0] for part in parts(*first)] == ["a", "p"]
    assert parts(*first)[1][3] == PIC
    assert b'filename="p%0D%0A%22"' in first[1]
    body = f"((form) => {{ globalThis.form = form; return form.body(); }})({make})"
    second = await sent(
        base, body, "{ headers: { 'Content-Type': globalThis.form.contentType() } }"
    )
    assert parts(*first) == parts(*second)


async def test_the_type_of_a_form_with_files_is_not_left_to_the_script(base: str) -> None:
    content_type, content = await sent(
        base, "{ f: http.file('x', 'n') }", "{ headers: { 'content-type': 'multipart/form-data' } }"
    )
    assert parts(content_type, content) == [("f", "n", "application/octet-stream", b"x")]


@pytest.mark.parametrize(
    ("body", "content_type", "content"),
    [
        ("pic", "", PIC),
        ("new Uint8Array(pic)", "", PIC),
        ("new DataView(pic, 1, 2)", "", PIC[1:3]),
        ("12", "", b"12"),
        ("{ a: '&=', 'b c': [1, 'ż'] }", "application/x-www-form-urlencoded", b"a=%26%3D&b+c=1&b+c=%C5%BC"),
        ("{}", "application/x-www-form-urlencoded", b""),
        ("null", "", b""),
    ],
)  # fmt: skip
async def test_a_body_goes_out_as_it_is(
    base: str, body: str, content_type: str, content: bytes
) -> None:
    assert await sent(base, body) == (content_type, content)
