"""Webhooks, and the outbox of what is sent to them."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import (
    BigInteger,
    ForeignKey,
    Identity,
    Index,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from fusillade.storage.models.base import Base


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
