"""The API in this process, on a real database and without Ray: for all that starts no run."""

import email
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI

from api.app import build_app
from api.platform import Platform
from fusillade import passwords
from fusillade.settings import Settings
from fusillade.storage import accounts
from fusillade.storage.database import Database
from fusillade.storage.models import User

PASSWORD = "correct horse battery staple"


@dataclass
class Api:
    """The application, its database, and clients of it."""

    app: FastAPI
    store: Database
    data_dir: Path

    def client(self, token: str = "") -> httpx.AsyncClient:
        """A client that sends ``token`` (or an API key) with each request."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app), base_url="http://api.test", headers=headers
        )

    async def user(self, email: str, organisation: str = "Acme") -> User:
        """The owner of a new organisation, with PASSWORD."""
        async with self.store.session() as session:
            return await accounts.create_organisation_with_owner(
                session, name=organisation, email=email, password=PASSWORD
            )

    async def colleague(self, of: User, address: str, role: str = "member") -> User:
        """Another member of somebody's organisation, with PASSWORD."""
        async with self.store.session() as session:
            return await accounts.create_user(
                session,
                organisation_id=of.organisation_id,
                email=address,
                name=address.partition("@")[0],
                role=role,
                password=PASSWORD,
            )

    def mails(self) -> list[email.message.Message]:
        """What was sent, oldest first: no mail server is set."""
        files = sorted(self.data_dir.glob("mail/*.eml"), key=lambda file: file.stat().st_mtime_ns)
        return [email.message_from_bytes(file.read_bytes()) for file in files]

    def invitation_token(self, address: str) -> str:
        """What the last mail to that address has in its link."""
        text = [mail.get_payload() for mail in self.mails() if mail["To"] == address][-1]
        found = re.search(r"/invites/([\w-]+)\n", str(text))
        assert found is not None, text
        return found[1]

    async def log_in(self, email: str, password: str = PASSWORD) -> httpx.AsyncClient:
        """A client with a fresh token."""
        async with self.client() as anybody:
            body = {"email": email, "password": password}
            answer = await anybody.post("/api/v1/auth/login", json=body)
            assert answer.status_code == 200, answer.text
            return self.client(answer.json()["token"])


def settings_for(database_url: str, **more: Any) -> Settings:
    """Settings of an API on that database, without rate limits unless they are given."""
    no_limits = {"rate_limit_requests": 0, "rate_limit_auth_requests": 0}
    return Settings(database_url=database_url, jwt_secret="s" * 32, **(no_limits | more))


@pytest.fixture
async def api(
    database_url: str, store: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Api]:
    """The API on an empty database and data directory of its own."""
    monkeypatch.setattr(passwords, "ROUNDS", 4)
    app = build_app(settings_for(database_url, data_dir=tmp_path))
    async with app.router.lifespan_context(app):
        yield Api(app, store, tmp_path)


@pytest.fixture
async def owner(api: Api) -> AsyncIterator[httpx.AsyncClient]:
    """Logged in as the owner of an organisation."""
    await api.user("owner@acme.test")
    async with await api.log_in("owner@acme.test") as client:
        yield client


@pytest.fixture
async def user(api: Api, owner: httpx.AsyncClient) -> User:
    """That owner, as stored."""
    async with api.store.session() as session:
        found = await session.get(User, (await owner.get("/api/v1/me")).json()["id"])
        assert found is not None
        return found


@pytest.fixture
def poked(monkeypatch: pytest.MonkeyPatch) -> list[UUID]:
    """Tests whose actors were told to look, in this order. There are no actors in this process."""
    told: list[UUID] = []

    async def poke(self: Platform, test_id: UUID) -> None:
        told.append(test_id)

    monkeypatch.setattr(Platform, "poke", poke)
    return told
