"""What a collector of OpenTelemetry is told."""

import socket
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from otlp import running_collector, texts

from fusillade.cli.platform import load_settings
from fusillade.errors import ValidationFailed
from fusillade.metrics import catalogue
from fusillade.storage.models import Test
from fusillade.telemetry import traces
from fusillade.telemetry.meters import Meters

BEGAN = datetime(2026, 11, 25, 8, 0, tzinfo=UTC)


def ended(**more: Any) -> Test:
    fields = {
        "id": uuid4(),
        "name": "Shop",
        "status": "completed",
        "region": "eu-hel1",
        "workers": 7,
        "duration_seconds": 30,
        "target_urls": ["https://shop.example"],
        "created_at": BEGAN,
        "ready_at": BEGAN + timedelta(seconds=2),
        "started_at": BEGAN + timedelta(seconds=5),
        "finished_at": BEGAN + timedelta(seconds=35),
        "summary": {"total_requests": 1000, "error_rate": 0.25},
    }
    return Test(**(fields | more))


def told(*tests: Test) -> dict[str, Any]:
    """The spans of the first one, by name."""
    with running_collector() as collector:
        for test in tests:
            traces.tell(test, collector.url)
        return {span.name: span for span in collector.spans(_trace_id(tests[0].id))}


def _trace_id(test_id: UUID) -> bytes:
    return test_id.bytes


def seconds(span: Any) -> tuple[float, float]:
    began = BEGAN.timestamp()
    return span.start_time_unix_nano / 1e9 - began, span.end_time_unix_nano / 1e9 - began


def test_the_trace_of_a_test_has_its_id_and_a_span_for_each_phase() -> None:
    spans = told(ended())
    whole = spans["test Shop"]
    assert {name: seconds(span) for name, span in spans.items()} == {
        "test Shop": (0, 35),
        "provisioning": (0, 2),
        "waiting for the start, setup()": (2, 5),
        "running": (5, 35),
    }
    assert whole.parent_span_id == b""
    others = [span for span in spans.values() if span is not whole]
    assert {span.parent_span_id for span in others} == {whole.span_id}
    assert texts(whole.attributes)["fusillade.test.status"] == "completed"
    numbers = {one.key: one.value for one in whole.attributes}
    assert numbers["fusillade.test.total_requests"].int_value == 1000
    assert numbers["fusillade.test.error_rate"].double_value == 0.25


def test_told_twice_it_is_the_same_trace() -> None:
    test = ended()
    with running_collector() as collector:
        traces.tell(test, collector.url)
        traces.tell(test, f"{collector.url}/")
        spans = [(span.name, span.span_id) for span in collector.spans(_trace_id(test.id))]
    assert len(spans) == 8
    assert len(set(spans)) == 4


def test_a_test_that_failed_before_it_ran_is_an_error_with_its_reason() -> None:
    failed = ended(status="failed", reason="No room.", ready_at=None, started_at=None, summary=None)
    spans = told(failed)
    assert set(spans) == {"test Shop", "provisioning"}
    assert seconds(spans["provisioning"]) == (0, 35)
    assert (spans["test Shop"].status.code, spans["test Shop"].status.message) == (2, "No room.")


def test_a_collector_that_is_away_does_no_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traces, "EXPORT_SECONDS", 0.2)
    with socket.socket() as taken:  # bound, but nobody listens
        taken.bind(("127.0.0.1", 0))
        traces.tell(ended(), f"http://127.0.0.1:{taken.getsockname()[1]}")


def test_gauges_come_with_their_tags() -> None:
    with running_collector() as collector:
        meters = Meters(collector.url, "metrics:an-id")
        for region, value in (("eu-hel1", 5), ("us-east-1", 7), ("eu-hel1", 9)):
            meters.show(catalogue.RUN_REQUESTS, value, {"test": "an-id", "region": region})
        meters.close()
        values = collector.values("fusillade_run_requests")
        about = collector.metrics[0].resource_metrics[0].resource.attributes
    assert sorted((tags["region"], value) for tags, value in values) == [
        ("eu-hel1", 9),
        ("us-east-1", 7),
    ]
    assert texts(about)["service.name"] == "fusillade"
    assert texts(about)["service.instance.id"] == "metrics:an-id"


def test_what_is_no_address_of_a_collector_is_refused() -> None:
    with pytest.raises(ValidationFailed, match="otlp_endpoint is wrong: 'collector:4318' is no"):
        load_settings(otlp_endpoint="collector:4318")
