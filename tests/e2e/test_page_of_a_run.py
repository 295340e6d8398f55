"""The page of one run in several regions: live, and with all that can be saved of it."""

import csv
import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from browsers import CHROMIUM, WHY_NOT, Visit, Visitor
from platforms import Platform
from playwright.async_api import Page, expect
from pyarrow import parquet
from target import Target

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason=WHY_NOT),
    pytest.mark.asyncio(loop_scope="module"),
]


async def rows_of(page: Page, title: str) -> list[list[str]]:
    """The table behind a chart."""
    figure = page.locator("figure.chart").filter(
        has=page.locator("figcaption .title").get_by_text(title, exact=True)
    )
    await figure.locator("details summary").click()
    await figure.locator("tbody tr").first.wait_for()
    rows = await figure.locator("tbody tr").all()
    return [await row.locator("th, td").all_text_contents() for row in rows]


async def saved(visitor: Visitor, name: str) -> Path:
    """What pressing its name saves."""
    async with visitor.page.expect_download() as download:
        await visitor.presses(name)
    kept = await download.value
    assert kept.suggested_filename == name
    return Path(await kept.path())


async def test_regions_stand_side_by_side_and_the_reports_are_downloads(
    cluster_platform: Platform, visit: Visit, target: Target
) -> None:
    user = cluster_platform.log_in()
    visitor = await visit(on=cluster_platform)
    page = visitor.page
    await visitor.signs_in()
    script = f"export default function () {{ http.get('{target.url}/page'); sleep(0.02); }}"
    test_id = user.create(
        script, workers=4, duration=300, region="us-east-1:50,eu-hel1:50", name="Two places"
    )["test_id"]
    await visitor.go(f"/runs/{test_id}", "Two places")
    await visitor.presses("Start")
    await expect(page.locator(".tile", has_text="Elapsed")).to_contain_text("3 s")
    for title in ("Requests/s by region", "p95 latency by region", "Errors by region"):
        legend = page.locator("figure.chart", has_text=title).locator(".legend li")
        await expect(legend).to_have_text(["eu-hel1", "us-east-1"])
    by_region = page.get_by_role("region", name="By region")
    await expect(by_region.locator("tbody tr")).to_have_count(2)
    await visitor.presses("Stop")
    await expect(page.locator(".heading .badge")).to_contain_text("stopped")

    # What is stored says the same.
    await page.reload()
    test = user.get(f"/api/v1/tests/{test_id}").body
    shown = {row[0]: row[1:] for row in await rows_of(page, "Requests/s by region")}
    for second in (0, 1):
        rates = {one["region"]: one["rps"] for one in test["series"][second]["by_region"]}
        known = [str(rates.get(code, "\u2013")) for code in ("eu-hel1", "us-east-1")]
        assert shown[f"{second} s"] == known
    spread = {row[0]: row[1] for row in await rows_of(page, "Latency by percentile")}
    assert {"0 %", "50 %", "75 %", "98 %", "slowest"} <= set(spread)
    assert len(spread) == len(test["summary"]["latency_percentiles"])
    assert await visitor.barriers() == []
    await page.set_viewport_size({"width": 320, "height": 700})
    assert await visitor.overflow() == 0

    requests = test["summary"]["total_requests"]
    assert "<h1>Two places" in (await saved(visitor, "Two-places.html")).read_text()
    assert ElementTree.parse(await saved(visitor, "Two-places.xml")).getroot().tag == "testsuites"
    with (await saved(visitor, "Two-places.csv")).open() as file:
        assert sum(int(row["requests"]) for row in csv.DictReader(file)) == requests
    whole = json.loads((await saved(visitor, "Two-places.json")).read_text())
    assert whole["summary"]["total_requests"] == requests
    table = parquet.read_table(await saved(visitor, "Two-places.series.parquet"))
    assert sum(table["requests"].to_pylist()) == requests
