"""curl commands become scripts that send what curl would have sent."""

import base64
import json
from pathlib import Path

import pytest
from conversions import converted, sent
from recorder import recording

from fusillade.converters.model import Choices
from fusillade.errors import ValidationFailed

KEPT = Choices(keep_secrets=True)


async def test_commands_of_a_shell_script_are_sent_in_order_as_curl_sends_them(
    tmp_path: Path,
) -> None:
    (tmp_path / "note.txt").write_text("two\nlines\n")
    (tmp_path / "raw.bin").write_bytes(b"\xff\x00\xfe")
    async with recording() as server:
        script = converted(
            rf"""#!/bin/bash
BASE={server.url}
# log in
curl -sS -XPOST "$BASE/login?x=1" -H 'Content-Type: application/json' \
  -H "X-Plain: a b" --data-raw $'{{"user":"it\'s \u00e4"}}' | jq .token > /dev/null 2>&1
curl {server.url}/form -d a=1 -d 'b=2+3'; curl {server.url}/odd -d 'b=2 3&a=1'
curl -u bob:hunter2 -G {server.url}/q -d 'q=a' --data-urlencode 'n=ä&b'
curl --json '{{"a": [1, 2.5]}}' {server.url.removeprefix("http://")}/json -X PUT
curl -d @note.txt {server.url}/joined && curl --data-binary @note.txt {server.url}/whole
curl --data-binary @raw.bin -H 'Content-Type: image/png' {server.url}/raw
curl -I {server.url}/head; curl -X DELETE {server.url}/items/7
curl -b 'sid=1; x=2' -A Mozilla -e http://from/ --compressed --url {server.url}/page
curl -T note.txt {server.url}/upload
""",
            KEPT,
            directory=tmp_path,
        )
        run = await sent(script)
    assert server.lines() == [
        "POST /login?x=1",
        "POST /form",
        "POST /odd",
        "GET /q?q=a&n=%C3%A4%26b",
        "PUT /json",
        "POST /joined",
        "POST /whole",
        "POST /raw",
        "HEAD /head",
        "DELETE /items/7",
        "GET /page",
        "PUT /upload",
    ]
    login, form, odd, query, document, joined, whole, raw, _, _, page, upload = server.received
    assert json.loads(login.body) == {"user": "it's ä"}
    assert login.headers["x-plain"] == "a b"
    assert (form.body, odd.body) == (b"a=1&b=2+3", b"b=2 3&a=1")
    assert form.headers["content-type"] == odd.headers["content-type"]
    assert query.headers["authorization"] == f"Basic {base64.b64encode(b'bob:hunter2').decode()}"
    assert json.loads(document.body) == {"a": [1, 2.5]}
    assert document.headers["content-type"] == document.headers["accept"] == "application/json"
    assert (joined.body, whole.body, raw.body) == (b"twolines", b"two\nlines\n", b"\xff\x00\xfe")
    assert page.headers["cookie"] == "sid=1; x=2"
    assert (page.headers["user-agent"], page.headers["referer"]) == ("Mozilla", "http://from/")
    assert upload.body == b"two\nlines\n"
    assert not any(check.fails for check in run.summary.checks)


async def test_fields_and_files_of_a_form_are_sent_as_its_parts(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"\x89PNG")
    async with recording() as server:
        await sent(
            converted(
                f"curl -F 'name=A B' -F 'photo=@a.png;filename=b.png' {server.url}/up",
                directory=tmp_path,
            )
        )
    (received,) = server.received
    assert received.headers["content-type"].startswith("multipart/form-data; boundary=")
    assert b'name="name"\r\n\r\nA B\r\n' in received.body
    assert b'name="photo"; filename="b.png"\r\nContent-Type: image/png\r\n' in received.body
    assert b"\r\n\r\n\x89PNG\r\n" in received.body


