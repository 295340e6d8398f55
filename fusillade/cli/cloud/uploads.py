"""What goes along when a test is created: the files that the script needs, and the form."""

import posixpath
from collections.abc import Iterable, Mapping
from pathlib import Path
from secrets import token_hex

from fusillade.cli.script_files import read_script
from fusillade.errors import ValidationFailed
from fusillade.script.archive import MODULE_SUFFIXES
from fusillade.script.syntax import Source, parse

_IMPORT_SUFFIXES = ("", ".js", ".ts", ".mjs", ".mts", "/index.js", "/index.ts")


def files_of(script: Path, more: Iterable[Path] = ()) -> dict[str, bytes]:
    """The script, the files that it or a module of it names in a string, and ``more``, by path.

    What is only computed, as in ``open(name + '.csv')``, has to be among ``more``. Nothing is taken
    that does not lie below the script's directory. Raises :class:`ValidationFailed`.
    """
    read_script(script)
    root = script.resolve().parent
    found: dict[str, bytes] = {}
    waiting = [script.name]
    for path in more:
        if not path.is_file() or not path.resolve().is_relative_to(root):
            raise ValidationFailed(f"--asset {path}: it must be a file below {root}.")
        waiting.append(path.resolve().relative_to(root).as_posix())
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        try:
            found[name] = (root / name).read_bytes()
        except OSError as error:
            raise ValidationFailed(f"Cannot read {root / name}: {error.strerror}.") from error
        if name.endswith(MODULE_SUFFIXES):
            waiting += _named(name, found[name], root)
    return found


def _named(module: str, content: bytes, root: Path) -> list[str]:
    """Paths of files that exist and that a string of the module may mean."""
    tree = parse(Source(module, content), typescript=module.endswith((".ts", ".mts")))
    found = []
    for node in tree.nodes:
        if node.type not in ("string", "template_string"):
            continue
        text = node.text[1:-1]
        if not text or "\0" in text or len(text) > 200:
            continue
        beside = posixpath.normpath(posixpath.join(posixpath.dirname(module), text))
        guesses = [posixpath.normpath(text), beside]
        if text.startswith("."):
            guesses += [beside + suffix for suffix in _IMPORT_SUFFIXES]
        for guess in guesses:
            if not guess.startswith(("/", "..")) and (root / guess).is_file():
                found.append(guess)
    return found


def form(
    fields: Mapping[str, object], env: Iterable[str], entry: str, files: Mapping[str, bytes]
) -> tuple[bytes, str]:
    """The body of ``POST /api/v1/tests`` and its content type (RFC 7578)."""
    boundary = token_hex(16)
    parts = [(f'name="{name}"', str(value).encode()) for name, value in fields.items()]
    parts += [('name="env"', text.encode()) for text in env]
    parts.append((f'name="script"; filename="{_quoted(entry)}"', files[entry]))
    parts += [
        (f'name="assets"; filename="{_quoted(name)}"', content)
        for name, content in files.items()
        if name != entry
    ]
    body = bytearray()
    for head, content in parts:
        kind = "Content-Type: application/octet-stream\r\n" if "filename=" in head else ""
        body += f"--{boundary}\r\nContent-Disposition: form-data; {head}\r\n{kind}\r\n".encode()
        body += content + b"\r\n"
    body += f"--{boundary}--\r\n".encode()
    return bytes(body), f"multipart/form-data; boundary={boundary}"


def _quoted(name: str) -> str:
    """As browsers do it (HTML, "Multipart form data")."""
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
