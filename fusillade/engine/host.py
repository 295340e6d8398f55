"""A script host: the child process in which one test's JavaScript runs.

``python -I -m fusillade.engine.host SOCKET_FD MEMORY_BYTES PARENT_PID`` speaks the messages of
``fusillade.hosting.messages`` over the inherited socket. It has an empty environment, and nothing
that a script could want: no Ray, no database, no secret.
"""

import asyncio
import json
import os
import socket
import sys
import time
from collections import deque
from typing import TYPE_CHECKING, Any

import msgspec
import uvloop

from fusillade.blocklist import Blocklist
from fusillade.engine.drivers.base import Driver, OnReady
from fusillade.engine.drivers.named import driver_class
from fusillade.engine.engine import Engine, LogLine, ScriptError
from fusillade.engine.error_places import ErrorPlaces, is_out_of_memory, thrown
from fusillade.engine.load import LoadRun
from fusillade.engine.meter import Meter
from fusillade.engine.plan_drivers import plan_driver, plan_streams
from fusillade.engine.realm import Realm
from fusillade.engine.sandbox.confine import confine
from fusillade.engine.well_formed import well_formed
from fusillade.hosting.framing import frame, read_message
from fusillade.hosting.messages import (
    Beat,
    Call,
    Called,
    Delta,
    Failed,
    Finished,
    Load,
    Loaded,
    Log,
    Message,
    Pause,
    Rejected,
    Resume,
    Run,
    Setup,
    SetupDone,
    Shutdown,
    Started,
    Stop,
    Summarize,
    Summarized,
    Teardown,
    TeardownDone,
    ToHost,
    Warm,
    Warmed,
)
from fusillade.metrics.recorder import Recorder
from fusillade.metrics.summary import Summary
from fusillade.metrics.summary_data import summary_data
from fusillade.script.compiler import ScriptErrors, compile_script
from fusillade.script.plan import Plan, make_plan
from fusillade.script.planned import planned

if TYPE_CHECKING:
    from fusillade.engine.streams.streams import Streams

_BEAT_SECONDS = 0.25
_BEATS_OF_CPU = 4
"""Beats over which the use of the CPU is measured."""
_LIKELY = (
    "If the script changes what is built in, such as the prototype of Array, that is the likely "
    "cause."
)
_MOST_WARM_CONNECTIONS = 1000
_LARGEST_OPTIONS = 1 << 20
_decoder: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(ToHost)


