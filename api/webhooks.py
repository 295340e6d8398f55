"""``/api/v1/webhooks``: whom to tell of the organisation's tests."""

import json
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from api.authentication import Full, Read
from api.errors import documented
from api.fields import Moment, PageSize
from api.idempotency import Once
from api.platform import Here, Session
from fusillade.errors import IdempotencyError, NotFound
from fusillade.metrics.live import timestamp
from fusillade.storage import webhooks
from fusillade.storage.models import Webhook, WebhookDelivery
from fusillade.webhooks import events, outbox
from fusillade.webhooks.events import Event
from fusillade.webhooks.urls import check_url

router = APIRouter(prefix="/api/v1/webhooks", tags=["webhooks"])

Url = Annotated[str, Field(description="HTTPS, and not of a private network")]
Events = Annotated[list[Event], Field(min_length=1, description="What to be told of")]


class NewWebhook(BaseModel):
    """Whom to tell of what."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "url": "https://your-server.com/webhook",
                    "events": ["test.completed", "test.failed", "test.ready"],
                }
            ]
        }
    )

    url: Url
    events: Events


class WebhookChanges(BaseModel):
    """What to change; what is missing or null stays as it is."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"active": False}]})

    url: Url | None = None
    events: Events | None = None
    active: bool | None = None
    rotate_secret: Annotated[
        bool, Field(description="Make a new secret; it is shown in this answer only")
    ] = False


class ShownWebhook(BaseModel):
    """A webhook without its secret."""

    id: UUID
    url: str
    events: list[str]
    active: bool
    created_at: Moment
    failing_since: Annotated[
        Moment | None, Field(description="When an attempt failed and none has arrived since")
    ]
    disabled_reason: Annotated[
        str | None, Field(description="Why the platform has switched it off")
    ]


class WebhookWithSecret(BaseModel):
    """A webhook whose secret is new. No other answer shows it."""

    id: UUID
    url: str
    events: list[str]
    secret: Annotated[str, Field(description="The key of all signatures, whsec_ included")]
    active: bool
    created_at: Moment


class RotatedWebhook(WebhookWithSecret):
    """A webhook whose secret is new, while the one before signs as well."""

    previous_secret_until: Annotated[
        Moment | None, Field(description="null if the one before signs no more")
    ]


class Webhooks(BaseModel):
    """Newest first. ``next_cursor`` leads to the next page."""

    webhooks: list[ShownWebhook]
    total: int
    limit: int
    next_cursor: str | None


class Delivery(BaseModel):
    """One message and what became of it."""

    id: Annotated[UUID, Field(description="Sent as X-Fusillade-Delivery with each attempt")]
    test_id: UUID | None
    event: str
    payload: dict[str, Any]
    status: Literal["pending", "delivered", "failed"]
    attempts: int
    next_attempt_at: Moment | None
    last_attempt_at: Moment | None
    response_status: Annotated[int | None, Field(description="Of the last attempt")]
    duration_ms: int | None
    response_body: Annotated[str | None, Field(description="Its first kilobyte")]
    error: Annotated[str | None, Field(description="Why it has not arrived")]
    created_at: Moment


class Deliveries(BaseModel):
    """Newest first. ``next_cursor`` leads to the next page."""

    deliveries: list[Delivery]
    total: int
    limit: int
    next_cursor: str | None


@router.post("", status_code=201, responses=documented(IdempotencyError))
async def create(
    body: NewWebhook, caller: Full, platform: Here, session: Session, once: Once
) -> WebhookWithSecret:
    """Create a webhook. Its secret is shown in this answer and never again."""
    check_url(body.url, allow_private=platform.settings.webhook_allow_private)
    webhook = Webhook(
        organisation_id=caller.organisation_id,
        created_by=caller.user.id,
        url=body.url,
        events=_each_once(body.events),
    )
    await once.claim(session, caller)
    await webhooks.create(session, webhook)
    shown = _with_secret(webhook)
    await once.keep(session, caller, webhook.id, shown)
    return shown


@router.get("")
async def list_webhooks(
    caller: Read, session: Session, limit: PageSize = 20, cursor: str | None = None
) -> Webhooks:
    """The organisation's webhooks, newest first, without their secrets."""
    page = await webhooks.page(session, caller.organisation_id, limit=limit, cursor=cursor)
    return Webhooks(
        webhooks=[_shown(webhook) for webhook in page.rows],
        total=page.total,
        limit=limit,
        next_cursor=page.next_cursor,
    )


