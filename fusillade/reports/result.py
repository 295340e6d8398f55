"""What a report is made of."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from fusillade.failures.record import FailedRequest
from fusillade.metrics.summary import Summary


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """One run at its end."""

    name: str
    """The test's or the script's."""
    started_at: datetime
    """In UTC."""
    summary: Summary
    points: Sequence[dict[str, Any]]
    """One a second, as ``Aggregate.series_points`` gives them."""
    failed: bool = False
    """The run itself broke; a threshold that was crossed is none of this."""
    reason: str | None = None
    """Why it failed or ended early."""
    scenarios: Sequence[str] = ()
    """What each scenario did, in words."""
    failures: Sequence[FailedRequest] = ()
    """A sample of the requests that failed."""
    test_id: str | None = None
    """Of a platform's test."""

    @property
    def passed(self) -> bool:
        """It ran to its end and all thresholds hold."""
        return not self.failed and all(one.ok for one in self.summary.thresholds)

    @property
    def status(self) -> str:
        """``passed``, ``thresholds crossed`` or ``failed``."""
        if self.failed:
            return "failed"
        return "passed" if self.passed else "thresholds crossed"


def check_name(name: str, group: str) -> str:
    """A check as people read it: ``group::check``."""
    return f"{group}::{name}" if group else name
