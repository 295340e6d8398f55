"""The parent's end of a script host: starts the child, speaks to it, watches over it."""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Any, Self, TypeVar

import msgspec

from fusillade.blocklist import Rules
from fusillade.engine.share import Share
from fusillade.engine.takeover import FROM_THE_START, Takeover
from fusillade.errors import InvalidScript
from fusillade.hosting.framing import BadFrame, frame, read_message
from fusillade.hosting.messages import (
    Beat,
    Call,
    Called,
    Delta,
    Failed,
    Finished,
    FromHost,
    Load,
    Loaded,
    Log,
    Message,
    Overrides,
    Pause,
    Problem,
    Rejected,
    Resume,
    Run,
    Setup,
    SetupDone,
    Started,
    Stop,
    Summarize,
    Summarized,
    Teardown,
    TeardownDone,
    Warm,
    Warmed,
)

_log = logging.getLogger(__name__)
_decoder: msgspec.msgpack.Decoder[FromHost] = msgspec.msgpack.Decoder(FromHost)
_STARTUP_SECONDS = 60.0
_SUMMARY_SECONDS = 60.0
_STDERR_BYTES = 4096
_LOADER_FAILED = 127
"""What a process ends with when the dynamic loader gets no memory."""
_MOST_EARLY_LOGS = 1000
_MOST_WAITING_LOGS = 10000

M = TypeVar("M", bound=Message)


class ScriptHostDied(Exception):
    """The host is gone; the message says why, in words for the author of the script."""


class ScriptFailed(Exception):
    """The script itself failed (``setup`` threw, say); the message is its author's to read."""


