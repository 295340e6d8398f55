"""Webhooks: secrets, and what is refused."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from apis import Api, settings_for

from api.app import build_app
from fusillade.cli.platform import load_settings
from fusillade.errors import ValidationFailed
from fusillade.storage.database import Database
from fusillade.storage.models import Webhook

WEBHOOK: dict[str, Any] = {"url": "https://your-server.com/", "events": ["test.failed"]}


async def test_a_secret_is_shown_when_it_is_new_and_never_again(owner: httpx.AsyncClient) -> None:
    created = (await owner.post("/api/v1/webhooks", json=WEBHOOK)).json()
    path = f"/api/v1/webhooks/{created['id']}"
    assert "secret" not in (await owner.get("/api/v1/webhooks")).json()["webhooks"][0]
    assert "secret" not in (await owner.patch(path, json={"active": True})).json()
    rotated = (await owner.patch(path, json={"rotate_secret": True})).json()
    assert rotated["secret"].startswith("whsec_")
    assert rotated == created | {"secret": rotated["secret"]}
    assert rotated["secret"] != created["secret"]


async def test_a_secret_that_is_rotated_leaves_the_old_one_a_while(
    owner: httpx.AsyncClient,
) -> None:
    created = (await owner.post("/api/v1/webhooks", json=WEBHOOK)).json()
    path = f"/api/v1/webhooks/{created['id']}/rotate-secret"
    before = datetime.now(UTC)
    first = (await owner.post(path)).json()
    assert first["secret"] not in (created["secret"], None)
    until = datetime.fromisoformat(first["previous_secret_until"])
    assert timedelta(hours=23) < until - before < timedelta(hours=25)
    at_once = (await owner.post(path, params={"overlap_hours": 0})).json()
    assert at_once["secret"] != first["secret"]
    assert at_once["previous_secret_until"] is None
    for hours in (-1, 169, "x"):
        answer = await owner.post(path, params={"overlap_hours": hours})
        assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")


async def test_the_owner_sees_why_a_webhook_was_switched_off(
    api: Api, owner: httpx.AsyncClient
) -> None:
    created = (await owner.post("/api/v1/webhooks", json=WEBHOOK)).json()
    path = f"/api/v1/webhooks/{created['id']}"
    async with api.store.session() as session:
        webhook = await session.get(Webhook, UUID(created["id"]))
        assert webhook is not None
        webhook.active, webhook.disabled_reason = False, "Nothing has arrived for 72 hours."
        webhook.failing_since = datetime(2026, 2, 6, 12, tzinfo=UTC)
    (listed,) = (await owner.get("/api/v1/webhooks")).json()["webhooks"]
    shown = (listed["active"], listed["failing_since"], listed["disabled_reason"])
    assert shown == (False, "2026-02-06T12:00:00Z", "Nothing has arrived for 72 hours.")
    again = (await owner.patch(path, json={"active": True})).json()
    assert (again["active"], again["failing_since"], again["disabled_reason"]) == (True, None, None)


MISTAKES: list[tuple[dict[str, Any], str]] = [
    ({"events": []}, "events"),
    ({"events": ["test.exploded"]}, "test.completed"),
    ({"events": "test.failed"}, "events"),
    ({"url": "https://"}, "no valid host"),
    ({"url": "https://a.example/ "}, "characters"),
    ({"url": 5}, "url"),
    ({"active": "perhaps"}, "active"),
]


async def test_a_mistake_in_a_webhook_is_told(owner: httpx.AsyncClient) -> None:
    created = (await owner.post("/api/v1/webhooks", json=WEBHOOK)).json()
    for change, words in MISTAKES:
        answer = await owner.patch(f"/api/v1/webhooks/{created['id']}", json=change)
        assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")
        assert words in answer.json()["error"]
    (listed,) = (await owner.get("/api/v1/webhooks")).json()["webhooks"]
    assert {name: listed[name] for name in WEBHOOK} == WEBHOOK
    assert listed["active"] is True


async def test_an_event_that_is_named_twice_counts_once(owner: httpx.AsyncClient) -> None:
    body = WEBHOOK | {"events": ["test.ready", "test.failed", "test.ready"]}
    created = (await owner.post("/api/v1/webhooks", json=body)).json()
    assert created["events"] == ["test.ready", "test.failed"]


async def test_an_internal_receiver_is_taken_where_the_settings_allow_it(
    database_url: str, store: Database, tmp_path: Path
) -> None:
    settings = settings_for(database_url, webhook_allow_private=True, data_dir=tmp_path)
    app = build_app(settings)
    async with app.router.lifespan_context(app):
        api = Api(app, store, tmp_path)
        await api.user("owner@acme.test")
        async with await api.log_in("owner@acme.test") as owner:
            statuses = [
                (await owner.post("/api/v1/webhooks", json=WEBHOOK | {"url": url})).status_code
                for url in (
                    "https://10.0.0.1:8443/",
                    "https://ci/",
                    "http://ci/",
                    "https://169.254.169.254/",
                )
            ]
    assert statuses == [201, 201, 400, 400]


async def test_half_a_character_is_refused(owner: httpx.AsyncClient) -> None:
    answer = await owner.post(
        "/api/v1/webhooks",
        content=b'{"url": "https://a.example/\\ud800", "events": ["test.failed"]}',
        headers={"Content-Type": "application/json"},
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")


def test_a_file_of_certificates_that_cannot_be_read_is_a_wrong_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "other.pem").write_text("no certificate")
    for name in ("missing.pem", "other.pem"):
        monkeypatch.setenv("FUSILLADE_WEBHOOK_CA_FILE", str(tmp_path / name))
        with pytest.raises(ValidationFailed, match=rf"webhook_ca_file is wrong: .*{name} is no re"):
            load_settings()
