"""The TestRunActor: owns the lifecycle of one test, from provisioning to its end.

What it does next depends on the test's row alone. So it may be killed at any moment: Ray starts it
again, it reads the row, finds the WorkerActors that are still there, and goes on.
"""

import asyncio
import logging
import time
from collections.abc import Coroutine
from typing import Any, TypeVar
from uuid import UUID

import ray
from ray.exceptions import RayActorError, RayError
from ray.util.placement_group import PlacementGroup

from actors import log, names, placement, spares
from actors.attention import Attention
from actors.config import RunConfig
from actors.crew import Crew, Member, StepFailed
from actors.ending import MOST_LOG_LINES, Ending
from actors.metrics_link import MetricsLink
from actors.reservations import reservations
from actors.room import Room
from actors.run_watch import RunWatch
from actors.share_run import Orders, ShareRun
from actors.test_row import TestRow
from actors.worker import Outcome
from actors.worker_states import WorkerState
from fusillade.errors import InternalError, InvalidState, NotFound
from fusillade.hosting.messages import Overrides
from fusillade.metrics import journal
from fusillade.metrics.live import status_message
from fusillade.posts import Post, in_words, posts_of
from fusillade.queueing import stands_behind
from fusillade.script.options import thresholds_of
from fusillade.settings import Settings
from fusillade.storage import breaches, pauses, tests
from fusillade.storage.breaches import Breaches
from fusillade.storage.database import Database
from fusillade.storage.models import Test

_log = logging.getLogger(__name__)
_START_DELAY_SECONDS = 0.25
"""From the decision to start to the shared start: time for all WorkerActors to hear of it."""
_RETRY_SECONDS = 1.0
_LINGER_SECONDS = 5.0
_ANSWER_SECONDS = 4.0
_LOOK_AT_CREW_SECONDS = 10.0
"""How often a test that waits for its start looks whether its WorkerActors are still there."""
_RESTARTED = "The platform was restarted while the test was running."

T = TypeVar("T")


