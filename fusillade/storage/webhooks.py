"""Webhooks, and what has been sent to them; what is to be sent comes by ``webhooks/outbox.py``."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from fusillade.storage import pages
from fusillade.storage.deliveries import give_up
from fusillade.storage.models import Webhook, WebhookDelivery
from fusillade.storage.ownership import owned
from fusillade.storage.pages import Page
from fusillade.webhooks import signature


async def create(session: AsyncSession, webhook: Webhook) -> None:
    """Store a new webhook with a secret of its own."""
    webhook.secret = signature.new_secret()
    session.add(webhook)
    await session.flush()


async def get(session: AsyncSession, webhook_id: UUID, organisation_id: UUID) -> Webhook:
    """One webhook of an organisation. Raises ``NotFound``."""
    return await owned(session, Webhook, webhook_id, organisation_id)


async def page(
    session: AsyncSession, organisation_id: UUID, *, limit: int, cursor: str | None
) -> Page[Webhook]:
    """Webhooks of an organisation, newest first."""
    return await pages.page(session, Webhook, organisation_id, limit=limit, cursor=cursor)


async def change(
    session: AsyncSession,
    webhook_id: UUID,
    organisation_id: UUID,
    changes: Mapping[str, Any],
    *,
    rotate_secret: bool = False,
) -> Webhook:
    """Change columns of a webhook; give it a new secret on request. Raises ``NotFound``.

    What is in the outbox when it is switched off is not sent. Switching it on, and another URL,
    make it forget that nothing has arrived.
    """
    webhook = await owned(session, Webhook, webhook_id, organisation_id, lock=True)
    was_active = webhook.active
    for name, value in changes.items():
        setattr(webhook, name, value)
    if changes.get("active") or "url" in changes:
        webhook.failing_since = None
    if webhook.active:
        webhook.disabled_reason = None
    elif was_active:
        await give_up(session, webhook_id, "The webhook was switched off before this was sent.")
    if rotate_secret:
        _rotate(webhook)
    await session.flush()
    return webhook


async def rotate_secret(
    session: AsyncSession,
    webhook_id: UUID,
    organisation_id: UUID,
    *,
    now: datetime,
    overlap: timedelta,
) -> Webhook:
    """Give a webhook a new secret; the old one signs as well for a while. Raises ``NotFound``."""
    webhook = await owned(session, Webhook, webhook_id, organisation_id, lock=True)
    _rotate(webhook, now + overlap if overlap else None)
    await session.flush()
    return webhook


def _rotate(webhook: Webhook, previous_until: datetime | None = None) -> None:
    webhook.previous_secret = webhook.secret if previous_until is not None else None
    webhook.previous_secret_until = previous_until
    webhook.secret = signature.new_secret()


async def delete(session: AsyncSession, webhook_id: UUID, organisation_id: UUID) -> None:
    """Delete a webhook and its deliveries. Raises ``NotFound``."""
    await session.delete(await get(session, webhook_id, organisation_id))


async def deliveries(
    session: AsyncSession, webhook: Webhook, *, limit: int, cursor: str | None
) -> Page[WebhookDelivery]:
    """Messages to a webhook, newest first."""
    return await pages.page(
        session,
        WebhookDelivery,
        webhook.organisation_id,
        WebhookDelivery.webhook_id == webhook.id,
        limit=limit,
        cursor=cursor,
    )
