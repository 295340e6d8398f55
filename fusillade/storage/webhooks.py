"""Webhooks, and what has been sent to them; what is to be sent comes by ``webhooks/outbox.py``."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from fusillade.storage import pages
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
    """Change columns of a webhook; give it a new secret on request. Raises ``NotFound``."""
    webhook = await owned(session, Webhook, webhook_id, organisation_id, lock=True)
    for name, value in changes.items():
        setattr(webhook, name, value)
    if rotate_secret:
        webhook.secret = signature.new_secret()
    await session.flush()
    return webhook


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