class ScriptRejected(InvalidScript):
    """The script cannot run; ``problems`` has each reason with its position."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(describe(problems))
        self.problems = problems


def describe(problems: list[Problem]) -> str:
    """Problems in one sentence each, with file, line and column where they are known."""
    lines = []
    for problem in problems:
        where = problem.file
        if problem.line:
            where += f":{problem.line}:{problem.column}"
        lines.append(f"{where}: {problem.message}" if where else problem.message)
    return "\n".join(lines)


class ScriptHost:
    """A child process that runs one script.

    Use as an async context manager: the child is dead on exit, whatever happened.
    """

    def __init__(
        self,
        *,
        memory_limit_bytes: int = 1 << 30,
        watchdog_seconds: float = 5.0,
    ) -> None:
        self._memory_limit_bytes = memory_limit_bytes
        self._watchdog_seconds = watchdog_seconds
        self._process: asyncio.subprocess.Process | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._inbox: asyncio.Queue[Message | None] = asyncio.Queue()
        self._tasks: list[asyncio.Task[None]] = []
        self._stderr = b""
        self._last_sign = 0.0
        self._watching = False
        self._killed_because: str | None = None
        self._started = asyncio.Event()
        self.start = Started(measures={})
        """What the host has given up; known once it has loaded a script."""
        self.beat = Beat()
        """The newest sign of life."""
        self.beat_at: float | None = None
        """When it came, Unix time."""
        self.early_logs: list[Log] = []
        """Lines printed outside of ``run``: by the init code, ``setup`` and ``teardown``."""

    async def __aenter__(self) -> Self:
        ours, theirs = socket.socketpair()
        try:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                # Isolated: neither PYTHON* variables nor the current directory count.
                "-I",
                "-m",
                "fusillade.engine.host",
                str(theirs.fileno()),
                str(self._memory_limit_bytes),
                str(os.getpid()),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
                env={
                    "PATH": "/usr/bin:/bin",
                    "LANG": "C.UTF-8",
                    # NumPy's library would start threads before the host has confined itself.
                    "OPENBLAS_NUM_THREADS": "1",
                },
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        reader, self._writer = await asyncio.open_connection(sock=ours)
        self._tasks = [
            asyncio.create_task(self._read(reader)),
            asyncio.create_task(self._collect_stderr()),
            asyncio.create_task(self._watch()),
        ]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """End the child, if it has not ended."""
        self._watching = False
        self._kill()
        process = self._process
        if process is not None:
            await process.wait()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._writer is not None:
            self._writer.close()
            with contextlib.suppress(ConnectionError):
                await self._writer.wait_closed()

    @property
    def pid(self) -> int:
        """Process id of the child."""
        assert self._process is not None, "the host has not been entered"
        return self._process.pid

    # ---- what a test needs -----------------------------------------------------------------

    async def load(
        self,
        files: dict[str, bytes],
        entry: str,
        *,
        env: dict[str, str] | None = None,
        overrides: Overrides | None = None,
        blocked: Rules | None = None,
        timeout_seconds: float = 10.0,
    ) -> Loaded:
        """Compile the test and run its init code.

        Raises :class:`ScriptRejected` (an ``InvalidScript``), also when the init code takes
        longer than ``timeout_seconds``; :class:`ScriptHostDied`.
        """
        await self._wait_for_start()
        await self._send(
            Load(
                files=files,
                entry=entry,
                env=env or {},
                overrides=overrides or Overrides(),
                blocked=blocked,
            )
        )
        try:
            async with asyncio.timeout(timeout_seconds):
                answer = await self._answer(Loaded, Rejected)
        except TimeoutError:
            self._kill()
            problem = Problem(
                message=f"The script's init code did not end within {timeout_seconds:g} s: "
                "is there an endless loop outside of the exported functions?",
                file=entry,
            )
            raise ScriptRejected([problem]) from None
        except (ScriptHostDied, ScriptFailed) as failure:
            raise ScriptRejected([Problem(message=str(failure), file=entry)]) from failure
        if isinstance(answer, Rejected):
            raise ScriptRejected(answer.problems)
        assert isinstance(answer, Loaded)
        self._last_sign = asyncio.get_running_loop().time()
        self._watching = True
        return answer

    async def setup(self) -> str:
        """Run ``setup()``; its JSON. Raises :class:`ScriptFailed`, :class:`ScriptHostDied`."""
        await self._send(Setup())
        answer = await self._answer(SetupDone)
        assert isinstance(answer, SetupDone)
        return answer.data

    async def warm(self, share: Share) -> None:
        """Open a share's connections as the option ``warmup`` asks for; without it, do nothing.

        Raises :class:`ScriptHostDied`.
        """
        await self._send(Warm(share=share))
        await self._answer(Warmed)

    async def run(
        self,
        start_at: float,
        share: Share,
        setup_data: str,
        takeover: Takeover = FROM_THE_START,
    ) -> AsyncIterator[Delta | Log]:
        """Run a share of the load, or the rest of one; yields until it is over.

        Raises :class:`ScriptFailed`, :class:`ScriptHostDied`.
        """
        await self._send(
            Run(start_at=start_at, share=share, setup_data=setup_data, takeover=takeover)
        )
        while True:
            message = await self._next()
            if isinstance(message, Delta | Log):
                yield message
            elif isinstance(message, Finished):
                return

    async def stop(self, grace_seconds: float) -> None:
        """End the load early; ``run`` then ends after at most ``grace_seconds``."""
        await self._send(Stop(grace_seconds=grace_seconds))

    async def pause(self, at: float, paused_seconds: float) -> None:
        """Begin no iterations from ``at`` (Unix time) on, until ``resume`` or ``stop``;
        ``paused_seconds`` is the length of all pauses before."""
        await self._send(Pause(at=at, paused_seconds=paused_seconds))

    async def resume(self, at: float, paused_seconds: float) -> None:
        """Go on at ``at``; ``paused_seconds`` is the length of all pauses up to then."""
        await self._send(Resume(at=at, paused_seconds=paused_seconds))

    async def call(self, function: str, setup_data: str) -> Called:
        """Run an exported function once.

        Raises :class:`ScriptFailed`, :class:`ScriptHostDied`.
        """
        await self._send(Call(function=function, setup_data=setup_data))
        answer = await self._answer(Called)
        assert isinstance(answer, Called)
        return answer

    async def teardown(self, setup_data: str) -> None:
        """Run ``teardown(data)``. Raises :class:`ScriptFailed`, :class:`ScriptHostDied`."""
        await self._send(Teardown(setup_data=setup_data))
        await self._answer(TeardownDone)

    async def handle_summary(self, summary: dict[str, Any]) -> str:
        """Run ``handleSummary(data)`` on a ``Summary`` in builtin types; its result as JSON,
        ``null`` if there is no such function.

        Raises :class:`ScriptFailed`, also when it takes too long; :class:`ScriptHostDied`.
        """
        await self._send(Summarize(summary=summary))
        try:
            async with asyncio.timeout(_SUMMARY_SECONDS):
                answer = await self._answer(Summarized)
        except TimeoutError:
            raise ScriptFailed(
                f"handleSummary() did not end within {_SUMMARY_SECONDS:g} s."
            ) from None
        assert isinstance(answer, Summarized)
        return answer.output

    # ---- messages --------------------------------------------------------------------------

    async def _send(self, message: Message) -> None:
        assert self._writer is not None, "the host has not been entered"
        try:
            self._writer.write(frame(message))
            await self._writer.drain()
        except ConnectionError:
            raise await self._death() from None

    async def _next(self) -> Message:
        """The next message that is not a Beat. Raises for Failed and for the child's end."""
        message = await self._inbox.get()
        if message is None:
            # Whoever asks next gets the same answer.
            self._inbox.put_nowait(None)
            raise await self._death()
        if isinstance(message, Failed):
            raise ScriptFailed(message.reason)
        return message

    async def _answer(self, *kinds: type[Message]) -> Message:
        while True:
            message = await self._next()
            if isinstance(message, kinds):
                return message
            if isinstance(message, Log) and len(self.early_logs) < _MOST_EARLY_LOGS:
                self.early_logs.append(message)

    async def _read(self, reader: asyncio.StreamReader) -> None:
        try:
            while (message := await read_message(reader, _decoder)) is not None:
                self._last_sign = asyncio.get_running_loop().time()
                if isinstance(message, Beat):
                    self.beat, self.beat_at = message, time.time()
                elif isinstance(message, Started):
                    self.start = message
                    self._started.set()
                elif not isinstance(message, Log) or self._inbox.qsize() < _MOST_WAITING_LOGS:
                    self._inbox.put_nowait(message)
        except BadFrame as error:
            self._kill(f"The script host sent an invalid message: {error}.")
        self._inbox.put_nowait(None)
        self._started.set()

    # ---- life and death --------------------------------------------------------------------

    async def _wait_for_start(self) -> None:
        try:
            async with asyncio.timeout(_STARTUP_SECONDS):
                await self._started.wait()
        except TimeoutError:
            self._kill(f"The script host did not start within {_STARTUP_SECONDS:g} s.")

    async def _watch(self) -> None:
        """Ends a host whose script does not give control back."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self._watchdog_seconds / 10)
            if not self._watching or loop.time() - self._last_sign < self._watchdog_seconds:
                continue
            # If it was this process that was held up, the beats are waiting to be read.
            await asyncio.sleep(0.5)
            if self._watching and loop.time() - self._last_sign >= self._watchdog_seconds:
                self._kill(
                    f"The script did not give control back for {self._watchdog_seconds:g} s: "
                    "is there an endless loop that neither sleeps nor sends a request?"
                )
                return

    def _kill(self, reason: str | None = None) -> None:
        if self._killed_because is None:
            self._killed_because = reason
        process = self._process
        if process is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                # It leads a session of its own: the group has whatever it may have started.
                os.killpg(process.pid, signal.SIGKILL)

    async def _death(self) -> ScriptHostDied:
        """Why the host is gone."""
        assert self._process is not None
        try:
            async with asyncio.timeout(5.0):
                code = await self._process.wait()
        except TimeoutError:
            self._kill()
            code = await self._process.wait()
        if self._killed_because is not None:
            return ScriptHostDied(self._killed_because)
        if self._stderr:
            _log.error("script host %d: %s", self.pid, self._stderr.decode(errors="replace"))
        limit = self._memory_limit_bytes >> 20
        if code < 0:
            name = signal.Signals(-code).name
            if code == -signal.SIGSEGV:
                return ScriptHostDied(
                    "The script host crashed (SIGSEGV): was a promise rejected with a symbol or an "
                    "invalid date, which the engine cannot show, or did the script use more memory "
                    f"than its limit of {limit} MiB?"
                )
            return ScriptHostDied(
                f"The script host was ended by {name}: did the script use more memory than its "
                f"limit of {limit} MiB?"
            )
        if code == _LOADER_FAILED:
            return ScriptHostDied(
                "The script host ran out of memory: did the script use more than its limit of "
                f"{limit} MiB?"
            )
        return ScriptHostDied(f"The script host ended unexpectedly with exit code {code}.")

    async def _collect_stderr(self) -> None:
        assert self._process is not None
        assert self._process.stderr is not None
        while chunk := await self._process.stderr.read(1024):
            self._stderr = (self._stderr + chunk)[-_STDERR_BYTES:]
