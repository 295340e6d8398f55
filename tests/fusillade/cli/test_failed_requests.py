"""``fusillade export`` and ``fusillade replay``: failed requests of a run, taken out of it."""

import json
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from commands import fusillade
from failed import failed_request
from target import Target

from fusillade.failures.masking import MASK
from fusillade.failures.record import FailedRequest


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("REPLAY_BEARER_TOKEN", "REPLAY_TOKEN", "REPLAY_PASSWORD", "REPLAY_API_KEY"):
        monkeypatch.delenv(name, raising=False)


def written(path: Path, *records: FailedRequest) -> str:
    """A result file with these."""
    path.write_bytes(msgspec.json.encode({"failures": records}))
    return str(path)


FUSILLADE = Path(sys.executable).with_name("fusillade")


def shell(commands: str, variables: dict[str, str]) -> bytes:
    """What the commands print."""
    return subprocess.run(
        ["bash", "-e", "-c", commands],
        env=variables | {"PATH": "/usr/bin:/bin"},
        check=True,
        capture_output=True,
        timeout=30,
    ).stdout


async def test_a_run_writes_its_failed_requests_and_export_makes_commands_of_them(
    tmp_path: Path, target: Target
) -> None:
    script = tmp_path / "test.js"
    script.write_text(
        f"""
        export default function () {{
          http.post('{target.url}/status/500', {{ page: "it's" }}, {{ headers: {{ 'X-A': 'b' }} }});
          http.get('{target.url}/');
        }}
        """
    )
    out = tmp_path / "out.json"
    shell(f"{FUSILLADE} run {script} -i 1 -q --out json={out}", {})
    done = await fusillade("export", str(out), "--format", "curl")
    assert (done.code, done.stderr) == (0, "")
    assert f"# 1. POST {target.url}/status/:id: status 500" in done.stdout
    before = target.counted()["POST /status/500"]
    shell(done.stdout, {})
    assert target.counted()["POST /status/500"] == before + 1


async def test_an_exported_command_sends_what_was_sent_with_secrets_from_variables(
    tmp_path: Path, target: Target
) -> None:
    body = json.dumps({"a": 'it\'s $HOME `x` \\ "q"\n\x1b', "password": MASK}, ensure_ascii=False)
    record = failed_request(
        f"{target.url}/echo?api_key={MASK}&list[]={{1}}",
        method="PUT",
        headers={"Authorization": f"Bearer {MASK}", "X-Empty": "", "X-Odd": "!$(id) 'q'"},
        body=body,
    )
    done = await fusillade("export", written(tmp_path / "out.json", record))
    assert "\x1b" not in done.stdout
    assert (
        "# Set REPLAY_BEARER_TOKEN: what follows Bearer in the header Authorization." in done.stdout
    )
    assert "# Set REPLAY_PASSWORD: the field password." in done.stdout
    assert "-H 'Authorization: Bearer '\"${REPLAY_BEARER_TOKEN}\"" in done.stdout
    values = {
        "REPLAY_BEARER_TOKEN": "a 'token'",
        "REPLAY_PASSWORD": "pass",
        "REPLAY_API_KEY": "k%20y",
    }
    seen = json.loads(shell(done.stdout.replace("curl -i", "curl -s"), values))
    headers = dict(seen["headers"])
    assert (seen["method"], seen["url"]) == ("PUT", "/echo?api_key=k%20y&list[]={1}")
    assert headers["Authorization"] == "Bearer a 'token'"
    assert (headers["X-Empty"], headers["X-Odd"]) == ("", "!$(id) 'q'")
    assert "Content-Type" not in headers
    assert seen["body"] == body.replace(MASK, "pass")
    as_json = (await fusillade("export", str(tmp_path / "out.json"), "--json")).json
    assert set(as_json["requests"][0]["variables"]) == set(values)


async def test_an_exported_command_can_be_converted_to_a_test(
    tmp_path: Path, target: Target
) -> None:
    record = failed_request(f"{target.url}/echo", body='{"page":1}')
    done = await fusillade("export", written(tmp_path / "out.json", record))
    commands = tmp_path / "commands.sh"
    commands.write_text(done.stdout)
    made = await fusillade("convert", str(commands), "--format", "curl")
    assert made.code == 0, made.stderr
    assert "REPLAY_BEARER_TOKEN" in made.stdout


