"""The TestRunActor: owns the lifecycle of one test, from provisioning to its end.

What it does next depends on the test's row alone. So it may be killed at any moment: Ray starts it
again, it reads the row, finds the WorkerActors that are still there, and goes on.
"""

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar
from uuid import UUID

import msgspec
import ray
from ray.exceptions import RayActorError, RayError
from sqlalchemy.ext.asyncio import AsyncSession

from actors import metrics_aggregator, names, placement
from actors.config import RunConfig
from actors.crew import Crew, Member, StepFailed, plain
from actors.metrics_aggregator import Result
from actors.reservations import reservations
from actors.room import Room
from actors.worker import Outcome
from actors.worker_states import WorkerState
from fusillade.errors import InternalError, InvalidState, NotFound
from fusillade.hosting.messages import Overrides
from fusillade.metrics.aggregate import Aggregate
from fusillade.metrics.live import status_message
from fusillade.posts import Post, in_words, posts_of
from fusillade.queueing import stands_behind
from fusillade.script.options import longest_grace, thresholds_of
from fusillade.settings import Settings
from fusillade.storage import artifacts, breaches, pauses, tests
from fusillade.storage.breaches import Breaches
from fusillade.storage.database import Database, StorageUnavailable
from fusillade.storage.models import Test

_log = logging.getLogger(__name__)
_LOOK_SECONDS = 2.0
"""How often the row is looked at although nobody has called."""
_START_DELAY_SECONDS = 0.25
"""From the decision to start to the shared start: time for all WorkerActors to hear of it."""
_RETRY_SECONDS = 1.0
_OVERTIME_SECONDS = 60.0
_LINGER_SECONDS = 5.0
_ANSWER_SECONDS = 4.0
_MOST_LOG_LINES = 200

T = TypeVar("T")


