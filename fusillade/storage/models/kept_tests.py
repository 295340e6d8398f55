"""Tests that are kept to be run again: templates and schedules."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ForeignKey, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from fusillade.storage.models.base import Base


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
