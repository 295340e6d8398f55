"""The engine: moves requests, timers and the script's workers from one event loop.

Each *turn* gives the script everything that has happened (one pump), records the requests that
ended, and carries out what the script asked for. A turn follows at once while there is work; else
a socket, a timer or the load model's clock wakes it. The engine knows nothing of Ray.
"""

import asyncio
import heapq
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from fusillade.engine.drivers.base import Driver, Template
from fusillade.engine.drivers.own_connections import OwnConnections
from fusillade.engine.exchange import OPERATION, WAKE_BATCH, Kind
from fusillade.engine.failures import Failure
from fusillade.engine.realm import Realm
from fusillade.engine.well_formed import well_formed
from fusillade.metrics.recorder import Recorder

if TYPE_CHECKING:
    from fusillade.engine.streams.streams import Streams


_MOST_VALUES = 1 << 17
"""Values of metrics that wait for the end of the second, at the most."""


class ScriptError(Exception):
    """An exported function threw; ``stack`` is SpiderMonkey's, in produced positions."""

    def __init__(self, message: str, stack: str) -> None:
        super().__init__(message)
        self.message = message
        self.stack = stack


class _Thrown(msgspec.Struct):
    message: str
    stack: str


class LogLine(msgspec.Struct):
    """A line the script printed, or an exception that ended an iteration (with ``stack``)."""

    level: str
    text: str
    worker: int
    stack: str


class _Check(msgspec.Struct):
    name: str
    passes: int
    fails: int
    tags: dict[str, str]


class _Request(msgspec.Struct):
    method: str
    url: str
    headers: list[tuple[str, str]]


class _Metric(msgspec.Struct):
    name: str
    kind: str
    tags: dict[str, str]


_decode_request = msgspec.json.Decoder(_Request).decode
_decode_tags = msgspec.json.Decoder(dict[str, str]).decode
_decode_metric = msgspec.json.Decoder(_Metric).decode
_decode_log = msgspec.json.Decoder(LogLine).decode
_decode_checks = msgspec.json.Decoder(list[_Check]).decode
_decode_thrown = msgspec.json.Decoder(_Thrown).decode