class TestRunActor:
    """Of one test. ``poke`` it when the row has changed."""

    __test__ = False  # its name is not meant for pytest

    def __init__(self, test_id: str, config: RunConfig) -> None:
        self._id = test_id
        self._uuid = UUID(test_id)
        self._config = config
        self._database = Database(config.database_url, pool_size=1)
        self._changed = asyncio.Event()
        self._crew = Crew(test_id)
        self._pause: tuple[float | None, float | None] = (None, None)
        """The row's ``paused_at`` and ``resumed_at`` as the WorkerActors know them."""
        self._aborted: str | None = None
        self._life = asyncio.get_running_loop().create_task(self._live())

    async def poke(self) -> None:
        """The row has changed: look at it now."""
        self._changed.set()

    async def abort(self, reason: str) -> None:
        """A threshold that ends the test was crossed."""
        self._aborted = self._aborted or reason
        self._changed.set()

    async def note_breaches(self, crossed: Breaches) -> None:
        """Thresholds were crossed: returns when that is stored."""
        await self._stored(lambda session: breaches.record(session, self._uuid, crossed))

    async def worker_states(self) -> list[WorkerState]:
        """How the WorkerActors are that have a machine."""
        return await self._crew.states()

    async def log_lines(self) -> list[str]:
        """What the script has printed so far, as much of it as the summary will have."""
        return (await self._crew.log_lines())[:_MOST_LOG_LINES]

    # ---- the way through the states ----------------------------------------------------------

    async def _live(self) -> None:
        try:
            while (test := await self._row()).status in tests.ACTIVE:
                try:
                    await self._advance(test)
                except StepFailed as failure:
                    await self._end("failed", str(failure))
                except InvalidState as error:
                    _log.info("test %s: %s", self._id, error)  # somebody else was faster
            await self._clear_up()
        except NotFound:
            await self._clear_up()
        except Exception:
            _log.exception("test %s", self._id)
            await self._end("failed", "The platform made an error; its log has the details.")
            await self._clear_up()
        ray.actor.exit_actor()

    async def _advance(self, test: Test) -> None:
        """One step, by the present status."""
        match test.status:
            case "provisioning":
                await self._provision(test)
                await self._transition("ready")
            case "ready":
                await self._provision(test)
                await self._wait_for_start(test)
            case "pending":
                await self._announce(test)  # whoever made it pending may not have been us
                await self._provision(test)
                await self._begin(test)
            case "running":
                await self._run(test)

    async def _provision(self, test: Test) -> None:
        """Make sure that all WorkerActors are there and have loaded the script."""
        posts = self._posts(test)
        if self._crew.is_ready:
            return
        await self._aggregator(test)
        group = placement.reserved(self._id)
        room = Room(posts, self._config.hopeless_seconds)
        deadline = time.monotonic() + self._config.provisioning_seconds
        while group is None or not await placement.is_ready(group):
            if (await self._row()).status not in tests.ACTIVE:
                raise InvalidState("The test was cancelled while it waited for machines.")
            if time.monotonic() > deadline:
                raise StepFailed(
                    f"There was no room for {in_words(posts)} within "
                    f"{self._config.provisioning_seconds:g} s."
                )
            if (hopeless := await room.look(group)) is not None:
                raise StepFailed(hopeless)
            if await self._stands_behind(test):
                # Ray gives what becomes free to whom it fits, not to who was first.
                placement.release(self._id)
                group = None
                await asyncio.sleep(_RETRY_SECONDS)
            elif group is None:
                group = placement.reserve(self._id, [post.region for post in posts])
        self._crew.place(group, posts, self._config.hosts)
        files = ray.put(await self._stored(lambda session: tests.files(session, self._uuid)))
        overrides = Overrides(workers=test.workers, duration_seconds=test.duration_seconds)
        await self._unless_ended(
            self._crew.ask(
                lambda one: one.handle.load.remote(files, test.entry, test.env, overrides)
            )
        )
        if len(self._crew) >= self._config.relay_from:
            await self._crew.gather_metrics(group)
        self._crew.is_ready = True

    async def _stands_behind(self, test: Test) -> bool:
        """Whether the next machine that becomes free is for a test that came earlier."""
        before = await self._stored(lambda session: tests.provisioned_before(session, test))
        if not before:
            return False
        try:
            return stands_behind(before, await asyncio.to_thread(reservations))
        except RayError as error:
            _log.warning("test %s: %s", self._id, error)
            return False

    async def _wait_for_start(self, test: Test) -> None:
        if test.start_when_ready:
            await self._transition("pending")
            return
        assert test.ready_at is not None
        if time.time() - test.ready_at.timestamp() > self._config.ready_seconds:
            await self._transition(
                "cancelled",
                reason=f"Nobody started the test within {self._config.ready_seconds:g} s, so its "
                "machines were given back.",
            )
            return
        await self._wait_for_change()

    async def _begin(self, test: Test) -> None:
        """``setup()`` on one WorkerActor, open connections, then the shared start for all."""
        outcome = await self._unless_ended(
            self._crew.ask_first(lambda one: one.handle.setup.remote())
        )
        if test.options.get("warmup") is not None:
            await self._unless_ended(
                self._crew.ask(lambda one: one.handle.warm.remote(one.post.share))
            )
        await self._transition(
            "running", setup_data=outcome.value, start_at=time.time() + _START_DELAY_SECONDS
        )

    async def _run(self, test: Test) -> None:
        if not self._crew.is_ready:
            self._crew.find(self._posts(test))
        assert test.start_at is not None
        assert test.setup_data is not None
        start_at, setup_data = test.start_at, test.setup_data
        await self._aggregator(test)
        runs: dict[asyncio.Future[Outcome], Member] = {
            asyncio.ensure_future(
                plain(one.handle.run.remote(start_at, one.post.share, setup_data))
            ): one
            for one in self._crew
        }
        outcomes, status, stopped_because = await self._watch(runs, test)
        reason = next((o.reason for o in outcomes.values() if o.reason is not None), None)
        whole = reason is None
        if whole:
            reason = await self._teardown(setup_data) or self._aborted
        if reason is not None:
            status = "failed"
        await self._end(status, reason or stopped_because, outcomes, summarize=whole)

    async def _watch(
        self, runs: dict["asyncio.Future[Outcome]", Member], test: Test
    ) -> tuple[dict[int, Outcome], str, str | None]:
        """Wait for all shares to end; pause and stop them when the user or a failure asks for it.

        Returns what became of each, the status, and why it was stopped if no user did it."""
        outcomes: dict[int, Outcome] = {}
        status, why = "completed", None
        assert test.start_at is not None
        deadline = test.start_at + test.duration_seconds + _OVERTIME_SECONDS + _grace(test)
        paused_seconds = 0.0
        waiting = set(runs)
        while waiting:
            look = asyncio.ensure_future(self._wait_for_change())
            anything: set[asyncio.Future[Any]] = {*waiting, look}
            await asyncio.wait(anything, return_when=asyncio.FIRST_COMPLETED)
            look.cancel()
            done = {future for future in waiting if future.done()}
            failed = False
            for future in done:
                one = runs[future]
                outcomes[one.index] = self._outcome(future, one)
                failed |= outcomes[one.index].reason is not None
            waiting -= done
            if waiting:
                test = await self._row()
            now = time.time()
            if status == "completed" and waiting:
                await self._follow_pause(test)
                paused_seconds = pauses.paused_seconds(test, now)
                why = self._paused_too_long(test)
                if test.stop_requested or why is not None:
                    status = "stopped"
                    deadline = now - paused_seconds + _grace(test) + _OVERTIME_SECONDS
                    await self._crew.tell("stop", _grace(test))
            if (failed or self._aborted) and waiting:
                await self._crew.tell("stop", 0.0)
            if now > deadline + paused_seconds and waiting:
                for future in waiting:
                    self._crew.kill(runs[future])
                deadline = math.inf
        # Who has paused a test does not expect it to end.
        whole = self._aborted is None and all(one.reason is None for one in outcomes.values())
        while whole and status == "completed" and pauses.is_paused(test := await self._row()):
            await self._follow_pause(test)
            why = self._paused_too_long(test)
            if why is not None:
                status = "stopped"
            else:
                await self._wait_for_change()
        if status == "completed" and test.stop_requested:
            status = "stopped"
        return outcomes, status, why

    async def _follow_pause(self, test: Test) -> None:
        """Tell the WorkerActors, and who listens, of a pause that has begun or ended."""
        pause = (test.paused_at, test.resumed_at)
        if pause == self._pause:
            return
        self._pause = pause
        if test.paused_at is not None:
            await self._crew.tell("pause", test.paused_at, test.paused_seconds)
        else:
            await self._crew.tell("resume", test.resumed_at, test.paused_seconds)
        await self._announce(test)

    def _paused_too_long(self, test: Test) -> str | None:
        limit = self._config.pause_seconds
        if test.paused_at is None or time.time() - test.paused_at <= limit:
            return None
        return f"The test was paused for more than {limit:g} s, so it was stopped."

    def _outcome(self, future: "asyncio.Future[Outcome]", one: Member) -> Outcome:
        try:
            return future.result()
        except RayActorError:
            return Outcome(reason=self._crew.died(one))

    async def _teardown(self, setup_data: str) -> str | None:
        try:
            await self._unless_ended(
                self._crew.ask_first(lambda one: one.handle.teardown.remote(setup_data))
            )
        except StepFailed as failure:
            return str(failure)
        return None

    # ---- the end -----------------------------------------------------------------------------

    async def _end(
        self,
        status: str,
        reason: str | None = None,
        outcomes: dict[int, Outcome] | None = None,
        *,
        summarize: bool = False,
    ) -> None:
        """Write the result and the status in one transaction.

        ``summarize``: let ``handleSummary()`` look at the result before."""
        values: dict[str, Any] = {"reason": reason}
        series: list[dict[str, Any]] = []
        files: dict[str, str] = {}
        if outcomes is not None:
            result = await self._result(outcomes)
            log = [line for _, outcome in sorted(outcomes.items()) for line in outcome.log]
            last = Outcome()
            if summarize:
                last = await self._handle_summary(result.summary)
                files = last.artifacts
            values["summary"] = result.summary | {"log": log[:_MOST_LOG_LINES] + last.log}
            series = result.series

        async def save(session: AsyncSession) -> Test:
            if outcomes is not None:
                crossed = Breaches.of_summary(values["summary"])
                await breaches.record(session, self._uuid, crossed)
            ended = await tests.transition(session, self._uuid, status, **values)
            if outcomes is not None:
                await tests.save_series(session, self._uuid, series)
                await artifacts.save(session, self._uuid, files)
            return ended

        try:
            ended = await self._stored(save)
        except InvalidState as error:
            _log.info("test %s: %s", self._id, error)
            return
        await self._announce(ended)

    async def _handle_summary(self, summary: dict[str, Any]) -> Outcome:
        """What ``handleSummary()`` made of the result; where it failed, the log says why."""
        first = self._crew.first
        try:
            outcome: Outcome = await self._unless_ended(
                plain(first.handle.handle_summary.remote(summary))
            )
        except RayActorError:
            reason = self._crew.died(first)
            return Outcome(log=[f"error: handleSummary() was not run: {reason}"])
        return outcome

    async def _result(self, outcomes: dict[int, Outcome]) -> Result:
        """The merged metrics with every delta of every WorkerActor that still lives."""
        name = names.metrics(self._id)
        while True:
            handle = placement.find(name)
            try:
                if handle is None:
                    raise ValueError(f"{name} is gone")
                result: Result = await handle.result.remote()
            except (RayActorError, ValueError) as error:
                _log.warning("test %s: %s", self._id, error)
                if handle is None:
                    empty = Aggregate()
                    return Result(_builtins(empty), empty.series_points(), {})
                await asyncio.sleep(_RETRY_SECONDS)
                continue
            behind = [
                one
                for one in self._crew
                if result.acknowledged.get(one.index, 0)
                < (outcomes[one.index].deltas if one.index in outcomes else 0)
            ]
            if not behind:
                return result
            # It was restarted: everything is sent again.
            for one in behind:
                try:
                    await one.handle.deliver.remote()
                except RayActorError:
                    outcomes.pop(one.index, None)

    async def _announce(self, test: Test) -> None:
        await self._to_aggregator(
            "announce",
            status_message(self._id, test.status, test.reason, paused=pauses.is_paused(test)),
        )
        if test.status in tests.ENDED:
            await self._to_aggregator("finish")

    async def _clear_up(self) -> None:
        """Leave nothing in the cluster but, for a moment, who tells listeners of the end."""
        test = await self._row_or_none()
        self._crew.disband(0 if test is None else len(self._posts(test)))
        await self._to_aggregator("finish")
        await asyncio.sleep(_LINGER_SECONDS)
        placement.kill(names.metrics(self._id))
        await self._database.dispose()

    # ---- the other actors --------------------------------------------------------------------

    def _posts(self, test: Test) -> list[Post]:
        return posts_of(test, self._config.capacity)

    async def _aggregator(self, test: Test) -> None:
        metrics_aggregator.remote.options(
            **names.options(names.metrics(self._id), **metrics_aggregator.OPTIONS)
        ).remote(self._id, [post.region for post in self._posts(test)], thresholds_of(test.options))

    async def _unless_ended(self, step: Coroutine[Any, Any, T]) -> T:
        """What a step beside the load returns; given up when the test is cancelled or deleted."""
        task = asyncio.ensure_future(step)
        try:
            while not task.done():
                look = asyncio.ensure_future(self._wait_for_change())
                both: set[asyncio.Future[Any]] = {task, look}
                await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
                look.cancel()
                if not task.done() and (await self._row()).status in tests.ENDED:
                    raise InvalidState("The test has ended before this step has.")
            return task.result()
        finally:
            task.cancel()

    async def _to_aggregator(self, method: str, *arguments: Any) -> None:
        """Tell the aggregator, if it can be reached: whoever listens looks at the row as well."""
        handle = placement.find(names.metrics(self._id))
        if handle is None:
            return
        try:
            await getattr(handle, method).remote(*arguments)
        except RayActorError as error:
            _log.info("test %s: %s", self._id, error)

    # ---- the row -------------------------------------------------------------------------------

    async def _wait_for_change(self) -> None:
        try:
            async with asyncio.timeout(_LOOK_SECONDS):
                await self._changed.wait()
        except TimeoutError:
            return
        self._changed.clear()

    async def _transition(self, to: str, **values: Any) -> None:
        changed = await self._stored(
            lambda session: tests.transition(session, self._uuid, to, **values)
        )
        await self._announce(changed)

    async def _row(self) -> Test:
        return await self._stored(lambda session: tests.by_id(session, self._uuid))

    async def _row_or_none(self) -> Test | None:
        try:
            return await self._row()
        except NotFound:
            return None

    async def _stored(self, work: Callable[[AsyncSession], Awaitable[T]]) -> T:
        """Run a transaction, again and again while the database is away."""
        while True:
            try:
                async with self._database.session() as session:
                    return await work(session)
            except StorageUnavailable as error:
                _log.warning("test %s: %s", self._id, error)
                await asyncio.sleep(_RETRY_SECONDS)


