"""The tables. All times are UTC; all rows of an organisation carry its id."""

from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import (
    BigInteger,
    Computed,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    Text,
    TypeDecorator,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class _StoredText(TypeDecorator[str]):
    """Text of any origin: what PostgreSQL cannot store in it is replaced."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        if value is None:
            return None
        return value.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


class Base(DeclarativeBase):
    """Base of all tables."""

    type_annotation_map = {  # noqa: RUF012
        datetime: DateTime(timezone=True),
        str: _StoredText(),
        list[str]: ARRAY(Text()),
        dict[str, Any]: JSONB(),
        list[dict[str, Any]]: JSONB(),
        bytes: LargeBinary(),
    }


class Organisation(Base):
    """Who owns everything else."""

    __tablename__ = "organisations"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    name: Mapped[str]
    plan: Mapped[str] = mapped_column(default="self-hosted", server_default="self-hosted")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class User(Base):
    """A person of one organisation."""

    __tablename__ = "users"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    organisation_id: Mapped[UUID] = mapped_column(
        ForeignKey("organisations.id", ondelete="CASCADE"), index=True
    )
    email: Mapped[str] = mapped_column(unique=True)
    """Lower case."""
    name: Mapped[str]
    role: Mapped[str]
    """``owner``, ``admin`` or ``member``."""
    password_hash: Mapped[str]
    token_version: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class ApiKey(Base):
    """A key for programs; only its hash is kept."""

    __tablename__ = "api_keys"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    organisation_id: Mapped[UUID] = mapped_column(
        ForeignKey("organisations.id", ondelete="CASCADE"), index=True
    )
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    name: Mapped[str]
    prefix: Mapped[str]
    """The first characters, by which a person recognises it."""
    key_hash: Mapped[bytes] = mapped_column(unique=True)
    scopes: Mapped[list[str]]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    last_used_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]


class RevokedToken(Base):
    """A token that was given back before it expired."""

    __tablename__ = "revoked_tokens"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(index=True)


class Invitation(Base):
    """Somebody who may join; only the hash of the token in the mail is kept."""

    __tablename__ = "invitations"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    organisation_id: Mapped[UUID] = mapped_column(
        ForeignKey("organisations.id", ondelete="CASCADE")
    )
    email: Mapped[str]
    """Lower case."""
    role: Mapped[str]
    invited_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime]

    __table_args__ = (UniqueConstraint("organisation_id", "email"),)


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


class Template(Base):
    """A test to be created again and again."""

    __tablename__ = "templates"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    organisation_id: Mapped[UUID] = mapped_column(
        ForeignKey("organisations.id", ondelete="CASCADE")
    )
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    name: Mapped[str]
    description: Mapped[str]
    script_content: Mapped[str]
    workers: Mapped[int]
    duration_seconds: Mapped[int]
    region: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())

    __table_args__ = (Index("templates_of_organisation", "organisation_id", "created_at", "id"),)


class Schedule(Base):
    """A test to be created and started at certain times."""

    __tablename__ = "schedules"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    organisation_id: Mapped[UUID] = mapped_column(
        ForeignKey("organisations.id", ondelete="CASCADE")
    )
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    name: Mapped[str]
    script_content: Mapped[str]
    workers: Mapped[int]
    duration_seconds: Mapped[int]
    region: Mapped[str]
    cron_expression: Mapped[str]
    timezone: Mapped[str]
    active: Mapped[bool] = mapped_column(default=True)
    next_run_at: Mapped[datetime | None]
    """None while it is paused, and when no more times are to come."""
    last_run_at: Mapped[datetime | None]
    last_test_id: Mapped[UUID | None] = mapped_column(ForeignKey("tests.id", ondelete="SET NULL"))
    refusals: Mapped[int] = mapped_column(server_default="0", default=0)
    """How many firings in a row were refused, up to the last one."""
    refusal_code: Mapped[str | None]
    refusal_message: Mapped[str | None]
    """Of the last of them."""
    checked: Mapped[dict[str, Any] | None]
    """What the check of the script has found, and of which script (``scheduling/checked.py``)."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())

    __table_args__ = (
        Index("schedules_of_organisation", "organisation_id", "created_at", "id"),
        Index("schedules_by_next_run", "next_run_at"),
    )


class ScheduleFiring(Base):
    """An instant at which a schedule was due, and what became of it."""

    __tablename__ = "schedule_firings"

    schedule_id: Mapped[UUID] = mapped_column(
        ForeignKey("schedules.id", ondelete="CASCADE"), primary_key=True
    )
    fire_time: Mapped[datetime] = mapped_column(primary_key=True)
    organisation_id: Mapped[UUID] = mapped_column(
        ForeignKey("organisations.id", ondelete="CASCADE")
    )
    status: Mapped[str]
    """``pending``, ``fired``, ``refused`` or ``missed``."""
    test_id: Mapped[UUID | None] = mapped_column(ForeignKey("tests.id", ondelete="SET NULL"))
    code: Mapped[str | None]
    """The documented error code of what refused it."""
    message: Mapped[str | None]
    """Why it was refused or missed: a sentence."""
    claimed_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    """None as long as something is left to be done."""

    __table_args__ = (
        Index("firings_by_time", "fire_time"),
        Index("firings_of_test", "test_id"),
        Index("open_firings", "claimed_at", postgresql_where=text("settled_at IS NULL")),
    )


class Webhook(Base):
    """Whom to tell of an organisation's tests."""

    __tablename__ = "webhooks"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    organisation_id: Mapped[UUID] = mapped_column(
        ForeignKey("organisations.id", ondelete="CASCADE")
    )
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    url: Mapped[str]
    events: Mapped[list[str]]
    secret: Mapped[str]
    """Signs deliveries, so it cannot be kept as a hash."""
    previous_secret: Mapped[str | None]
    """Signs them as well, until the time in the next one."""
    previous_secret_until: Mapped[datetime | None]
    active: Mapped[bool] = mapped_column(default=True)
    failing_since: Mapped[datetime | None]
    """When the first attempt failed after the last one that arrived."""
    disabled_reason: Mapped[str | None]
    """Why the platform, and not a user, has switched it off."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    __table_args__ = (Index("webhooks_of_organisation", "organisation_id", "created_at", "id"),)


class WebhookDelivery(Base):
    """One message to one webhook: the outbox."""

    __tablename__ = "webhook_deliveries"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    """Sent along, so that receivers can drop repeats."""
    position: Mapped[int] = mapped_column(BigInteger(), Identity())
    """Deliveries of one test to one webhook are sent in this order."""
    organisation_id: Mapped[UUID] = mapped_column(
        ForeignKey("organisations.id", ondelete="CASCADE")
    )
    webhook_id: Mapped[UUID] = mapped_column(ForeignKey("webhooks.id", ondelete="CASCADE"))
    test_id: Mapped[UUID | None]
    """No foreign key: a delivery may outlive its test."""
    event: Mapped[str]
    payload: Mapped[str]
    """The body, character by character as it is signed and sent."""
    status: Mapped[str] = mapped_column(default="pending")
    """``pending``, ``delivered`` or ``failed``."""
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[datetime | None]
    """Set while it is ``pending``."""
    claim: Mapped[UUID | None]
    """Of the dispatcher that is sending it: only its result counts."""
    claimed_until: Mapped[datetime | None]
    """Then another dispatcher may send it: this one is gone."""
    last_attempt_at: Mapped[datetime | None]
    response_status: Mapped[int | None]
    """This and the next three are of the last attempt, as the one before."""
    duration_ms: Mapped[int | None]
    response_body: Mapped[str | None]
    """The first kilobyte."""
    error: Mapped[str | None]
    """Why there was no response."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    __table_args__ = (
        Index("deliveries_of_webhook", "webhook_id", "created_at", "id"),
        Index(
            "pending_deliveries",
            "webhook_id",
            "next_attempt_at",
            postgresql_where=text("status = 'pending'"),
        ),
        Index(
            "pending_deliveries_of_test",
            "webhook_id",
            "test_id",
            "position",
            postgresql_where=text("status = 'pending'"),
        ),
        Index("deliveries_by_age", "created_at"),
    )


class Usage(Base):
    """What a test has used of its organisation's minutes. Stays when the test is deleted."""

    __tablename__ = "usage"

    test_id: Mapped[UUID] = mapped_column(primary_key=True)
    organisation_id: Mapped[UUID] = mapped_column(
        ForeignKey("organisations.id", ondelete="CASCADE")
    )
    month: Mapped[date]
    """Its first day, UTC: the month in which the minutes were reserved."""
    reserved_seconds: Mapped[int]
    used_seconds: Mapped[int | None]
    """None as long as the test has not ended."""

    __table_args__ = (Index("usage_of_organisation", "organisation_id", "month"),)


class IdempotencyKey(Base):
    """What came of a creation that its client may repeat."""

    __tablename__ = "idempotency_keys"

    organisation_id: Mapped[UUID] = mapped_column(
        ForeignKey("organisations.id", ondelete="CASCADE"), primary_key=True
    )
    key: Mapped[str] = mapped_column(primary_key=True)
    endpoint: Mapped[str]
    """Method and path."""
    resource_id: Mapped[UUID]
    status: Mapped[int]
    body: Mapped[str | None]
    """JSON; None as long as the first request waits for what it created."""
    created_at: Mapped[datetime] = mapped_column(index=True)
