"""The WorkerActors of one test, as its TestRunActor handles them."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import ray
from ray.exceptions import ActorUnschedulableError, RayActorError
from ray.util.placement_group import PlacementGroup
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

from actors import names, placement, worker
from actors.config import HostConfig
from actors.worker import Outcome
from actors.worker_states import WorkerState, WorkerStates
from fusillade.engine.takeover import Takeover
from fusillade.posts import Post

_log = logging.getLogger(__name__)
GONE = (RayActorError, ActorUnschedulableError)
"""What a call raises whose WorkerActor is not there any more."""
_MOST_ATTEMPTS = 100
_RETRY_SECONDS = 0.2
_TELL_SECONDS = 5.0
"""How long an order is waited for; it goes on its way all the same."""
_ANSWER_SECONDS = 1.0
"""How long people who look wait for each."""


class StepFailed(Exception):
    """A step of the test has failed; the message is the reason that its author reads."""


@dataclass(frozen=True)
class Member:
    """One WorkerActor, and the post that it has taken."""

    index: int
    post: Post
    handle: Any
    """None for one that is gone."""
    generation: int = 0
    """How many had the post before it while the test was running."""


class Crew:
    """Empty until it is placed, or found again after a restart."""

    def __init__(self, test_id: str, name: str, hosts: HostConfig) -> None:
        self._id = test_id
        self._name = name
        self._hosts = hosts
        self._members: list[Member] = []
        self._group: PlacementGroup | None = None
        self._nodes: dict[Any, str] = {}
        """Where each has loaded the script, by its actor's id."""
        self._states = WorkerStates()

    def __len__(self) -> int:
        return len(self._members)

    def __iter__(self) -> Iterator[Member]:
        return iter(self._members)

    def __getitem__(self, index: int) -> Member:
        return self._members[index]

    # ---- who is there ------------------------------------------------------------------------

    def place(self, group: PlacementGroup, posts: Sequence[Post]) -> None:
        """Start a WorkerActor for each post where there is room for it, those that are missing."""
        self._group = group
        self._members = [
            Member(index, post, self._start(index, post, 0)) for index, post in enumerate(posts)
        ]

    def find(self, group: PlacementGroup, posts: Sequence[Post], takeovers: list[Takeover]) -> None:
        """After a restart: those that are running this test."""
        self._group = group
        self._members = [
            Member(
                index,
                post,
                placement.find(names.worker(self._id, index, takeover.generation)),
                takeover.generation,
            )
            for index, (post, takeover) in enumerate(zip(posts, takeovers, strict=True))
        ]

    def succeed(self, index: int, generation: int) -> None:
        """Start another for a post whose WorkerActor is gone, as soon as there is room for it."""
        member = self._members[index]
        handle = self._start(index, member.post, generation)
        self._members[index] = replace(member, handle=handle, generation=generation)

    def _start(self, index: int, post: Post, generation: int) -> Any:
        assert self._group is not None, "place() or find() comes first"
        name = names.worker(self._id, index, generation)
        return worker.remote.options(
            **names.options(name, **worker.OPTIONS),
            scheduling_strategy=PlacementGroupSchedulingStrategy(
                self._group, placement_group_bundle_index=index
            ),
        ).remote(self._id, index, generation, self._hosts, self._name, post.region)

    def kill(self, index: int) -> None:
        """End one that does not come to an end."""
        handle = self._members[index].handle
        if handle is not None:
            ray.kill(handle, no_restart=True)

    def disband(self) -> None:
        """End all of them, and give their machines back."""
        placement.kill_all(names.workers(self._id))
        placement.release(self._id)

    def node_of(self, member: Member) -> str | None:
        """Ray's id of its machine, if that is known."""
        return None if member.handle is None else self._nodes.get(member.handle._actor_id)

    def note_node(self, member: Member, node: str | None) -> None:
        """It has said where it is."""
        if node is not None:
            self._nodes[member.handle._actor_id] = node

    def describe(self, member: Member) -> str:
        """One of them, in words."""
        if len(self) == 1:
            return "The WorkerActor"
        return f"WorkerActor {member.index + 1} of {len(self)}"

    def died(self, member: Member) -> str:
        """The reason of a test that has lost one for good."""
        return f"{self.describe(member)} died: its process or its machine is gone."

    async def gather_metrics(self, group: PlacementGroup) -> None:
        """Have the first WorkerActor of each machine pass on the metrics of the others there."""
        nodes = await placement.nodes(group)
        relays: dict[str, Member] = {}
        told = []
        for one in self._members:
            relay = relays.setdefault(nodes.get(one.index, ""), one)
            if relay is not one:
                told.append(plain(one.handle.go_through.remote(relay.handle)))
        await asyncio.gather(*told, return_exceptions=True)

    # ---- what they do ------------------------------------------------------------------------

    async def load(self, call: Callable[[Member], Any]) -> None:
        """Have all load the script; one that is gone meanwhile is started again.

        Raises :class:`StepFailed` when one cannot, or is gone again and again."""
        missing, gone = list(self._members), 0
        while missing:
            answers = await self._gather(missing, call)
            for one, answer in answers.items():
                if isinstance(answer, Outcome):
                    self.note_node(one, answer.node)
            missing = [self._members[one.index] for one in answers if answers[one] is None]
            if missing:
                gone += 1
                if gone > _MOST_ATTEMPTS:
                    raise StepFailed(self.died(missing[0]))
                await asyncio.sleep(_RETRY_SECONDS)
                for one in missing:
                    self._members[one.index] = replace(
                        one, handle=self._start(one.index, one.post, one.generation)
                    )
                missing = [self._members[one.index] for one in missing]

    async def ask(self, call: Callable[[Member], Any]) -> None:
        """One step on all that are there. Raises :class:`StepFailed` for the first that fails."""
        await self._gather(self._members, call)

    async def ask_one(self, call: Callable[[Member], Any]) -> Outcome:
        """One step on one of them; on another, if that one is gone before it has ended.

        Raises :class:`StepFailed` when it fails, and when nobody is left."""
        for one in self._members:
            outcome = (await self._gather([one], call))[one]
            if outcome is not None:
                return outcome
        raise StepFailed(self.died(self._members[-1]))

    async def _gather(
        self, members: list[Member], call: Callable[[Member], Any]
    ) -> dict[Member, Outcome | None]:
        """What each answers; None for who is gone."""
        there = [one for one in members if one.handle is not None]
        answers = await asyncio.gather(*(plain(call(one)) for one in there), return_exceptions=True)
        outcomes: dict[Member, Outcome | None] = dict.fromkeys(members)
        for one, answer in zip(there, answers, strict=True):
            if isinstance(answer, GONE):
                _log.warning("%s: %s", self.describe(one), answer)
                continue
            if isinstance(answer, BaseException):
                raise answer
            if answer.reason is not None:
                raise StepFailed(answer.reason)
            outcomes[one] = answer
        return outcomes

    async def tell(self, method: str, *arguments: Any) -> None:
        """An order for all of them; who is gone is left out."""
        calls = [
            asyncio.ensure_future(plain(getattr(one.handle, method).remote(*arguments)))
            for one in self._members
            if one.handle is not None
        ]
        told = asyncio.gather(*calls, return_exceptions=True)
        await asyncio.wait([told], timeout=_TELL_SECONDS)

    async def states(self) -> list[WorkerState]:
        """How they are, for people who look."""
        found = await self._states.look([one.handle for one in self._members])
        return [
            replace(state, region=one.post.region, workers=one.post.workers)
            for state, one in zip(found, self._members, strict=True)
        ]

    async def log_lines(self) -> list[str]:
        """What the script has printed on those that answer, one after the other."""
        calls = [
            asyncio.ensure_future(plain(one.handle.log_lines.remote()))
            for one in self
            if one.handle is not None
        ]
        if not calls:
            return []
        done, _ = await asyncio.wait(calls, timeout=_ANSWER_SECONDS)
        lines: list[str] = []
        for call in calls:
            if call in done and call.exception() is None:
                lines += call.result()
        return lines


async def plain(call: Awaitable[Any]) -> Any:
    """An ObjectRef as a coroutine."""
    return await call
