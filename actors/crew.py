"""The WorkerActors of one test, as its TestRunActor handles them."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ray.exceptions import RayActorError
from ray.util.placement_group import PlacementGroup
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

from actors import names, placement, worker
from actors.config import HostConfig
from actors.worker import Outcome
from actors.worker_states import WorkerState, WorkerStates
from fusillade.posts import Post

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


class Crew:
    """Empty until it is placed, or found again after a restart."""

    def __init__(self, test_id: str) -> None:
        self._id = test_id
        self._members: list[Member] = []
        self._states = WorkerStates()
        self.is_ready = False
        """Whether all have loaded the script."""

    def __len__(self) -> int:
        return len(self._members)

    def __iter__(self) -> Iterator[Member]:
        return iter(self._members)

    @property
    def first(self) -> Member:
        """Who does what is done once."""
        return self._members[0]

    def place(self, group: PlacementGroup, posts: Sequence[Post], hosts: HostConfig) -> None:
        """Start a WorkerActor for each post where there is room for it, those that are missing."""
        self._members = [
            Member(
                index,
                post,
                worker.remote.options(
                    **names.options(names.worker(self._id, index), **worker.OPTIONS),
                    scheduling_strategy=PlacementGroupSchedulingStrategy(
                        group, placement_group_bundle_index=index
                    ),
                ).remote(self._id, index, hosts),
            )
            for index, post in enumerate(posts)
        ]

    def find(self, posts: Sequence[Post]) -> None:
        """After a restart: those that are running this test. Raises :class:`StepFailed`."""
        found = []
        for index, post in enumerate(posts):
            handle = placement.find(names.worker(self._id, index))
            if handle is None:
                raise StepFailed("The platform was restarted while the test was running.")
            found.append(Member(index, post, handle))
        self._members = found
        self.is_ready = True

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

    async def ask(self, call: Callable[[Member], Any]) -> list[Outcome]:
        """One step on all of them. Raises :class:`StepFailed` for the first that fails."""
        return await self._ask(self._members, call)

    async def ask_first(self, call: Callable[[Member], Any]) -> Outcome:
        """One step on the first alone. Raises :class:`StepFailed`."""
        (outcome,) = await self._ask(self._members[:1], call)
        return outcome

    async def _ask(self, members: list[Member], call: Callable[[Member], Any]) -> list[Outcome]:
        answers = await asyncio.gather(
            *(plain(call(one)) for one in members), return_exceptions=True
        )
        outcomes: list[Outcome] = []
        for one, answer in zip(members, answers, strict=True):
            if isinstance(answer, RayActorError):
                raise StepFailed(self.died(one))
            if isinstance(answer, BaseException):
                raise answer
            if answer.reason is not None:
                raise StepFailed(answer.reason)
            outcomes.append(answer)
        return outcomes

    async def tell(self, method: str, *arguments: Any) -> None:
        """An order for all of them; who is gone is left out."""
        calls = [
            asyncio.ensure_future(plain(getattr(one.handle, method).remote(*arguments)))
            for one in self._members
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
        calls = [asyncio.ensure_future(plain(one.handle.log_lines.remote())) for one in self]
        if not calls:
            return []
        done, _ = await asyncio.wait(calls, timeout=_ANSWER_SECONDS)
        lines: list[str] = []
        for call in calls:
            if call in done and call.exception() is None:
                lines += call.result()
        return lines

    def kill(self, member: Member) -> None:
        """End one that does not come to an end."""
        placement.kill(names.worker(self._id, member.index))

    def disband(self, count: int) -> None:
        """End all of them, of whom there are at least ``count``, and give their machines back."""
        # Of a test that was deleted nobody else knows how many there are.
        for index in range(max(count, len(self), placement.size(self._id))):
            placement.kill(names.worker(self._id, index))
        placement.release(self._id)

    def died(self, member: Member) -> str:
        """The reason of a test that has lost one."""
        which = "The WorkerActor"
        if len(self) > 1:
            which = f"WorkerActor {member.index + 1} of {len(self)}"
        return f"{which} died: its process or its machine is gone."


async def plain(call: Awaitable[Any]) -> Any:
    """An ObjectRef as a coroutine."""
    return await call
