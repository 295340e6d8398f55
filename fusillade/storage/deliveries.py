"""The outbox as who sends sees it: what is due, what is claimed, and what came of it.

A claim holds for a while only: what a dispatcher that was killed has claimed becomes free again, so
that each message is sent at least once. Any number of dispatchers may work on one database.
Webhook rows are locked before rows of deliveries, here and in ``storage/webhooks.py``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import (
    DateTime,
    Integer,
    Uuid,
    and_,
    bindparam,
    delete,
    func,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from fusillade.storage.models import Webhook, WebhookDelivery
from fusillade.webhooks.attempts import Attempt, Outcome, next_attempt, secrets_of

CLAIM_SECONDS = 30
"""Three times what an attempt may take."""

# No NOT EXISTS: joined that way it would take time by the square of what is pending, as long as
# PostgreSQL has no statistics of it. This is one step in an index for each row.
_IS_FIRST = """
    (one.test_id IS NULL OR one.position = (
        SELECT first.position FROM webhook_deliveries AS first
        WHERE first.webhook_id = one.webhook_id AND first.test_id = one.test_id
          AND first.status = 'pending'
        ORDER BY first.position LIMIT 1
    ))
"""
_DUE = text(
    # One step along the index for each webhook that has something pending.
    f"""
    WITH RECURSIVE waiting AS (
        (SELECT webhook_id FROM webhook_deliveries WHERE status = 'pending'
         ORDER BY webhook_id LIMIT 1)
      UNION ALL
        SELECT (SELECT following.webhook_id FROM webhook_deliveries AS following
                WHERE following.status = 'pending' AND following.webhook_id > waiting.webhook_id
                ORDER BY following.webhook_id LIMIT 1)
        FROM waiting WHERE waiting.webhook_id IS NOT NULL
    )
    SELECT next.webhook_id, next.organisation_id, next.due
    FROM waiting CROSS JOIN LATERAL (
        SELECT one.webhook_id, one.organisation_id,
               GREATEST(one.next_attempt_at, one.claimed_until) AS due
        FROM webhook_deliveries AS one
        WHERE one.webhook_id = waiting.webhook_id AND one.status = 'pending' AND {_IS_FIRST}
        ORDER BY due LIMIT 1
    ) AS next
    ORDER BY next.due
    """
)

_CLAIM = text(
    f"""
    WITH free AS MATERIALIZED (
        SELECT message.id
        FROM unnest(:webhooks, :rooms) AS webhook (id, room) CROSS JOIN LATERAL (
            SELECT one.id FROM webhook_deliveries AS one
            WHERE one.webhook_id = webhook.id AND one.status = 'pending'
              AND one.next_attempt_at <= :now
              AND (one.claimed_until IS NULL OR one.claimed_until <= :now)
              AND {_IS_FIRST}
            ORDER BY one.next_attempt_at, one.position LIMIT webhook.room
            FOR NO KEY UPDATE OF one SKIP LOCKED
        ) AS message
    )
    UPDATE webhook_deliveries SET claim = :claim, claimed_until = :until
    WHERE id IN (SELECT id FROM free) RETURNING *
    """
).bindparams(
    bindparam("webhooks", type_=ARRAY(Uuid())),
    bindparam("rooms", type_=ARRAY(Integer())),
    bindparam("claim", type_=Uuid()),
    bindparam("now", type_=DateTime(timezone=True)),
    bindparam("until", type_=DateTime(timezone=True)),
)


@dataclass(frozen=True, slots=True)
class Due:
    """A webhook for which there is something to send, now or later."""

    webhook_id: UUID
    organisation_id: UUID
    at: datetime


async def due(session: AsyncSession) -> list[Due]:
    """All webhooks that something is to be sent to, with the moment of the first; soonest first."""
    return [Due(*row) for row in await session.execute(_DUE)]


async def claim(session: AsyncSession, rooms: Mapping[UUID, int], now: datetime) -> list[Attempt]:
    """Claim messages that are due, for each of these webhooks at most so many.

    A message waits until the earlier ones of the same test to the same webhook have arrived or are
    given up. What another dispatcher is about to claim is left to it.
    """
    rows = await session.scalars(
        select(WebhookDelivery).from_statement(_CLAIM),
        {
            "webhooks": list(rooms),
            "rooms": list(rooms.values()),
            "claim": uuid4(),
            "now": now,
            "until": now + timedelta(seconds=CLAIM_SECONDS),
        },
        execution_options={"populate_existing": True},
    )
    claimed = sorted(rows, key=lambda row: row.position)
    found = await session.scalars(
        select(Webhook)
        .where(Webhook.id.in_({row.webhook_id for row in claimed}))
        .execution_options(populate_existing=True)
    )
    webhooks = {webhook.id: webhook for webhook in found}
    return [_attempt(webhooks[row.webhook_id], row, now) for row in claimed]


def _attempt(webhook: Webhook, row: WebhookDelivery, now: datetime) -> Attempt:
    assert row.claim is not None
    return Attempt(
        delivery_id=row.id,
        claim=row.claim,
        webhook_id=webhook.id,
        organisation_id=webhook.organisation_id,
        url=webhook.url,
        event=row.event,
        body=row.payload,
        secrets=secrets_of(
            webhook.secret,
            webhook.previous_secret,
            webhook.previous_secret_until,
            row.attempts,
            now,
        ),
    )


async def settle(
    session: AsyncSession,
    attempt: Attempt,
    outcome: Outcome,
    now: datetime,
    *,
    failing_limit: timedelta,
) -> None:
    """Store what came of an attempt: it has arrived, is tried again later, or is given up.

    Switches a webhook off to which nothing has arrived for ``failing_limit``. Does nothing if the
    claim has run out and another dispatcher has it, or if the webhook was deleted.
    """
    webhook = await session.get(
        Webhook, attempt.webhook_id, with_for_update={"key_share": True}, populate_existing=True
    )
    row = await session.scalar(
        select(WebhookDelivery)
        .where(WebhookDelivery.id == attempt.delivery_id, WebhookDelivery.claim == attempt.claim)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if webhook is None or row is None:
        return
    row.attempts += 1
    row.claim = row.claimed_until = None
    row.last_attempt_at = now
    row.response_status, row.duration_ms = outcome.status, outcome.duration_ms
    row.response_body, row.error = outcome.body, outcome.error
    if outcome.has_arrived:
        row.status, row.next_attempt_at = "delivered", None
        webhook.failing_since = None
        return
    # Given up already if the webhook was switched off meanwhile.
    if row.status == "pending":
        row.next_attempt_at = next_attempt(row.attempts, now)
        if row.next_attempt_at is None:
            row.status = "failed"
    await session.flush()
    await _note_failure(session, webhook, outcome, now, failing_limit)


async def _note_failure(
    session: AsyncSession,
    webhook: Webhook,
    outcome: Outcome,
    now: datetime,
    limit: timedelta,
) -> None:
    if webhook.failing_since is None:
        webhook.failing_since = now
    if not webhook.active or now - webhook.failing_since < limit:
        return
    last = outcome.error or f"The last answer had the status {outcome.status}."
    hours = limit.total_seconds() / 3600
    webhook.active = False
    webhook.disabled_reason = f"Nothing has arrived for {hours:g} hours. {last}"
    await give_up(session, webhook.id, "The webhook was switched off, since nothing arrives there.")


async def give_up(session: AsyncSession, webhook_id: UUID, reason: str) -> None:
    """Send no more of what is in the outbox for a webhook."""
    await session.execute(
        update(WebhookDelivery)
        .where(WebhookDelivery.webhook_id == webhook_id, WebhookDelivery.status == "pending")
        .values(
            status="failed",
            next_attempt_at=None,
            error=func.coalesce(WebhookDelivery.error, reason),
        )
        .execution_options(synchronize_session="fetch")
    )


async def prune(session: AsyncSession, before: datetime, most: int = 1000) -> int:
    """Delete deliveries older than that which are not to be sent any more, at most so many; returns
    how many."""
    old = (
        select(WebhookDelivery.id)
        .where(WebhookDelivery.created_at < before, WebhookDelivery.status != "pending")
        .limit(most)
    )
    gone = await session.execute(
        delete(WebhookDelivery)
        .where(WebhookDelivery.id.in_(old.scalar_subquery()))
        .returning(WebhookDelivery.id)
        .execution_options(synchronize_session=False)
    )
    return len(gone.all())


async def forget_secrets(session: AsyncSession, now: datetime) -> None:
    """Forget secrets before a rotation that sign no more."""
    await session.execute(
        update(Webhook)
        .where(and_(Webhook.previous_secret.is_not(None), Webhook.previous_secret_until <= now))
        .values(previous_secret=None, previous_secret_until=None)
        .execution_options(synchronize_session=False)
    )