def _grace(test: Test) -> float:
    """How long iterations under way may take after the end, in seconds."""
    return longest_grace(test.options)


def _builtins(aggregate: Aggregate) -> dict[str, Any]:
    return dict(msgspec.to_builtins(aggregate.summary()))


remote: Any = ray.remote(TestRunActor)
_OPTIONS = {"num_cpus": 0, "max_restarts": -1, "resources": names.ON_HEAD_NODE}


def launch(test_id: UUID, config: RunConfig) -> None:
    """Have a TestRunActor for the test, and have it look at the row."""
    handle = remote.options(**names.options(names.test_run(test_id), **_OPTIONS)).remote(
        str(test_id), config
    )
    handle.poke.remote()


async def worker_states(test_id: UUID) -> list[WorkerState]:
    """How a live test's WorkerActors are. Raises InternalError if its actor does not answer."""
    if not ray.is_initialized():
        return []
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            handle = await asyncio.to_thread(placement.find, names.test_run(test_id))
            if handle is None:
                return []
            found: list[WorkerState] = await handle.worker_states.remote()
            return found
    except (TimeoutError, RayActorError) as error:
        raise InternalError(
            f"The test's actor did not answer within {_ANSWER_SECONDS:g} s; try again."
        ) from error


def recover(settings: Settings) -> None:
    """Launch the runs of all tests that have not ended; those that have one keep it.

    Called when the platform starts.
    """
    asyncio.run(_recover(RunConfig.of(settings)))


async def _recover(config: RunConfig) -> None:
    database = Database(config.database_url, pool_size=1)
    try:
        async with database.session() as session:
            unfinished = await tests.active_ids(session)
    finally:
        await database.dispose()
    for test_id in unfinished:
        launch(test_id, config)
