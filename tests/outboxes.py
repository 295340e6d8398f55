"""Organisations, tests and webhooks for tests of the outbox, put straight into the database."""

import asyncio
import json
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select

from fusillade.storage import accounts, tests, webhooks
from fusillade.storage.database import Database
from fusillade.storage.models import Test, Webhook, WebhookDelivery
from fusillade.webhooks import outbox

ALL_EVENTS = [
    "test.scheduled",
    "test.ready",
    "test.started",
    "test.threshold_breached",
    "test.completed",
    "test.failed",
]


async def organisation(store: Database) -> UUID:
    """A new one."""
    async with store.session() as session:
        user = await accounts.create_organisation_with_owner(
            session, name="Org", email=f"{uuid4()}@example.com", password="password"
        )
        return user.organisation_id


async def webhook(store: Database, owner: UUID, **more: Any) -> Webhook:
    """One that wants all events."""
    fields = {"url": "https://receiver.example/hook", "events": ALL_EVENTS} | more
    async with store.session() as session:
        made = Webhook(organisation_id=owner, **fields)
        await webhooks.create(session, made)
    return made


async def new_test(store: Database, owner: UUID, **more: Any) -> UUID:
    """A test in ``provisioning``."""
    fields: dict[str, Any] = {"name": "A test", "workers": 2, "duration_seconds": 5} | more
    async with store.session() as session:
        test = Test(
            organisation_id=owner,
            region="eu-hel1",
            entry="a.js",
            options={},
            warnings=[],
            target_urls=["https://api.example.com"],
            **fields,
        )
        await tests.create(session, test, {"a.js": b""})
        return test.id


async def move(store: Database, test_id: UUID, *states: str, **values: Any) -> None:
    """Through these states; the last one with ``values``."""
    for state in states:
        async with store.session() as session:
            more = values if state == states[-1] else {}
            await tests.transition(session, test_id, state, **more)


async def deliveries(store: Database, webhook: Webhook) -> list[WebhookDelivery]:
    """In the order in which they are to be sent."""
    async with store.session() as session:
        rows = await session.scalars(
            select(WebhookDelivery)
            .where(WebhookDelivery.webhook_id == webhook.id)
            .order_by(WebhookDelivery.position)
        )
        return list(rows)


async def told(store: Database, webhook: Webhook) -> list[tuple[str, Any]]:
    """Events and data of the messages to a webhook."""
    payloads = [json.loads(one.payload) for one in await deliveries(store, webhook)]
    return [(payload["event"], payload["data"]) for payload in payloads]


async def emit(store: Database, owner: UUID, test_id: UUID | None = None, **data: Any) -> None:
    """Put an event into the outbox."""
    async with store.session() as session:
        await outbox.emit(session, owner, "test.ready", data, test_id=test_id)


async def settled(
    store: Database, hook: Webhook, holds: Callable[[list[WebhookDelivery]], Any]
) -> list[WebhookDelivery]:
    """The deliveries to a webhook once it holds for them."""
    async with asyncio.timeout(30):
        while not holds(rows := await deliveries(store, hook)):  # noqa: ASYNC110
            await asyncio.sleep(0.03)
    return rows
