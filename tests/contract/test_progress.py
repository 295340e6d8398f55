"""Beside the reference: results so far, and runs drawn small. What lives is in tests/e2e."""

import base64
from uuid import UUID, uuid4

import httpx
from apis import Api
from stored import measured_test, stored_test

from fusillade.storage import tests
from fusillade.storage.models import User


async def test_get_tests_id_series_shows_the_seconds_after_one(
    api: Api, owner: httpx.AsyncClient, user: User
) -> None:
    test = await stored_test(api.store, user)
    points = [{"second": second, "rps": 10 * second, "p95_latency_ms": 1} for second in range(5)]
    async with api.store.session() as session:
        await tests.save_series(session, test.id, points)
    answer = (await owner.get(f"/api/v1/tests/{test.id}/series")).json()
    assert answer == {"test_id": str(test.id), "status": "completed", "series": points}
    answer = (await owner.get(f"/api/v1/tests/{test.id}/series?after=2")).json()
    assert answer["series"] == points[3:]


async def test_get_tests_id_summary_is_that_of_the_test(
    api: Api, owner: httpx.AsyncClient, user: User
) -> None:
    test = await measured_test(api.store, user)
    answer = (await owner.get(f"/api/v1/tests/{test.id}/summary")).json()
    whole = (await owner.get(f"/api/v1/tests/{test.id}")).json()
    assert answer["summary"] == whole["summary"]
    assert answer["summary"]["total_requests"] == 2


async def test_get_tests_id_log_has_the_lines_that_the_script_printed(
    api: Api, owner: httpx.AsyncClient, user: User
) -> None:
    test = await stored_test(api.store, user, summary={"log": ["log: hello", "error: no"]})
    answer = (await owner.get(f"/api/v1/tests/{test.id}/log")).json()
    assert answer["lines"] == ["log: hello", "error: no"]


async def test_get_tests_id_series_summary_and_log_are_empty_before_the_start(
    api: Api, owner: httpx.AsyncClient, user: User
) -> None:
    waiting = {"status": "provisioning", "started_at": None, "finished_at": None}
    test = await stored_test(api.store, user, **waiting)
    async with api.store.session() as session:
        (await tests.by_id(session, test.id)).summary = None
    for part, field, nothing in (
        ("series", "series", []),
        ("summary", "summary", None),
        ("log", "lines", []),
    ):
        answer = (await owner.get(f"/api/v1/tests/{test.id}/{part}")).json()
        assert (answer["status"], answer[field]) == ("provisioning", nothing)


async def test_get_tests_id_files_are_those_that_were_uploaded_without_the_values_of_variables(
    owner: httpx.AsyncClient, poked: list[UUID]
) -> None:
    script = b"export default function () { sleep(1); }"
    image = bytes(range(256))
    answer = await owner.post(
        "/api/v1/tests",
        data={"name": "A test", "workers": "1", "duration": "1", "env": "TOKEN=a secret"},
        files=[("script", ("test.js", script)), ("assets", ("data/image.png", image))],
    )
    test_id = answer.json()["test_id"]
    answer = await owner.get(f"/api/v1/tests/{test_id}/files")
    assert answer.json() == {
        "test_id": test_id,
        "entry": "test.js",
        "env": ["TOKEN"],
        "files": [
            {
                "path": "data/image.png",
                "size_bytes": 256,
                "encoding": "base64",
                "content": base64.b64encode(image).decode(),
            },
            {
                "path": "test.js",
                "size_bytes": len(script),
                "encoding": "utf-8",
                "content": script.decode(),
            },
        ],
    }


async def test_post_tests_starts_a_test_by_itself_if_start_is_true(
    api: Api, owner: httpx.AsyncClient, poked: list[UUID]
) -> None:
    for start in ("true", "false"):
        answer = await owner.post(
            "/api/v1/tests",
            data={"name": "A test", "workers": "1", "duration": "1", "start": start},
            files={"script": ("test.js", b"export default function () {}")},
        )
        async with api.store.session() as session:
            test = await tests.by_id(session, UUID(answer.json()["test_id"]))
        assert test.start_when_ready is (start == "true")


async def test_get_analytics_sparklines_draws_runs_in_at_most_forty_points(
    api: Api, owner: httpx.AsyncClient, user: User
) -> None:
    runs = [await stored_test(api.store, user) for _ in range(3)]
    for run, seconds in zip(runs, (3, 400), strict=False):
        points = [{"second": s, "rps": s, "p95_latency_ms": 2 * s} for s in range(seconds)]
        async with api.store.session() as session:
            await tests.save_series(session, run.id, points)
    ids = [str(run.id) for run in reversed(runs)]
    answer = await owner.get(f"/api/v1/analytics/sparklines?test_ids={','.join(ids)}")
    drawn = answer.json()["sparklines"]
    assert [one["test_id"] for one in drawn] == ids
    empty, long, short = drawn
    assert (empty["rps"], short["rps"]) == ([], [0.0, 1.0, 2.0])
    # Each point is the mean of ten seconds.
    assert long["rps"] == [10 * part + 4.5 for part in range(40)]
    assert long["p95_latency_ms"] == [20 * part + 9.0 for part in range(40)]


async def test_get_analytics_sparklines_of_a_test_that_is_not_there_are_not_found(
    api: Api, owner: httpx.AsyncClient, user: User
) -> None:
    there = await stored_test(api.store, user)
    answer = await owner.get(f"/api/v1/analytics/sparklines?test_ids={there.id},{uuid4()}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