@router.patch("/{webhook_id}", responses=documented(NotFound))
async def change(
    webhook_id: UUID, body: WebhookChanges, caller: Full, platform: Here, session: Session
) -> ShownWebhook | WebhookWithSecret:
    """Change a webhook, switch it on or off, or give it a new secret."""
    if body.url is not None:
        check_url(body.url, allow_private=platform.settings.webhook_allow_private)
    changes = body.model_dump(exclude_none=True, exclude={"rotate_secret"})
    if body.events is not None:
        changes["events"] = _each_once(body.events)
    webhook = await webhooks.change(
        session,
        webhook_id,
        caller.organisation_id,
        changes,
        rotate_secret=body.rotate_secret,
    )
    return _with_secret(webhook) if body.rotate_secret else _shown(webhook)


@router.post("/{webhook_id}/rotate-secret", responses=documented(NotFound))
async def rotate_secret(
    webhook_id: UUID,
    caller: Full,
    platform: Here,
    session: Session,
    overlap_hours: Annotated[int | None, Query(ge=0, le=168)] = None,
) -> RotatedWebhook:
    """Give a webhook a new secret. Deliveries carry a signature by the old one as well for
    `overlap_hours` (by default what the platform's settings say, a day)."""
    hours = platform.settings.webhook_overlap_hours if overlap_hours is None else overlap_hours
    webhook = await webhooks.rotate_secret(
        session,
        webhook_id,
        caller.organisation_id,
        now=datetime.now(UTC),
        overlap=timedelta(hours=hours),
    )
    until = webhook.previous_secret_until
    return RotatedWebhook(
        **_fields(webhook),
        secret=webhook.secret,
        previous_secret_until=None if until is None else events.moment(until),
    )


@router.delete("/{webhook_id}", status_code=204, responses=documented(NotFound))
async def delete(webhook_id: UUID, caller: Full, session: Session) -> None:
    """Delete a webhook with its deliveries; what has not been sent is not sent any more."""
    await webhooks.delete(session, webhook_id, caller.organisation_id)


@router.get("/{webhook_id}/deliveries", responses=documented(NotFound))
async def list_deliveries(
    webhook_id: UUID,
    caller: Read,
    session: Session,
    limit: PageSize = 20,
    cursor: str | None = None,
) -> Deliveries:
    """What has been sent to a webhook, or is to be, newest first."""
    webhook = await webhooks.get(session, webhook_id, caller.organisation_id)
    page = await webhooks.deliveries(session, webhook, limit=limit, cursor=cursor)
    return Deliveries(
        deliveries=[_delivery(delivery) for delivery in page.rows],
        total=page.total,
        limit=limit,
        next_cursor=page.next_cursor,
    )


@router.post("/{webhook_id}/test", status_code=202, responses=documented(NotFound))
async def test(webhook_id: UUID, caller: Full, session: Session) -> Delivery:
    """Send the first of the webhook's events with invented values, of a test whose id is all zeros.
    Works also while the webhook is switched off. The deliveries show what becomes of it."""
    webhook = await webhooks.get(session, webhook_id, caller.organisation_id)
    now = datetime.now(UTC)
    event: Any = webhook.events[0]
    payload = events.sample(event, now)
    return _delivery(await outbox.enqueue(session, webhook, event, payload, now))


def _each_once(given: list[Event]) -> list[str]:
    return list(dict.fromkeys(given))


def _with_secret(webhook: Webhook) -> WebhookWithSecret:
    return WebhookWithSecret(**_fields(webhook), secret=webhook.secret)


def _shown(webhook: Webhook) -> ShownWebhook:
    since = webhook.failing_since
    return ShownWebhook(
        **_fields(webhook),
        failing_since=None if since is None else events.moment(since),
        disabled_reason=webhook.disabled_reason,
    )


def _fields(webhook: Webhook) -> dict[str, Any]:
    return {
        "id": webhook.id,
        "url": webhook.url,
        "events": webhook.events,
        "active": webhook.active,
        "created_at": events.moment(webhook.created_at),
    }


def _delivery(delivery: WebhookDelivery) -> Delivery:
    upcoming, last = delivery.next_attempt_at, delivery.last_attempt_at
    return Delivery(
        id=delivery.id,
        test_id=delivery.test_id,
        event=delivery.event,
        payload=json.loads(delivery.payload),
        status=delivery.status,  # type: ignore[arg-type]
        attempts=delivery.attempts,
        next_attempt_at=None if upcoming is None else timestamp(upcoming),
        last_attempt_at=None if last is None else timestamp(last),
        response_status=delivery.response_status,
        duration_ms=delivery.duration_ms,
        response_body=delivery.response_body,
        error=delivery.error,
        created_at=timestamp(delivery.created_at),
    )
