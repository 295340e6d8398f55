"""Logging in and out, and what a command says when it cannot reach its platform."""

import json
import socket
import stat
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from commands import fusillade

from fusillade.cli.script_env import script_env


async def test_a_login_is_kept_in_a_private_file_and_forgotten_by_logout(
    url: str, key: str, home: Path
) -> None:
    done = await fusillade("login", key, "--api-url", url + "/")
    assert (done.code, done.stderr) == (0, "")
    assert "owner@acme.test" in done.stdout
    assert key not in done.stdout
    kept = home / "fusillade" / "login.json"
    assert json.loads(kept.read_text()) == {"url": url, "key": key}
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.parent.stat().st_mode) == 0o700

    me = (await fusillade("whoami", "--json")).json
    assert me["email"] == "owner@acme.test"
    shown = await fusillade("whoami")
    assert url in shown.stdout
    assert "owner@acme.test" in shown.stdout

    assert (await fusillade("logout")).code == 0
    assert not kept.exists()
    done = await fusillade("whoami")
    assert (done.code, done.stdout) == (1, "")
    assert "You are not logged in" in done.stderr


async def test_a_key_can_be_read_from_standard_input(url: str, key: str) -> None:
    assert (await fusillade("login", "-", "--api-url", url, stdin=f"{key}\n")).code == 0
    assert (await fusillade("whoami")).code == 0


async def test_a_key_that_the_platform_does_not_know_is_not_kept(url: str) -> None:
    done = await fusillade("login", "fusi_wrong", "--api-url", url)
    assert (done.code, done.stdout) == (1, "")
    assert f"{url} does not know that key" in done.stderr
    assert "You are not logged in" in (await fusillade("whoami")).stderr


async def test_the_environment_wins_over_the_login(
    logged_in: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FUSILLADE_API_KEY", "fusi_wrong")
    done = await fusillade("quota")
    assert done.code == 1
    assert "Log in with fusillade login KEY, or set FUSILLADE_API_KEY." in done.stderr


async def test_a_kept_key_is_sent_to_no_other_platform(
    logged_in: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FUSILLADE_API_URL", "http://127.0.0.1:9")
    done = await fusillade("whoami")
    assert done.code == 1
    assert "You are not logged in at http://127.0.0.1:9" in done.stderr


async def test_a_platform_that_is_not_there_is_one_sentence(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{probe.getsockname()[1]}"
        monkeypatch.setenv("FUSILLADE_API_URL", address)
        monkeypatch.setenv("FUSILLADE_API_KEY", "fusi_any")
        done = await fusillade("tests", "list", "--json")
    assert (done.code, done.stdout) == (1, "")
    assert done.stderr.startswith(f"fusillade: {address} cannot be reached: connection refused.")
    assert done.stderr.count("\n") == 1


@pytest.fixture
def stranger() -> Iterator[HTTPServer]:
    """A web server that is no platform; it notes which keys it was sent."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server.keys.append(self.headers["Authorization"])  # type: ignore[attr-defined]
            if self.path == "/api/v1/me":
                self.send_response(302)
                self.send_header("Location", "/elsewhere")
            else:
                self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>")

        def log_message(self, *arguments: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        server.keys = []  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


async def test_a_server_that_is_no_platform_is_told_apart_and_its_redirects_are_not_followed(
    home: Path, stranger: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FUSILLADE_API_URL", f"http://127.0.0.1:{stranger.server_port}")
    monkeypatch.setenv("FUSILLADE_API_KEY", "fusi_any")
    for command, status in (("quota", 200), ("whoami", 302)):
        done = await fusillade(command)
        assert (done.code, done.stdout) == (1, "")
        assert f"answered {status} and not as a platform does" in done.stderr
    assert len(stranger.keys) == 2  # type: ignore[attr-defined]


@pytest.mark.parametrize("address", ["loads.example.com", "ftp://x", "http://", "http://u:p@x"])
async def test_an_address_that_cannot_be_one_is_refused(home: Path, address: str) -> None:
    done = await fusillade("login", "fusi_any", "--api-url", address)
    assert done.code == 1
    assert "write it as https://loads.example.com" in done.stderr


async def test_a_broken_login_file_is_named(home: Path) -> None:
    path = home / "fusillade" / "login.json"
    path.parent.mkdir(parents=True)
    path.write_text("{")
    done = await fusillade("whoami")
    assert done.code == 1
    assert str(path) in done.stderr


def test_scripts_never_see_the_key_of_the_command_line() -> None:
    given = {"FUSILLADE_API_KEY": "fusi_x", "FUSILLADE_API_URL": "https://x", "FUSILLADE_A": "1"}
    assert script_env([], given) == {"FUSILLADE_A": "1"}
