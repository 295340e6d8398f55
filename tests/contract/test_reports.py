"""Beside the reference: reports of tests that have ended, and series as files."""

import csv
import io
from typing import Any
from uuid import uuid4
from xml.etree import ElementTree

import httpx
import pyarrow
import pytest
from apis import Api
from pyarrow import parquet
from stored import measured_test, stored_test

from fusillade.storage.models import Test, User

TYPES = {
    "html": "text/html; charset=utf-8",
    "junit": "application/xml",
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
}


@pytest.fixture
async def ended(api: Api, user: User) -> Test:
    return await measured_test(api.store, user, name='A "test" / <b>żółć</b>\r\nX: y')


async def test_get_tests_id_report_has_each_format_with_its_type_and_name(
    owner: httpx.AsyncClient, ended: Test
) -> None:
    path = f"/api/v1/tests/{ended.id}/report"
    found = {}
    for kind, content_type in TYPES.items():
        answer = await owner.get(path, params={"format": kind})
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, content_type)
        ending = {"junit": "xml"}.get(kind, kind)
        named = f'attachment; filename="A-test-b-b-X-y.{ending}"'
        assert answer.headers["Content-Disposition"] == named
        assert "sandbox" in answer.headers["Content-Security-Policy"]
        found[kind] = answer
    assert "&lt;b&gt;żółć&lt;/b&gt;" in found["html"].text
    assert "<b>żółć</b>" not in found["html"].text
    assert ElementTree.fromstring(found["junit"].content).get("tests") == "1"
    (row,) = csv.DictReader(io.StringIO(found["csv"].text))
    assert (row["second"], row["requests"], row["checks_passed"]) == ("0", "2", "1")
    whole = found["json"].json()
    assert (whole["status"], whole["summary"]["total_requests"]) == ("passed", 2)
    assert len(whole["series"]) == 1
    assert (await owner.get(path)).text == found["html"].text


async def test_get_tests_id_report_is_not_sent_again_to_who_has_it(
    owner: httpx.AsyncClient, ended: Test
) -> None:
    path = f"/api/v1/tests/{ended.id}/report"
    tag = (await owner.get(path)).headers["ETag"]
    same = await owner.get(path, headers={"If-None-Match": f'"other", W/{tag}'})
    assert (same.status_code, same.content, same.headers["ETag"]) == (304, b"", tag)
    other = await owner.get(f"{path}?format=json", headers={"If-None-Match": tag})
    assert other.status_code == 200


async def test_get_tests_id_report_is_refused_before_the_end_and_in_unknown_formats(
    api: Api, owner: httpx.AsyncClient, user: User, ended: Test
) -> None:
    running = await stored_test(api.store, user, status="running", finished_at=None)
    answer = await owner.get(f"/api/v1/tests/{running.id}/report")
    assert answer.json()["code"] == "invalid_state"
    assert "The test is running" in answer.json()["error"]
    answer = await owner.get(f"/api/v1/tests/{ended.id}/report?format=pdf")
    assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")
    assert all(f"'{kind}'" in answer.json()["error"] for kind in TYPES)
    answer = await owner.get(f"/api/v1/tests/{uuid4()}/report")
    assert answer.json()["code"] == "not_found"


@pytest.mark.parametrize(("status", "failures"), [("failed", 1), ("cancelled", 1)])
async def test_get_tests_id_report_says_why_a_test_has_no_results(
    api: Api, owner: httpx.AsyncClient, user: User, status: str, failures: int
) -> None:
    reason = "There was no room for 3 WorkerActors."
    never_ran: dict[str, Any] = {"status": status, "reason": reason, "started_at": None}
    test = await stored_test(api.store, user, **never_ran)
    path = f"/api/v1/tests/{test.id}/report"
    suites = ElementTree.fromstring((await owner.get(f"{path}?format=junit")).content)
    assert suites.get("errors") == str(failures)
    assert reason in (await owner.get(path)).text


async def test_get_tests_id_series_comes_as_parquet_and_csv(
    owner: httpx.AsyncClient, ended: Test
) -> None:
    path = f"/api/v1/tests/{ended.id}/series"
    answer = await owner.get(f"{path}?format=parquet")
    assert answer.headers["Content-Type"] == "application/vnd.apache.parquet"
    assert answer.headers["Content-Disposition"].endswith('.series.parquet"')
    table = parquet.read_table(pyarrow.BufferReader(answer.content))
    (row,) = table.to_pylist()
    assert row["test_id"] == str(ended.id)
    assert row["test_name"] == ended.name
    assert abs(row["time"] - ended.started_at).total_seconds() < 0.001
    assert (row["second"], row["requests"], row["p50_latency_ms"]) == (0, 2, pytest.approx(5, 0.1))
    (region,) = row["by_region"]
    assert (region["region"], region["requests"]) == ("eu-hel1", 2)
    again = await owner.get(
        f"{path}?format=parquet", headers={"If-None-Match": answer.headers["ETag"]}
    )
    assert again.status_code == 304

    answer = await owner.get(f"{path}?format=csv")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert len(answer.text.splitlines()) == 2
    answer = await owner.get(f"{path}?format=parquet&after=0")
    assert parquet.read_table(pyarrow.BufferReader(answer.content)).schema == table.schema
    answer = await owner.get(f"{path}?format=xlsx")
    assert answer.json()["code"] == "validation_error"
    assert "'parquet'" in answer.json()["error"]
