"""Who tells, as OpenTelemetry describes it."""

from opentelemetry.sdk.resources import Resource

from fusillade import __version__

EXPORT_SECONDS = 10.0
"""How long a collector is tried."""


def resource(actor: str) -> Resource:
    """``actor`` by its name. Variables such as ``OTEL_RESOURCE_ATTRIBUTES`` add to it; that of
    ``OTEL_SERVICE_NAME`` wins."""
    return Resource.create(
        {
            "service.name": "fusillade",
            "service.version": __version__,
            "service.instance.id": actor,
        }
    )


def address(endpoint: str, signal: str) -> str:
    """Where a collector takes ``traces`` or ``metrics``
    (https://opentelemetry.io/docs/specs/otlp/#otlphttp-request)."""
    return f"{endpoint.rstrip('/')}/v1/{signal}"