async def test_secrets_are_taken_from_the_environment_and_are_not_in_the_script() -> None:
    async with recording() as server:
        script = converted(
            f"""curl {server.url}/a?api_key=s3cr3t-1 -H 'Authorization: Bearer s3cr3t-2' \
              -H 'X-Api-Key: s3cr3t-3' -b 'sid=s3cr3t-4' -d 'user=bob&password=s3cr3t-5'
            curl http://bob:s3cr3t-6@{server.url.removeprefix("http://")}/b \
              --json '{{"n": 1.0, "client_secret": "s3cr3t-7", "user": "bob"}}'
            curl {server.url}/c -H 'Authorization: Bearer s3cr3t-2' -H "X-Token: $OTHER" \
              -d 'x=a b&token=s3cr3t-8'"""
        )
        assert "s3cr3t" not in script
        assert "  TOKEN" in script
        names = ("API_KEY", "TOKEN", "X_API_KEY", "COOKIE", "PASSWORD", "PASSWORD_2", "OTHER")
        env = {name: f"<{name}>" for name in (*names, "CLIENT_SECRET", "TOKEN_2")}
        await sent(script, env)
    a, b, c = server.received
    assert a.target == "/a?api_key=%3CAPI_KEY%3E"
    assert a.headers["authorization"] == c.headers["authorization"] == "Bearer <TOKEN>"
    assert (a.headers["x-api-key"], a.headers["cookie"]) == ("<X_API_KEY>", "<COOKIE>")
    assert a.body == b"user=bob&password=%3CPASSWORD%3E"
    assert b.headers["authorization"].startswith("Basic ")
    assert json.loads(b.body)["client_secret"] == "<CLIENT_SECRET>"
    assert c.headers["x-token"] == "<OTHER>"
    assert c.body == b"x=a b&token=%3CTOKEN_2%3E"


def test_redirects_certificates_and_time_limits_are_as_the_command_has_them() -> None:
    script = converted("curl -k -m 5 https://127.0.0.1/a")
    assert "insecure: true" in script
    assert "followRedirects: false" in script
    assert "timeout: '5s'" in script
    assert "followRedirects" not in converted("curl -sL https://127.0.0.1/a")


def test_an_address_of_one_thing_among_many_has_a_name_in_the_metrics() -> None:
    script = converted("curl -L http://127.0.0.1/items/8f14e45fceea167a5a36dedd4bea2543")
    assert "name: 'GET http://127.0.0.1/items/:id'" in script


def test_text_that_looks_like_code_stays_text() -> None:
    script = converted(
        "curl -L http://127.0.0.1/ -H 'X-A: ${process.exit()} `b` \\' -d '*/ \u2028'"
    )
    assert "'${process.exit()} `b` \\\\'" in script
    assert "'*/ \\u2028'" in script


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        ("curl -d 'a", "source, line 1: the quote ' is never closed."),
        ("\ncurl -X POST", "source, line 2: the curl command has no URL."),
        ("curl http://h/ \\\n -H", "source, line 2: -H is not followed by a value."),
        ("curl http://h/ --frobnicate", "source, line 1: --frobnicate is not an option"),
        ("curl http://h/ -H Accept", "source, line 1: the header 'Accept' has no colon"),
        ("curl http://h/ -d @none.txt", "source, line 1: cannot read none.txt: No such file"),
        ("curl http://h/$(id)", r"source, line 1: \$\( \) runs a command"),
        ("wget http://h/", "source, line 1: 'wget' is no curl command"),
    ],
)
def test_what_cannot_be_converted_is_told_with_its_line(command: str, sentence: str) -> None:
    with pytest.raises(
        ValidationFailed, match=sentence.replace("(", "[(]") if "\\" not in sentence else sentence
    ):
        converted(command, wanted="curl")


async def test_fields_are_sent_whatever_their_names_and_values_are() -> None:
    document = (
        '{"true": true, "null": null, "1": 1, "__proto__": {"a": "\\u2028`${x}"}, "token": "t"}'
    )
    async with recording() as server:
        script = converted(f"curl {server.url} --json '{document}'", KEPT)
        await sent(script)
        await sent(converted(f"curl {server.url} --json '{document}'"), {"TOKEN": "t"})
    assert [json.loads(one.body) for one in server.received] == [json.loads(document)] * 2


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        ("curl 'http://[::1'", "http://.*::1 is not a valid URL"),
        ("curl http://h/ -X 'A B'", "source: the request 'A B /' has the method 'A B'"),
        ("curl http://h/ -H 'A B: c'", "source: the request 'GET /' has the header 'A B'"),
    ],
)
def test_what_http_does_not_allow_is_refused_before_it_is_in_a_test(
    command: str, sentence: str
) -> None:
    with pytest.raises(ValidationFailed, match=sentence):
        converted(command)
