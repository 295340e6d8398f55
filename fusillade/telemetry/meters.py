"""Gauges for a collector: what Prometheus finds, by OTLP."""

from collections.abc import Mapping
from typing import Any

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader

from fusillade.metrics.catalogue import Metric
from fusillade.telemetry.resource import EXPORT_SECONDS, address, resource

_INTERVAL_SECONDS = 10.0


class Meters:
    """Of the process of one actor."""

    def __init__(self, endpoint: str, actor: str) -> None:
        exporter = OTLPMetricExporter(endpoint=address(endpoint, "metrics"), timeout=EXPORT_SECONDS)
        reader = PeriodicExportingMetricReader(
            exporter, export_interval_millis=_INTERVAL_SECONDS * 1000
        )
        self._provider = MeterProvider(metric_readers=[reader], resource=resource(actor))
        self._meter = self._provider.get_meter("fusillade")
        self._gauges: dict[str, Any] = {}

    def show(self, metric: Metric, value: float, tags: Mapping[str, str]) -> None:
        """Set a gauge."""
        gauge = self._gauges.get(metric.name)
        if gauge is None:
            gauge = self._meter.create_gauge(metric.name, description=metric.description)
            self._gauges[metric.name] = gauge
        gauge.set(value, dict(tags))

    def close(self) -> None:
        """Send what has been set, and nothing more; blocks."""
        self._provider.shutdown(EXPORT_SECONDS * 1000)

    def flush(self) -> None:
        """Send what has been set; blocks."""
        self._provider.force_flush(round(EXPORT_SECONDS * 1000))
