"""The reference's curl examples, read and sent to the API in this process."""

import json
import re
import shlex
from dataclasses import dataclass
from typing import Any

import httpx

BASE_URL = "https://api.fusillade.io"


@dataclass(frozen=True)
class Example:
    """One curl command."""

    method: str
    path: str
    body: Any

    async def send(self, client: httpx.AsyncClient, **names: object) -> httpx.Response:
        """What the API answers. ``names`` stand for what is in angle brackets in the path."""
        path = self.path
        for name, value in names.items():
            path = path.replace(f"<{name}>", str(value))
        return await client.request(self.method, path, json=self.body)


def example(command: str) -> Example:
    """A curl command with a JSON body, as printed.

    The reference prints scripts inside JSON with their quotes unescaped, which is no JSON; they are
    escaped here, and nothing else is changed.
    """
    words = shlex.split(command.replace("\\\n", " "))
    (url,) = [word for word in words if word.startswith(BASE_URL)]
    method = words[words.index("-X") + 1] if "-X" in words else "GET"
    body = json.loads(_escaped(words[words.index("-d") + 1])) if "-d" in words else None
    return Example(method, url.removeprefix(BASE_URL), body)


def _escaped(body: str) -> str:
    """Escape the quotes inside the script's line."""

    def line(found: re.Match[str]) -> str:
        return found[1] + found[2].replace('"', '\\"') + found[3]

    return re.sub(r'("script_content": ")(.*)(",?)$', line, body, flags=re.MULTILINE)
