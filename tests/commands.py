"""Commands of ``fusillade`` within this process: quicker than a process each."""

import asyncio
import contextlib
import io
import json
import sys
from dataclasses import dataclass
from typing import Any
from unittest import mock

import pytest

from fusillade.cli import main


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        """All of its output, which is one document."""
        return json.loads(self.stdout)


async def fusillade(*arguments: str, stdin: str = "") -> Done:
    """Run a command in a thread of this process."""
    return await asyncio.to_thread(_run, arguments, stdin)


def _run(arguments: tuple[str, ...], stdin: str) -> Done:
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
    with (
        mock.patch.object(sys, "argv", ["fusillade", *arguments]),
        mock.patch.object(sys, "stdin", io.StringIO(stdin)),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        pytest.raises(SystemExit) as left,
    ):
        main()
    texts = [file.buffer.getvalue().decode() for file in (out, err)]  # type: ignore[attr-defined]
    return Done(int(left.value.code or 0), *texts)
