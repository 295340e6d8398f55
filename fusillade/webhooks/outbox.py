"""The outbox: what webhooks are to be told, stored in the transaction of the change it tells of.

A message is sent if that transaction is committed, and only then; whoever sends is woken by it.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from fusillade.storage import notices
from fusillade.storage.models import Test, Webhook, WebhookDelivery
from fusillade.webhooks import events
from fusillade.webhooks.events import Event

CHANNEL = "fusillade_webhooks"
"""Its notices wake whoever sends."""


async def tell(session: AsyncSession, event: Event, test: Test, **more: Any) -> None:
    """Put an event of a test into the outbox of its organisation; ``more`` replaces values of
    :func:`events.data_of`."""
    data = events.data_of(event, test) | more
    await emit(session, test.organisation_id, event, data, test_id=test.id)


async def emit(
    session: AsyncSession,
    organisation_id: UUID,
    event: Event,
    data: Mapping[str, Any],
    *,
    test_id: UUID | None = None,
) -> None:
    """Put an event into the outbox, once for each webhook of the organisation that wants it.

    Events of one test arrive in the order in which they were put there.
    """
    webhooks = await session.scalars(
        select(Webhook)
        .where(
            Webhook.organisation_id == organisation_id,
            Webhook.active,
            Webhook.events.contains([event]),
        )
        # Nobody deletes one of them before its message is stored.
        .with_for_update(read=True, key_share=True)
    )
    now = datetime.now(UTC)
    payload = events.body(event, data, now)
    messages = [_message(webhook, event, payload, now, test_id) for webhook in webhooks]
    if messages:
        await _add(session, messages)


async def enqueue(
    session: AsyncSession, webhook: Webhook, event: str, payload: str, now: datetime
) -> WebhookDelivery:
    """Put one message of no test into the outbox, to be sent at once."""
    message = _message(webhook, event, payload, now)
    await _add(session, [message])
    return message


def _message(
    webhook: Webhook, event: str, payload: str, now: datetime, test_id: UUID | None = None
) -> WebhookDelivery:
    return WebhookDelivery(
        organisation_id=webhook.organisation_id,
        webhook_id=webhook.id,
        test_id=test_id,
        event=event,
        payload=payload,
        next_attempt_at=now,
    )


async def _add(session: AsyncSession, messages: list[WebhookDelivery]) -> None:
    session.add_all(messages)
    await session.flush()
    await notices.tell(session, CHANNEL)
