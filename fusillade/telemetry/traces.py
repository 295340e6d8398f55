"""The trace of a test that has ended: a span for all of it, and one for each phase within.

It is made of the test's row alone, whoever has run it and however often that was restarted. Its id
is the test's, and those of its spans follow from it: told twice, it is the same trace.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.trace import Span, Status, StatusCode, set_span_in_context
from opentelemetry.util.types import AttributeValue

from fusillade.storage.models import Test
from fusillade.telemetry.resource import EXPORT_SECONDS, address, resource

_OF_SUMMARY = ("total_requests", "iterations", "error_rate", "rps", "p95_latency_ms")


@dataclass(frozen=True, slots=True)
class _Phase:
    name: str
    begins: datetime
    ends: datetime


def tell(test: Test, endpoint: str) -> None:
    """Send the trace of a test that has ended; blocks. What fails is in the log."""
    exporter = OTLPSpanExporter(endpoint=address(endpoint, "traces"), timeout=EXPORT_SECONDS)
    provider = TracerProvider(
        resource=resource(f"test:{test.id}"),
        id_generator=_Ids(test.id),
        shutdown_on_exit=False,
    )
    provider.add_span_processor(BatchSpanProcessor(exporter))
    tracer = provider.get_tracer("fusillade")
    try:
        finished_at = test.finished_at
        assert finished_at is not None, "the test has not ended"
        whole = tracer.start_span(
            f"test {test.name}",
            attributes=_attributes(test),
            start_time=_nanoseconds(test.created_at),
        )
        within = set_span_in_context(whole)
        for phase in _phases(test, finished_at):
            span = tracer.start_span(
                phase.name, context=within, start_time=_nanoseconds(phase.begins)
            )
            span.end(_nanoseconds(phase.ends))
        _judge(whole, test)
        whole.end(_nanoseconds(finished_at))
    finally:
        provider.shutdown()


def _phases(test: Test, finished_at: datetime) -> Iterator[_Phase]:
    """Those that it has begun, one after the other."""
    steps = [
        ("provisioning", test.created_at),
        ("waiting for the start, setup()", test.ready_at),
        ("running", test.started_at),
    ]
    begun = [(name, moment) for name, moment in steps if moment is not None]
    ends = [moment for _, moment in begun[1:]] + [finished_at]
    for (name, begins), end in zip(begun, ends, strict=True):
        yield _Phase(name, begins, end)


def _attributes(test: Test) -> dict[str, AttributeValue]:
    found: dict[str, AttributeValue] = {
        "fusillade.test.id": str(test.id),
        "fusillade.test.name": test.name,
        "fusillade.test.status": test.status,
        "fusillade.test.region": test.region,
        "fusillade.test.workers": test.workers,
        "fusillade.test.duration_seconds": test.duration_seconds,
        "fusillade.test.target_urls": test.target_urls,
    }
    summary = test.summary or {}
    return found | {
        f"fusillade.test.{name}": summary[name] for name in _OF_SUMMARY if name in summary
    }


def _judge(span: Span, test: Test) -> None:
    if test.status == "failed":
        span.set_status(Status(StatusCode.ERROR, test.reason))
    elif test.reason is not None:
        span.set_attribute("fusillade.test.reason", test.reason)


def _nanoseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1e6) * 1000


class _Ids(IdGenerator):
    """Of one test: its own id, and numbers that follow from it."""

    def __init__(self, test_id: UUID) -> None:
        self._test_id = test_id
        self._spans = 0

    def generate_trace_id(self) -> int:
        return self._test_id.int

    def generate_span_id(self) -> int:
        self._spans += 1
        digest = hashlib.sha256(f"{self._test_id} {self._spans}".encode()).digest()
        return int.from_bytes(digest[:8], "big")