class TestRunActor:
    """Of one test. ``poke`` it when the row has changed."""

    __test__ = False  # its name is not meant for pytest

    def __init__(self, test_id: str, config: RunConfig, name: str) -> None:
        log.begin(config.hosts.watching, names.test_run(test_id), test=test_id)
        name = log.in_one_line(name)
        self._called = f"TestRunActor({name}, {test_id})"
        self._id = test_id
        self._uuid = UUID(test_id)
        self._config = config
        self._row = TestRow(test_id, config.database_url)
        self._attention = Attention()
        self._crew = Crew(test_id, name, config.hosts)
        self._looked_at_crew = float("-inf")
        self._journal = config.journals / test_id
        self._metrics = MetricsLink(test_id, self._journal, config.hosts.watching)
        self._ending = Ending(test_id, self._row, self._crew, self._metrics, self._unless_ended)
        self._files: Any = None
        """The test's files among Ray's objects, once they have been read."""
        self._aborted: str | None = None
        self._logged = ""
        """What the log has said last of its status."""
        self._life = asyncio.get_running_loop().create_task(self._live())

    def __repr__(self) -> str:
        return self._called

    async def poke(self) -> None:
        """The row has changed: look at it now."""
        self._attention.call()

    async def abort(self, reason: str) -> None:
        """A threshold that ends the test was crossed."""
        self._aborted = self._aborted or reason
        self._attention.call()

    async def note_breaches(self, crossed: Breaches) -> None:
        """Thresholds were crossed: returns when that is stored."""
        await self._row.stored(lambda session: breaches.record(session, self._uuid, crossed))

    async def worker_states(self) -> list[WorkerState]:
        """How the WorkerActors are that have a machine."""
        return await self._crew.states()

    async def log_lines(self) -> list[str]:
        """What the script has printed so far, as much of it as the summary will have."""
        return (await self._crew.log_lines())[:MOST_LOG_LINES]

    # ---- the way through the states ----------------------------------------------------------

    async def _live(self) -> None:
        try:
            while (test := await self._row.read()).status in tests.ACTIVE:
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
                if time.monotonic() - self._looked_at_crew > _LOOK_AT_CREW_SECONDS:
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
        is_new = len(self._crew) == 0
        if is_new:
            regions = [post.region for post in posts]
            self._metrics.open(regions, thresholds_of(test.options), test.name)
            group = await self._reserve(test, posts)
            self._crew.place(group, posts)
        await self._load(test)
        if is_new and len(posts) >= self._config.relay_from:
            await self._crew.gather_metrics(group)

    async def _reserve(self, test: Test, posts: list[Post]) -> PlacementGroup:
        """Wait for the machines, in the order in which the tests came."""
        group = placement.reserved(self._id)
        room = Room(posts, self._config.hopeless_seconds)
        deadline = time.monotonic() + self._config.provisioning_seconds
        while group is None or not await placement.is_ready(group):
            if (await self._row.read()).status not in tests.ACTIVE:
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
                _log.info("test %s asks for %s", self._id, in_words(posts))
                group = placement.reserve(self._id, [post.region for post in posts])
        return group

    async def _stands_behind(self, test: Test) -> bool:
        """Whether the next machine that becomes free is for a test that came earlier."""
        before = await self._row.stored(lambda session: tests.provisioned_before(session, test))
        if not before:
            return False
        try:
            return stands_behind(before, await asyncio.to_thread(reservations))
        except RayError as error:
            _log.warning("test %s: %s", self._id, error)
            return False

    async def _load(self, test: Test) -> None:
        """Have all load the script, who have not, and start those again that are gone."""
        load = await self._loading(test)
        await self._unless_ended(self._crew.load(load))
        self._looked_at_crew = time.monotonic()

    async def _loading(self, test: Test) -> Any:
        """What has a WorkerActor load the script; it does so once."""
        if self._files is None:
            self._files = ray.put(await self._row.files())
        overrides = Overrides(workers=test.workers, duration_seconds=test.duration_seconds)

        def load(one: Member) -> Any:
            return one.handle.load.remote(self._files, test.entry, test.env, overrides)

        return load

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
        await self._attention.wait()

    async def _begin(self, test: Test) -> None:
        """``setup()`` on one WorkerActor, open connections, then the shared start for all."""
        outcome = await self._unless_ended(
            self._crew.ask_one(lambda one: one.handle.setup.remote())
        )
        if test.options.get("warmup") is not None:
            await self._unless_ended(
                self._crew.ask(lambda one: one.handle.warm.remote(one.post.share))
            )
        await self._load(test)  # somebody may have been lost meanwhile
        await self._transition(
            "running", setup_data=outcome.value, start_at=time.time() + _START_DELAY_SECONDS
        )

    async def _run(self, test: Test) -> None:
        posts = self._posts(test)
        regions = [post.region for post in posts]
        self._metrics.open(regions, thresholds_of(test.options), test.name)
        if len(self._crew) == 0:
            group = placement.reserved(self._id)
            if group is None:
                await self._end("failed", _RESTARTED, {})
                return
            self._crew.find(group, posts, await self._metrics.ask("takeovers"))
        assert test.start_at is not None
        assert test.setup_data is not None
        watch = RunWatch(
            self._row,
            self._crew,
            self._metrics,
            self._attention,
            pause_seconds=self._config.pause_seconds,
            watchdog_seconds=self._config.hosts.watchdog_seconds,
            aborted=lambda: self._aborted,
            announce=self._announce,
        )
        orders = Orders(
            test.start_at, test.setup_data, await self._loading(test), watch.tell_of_pauses
        )
        shares = [ShareRun(self._crew, one.index, self._metrics, orders) for one in self._crew]
        ended = await watch.until_the_end(shares, test)
        reason = next((o.reason for o in ended.outcomes.values() if o.reason is not None), None)
        whole = reason is None
        if whole:
            reason = await self._teardown(test.setup_data) or self._aborted
        status = ended.status if reason is None else "failed"
        await self._end(status, reason or ended.why, ended.outcomes, summarize=whole)

    async def _teardown(self, setup_data: str) -> str | None:
        try:
            await self._unless_ended(
                self._crew.ask_one(lambda one: one.handle.teardown.remote(setup_data))
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
        """Write result and status, and tell of it."""
        ended = await self._ending.write(status, reason, outcomes, summarize=summarize)
        await self._announce(ended)

    async def _announce(self, test: Test) -> None:
        """Tell listeners, if they can be reached: they look at the row as well."""
        paused = pauses.is_paused(test)
        now = f"{test.status}{', paused' if paused else ''}"
        if now != self._logged:
            self._logged = now
            _log.info("test %s is %s%s", self._id, now, f": {test.reason}" if test.reason else "")
        message = status_message(self._id, test.status, test.reason, paused=paused)
        await self._metrics.try_to_ask("announce", message)
        if test.status in tests.ENDED:
            await self._metrics.try_to_ask("finish")

    async def _clear_up(self) -> None:
        """Leave nothing in the cluster but, for a moment, who tells listeners of the end."""
        self._crew.disband()
        await self._metrics.try_to_ask("finish")
        await spares.replenish(self._config.spare_processes)
        await self._tell_trace()
        await asyncio.sleep(_LINGER_SECONDS)
        await spares.replenish(self._config.spare_processes)  # so many at once may be too many
        self._metrics.close()
        journal.remove(self._journal)
        await self._row.close()

    async def _tell_trace(self) -> None:
        """Tell a collector of OpenTelemetry, if there is to be one, how the test went."""
        endpoint = self._config.hosts.watching.otlp_endpoint
        test = None if endpoint is None else await self._row.read_or_none()
        if endpoint is not None and test is not None:
            from fusillade.telemetry import traces

            try:
                await asyncio.to_thread(traces.tell, test, endpoint)
            except Exception:  # whatever it is: the test does not depend on it
                _log.exception("test %s: its trace", self._id)

    # ---- besides -----------------------------------------------------------------------------

    def _posts(self, test: Test) -> list[Post]:
        return posts_of(test, self._config.capacity)

    async def _transition(self, to: str, **values: Any) -> None:
        await self._announce(await self._row.transition(to, **values))

    async def _unless_ended(self, step: Coroutine[Any, Any, T]) -> T:
        """What a step beside the load returns; given up when the test is cancelled or deleted."""
        task = asyncio.ensure_future(step)
        try:
            while not task.done():
                look = asyncio.ensure_future(self._attention.wait())
                both: set[asyncio.Future[Any]] = {task, look}
                await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
                look.cancel()
                if not task.done() and (await self._row.read()).status in tests.ENDED:
                    raise InvalidState("The test has ended before this step has.")
            return task.result()
        finally:
            task.cancel()


remote: Any = ray.remote(TestRunActor)
_OPTIONS = {"num_cpus": 0, "max_restarts": -1, "resources": names.ON_HEAD_NODE}


def launch(test_id: UUID, config: RunConfig, name: str) -> None:
    """Have a TestRunActor for the test of that ``name``, and have it look at the row."""
    handle = remote.options(**names.options(names.test_run(test_id), **_OPTIONS)).remote(
        str(test_id), config, name
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
            unfinished = await tests.active_names(session)
    finally:
        await database.dispose()
    journal.keep_only(config.journals, {str(test_id) for test_id in unfinished})
    for test_id, name in unfinished.items():
        launch(test_id, config, name)