class Engine:
    """Runs one realm. All methods are called from the event loop's thread."""

    def __init__(
        self,
        realm: Realm,
        make_driver: Callable[[Callable[[], None]], Driver],
        recorder: Recorder,
        on_log: Callable[[LogLine], None],
        on_fatal: Callable[[Exception], None],
        make_streams: "Callable[[Callable[[], None]], Streams]",
    ) -> None:
        self.realm = realm
        self.exchange = realm.exchange
        self.recorder = recorder
        self._make_driver = make_driver
        self._driver: Driver | None = None
        self._make_streams = make_streams
        self._streams: Streams | None = None
        self._on_log = on_log
        self._on_fatal = on_fatal
        self._loop = asyncio.get_running_loop()
        realm.on_wake(self.schedule)
        # Keys come as floats from the exchange; 1.0 and 1 are the same key.
        self._templates: dict[float, Template] = {}
        self._old_templates: dict[float, Template] = {}
        self._metrics: dict[int, _Metric] = {}
        self._env: Mapping[str, str] = {}
        self._sleeping: list[tuple[float, int, int]] = []
        self._sleepers: dict[int, int] = {}
        self._sleep_number = 0
        self._timer: asyncio.TimerHandle | None = None
        self._timer_due = float("inf")
        self._scheduled = False
        self._closed = False
        self._once: asyncio.Future[bytes] | None = None
        self.before_turn: Callable[[float], None] | None = None
        """Called at the start of each turn with the loop's time: the load model's place."""

    # ---- turns -----------------------------------------------------------------------------

    def schedule(self) -> None:
        """Have a turn as soon as the event loop has seen to everything else."""
        if not self._scheduled and not self._closed:
            self._scheduled = True
            self._loop.call_soon(self._turn)

    def _turn(self) -> None:
        self._scheduled = False
        if self._closed:
            return
        try:
            self._take_turn()
        except Exception as error:
            self.close()
            self._on_fatal(error)

    def _take_turn(self) -> None:
        exchange = self.exchange
        # The loop's own clock, but not rounded to milliseconds as uvloop's is.
        now = time.monotonic()
        if self.before_turn is not None:
            self.before_turn(now)
        more = self._driver is not None and self._driver.advance(exchange)
        if self._streams is not None:
            more |= self._streams.advance(exchange)
        more |= self._wake_sleepers(now)
        if exchange.has_completions:
            self.recorder.record_requests(exchange.rows())
        more |= exchange.pump(now * 1000)
        more |= self._carry_out(now)
        if exchange.value_count > _MOST_VALUES:
            self._take_values()
        # A sleep of no time at all must not wait for a timer's next millisecond.
        if more or (self._sleeping and self._sleeping[0][0] <= now):
            self.schedule()
        else:
            self._set_timer()

    def _wake_sleepers(self, now: float) -> bool:
        sleeping = self._sleeping
        if not sleeping or sleeping[0][0] > now:
            return False
        slots: list[int] = []
        while sleeping and sleeping[0][0] <= now and len(slots) < WAKE_BATCH:
            _, number, slot = heapq.heappop(sleeping)
            if self._sleepers.get(slot) == number:
                del self._sleepers[slot]
                slots.append(slot)
        self.exchange.wake(slots)
        return len(slots) == WAKE_BATCH

    def _set_timer(self) -> None:
        due = self._sleeping[0][0] if self._sleeping else float("inf")
        if due == self._timer_due:
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._timer_due = due
        if due != float("inf"):
            self._timer = self._loop.call_at(due, self._timer_fired)

    def _timer_fired(self) -> None:
        self._timer = None
        self._timer_due = float("inf")
        self.schedule()

    # ---- operations of the script ------------------------------------------------------------

    def _carry_out(self, now: float) -> bool:
        """Do what the script asked for; True when requests were begun."""
        submitted = False
        rows, count, data = self.exchange.operations()
        index = offset = 0
        while index < count:
            driver = self._driver
            if driver is not None and driver.submit_rows is not None:
                before = index
                index, offset = driver.submit_rows(rows, index, count, data, offset)
                submitted |= index > before
                if index == count:
                    break
            slot, kind, first, second, third, fourth, fifth, _ = OPERATION.unpack_from(
                rows, index * OPERATION.size
            )
            index += 1
            if kind == Kind.REQUEST:
                body = cookies = None
                if fifth > 0:
                    end = offset + int(fifth)
                    cookies = bytes(data[offset:end])
                    offset = end
                if third >= 0:
                    end = offset + int(third)
                    body = bytes(data[offset:end])
                    offset = end
                template = self._templates.get(first) or self._old_templates[first]
                if driver is None:
                    driver = self._driver = self._make_driver(self.schedule)
                driver.submit(int(slot), template, int(second), body, fourth, cookies)
                submitted = True
            elif kind == Kind.SLEEP:
                self._sleep_number += 1
                self._sleepers[int(slot)] = self._sleep_number
                heapq.heappush(self._sleeping, (now + first / 1000, self._sleep_number, int(slot)))
            else:
                offset += self._carry_out_rare(int(slot), int(kind), first, second, data, offset)
        self.exchange.operations_taken()
        return submitted

    def _carry_out_rare(
        self, slot: int, kind: int, first: float, second: float, data: memoryview, offset: int
    ) -> int:
        """Definitions, connections, lines and results; returns how many bytes belonged to it."""
        if kind >= Kind.OPEN:
            if self._streams is None:
                self._streams = self._make_streams(self.schedule)
            return self._streams.carry_out(Kind(kind), slot, int(first), second, data[offset:])
        number = int(first)
        defines = kind in (Kind.DEFINE_TEMPLATE, Kind.DEFINE_SERIES, Kind.DEFINE_METRIC)
        length = int(second) if defines else number
        text = bytes(data[offset : offset + length])
        if kind not in (Kind.RESULT, Kind.FAILURE):
            text = well_formed(text)
        match kind:
            case Kind.DEFINE_TEMPLATE:
                request = _decode_request(text)
                self._templates[number] = Template(
                    number, request.method, request.url, request.headers
                )
            case Kind.DEFINE_SERIES:
                self.recorder.define_series(number, _decode_tags(text))
            case Kind.DEFINE_METRIC:
                self._metrics[number] = _decode_metric(text)
            case Kind.FAILURE:
                self._note_failure(Failure(text, int(second)))
            case Kind.LOG:
                self._on_log(_decode_log(text))
            case Kind.CHECKS:
                for check in _decode_checks(text):
                    self.recorder.add_check(check.name, check.passes, check.fails, check.tags)
            case Kind.RESULT:
                self._answer_once(text)
            case Kind.ERROR:
                thrown = _decode_thrown(text)
                self._answer_once(ScriptError(thrown.message, thrown.stack))
            case Kind.FORGET_TEMPLATES:
                # A request prepared just before may still be sent after this.
                self._old_templates = self._templates
                self._templates = {}
                if self._driver is not None:
                    self._driver.forget_templates()
            case Kind.OWN:
                if self._driver is None:
                    self._driver = self._make_driver(self.schedule)
                assert isinstance(self._driver, OwnConnections)
                self._driver.own(slot, int(second))
            case Kind.LEAVE:
                if isinstance(self._driver, OwnConnections):
                    self._driver.leave(int(second))
            case Kind.CANCEL:
                self._sleepers.pop(slot, None)
                if self._driver is not None:
                    self._driver.cancel(slot)
                if self._streams is not None:
                    self._streams.cancel(slot)
            case _:
                raise ValueError(f"the script's runtime sent an unknown operation {kind}")
        return length

    def _note_failure(self, failure: Failure) -> None:
        number = failure.template
        template = self._templates.get(number) or self._old_templates.get(number)
        # Of a check: the request may be so long ago that it is forgotten.
        if template is not None:
            tags = self.recorder.tags_of(failure.series)
            self.recorder.add_failure(failure.record(template, tags, self._env))

    def _answer_once(self, outcome: bytes | Exception) -> None:
        waiting, self._once = self._once, None
        if waiting is None or waiting.done():
            return
        if isinstance(outcome, Exception):
            waiting.set_exception(outcome)
        else:
            waiting.set_result(outcome)

    # ---- what the host asks for ------------------------------------------------------------

    async def load(self, env: Mapping[str, str]) -> bytes:
        """Run the init code; JSON ``{exports, options}``. Raises :class:`ScriptError`."""
        self._env = env
        return await self._ask(lambda: self.realm.load(env))

    async def once(self, name: str, data: Any, *, timeout_seconds: float | None = None) -> bytes:
        """Run an exported function once; its result as JSON.

        Raises :class:`ScriptError`, and ``TimeoutError`` when it takes longer than
        ``timeout_seconds``: then nothing of it goes on.
        """
        try:
            async with asyncio.timeout(timeout_seconds):
                return await self._ask(lambda: self.realm.once(name, data))
        except TimeoutError:
            self.realm.abandon_once()
            self.schedule()
            raise

    async def warm(self, url: str, count: int) -> bytes:
        """Have ``count`` requests for ``url`` under way at once, none of which is measured; the
        errors of those that failed, as JSON. Raises :class:`ScriptError`."""
        measured, self.recorder = self.recorder, Recorder()
        try:
            return await self._ask(lambda: self.realm.warm(url, count))
        finally:
            self.recorder = measured

    async def _ask(self, begin: Callable[[], None]) -> bytes:
        self._once = self._loop.create_future()
        answer = self._once
        begin()
        self._carry_out(self._loop.time())
        self.schedule()
        return await answer

    def flush(self) -> None:
        """Bring the recorder up to date with what the runtime has counted."""
        self.realm.flush()
        self._carry_out(self._loop.time())
        if self._streams is not None:
            self._streams.flush(self.recorder)
        self._take_values()

    def _take_values(self) -> None:
        values = self.exchange.values()
        if len(values) == 0:
            return
        numbers = values[:, 0].astype(int)
        for number in set(numbers.tolist()):
            metric = self._metrics[number]
            self.recorder.record_values(
                metric.name,
                metric.kind,  # type: ignore[arg-type]
                values[numbers == number, 1],
                metric.tags,
            )

    def close(self) -> None:
        """Drop everything that is under way."""
        if self._closed:
            return
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        if self._driver is not None:
            self._driver.close()
        if self._streams is not None:
            self._streams.close()

    @staticmethod
    def unix_to_loop_time(unix_seconds: float, loop_now: float) -> float:
        """The loop's time at which the wall clock will show ``unix_seconds``."""
        return loop_now + (unix_seconds - time.time())
