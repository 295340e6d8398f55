"""A result as JSON, CSV, JUnit XML and HTML, also with names that try to break out."""

import csv
import io
import json
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree

import msgspec
import pytest
from rich.console import Console

from fusillade.cli.run_view import show
from fusillade.metrics.summary import (
    CheckResult,
    Distribution,
    Endpoint,
    RegionResult,
    Summary,
    ThresholdResult,
)
from fusillade.reports.chart import Line, chart
from fusillade.reports.html_page import html_page
from fusillade.reports.junit_xml import junit_xml
from fusillade.reports.result import Result
from fusillade.reports.result_json import result_json
from fusillade.reports.series_csv import COLUMNS, series_csv

HOSTILE = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>&amp;]]>\x00\x1b[31m\ud800"

SPREAD = Distribution(count=30, avg=2.0, min=1.0, med=2.0, p90=3.0, p95=4.0, p99=5.0, max=6.0)


def summary(**changes: Any) -> Summary:
    fields: dict[str, Any] = {
        "total_requests": 30,
        "failed_requests": 1,
        "error_rate": 0.033333,
        "rps": 10.0,
        "avg_latency_ms": 2.0,
        "min_latency_ms": 1.0,
        "med_latency_ms": 2.0,
        "p90_latency_ms": 3.0,
        "p95_latency_ms": 4.0,
        "p99_latency_ms": 5.0,
        "max_latency_ms": 6.0,
        "data_sent_bytes": 3000,
        "data_received_bytes": 6000,
        "duration_seconds": 3.0,
        "iterations": 15,
        "failed_iterations": 0,
        "interrupted_iterations": 0,
        "dropped_iterations": 0,
        "max_workers": 5,
        "reused_connections": 25,
        "new_connections": 5,
        "status_codes": {"200": 29, "500": 1},
        "errors": {},
        "checks": [
            CheckResult(name="it answers", group="", passes=30, fails=0),
            CheckResult(name="it is fast", group="shop", passes=20, fails=10),
        ],
        "phases": {"waiting": SPREAD},
        "endpoints": [
            Endpoint(
                name="GET http://127.0.0.1/a",
                method="GET",
                count=30,
                errors=1,
                avg=2.0,
                p50=2.0,
                p90=3.0,
                p95=4.0,
                p99=5.0,
                min=1.0,
                max=6.0,
                status_codes={"200": 29, "500": 1},
            )
        ],
        "metrics": {"basket": SPREAD, "orders": 3},
        "thresholds": [
            ThresholdResult(metric="http_req_duration", expression="p95 < 500", value=4.0, ok=True),
            ThresholdResult(metric="checks", expression="rate > 0.9", value=0.83, ok=False),
            ThresholdResult(metric="nothing", expression="count > 1", value=None, ok=False),
        ],
    }
    return Summary(**(fields | changes))


def points(count: int) -> list[dict[str, Any]]:
    return [
        {
            "second": second,
            "active_workers": 5,
            "rps": 10,
            "requests": 10,
            "errors": second % 2,
            "error_rate": 0.1,
            "avg_latency_ms": 2.0,
            "p50_latency_ms": 2.0,
            "p95_latency_ms": 4.0,
            "p99_latency_ms": 5.0 + second,
            "iterations": 5,
            "data_sent_bytes": 1000,
            "data_received_bytes": 2000,
            "checks": {"passes": 17, "fails": 3},
        }
        for second in range(count)
    ]


def result(**changes: Any) -> Result:
    fields: dict[str, Any] = {
        "name": "test.js",
        "started_at": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        "summary": summary(),
        "points": points(3),
        "scenarios": ["default: 5 workers for 3s"],
    }
    return Result(**(fields | changes))


def hostile() -> Result:
    """A result in which whatever a script or a server may name is hostile."""
    return result(
        name=HOSTILE,
        reason=HOSTILE,
        failed=True,
        scenarios=[HOSTILE],
        summary=summary(
            checks=[CheckResult(name=HOSTILE, group=HOSTILE, passes=1, fails=2)],
            thresholds=[ThresholdResult(metric=HOSTILE, expression=HOSTILE, value=None, ok=False)],
            endpoints=[
                msgspec.structs.replace(summary().endpoints[0], name=HOSTILE, method=HOSTILE)
            ],
            errors={HOSTILE: 1},
            status_codes={HOSTILE: 1},
            metrics={HOSTILE: SPREAD, HOSTILE + "2": 1.0},
        ),
    )


def test_json_has_the_summary_and_the_seconds() -> None:
    document = json.loads(result_json(result()))
    assert document["status"] == "thresholds crossed"
    assert document["summary"]["total_requests"] == 30
    assert [point["second"] for point in document["series"]] == [0, 1, 2]
    assert document["failures"] == []
    assert json.loads(result_json(hostile()))["summary"]["checks"][0]["fails"] == 2


def test_csv_has_a_row_a_second_under_the_documented_header() -> None:
    header, *rows = csv.reader(io.StringIO(series_csv(result())))
    assert tuple(header) == COLUMNS
    assert len(rows) == 3
    assert dict(zip(header, rows[1], strict=True)) == {
        "second": "1",
        "active_workers": "5",
        "requests": "10",
        "errors": "1",
        "error_rate": "0.1",
        "avg_latency_ms": "2.0",
        "p50_latency_ms": "2.0",
        "p95_latency_ms": "4.0",
        "p99_latency_ms": "6.0",
        "iterations": "5",
        "data_sent_bytes": "1000",
        "data_received_bytes": "2000",
        "checks_passed": "17",
        "checks_failed": "3",
    }


def test_junit_has_a_case_for_each_threshold_and_each_check() -> None:
    root = ElementTree.fromstring(junit_xml(result()))
    assert root.attrib["tests"] == "5"
    assert root.attrib["failures"] == "3"
    assert root.attrib["errors"] == "0"
    cases = {case.attrib["name"]: case for case in root.iter("testcase")}
    assert list(cases) == [
        "http_req_duration: p95 < 500",
        "checks: rate > 0.9",
        "nothing: count > 1",
        "it answers",
        "shop::it is fast",
    ]
    failures = {
        name: failure.attrib["message"]
        for name, case in cases.items()
        if (failure := case.find("failure")) is not None
    }
    assert failures == {
        "checks: rate > 0.9": "checks should have been rate > 0.9, but it was 0.83",
        "nothing: count > 1": "nothing should have been count > 1, but it has no values",
        "shop::it is fast": "failed 10 of 30 times (66.67% passed)",
    }


def test_junit_says_that_the_run_itself_broke() -> None:
    root = ElementTree.fromstring(junit_xml(result(failed=True, reason="setup() threw")))
    assert root.attrib["errors"] == "1"
    error = root.find("./testsuite[@name='run']/testcase/error")
    assert error is not None
    assert error.attrib["message"] == "setup() threw"


def test_junit_stays_xml_with_hostile_names() -> None:
    root = ElementTree.fromstring(junit_xml(hostile()).encode())
    names = [case.attrib["name"] for case in root.iter("testcase")]
    assert any("<script>alert(1)</script>" in name for name in names)


class _Page(HTMLParser):
    """What a browser would make of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


def parsed(page: str) -> _Page:
    parser = _Page()
    parser.feed(page)
    parser.close()
    return parser


def test_the_page_shows_totals_checks_thresholds_phases_and_endpoints() -> None:
    page = parsed(html_page(result()))
    for words in (
        "test.js",
        "thresholds crossed",
        "default: 5 workers for 3s",
        "shop::it is fast",
        "66.67%",
        "p95 < 500",
        "http_req_waiting",
        "basket",
        "GET http://127.0.0.1/a",
        "200: 29, 500: 1",
    ):
        assert words in page.text
    assert page.tags.count("svg") == 4


def test_regions_are_shown_where_there_are_several() -> None:
    one, two = (
        RegionResult(
            region=region,
            requests=requests,
            errors=1,
            error_rate=1 / requests,
            rps=rps,
            avg=2.0,
            p50=2.0,
            p95=4.0,
            p99=5.5,
        )
        for region, requests, rps in [("eu-hel1", 1800, 600.5), (HOSTILE, 1200, 400.0)]
    )
    console = Console(width=120, file=io.StringIO(), record=True)
    show(console, summary(by_region=[one, two]))
    for text in (
        console.export_text(),
        parsed(html_page(result(summary=summary(by_region=[one, two])))).text,
    ):
        for words in ("eu-hel1", "1,800", "600.5/s", "1,200", "<script>alert(1)"):
            assert words in text
    assert "eu-hel1" not in html_page(result(summary=summary(by_region=[one])))


def test_the_page_needs_nothing_from_elsewhere_and_runs_no_script() -> None:
    page = parsed(html_page(hostile()))
    assert not {"script", "img", "link", "iframe", "object", "embed", "base", "a"} & set(page.tags)
    names = {name for name, _ in page.attributes}
    assert not {"src", "href", "xlink:href", "action", "srcset"} & names
    assert not [name for name in names if name.startswith("on")]
    assert "default-src 'none'; style-src 'unsafe-inline'" in {v for _, v in page.attributes}
    assert "url(" not in html_page(hostile())


def test_hostile_names_are_text_on_the_page() -> None:
    assert parsed(html_page(hostile())).text.count("<script>alert(1)</script>") >= 8


@pytest.mark.parametrize("seconds", [0, 1, 2, 5000])
def test_the_page_can_be_of_a_run_of_any_length(seconds: int) -> None:
    page = html_page(result(points=points(seconds)))
    assert parsed(page).tags.count("svg") == (4 if seconds else 0)
    assert len(page) < 500_000
    assert ("Each point is" in page) == (seconds == 5000)


def test_a_chart_of_zeros_lies_on_its_axis() -> None:
    figure = chart("Errors", [Line("failed", [0, 0, 0], 4)], lambda value: f"{value:g}")
    assert 'd="M0.0 200.0L500.0 200.0L1000.0 200.0"' in figure


def test_of_many_seconds_a_chart_shows_the_mean_or_the_highest() -> None:
    values = [0.0] * 480
    values[1] = 8.0

    def touched(highest: bool) -> str:
        line = Line("n", values, 1, highest=highest)
        return chart("n", [line], lambda value: f"{value:g}")

    assert "<title>0s, n 8</title>" in touched(True)
    assert "<title>0s, n 4</title>" in touched(False)


def test_what_limited_the_generator_is_in_the_terminal_the_page_and_the_json() -> None:
    made = result(summary=summary(warnings=["Script host 1 of 2 could not keep up for 5 s."]))
    terminal = io.StringIO()
    show(Console(file=terminal, width=100), made.summary)
    for text in (terminal.getvalue(), html_page(made), result_json(made)):
        assert "Script host 1 of 2 could not keep up for 5 s." in text