async def test_replay_shows_then_and_now_and_succeeds_when_all_requests_do(
    tmp_path: Path, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = failed_request(
        "http://127.0.0.1:1/echo?token=" + MASK, body='{"password":"' + MASK + '"}'
    )
    source = written(tmp_path / "out.json", gone)
    done = await fusillade("replay", source, "--base-url", target.url)
    assert done.code == 1
    assert "not sent: set REPLAY_" in done.stdout
    assert "REPLAY_TOKEN: the field token" in done.stdout
    monkeypatch.setenv("REPLAY_TOKEN", "to/ken secret")
    monkeypatch.setenv("REPLAY_BEARER_TOKEN", "another")
    monkeypatch.setenv("REPLAY_PASSWORD", 'pass"word')
    done = await fusillade("replay", source, "--base-url", target.url)
    assert (done.code, done.stderr) == (0, "")
    assert "status 500" in done.stdout
    assert "status 200" in done.stdout
    assert "1 of 1 succeed now." in done.stdout
    result = (await fusillade("replay", source, "--base-url", target.url, "--json")).json
    assert result["ok"]
    (one,) = result["requests"]
    assert one["then"]["response"]["status"] == 500
    answer = one["now"]["response"]["body"]["text"]
    assert "secret" not in answer
    assert "word" not in answer.replace("password", "")
    assert "Accept-Encoding" not in answer
    assert '"method":"POST"' in answer.replace(" ", "")


async def test_replay_fails_for_each_request_that_fails_again(
    tmp_path: Path, target: Target
) -> None:
    plain = {"X-A": "b"}
    records = [
        failed_request(f"{target.url}/status/500", headers=plain),
        failed_request(f"{target.url}/close", headers=plain, status=0),
        failed_request(f"{target.url}/", headers=plain, body="x" * 9, whole=False),
        failed_request(f"{target.url}/", headers=plain, status=200, check="it is [red]good[/]"),
        failed_request(
            f"{target.url}/", headers=plain, status=200, check="it is", answer='{"status":"ok"}'
        ),
        failed_request(f"{target.url}/", headers=plain, method="HEAD", status=404),
    ]
    source = written(tmp_path / "out.json", *records)
    result = await fusillade("replay", source, "--json")
    assert result.code == 1
    now = [one["now"] for one in result.json["requests"]]
    assert [one["ok"] for one in now] == [False, False, False, True, False, True]
    assert "no answer" in now[1]["words"]
    assert now[2]["words"] == "not sent: its body of 9 bytes was not kept whole"
    assert now[4]["words"].endswith("the same answer, so the check fails again")
    assert (await fusillade("replay", source, "-n", "4", "-n", "6")).code == 0
    shown = await fusillade("replay", source)
    assert shown.code == 1
    assert "it is [red]good[/]" in shown.stdout
    assert "2 of 6 succeed now." in shown.stdout


async def test_what_is_no_failed_request_is_refused_with_a_sentence(tmp_path: Path) -> None:
    good = failed_request("http://127.0.0.1:1/")
    broken = {
        "no.json": b"{",
        "other.json": b'{"summary":{}}',
        "half.json": b'{"failures":[{}]}',
        "file.json": msgspec.json.encode({"failures": [failed_request("file:///etc/passwd")]}),
        "header.json": msgspec.json.encode(
            {"failures": [failed_request("http://127.0.0.1:1/", headers={"@/etc/passwd": ""})]}
        ),
    }
    for name, content in broken.items():
        (tmp_path / name).write_bytes(content)
    source = written(tmp_path / "good.json", good)
    wrong = [
        *([str(tmp_path / name)] for name in broken),
        [str(tmp_path / "nothing.json")],
        [source, "-n", "2"],
        [source, "--base-url", "127.0.0.1"],
    ]
    for command in ("export", "replay"):
        for arguments in wrong:
            done = await fusillade(command, *arguments)
            assert (done.code, done.stdout) == (1, "")
            assert done.stderr.count("\n") == 1
            assert "Error" not in done.stderr
    empty = written(tmp_path / "empty.json")
    assert (await fusillade("replay", empty)).stdout == "No request has failed.\n"
    assert (await fusillade("export", empty)).code == 0
