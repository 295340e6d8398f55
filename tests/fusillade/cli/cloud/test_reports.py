"""Reports of runs on a platform, written here."""

import json
from pathlib import Path
from uuid import uuid4
from xml.etree import ElementTree

import pytest
from apis import Api
from commands import fusillade
from sqlalchemy import select
from stored import measured_test, stored_test

from fusillade.storage.models import User


@pytest.fixture
async def user(api: Api, logged_in: str) -> User:
    """Who is logged in."""
    async with api.store.session() as session:
        return (await session.scalars(select(User))).one()


async def test_each_report_of_a_run_that_has_ended_is_written_as_the_api_has_it(
    api: Api, user: User, key: str, tmp_path: Path
) -> None:
    test = await measured_test(api.store, user)
    files = {kind: tmp_path / f"out.{kind}" for kind in ("json", "csv", "junit", "html")}
    outs = [
        part for kind in ("json", "csv", "junit") for part in ("--out", f"{kind}={files[kind]}")
    ]
    done = await fusillade(
        "tests", "report", str(test.id), *outs, "--export-html", str(files["html"])
    )
    assert (done.code, done.stdout, done.stderr) == (0, "", "")
    async with api.client(key) as client:
        for kind, file in files.items():
            answer = await client.get(f"/api/v1/tests/{test.id}/report?format={kind}")
            assert file.read_bytes() == answer.content
    assert json.loads(files["json"].read_text())["summary"]["total_requests"] == 2
    assert ElementTree.parse(files["junit"]).getroot().get("tests") == "1"


async def test_a_report_that_cannot_be_had_is_one_sentence_and_no_file(
    api: Api, user: User, tmp_path: Path
) -> None:
    running = await stored_test(api.store, user, status="running", finished_at=None)
    file = tmp_path / "out.json"
    for test_id, words in ((running.id, "The test is running"), (uuid4(), "fusillade: ")):
        done = await fusillade("tests", "report", str(test_id), "--out", f"json={file}")
        assert done.code == 1
        assert words in done.stderr
        assert not file.exists()
    assert "Which report?" in (await fusillade("tests", "report", str(running.id))).stderr
    wrong = await fusillade("run", "--cloud", "shop.js", "--out", f"json={tmp_path}/no/out.json")
    assert "There is no directory" in wrong.stderr
