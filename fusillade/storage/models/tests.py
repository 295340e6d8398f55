"""Tests, what they came with and what they left."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import (
    Computed,
    Double,
    ForeignKey,
    Index,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from fusillade.storage.models.base import Base


def _of_summary(name: str) -> Mapped[float | None]:
    """A number of the summary as a column of its own, which PostgreSQL keeps up to date."""
    return mapped_column(Double(), Computed(f"(summary ->> '{name}')::float8", persisted=True))


class Test(Base):
    """One test and its run."""

    __tablename__ = "tests"
    __test__ = False  # its name is not meant for pytest

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    organisation_id: Mapped[UUID] = mapped_column(
        ForeignKey("organisations.id", ondelete="CASCADE")
    )
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    name: Mapped[str]
    status: Mapped[str]
    reason: Mapped[str | None]
    """Why it failed, was stopped or was cancelled: a sentence."""
    workers: Mapped[int]
    duration_seconds: Mapped[int]
    region: Mapped[str]
    entry: Mapped[str]
    """Path of the main module among the test's files."""
    env: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    """Variables that were given with the test, for ``__ENV``."""
    options: Mapped[dict[str, Any]]
    warnings: Mapped[list[dict[str, Any]]]
    target_urls: Mapped[list[str]]
    start_when_ready: Mapped[bool] = mapped_column(default=False)
    """Nobody has to call ``start``."""
    stop_requested: Mapped[bool] = mapped_column(default=False)
    setup_data: Mapped[str | None]
    """What ``setup()`` returned, as JSON; set with ``running``."""
    start_at: Mapped[float | None]
    """The shared start of all WorkerActors, Unix time; set with ``running``."""
    paused_at: Mapped[float | None]
    """Since when it begins no iterations, Unix time; None while it does."""
    resumed_at: Mapped[float | None]
    """When the last pause ended, or will in a moment."""
    paused_seconds: Mapped[float] = mapped_column(server_default="0", default=0.0)
    """All pauses together up to ``resumed_at``."""
    breached_thresholds: Mapped[list[str]] = mapped_column(server_default="{}", default=list)
    """Of which webhooks have been told, as ``metric: expression``."""
    summary: Mapped[dict[str, Any] | None]
    avg_latency_ms: Mapped[float | None] = _of_summary("avg_latency_ms")
    p95_latency_ms: Mapped[float | None] = _of_summary("p95_latency_ms")
    error_rate: Mapped[float | None] = _of_summary("error_rate")
    rps: Mapped[float | None] = _of_summary("rps")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    ready_at: Mapped[datetime | None]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    exported_at: Mapped[datetime | None]
    """When its series was written to the place for exports."""

    __table_args__ = (
        Index("tests_of_organisation", "organisation_id", "created_at", "id"),
        Index("tests_by_status", "status"),
        Index("tests_by_end", "finished_at"),
        Index(
            "tests_for_trends",
            "organisation_id",
            "finished_at",
            "id",
            postgresql_include=["avg_latency_ms", "p95_latency_ms", "error_rate", "rps"],
            postgresql_where=text("status = 'completed'"),
        ),
        Index("tests_by_target", "target_urls", postgresql_using="gin"),
        Index(
            "tests_to_export",
            "finished_at",
            postgresql_where=text("exported_at IS NULL AND summary IS NOT NULL"),
        ),
    )


class TestFile(Base):
    """One file of a test's script."""

    __tablename__ = "test_files"
    __test__ = False

    test_id: Mapped[UUID] = mapped_column(
        ForeignKey("tests.id", ondelete="CASCADE"), primary_key=True
    )
    path: Mapped[str] = mapped_column(primary_key=True)
    content: Mapped[bytes]


class TestSeries(Base):
    """The time series of a run: one point a second."""

    __tablename__ = "test_series"
    __test__ = False

    test_id: Mapped[UUID] = mapped_column(
        ForeignKey("tests.id", ondelete="CASCADE"), primary_key=True
    )
    points: Mapped[list[dict[str, Any]]]


class TestFailures(Base):
    """A sample of the requests that failed in a run."""

    __tablename__ = "test_failures"
    __test__ = False

    test_id: Mapped[UUID] = mapped_column(
        ForeignKey("tests.id", ondelete="CASCADE"), primary_key=True
    )
    content: Mapped[bytes]
    """JSON: a list of :class:`fusillade.failures.record.FailedRequest`. What a target has sent may
    have characters in it that PostgreSQL's own JSON refuses."""


class TestArtifact(Base):
    """A text that the test's ``handleSummary`` returned."""

    __tablename__ = "test_artifacts"
    __test__ = False

    test_id: Mapped[UUID] = mapped_column(
        ForeignKey("tests.id", ondelete="CASCADE"), primary_key=True
    )
    name: Mapped[str] = mapped_column(primary_key=True)
    """A relative path."""
    content: Mapped[bytes]
