"""The reference's curl examples, read and sent to the API in this process."""

import json
import re
import shlex
from dataclasses import dataclass
from typing import Any

import httpx

BASE_URL = "https://api.fusillade.io"
SCRIPT = b"export default function () { http.get('https://api.example.com/health'); }"
"""What is in every file that an example uploads."""


@dataclass(frozen=True)
class Example:
    """One curl command."""

    method: str
    path: str
    body: Any
    form: dict[str, str]
    """Text fields of a form; fields that are files are in ``files``, by the file's name."""
    files: dict[str, str]

    async def send(self, client: httpx.AsyncClient, **names: object) -> httpx.Response:
        """What the API answers. ``names`` stand for what is in angle brackets in the path."""
        path = self.path
        for name, value in names.items():
            path = path.replace(f"<{name}>", str(value))
        files = {name: (file, SCRIPT) for name, file in self.files.items()}
        return await client.request(
            self.method, path, json=self.body, data=self.form or None, files=files or None
        )


def example(command: str) -> Example:
    """A curl command with a JSON body, a form or neither, as printed.

    The reference prints scripts inside JSON with their quotes unescaped, which is no JSON; they are
    escaped here, and nothing else is changed.
    """
    words = shlex.split(command.replace("\\\n", " "))
    (url,) = [word for word in words if word.startswith(BASE_URL)]
    method = words[words.index("-X") + 1] if "-X" in words else "GET"
    body = json.loads(_escaped(words[words.index("-d") + 1])) if "-d" in words else None
    fields = dict(
        words[i + 1].split("=", 1) for i, word in enumerate(words) if word in ("-F", "--form")
    )
    files = {name: value[1:] for name, value in fields.items() if value.startswith("@")}
    form = {name: value for name, value in fields.items() if name not in files}
    return Example(method, url.removeprefix(BASE_URL), body, form, files)


def _escaped(body: str) -> str:
    """Escape the quotes inside the script's line."""

    def line(found: re.Match[str]) -> str:
        return found[1] + found[2].replace('"', '\\"') + found[3]

    return re.sub(r'("script_content": ")(.*)(",?)$', line, body, flags=re.MULTILINE)
