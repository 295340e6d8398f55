"""Organisations, who belongs to them, and what they have used."""

from datetime import date, datetime
from uuid import UUID, uuid4

from sqlalchemy import (
    ForeignKey,
    Index,
    UniqueConstraint,
    func,
)
from sqlalchemy.orm import Mapped, mapped_column

from fusillade.storage.models.base import Base


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
