"""The web page's files. What it does is tested with a browser, in tests/e2e."""

import re

import httpx
import pytest
from apis import Api, settings_for

from api.app import build_app
from fusillade.storage.database import Database


@pytest.fixture
async def anybody(api: Api) -> httpx.AsyncClient:
    return api.client()


def _loaded(page: str) -> list[str]:
    return re.findall(r'(?:src|href)="(/assets/[^"]+)"', page)


async def test_the_page_is_served_at_the_root_and_at_each_of_its_addresses(
    anybody: httpx.AsyncClient,
) -> None:
    root = await anybody.get("/")
    assert root.status_code == 200
    assert root.headers["content-type"] == "text/html; charset=utf-8"
    for path in ("/runs", "/runs/550e8400-e29b-41d4-a716-446655440000", "/invites/a-token"):
        assert (await anybody.get(path)).text == root.text
    head = await anybody.head("/")
    assert (head.status_code, head.headers["content-length"]) == (200, str(len(root.content)))


async def test_every_other_address_answers_as_before(anybody: httpx.AsyncClient) -> None:
    for method, path in (
        ("GET", "/api/v1/nothing"),
        ("POST", "/api/v1/nothing"),
        ("GET", "/nothing"),
        ("GET", "/assets/000000000000/app.js"),
    ):
        answer = await anybody.request(method, path)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), path
    assert (await anybody.get("/docs")).status_code == 200
    assert "/" not in (await anybody.get("/openapi.json")).json()["paths"]


async def test_the_page_may_load_nothing_from_elsewhere_and_nothing_that_stands_in_it(
    anybody: httpx.AsyncClient,
) -> None:
    answer = await anybody.get("/")
    policy = dict(
        part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";")
    )
    assert policy["default-src"] == "'none'"
    assert (policy["script-src"], policy["style-src"]) == ("'self'", "'self'")
    assert policy["connect-src"] == "'self' ws://api.test wss://api.test"
    assert (policy["frame-ancestors"], policy["base-uri"]) == ("'none'", "'none'")
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert not re.search(r"<style|style=| on\w+=|<script(?![^>]* src=)", answer.text)
    strange = await anybody.get("/", headers={"Host": "x.test; script-src *"})
    assert "script-src *" not in strange.headers["content-security-policy"]


async def test_its_files_are_kept_for_ever_under_their_version_and_the_page_is_asked_for_again(
    anybody: httpx.AsyncClient,
) -> None:
    page = await anybody.get("/")
    assert page.headers["cache-control"] == "no-cache"
    known = {"If-None-Match": page.headers["etag"]}
    assert (await anybody.get("/", headers=known)).status_code == 304
    paths = _loaded(page.text)
    assert any(path.endswith("/app.js") for path in paths)
    for path in paths:
        file = await anybody.get(path)
        assert file.status_code == 200, path
        assert "immutable" in file.headers["cache-control"]
        again = await anybody.get(path, headers={"If-None-Match": file.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")


async def test_every_module_that_a_module_of_the_page_imports_is_there(
    anybody: httpx.AsyncClient,
) -> None:
    (start,) = [path for path in _loaded((await anybody.get("/")).text) if path.endswith(".js")]
    seen: set[str] = set()
    left = [httpx.URL("http://api.test" + start)]
    while left:
        url = left.pop()
        if url.path in seen:
            continue
        seen.add(url.path)
        module = await anybody.get(url)
        assert module.headers["content-type"].startswith("text/javascript"), url
        imported = re.findall(r'(?:from|import)\s*\(?\s*"(\.[^"]+)"', module.text)
        left += [url.join(path) for path in imported]
    assert len(seen) > 10


async def test_the_examples_are_there_to_start_from(anybody: httpx.AsyncClient) -> None:
    (start,) = [path for path in _loaded((await anybody.get("/")).text) if path.endswith("app.js")]
    examples = (await anybody.get(start.replace("app.js", "examples.json"))).json()
    quickstart = next(one for one in examples if one["name"] == "quickstart.js")
    assert quickstart["title"] == "A first load test"
    assert "export default function" in quickstart["script_content"]


async def test_its_files_are_not_counted_by_the_rate_limits(
    database_url: str, store: Database, api: Api
) -> None:
    app = build_app(settings_for(database_url, data_dir=api.data_dir, rate_limit_requests=3))
    async with app.router.lifespan_context(app):
        client = Api(app, store, api.data_dir).client()
        (start,) = [path for path in _loaded((await client.get("/")).text) if ".js" in path]
        for _ in range(10):
            assert (await client.get(start)).status_code == 200
        assert [(await client.get("/")).status_code for _ in range(3)] == [200, 200, 429]
