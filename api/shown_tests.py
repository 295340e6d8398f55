"""Tests and their results as answers show them."""

from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from pydantic import BaseModel, Field

from api.fields import Moment
from api.structs import described_by
from fusillade.hosting.messages import Problem
from fusillade.metrics.summary import Summary, ThresholdResult
from fusillade.storage.tests import STATUSES

Status = Annotated[str, Field(json_schema_extra={"enum": list(STATUSES)})]
Share = Annotated[float, Field(description="Between 0 and 1")]
Problems = list[Annotated[dict[str, Any], described_by(Problem)]]


class TestState(BaseModel):
    """A test after a change of its status."""

    __test__ = False  # its name is not meant for pytest

    test_id: UUID
    status: Status


class Metrics(BaseModel):
    """A run in a few numbers."""

    avg_latency_ms: float
    med_latency_ms: float
    p90_latency_ms: float
    p95_latency_ms: float
    p99_latency_ms: float
    min_latency_ms: float
    max_latency_ms: float
    error_rate: Share
    rps: Annotated[float, Field(description="Requests a second")]
    total_requests: int


class ListedTest(BaseModel):
    """A test without what is long."""

    id: UUID
    name: str
    status: Status
    paused: bool
    reason: Annotated[
        str | None, Field(description="Why it failed, was stopped or was cancelled: a sentence")
    ]
    workers: int
    duration_seconds: int
    region: str
    target_urls: list[str]
    created_at: Moment
    ready_at: Moment | None
    started_at: Moment | None
    finished_at: Moment | None
    metrics: Annotated[Metrics | None, Field(description="Null before there are results")]


class ListedTests(BaseModel):
    """``next_cursor`` leads to the next page."""

    tests: list[ListedTest]
    total: int
    limit: int
    next_cursor: str | None


class Passes(msgspec.Struct):
    """How many checks of a second held."""

    passes: int
    fails: int


class RegionPoint(msgspec.Struct):
    """One second of a run in one of its regions."""

    region: str
    active_workers: int
    rps: float
    avg_latency_ms: float
    p50_latency_ms: float
    p95_latency_ms: float
    p99_latency_ms: float
    error_rate: float
    requests: int
    errors: int


class SeriesPoint(msgspec.Struct):
    """One second of a run, counted from its start. ``error_rate`` is between 0 and 1."""

    second: int
    active_workers: int
    rps: float
    avg_latency_ms: float
    p50_latency_ms: float
    p95_latency_ms: float
    p99_latency_ms: float
    error_rate: float
    requests: int
    errors: int
    iterations: int
    data_sent_bytes: int
    data_received_bytes: int
    checks: Passes
    by_region: list[RegionPoint] = []
    """Where the test has several regions."""


class ShownTest(ListedTest):
    """A test with its results."""

    options: Annotated[
        dict[str, Any], Field(description="As the script has them, with the test's own on top")
    ]
    warnings: Problems
    thresholds: list[Annotated[dict[str, Any], described_by(ThresholdResult)]]
    summary: Annotated[
        Annotated[dict[str, Any], described_by(Summary)] | None,
        Field(description="Null before there are results"),
    ]
    series: Annotated[
        list[Annotated[dict[str, Any], described_by(SeriesPoint)]],
        Field(description="One point a second, in order"),
    ]


class ComparedTests(BaseModel):
    """In the order in which they were asked for."""

    tests: list[ListedTest]


class ValidScript(BaseModel):
    """A script that can run; its problems are only warnings."""

    valid: Literal[True]
    problems: Problems
    options: dict[str, Any]
    exports: Annotated[list[str], Field(description="Names of the functions that it exports")]
    target_urls: Annotated[list[str], Field(description="Origins found in the script")]


class InvalidScriptFound(BaseModel):
    """A script that cannot run, and why."""

    valid: Literal[False]
    problems: Problems
