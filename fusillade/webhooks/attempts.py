"""One delivery, from an attempt to the next: what is sent, what came of it, when it is tried again.

The reference: "Failed deliveries retry with exponential backoff (30s, 120s, 480s). Max 3 attempts."
Three delays are read as three attempts after the first one, so that each delay is used.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

RETRY_DELAYS_SECONDS = (30, 120, 480)
"""From the end of an attempt that failed to the next one."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A message that a dispatcher has claimed, and all that is needed to send it."""

    delivery_id: UUID
    claim: UUID
    webhook_id: UUID
    organisation_id: UUID
    url: str
    event: str
    body: str
    secrets: tuple[str, ...]
    """The ``v1`` of the signature, in this order."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an attempt."""

    duration_ms: int
    status: int | None = None
    body: str | None = None
    """The first kilobyte."""
    error: str | None = None
    """Why there was no answer, a sentence; or why the answer will not do, if its status does not
    say so."""

    @property
    def has_arrived(self) -> bool:
        """The receiver has taken it: any status from 200 to 299."""
        return self.status is not None and 200 <= self.status < 300


def next_attempt(made: int, now: datetime) -> datetime | None:
    """When to try again after ``made`` attempts of which the last one failed; None for never."""
    if made > len(RETRY_DELAYS_SECONDS):
        return None
    return now + timedelta(seconds=RETRY_DELAYS_SECONDS[made - 1])


def secrets_of(
    secret: str, previous: str | None, previous_until: datetime | None, made: int, now: datetime
) -> tuple[str, ...]:
    """What signs the attempt after ``made`` others.

    After a rotation both secrets do for a while. A receiver that reads only the first ``v1``, as
    the reference's program does, finds its own there at each second attempt, whichever it has.
    """
    if previous is None or previous_until is None or previous_until <= now:
        return (secret,)
    return (secret, previous) if made % 2 == 0 else (previous, secret)
