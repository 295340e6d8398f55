"""What the API answers to made-up requests is what its schema describes, and never a 500.

schemathesis makes requests up from the schema, sensible ones and wrong ones; the API answers them
over HTTP on a real database. Some of their identifiers are replaced by those of what is there, and
some of their fields by those of the schema's examples: made-up scripts, for one, are never valid.
"""

import asyncio
import secrets
import socket
import threading
from collections.abc import Coroutine, Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import pytest
import schemathesis
import uvicorn
from apis import PASSWORD, Api, settings_for
from hypothesis import HealthCheck, Phase, given, seed, settings, strategies
from resources import MAKERS, body_of
from schemathesis.specs.openapi import checks
from stored import measured_test

from api import tests as tests_resource
from api.app import build_app
from api.platform import Platform
from fusillade import passwords
from fusillade.settings import Settings
from fusillade.storage import artifacts, tests
from fusillade.storage.database import Database
from fusillade.storage.models import User

CHECKS = [
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
SCHEMA = build_app(Settings(database_url="postgresql+psycopg://", jwt_secret="s" * 32)).openapi()
OPERATIONS = {
    found.ok().label: found.ok()
    for found in schemathesis.openapi.from_dict(SCHEMA).get_all_operations()
}
FORM = {
    "name": "A test",
    "script": b"export default function () {}",
    "workers": 1,
    "duration": 1,
    "region": "eu-hel1",
    "env": ["A=1"],
}


@dataclass
class Served:
    """The API on a port, and a way to do something where it runs."""

    url: str
    api: Api
    loop: asyncio.AbstractEventLoop

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """The result of a coroutine in the API's loop."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)


@pytest.fixture(scope="module")
def served(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The API in a thread. No actors: who would be told of a test is not told."""
    data_dir = tmp_path_factory.mktemp("data")
    settings = settings_for(
        module_database_url,
        data_dir=data_dir,
        wait_ready_seconds=0.1,
        wait_completed_seconds=0.1,
    )

    async def poke(self: Platform, test_id: UUID) -> None:
        pass

    with pytest.MonkeyPatch.context() as patch, socket.create_server(("127.0.0.1", 0)) as listener:
        patch.setattr(passwords, "ROUNDS", 4)
        patch.setattr(Platform, "poke", poke)
        patch.setattr(tests_resource, "_STOP_SECONDS", 0.1)
        app = build_app(settings)
        server = uvicorn.Server(uvicorn.Config(app, lifespan="on", log_level="critical"))
        loop = asyncio.new_event_loop()
        thread = threading.Thread(
            target=loop.run_until_complete, args=[server.serve(sockets=[listener])]
        )
        thread.start()
        store = Database(module_database_url)
        try:
            port = listener.getsockname()[1]
            yield Served(f"http://127.0.0.1:{port}", Api(app, store, data_dir), loop)
        finally:
            asyncio.run_coroutine_threadsafe(store.dispose(), loop).result(60)
            server.should_exit = True
            thread.join()
            loop.close()


@dataclass
class Account:
    """An organisation of one's own for each operation, so that none spoils another's."""

    key: str
    known: dict[str, list[str]]
    """Values of path parameters that identify something, by name."""


async def _account(served: Served, names: set[str]) -> Account:
    api = served.api
    address = f"{secrets.token_hex(6)}@acme.test"
    user = await api.user(address)
    async with httpx.AsyncClient(base_url=served.url, trust_env=False) as client:
        login = await client.post(
            "/api/v1/auth/login", json={"email": address, "password": PASSWORD}
        )
        client.headers["Authorization"] = f"Bearer {login.json()['token']}"
        key = (await client.post("/api/v1/keys", json={"name": "schemathesis"})).json()["key"]
        known: dict[str, list[str]] = {}
        for name in names:
            if name in ("test_id", "baseline_id", "test_ids"):
                known[name] = await _tests(api, user)
            elif name in MAKERS:
                known[name] = [await MAKERS[name](api, client, user) for _ in range(2)]
            elif name == "token":
                invited = f"{secrets.token_hex(6)}@invited.test"
                await client.post("/api/v1/team/invite", json={"email": invited})
                known[name] = [api.invitation_token(invited)]
            else:
                known[name] = ["summary.html"]
        for webhook in known.get("webhook_id", ()):
            await client.post(f"/api/v1/webhooks/{webhook}/test")
    return Account(key, known)


async def _tests(api: Api, user: User) -> list[str]:
    """One in each state."""
    made = []
    for status in tests.STATUSES:
        test = await measured_test(api.store, user, status=status)
        made.append(str(test.id))
        async with api.store.session() as session:
            if status in tests.ACTIVE:
                row = await tests.by_id(session, test.id)
                row.summary = row.finished_at = None
            else:
                await artifacts.save(session, test.id, {"summary.html": "<p>done"})
    return made


def _identified(path: str, parameters: Iterable[str]) -> set[str]:
    """What to make before an operation: what its parameters identify, and what it lists."""
    listed = path.rpartition("/")[2]
    return {
        *parameters,
        *(name for name in MAKERS if f"{name.removesuffix('_id')}s" == listed),
        *(["test_id"] if listed == "trends" else []),
    }


def _partly_known(
    case: schemathesis.Case, data: strategies.DataObject, known: dict[str, list[str]], example: Any
) -> None:
    """Put what is known in place of some of what was made up."""
    some = strategies.booleans()
    for part in (case.path_parameters, case.query):
        if part is not None and data.draw(some):
            for name in part:
                if name in known:
                    part[name] = data.draw(strategies.sampled_from(known[name]))
    if isinstance(case.body, dict) and data.draw(some):
        every = data.draw(some)
        for name, value in example.items():
            if every or (name in case.body and data.draw(some)):
                case.body[name] = value


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_every_answer_is_described(
    served: Served, name: str, request: pytest.FixtureRequest
) -> None:
    operation = OPERATIONS[name]
    parameters = [one.name for one in (*operation.path_parameters, *operation.query)]
    found = _identified(operation.path, set(parameters) & {*MAKERS, "token", "name"})
    account = served.run(_account(served, found))
    example = body_of(SCHEMA, SCHEMA["paths"][operation.path][operation.method])
    modes = [schemathesis.GenerationMode.POSITIVE]
    if parameters or list(operation.body):
        modes.append(schemathesis.GenerationMode.NEGATIVE)
    made_up = strategies.one_of(*(operation.as_strategy(generation_mode=mode) for mode in modes))

    @seed(1)
    @settings(
        max_examples=request.config.getoption("--schema-examples"),
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=made_up, data=strategies.data())
    def answered(case: schemathesis.Case, data: strategies.DataObject) -> None:
        is_form = case.media_type == "multipart/form-data"
        _partly_known(case, data, account.known, FORM if is_form else example)
        response = case.call(
            served.url, headers={"Authorization": f"Bearer {account.key}"}, timeout=60
        )
        assert response.status_code != 500
        case.validate_response(response, checks=CHECKS)

    answered()
