"""What a test waits for before it is ready, and its place among those that wait."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from fusillade.storage.models import Test


@dataclass(frozen=True, slots=True)
class Reservation:
    """The machines that the cluster has for one test."""

    is_complete: bool
    placed: int
    """How many WorkerActors have a machine."""
    is_refused: bool = False
    """Whether no machine will be started for the others: there are as many as there may be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueStatus:
    """Of one test."""

    waiting: bool
    position: int
    """1 for the next in its region; 0 for a test that does not wait."""
    waiting_for: str | None
    """``2 WorkerActors in eu-hel1``; with the reason where no machine will be started for them."""
    is_region_full: bool
    """Whether it waits for machines that other tests have, since there will be no more of them."""
    waiting_since: datetime | None
    wanted: int
    there: int | None
    """WorkerActors with a machine; None if that is not known."""


def worker_actors(workers: int, workers_per_actor: int) -> int:
    """How many WorkerActors so many virtual users need."""
    return math.ceil(workers / workers_per_actor)


def queue_status(
    test: Test, before: Sequence[UUID], reservations: Mapping[UUID, Reservation] | None, wanted: int
) -> QueueStatus:
    """``before``: tests that are being provisioned in the same region and came earlier;
    ``reservations``: by test, None if the cluster does not answer."""
    there: int | None = None
    mine = None
    if reservations is not None:
        mine = reservations.get(test.id)
        there = 0 if mine is None else mine.placed
    if test.status != "provisioning" or (mine is not None and mine.is_complete):
        return QueueStatus(
            waiting=False,
            position=0,
            waiting_for=None,
            is_region_full=False,
            waiting_since=None,
            wanted=wanted,
            there=there,
        )
    known = reservations or {}
    ahead = [one for one in before if one not in known or not known[one].is_complete]
    missing = wanted - (there or 0)
    waiting_for = f"{missing} WorkerActor{'' if missing == 1 else 's'} in {test.region}"
    is_full = mine is not None and mine.is_refused
    if is_full:
        waiting_for += ", where all machines are taken and no more may be started"
    return QueueStatus(
        waiting=True,
        position=len(ahead) + 1,
        waiting_for=waiting_for,
        is_region_full=is_full,
        waiting_since=test.created_at,
        wanted=wanted,
        there=there,
    )
