"""Files that only their owner may read: passwords, tokens, keys."""

import os
import secrets
from pathlib import Path


def write_private(path: Path, content: bytes) -> None:
    """Write a file with mode 0600, whole or not at all."""
    scratch = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    scratch.replace(path)


def read_or_make_secret(path: Path) -> str:
    """The secret kept in a file; 64 random hexadecimal digits are put there on the first call."""
    if not path.exists():
        write_private(path, secrets.token_hex(32).encode())
    return path.read_text()