class Host:
    """Answers the parent's messages with one realm and one engine."""

    def __init__(self, writer: asyncio.StreamWriter, memory_bytes: int) -> None:
        self._writer = writer
        self._memory_bytes = memory_bytes
        self._loop = asyncio.get_running_loop()
        self._meter = Meter(self._loop.time())
        self._realm = Realm()
        self._engine: Engine | None = None
        self._places = ErrorPlaces()
        self._plan: Plan | None = None
        self._exports: list[str] = []
        self._run: LoadRun | None = None
        self._pause: Pause | Resume | None = None
        """The last one; it may come before the load has begun."""
        self._work: set[asyncio.Task[None]] = set()
        self._fatal: Exception | None = None
        self._blocklist: Blocklist | None = None
        self._warming = False

    async def serve(self, reader: asyncio.StreamReader, started: Started) -> None:
        """Answer until the parent says Shutdown or is gone."""
        self._send(started)
        beat = self._loop.create_task(self._beat())
        while (message := await read_message(reader, _decoder)) is not None:
            match message:
                case Load():
                    self._begin(self._load(message))
                case Setup():
                    self._begin(self._setup())
                case Warm():
                    self._begin(self._warm(message))
                case Run():
                    self._begin(self._run_load(message))
                case Stop(grace_seconds=grace):
                    if self._run is not None:
                        self._run.stop(grace)
                case Pause() | Resume():
                    self._pause = message
                    self._follow_pause()
                case Call(function=name, setup_data=data):
                    self._begin(self._call(name, data))
                case Teardown(setup_data=data):
                    self._begin(self._teardown(data))
                case Summarize(summary=summary):
                    self._begin(self._summarize(summary))
                case Shutdown():
                    break
        beat.cancel()

    def _begin(self, work: Any) -> None:
        task = self._loop.create_task(work)
        self._work.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._work.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._fail(error)

    def _send(self, message: Message) -> None:
        self._writer.write(frame(message))

    async def _beat(self) -> None:
        used = deque([(self._loop.time(), time.process_time())], maxlen=_BEATS_OF_CPU)
        while True:
            now, cpu = self._loop.time(), time.process_time()
            lag = self._meter.woken(now)
            before, cpu_before = used[0]
            used.append((now, cpu))
            beat = Beat(
                loop_lag_seconds=lag,
                cpu_share=(cpu - cpu_before) / (now - before) if now > before else 0.0,
            )
            if self._run is not None:
                beat.overloaded = self._meter.is_overloaded
                beat.active_workers = self._run.active_workers
                beat.requests_per_second = self._run.requests_per_second
            self._send(beat)
            self._meter.sleeps_until(self._loop.time() + _BEAT_SECONDS)
            await asyncio.sleep(_BEAT_SECONDS)

    # ---- loading ---------------------------------------------------------------------------

    async def _load(self, message: Load) -> None:
        try:
            script = compile_script(message.files, message.entry)
        except ScriptErrors as errors:
            self._send(Rejected(problems=errors.problems))
            return
        self._places = ErrorPlaces(script)
        self._blocklist = None if message.blocked is None else Blocklist(message.blocked)
        try:
            for module in script.modules:
                self._realm.add_module(module.path, module.code)
            for path, content in message.files.items():
                self._realm.add_file(path, content)
        except Exception as error:  # pythonmonkey's own class cannot be named without importing it
            self._send(Rejected(problems=[self._places.problem(str(error), "", message.entry)]))
            return
        engine = Engine(
            self._realm,
            self._make_driver,
            Recorder(),
            self._log,
            self._broke,
            self._make_streams,
        )
        self._engine = engine
        try:
            text = await engine.load(message.env)
            if len(text) > _LARGEST_OPTIONS:
                raise ScriptError(f"options: must have at most {_LARGEST_OPTIONS:,} bytes", "")
            loaded = msgspec.json.decode(well_formed(text))
        except RecursionError:
            problem = self._places.problem("options: are nested too deeply", "", message.entry)
            self._send(Rejected(problems=[problem]))
            return
        except ScriptError as error:
            self._send(
                Rejected(problems=[self._places.problem(error.message, error.stack, message.entry)])
            )
            return
        self._exports = loaded["exports"]
        made = make_plan(loaded["options"], self._exports, message.overrides, script.options)
        if isinstance(made, list):
            self._send(Rejected(problems=made))
            return
        plan = self._plan = made
        self._realm.configure(
            {
                "maxRedirects": plan.max_redirects,
                "sink": plan.response_sink,
                "trackEndpoints": not plan.no_endpoint_tracking,
                "ownConnections": plan.own_connections,
            }
        )
        self._send(
            Loaded(
                options=plan.options,
                duration_seconds=plan.duration_seconds,
                workers=plan.max_workers,
                exports=self._exports,
                warnings=[*script.warnings, *plan.warnings],
                target_urls=list(script.target_urls),
                scenarios=[planned(scenario) for scenario in plan.scenarios],
            )
        )
        # Imports it, which the first request would otherwise be measured with.
        driver_class(plan.http_driver)

    def _make_driver(self, ready: OnReady) -> Driver:
        """Asked for when the first request is sent: the plan is known then."""
        assert self._plan is not None
        return plan_driver(self._plan, self._blocklist, ready, lambda: self._warming)

    def _make_streams(self, ready: OnReady) -> "Streams":
        """Asked for when the first connection is opened: the plan is known then."""
        assert self._plan is not None
        return plan_streams(self._plan, self._blocklist, ready, self._broke)

    # ---- setup, load, teardown ---------------------------------------------------------------

    async def _setup(self) -> None:
        data = b"null"
        if "setup" in self._exports:
            assert self._plan is not None
            seconds = self._plan.setup_timeout_seconds
            try:
                data = await self._running.once("setup", None, timeout_seconds=seconds)
            except TimeoutError:
                self._send(Failed(reason=_too_long("setup", seconds)))
                return
            except ScriptError as error:
                self._send(Failed(reason=self._places.described("setup()", error)))
                return
        self._send(SetupDone(data=data.decode()))

    async def _warm(self, message: Warm) -> None:
        plan = self._plan
        assert plan is not None
        connections = min(message.share.of(plan.max_workers), _MOST_WARM_CONNECTIONS)
        if plan.warmup is not None and connections > 0:
            await self._open_connections(plan.warmup, connections)
        self._send(Warmed())

    async def _open_connections(self, url: str, count: int) -> None:
        self._warming = True
        try:
            errors = json.loads(await self._running.warm(url, count))
        except ScriptError as error:
            self._send(Log(level="warn", text=f"options.warmup: {error.message}"))
            return
        finally:
            self._warming = False
        if errors:
            self._send(
                Log(
                    level="warn",
                    text=f"options.warmup: {len(errors)} of {count} requests for {url} failed "
                    f"({errors[0]}).",
                )
            )

    async def _run_load(self, message: Run) -> None:
        assert self._plan is not None
        share = message.share
        self._running.recorder.share_sample(share.total / max(1, share.end - share.start))
        self._run = LoadRun(
            self._running,
            self._plan,
            message.share,
            message.start_at,
            msgspec.Raw(message.setup_data.encode()),
            lambda number, payload: self._send(Delta(number=number, payload=payload)),
            self._meter,
            message.takeover,
        )
        self._follow_pause()
        if self._fatal is not None:
            self._run.fail(self._fatal)
        await self._run.run()
        self._run = None
        await self._writer.drain()
        self._send(Finished())

    def _follow_pause(self) -> None:
        if self._run is None:
            return
        match self._pause:
            case Pause(at=at, paused_seconds=seconds):
                self._run.pause(at, seconds)
            case Resume(at=at, paused_seconds=seconds):
                self._run.resume(at, seconds)

    async def _call(self, name: str, setup_data: str) -> None:
        engine, began = self._running, self._loop.time()
        try:
            data = await engine.once(name, json.loads(setup_data))
        except ScriptError as error:
            self._send(Failed(reason=self._places.described(f"{name}()", error)))
            return
        engine.flush()
        measured = engine.recorder.take_delta(1, 0, self._loop.time() - began)
        self._send(Called(data=data.decode(), metrics=measured))

    async def _teardown(self, setup_data: str) -> None:
        if "teardown" in self._exports:
            assert self._plan is not None
            data, seconds = msgspec.Raw(setup_data.encode()), self._plan.teardown_timeout_seconds
            try:
                await self._running.once("teardown", data, timeout_seconds=seconds)
            except TimeoutError:
                self._send(Failed(reason=_too_long("teardown", seconds)))
                return
            except ScriptError as error:
                self._send(Failed(reason=self._places.described("teardown()", error)))
                return
        self._send(TeardownDone())

    async def _summarize(self, summary: dict[str, Any]) -> None:
        output = b"null"
        if "handleSummary" in self._exports:
            assert self._plan is not None
            data = summary_data(msgspec.convert(summary, Summary), self._plan.options)
            try:
                output = well_formed(await self._running.once("handleSummary", data))
            except RecursionError:
                self._send(Failed(reason="handleSummary() returned what is nested too deeply."))
                return
            except ScriptError as error:
                self._send(Failed(reason=self._places.described("handleSummary()", error)))
                return
        self._send(Summarized(output=output.decode()))

    @property
    def _running(self) -> Engine:
        assert self._engine is not None, "no script has been loaded"
        return self._engine

    # ---- what goes wrong -------------------------------------------------------------------

    def unhandled(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """A promise of the script was rejected and nobody handled it, or a callback of ours
        raised."""
        error = context.get("exception")
        if error is not None and type(error).__name__ == "SpiderMonkeyError":
            self._send(Log(level="error", text=f"Uncaught (in promise) {thrown(error)}"))
        else:
            loop.default_exception_handler(context)

    def _log(self, line: LogLine) -> None:
        text = line.text
        if line.stack:
            text += self._places.where(line.stack)
            if is_out_of_memory(line.text):
                self._broke(MemoryError(text))
        self._send(Log(level=line.level, text=text, worker=line.worker))

    def _broke(self, error: Exception) -> None:
        """The engine or the script cannot go on."""
        self._fatal = error
        if self._run is not None:
            self._run.fail(error)
        else:
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        words = str(error).strip()
        # Python's own, for SpiderMonkey without the memory for an exception that says so.
        silent = isinstance(error, SystemError) and "without exception" in words
        if silent or isinstance(error, MemoryError) or is_out_of_memory(words):
            reason = (
                f"The script ran out of memory: it may use {self._memory_bytes >> 20} MiB. "
                f"{'' if silent else words}"
            )
        else:
            reason = f"The script host failed: {self._places.words(error)}. {_LIKELY}"
        self._send(Failed(reason=reason.strip()))


def _too_long(function: str, seconds: float) -> str:
    return f"{function}() did not end within {seconds:g} s (options.{function}Timeout)."


async def _serve(descriptor: int, memory_bytes: int, started: Started) -> None:
    reader, writer = await asyncio.open_connection(sock=socket.socket(fileno=descriptor))
    host = Host(writer, memory_bytes)
    asyncio.get_running_loop().set_exception_handler(host.unhandled)
    await host.serve(reader, started)


class _Loop(uvloop.Loop):
    """pythonmonkey looks this attribute of asyncio's own loop up when a promise is rejected and
    nobody has handled it; where it is missing the process crashes. Not None: a handler is set."""

    _exception_handler = True


def main() -> None:
    """Entry point of the child process."""
    descriptor, memory_bytes, parent = (int(argument) for argument in sys.argv[1:4])
    os.chdir("/")
    measures, left_out = confine(memory_bytes, parent)
    started = Started(measures=measures, left_out=left_out)
    with asyncio.Runner(loop_factory=_Loop) as runner:
        runner.run(_serve(descriptor, memory_bytes, started))
    # No atexit handlers: the engine's threads and the realm have nothing left to say.
    os._exit(0)


if __name__ == "__main__":
    main()
