"""A result as one JSON document."""

import json

import msgspec

from fusillade.reports.result import Result


def result_json(result: Result) -> str:
    """``{name, started_at, status, reason, scenarios, summary, series, failures}``: ``summary`` as
    the REST API shows it, ``series`` with one object a second, ``failures`` with one a request."""
    document = {
        "name": result.name,
        "started_at": result.started_at.isoformat(),
        "status": result.status,
        "reason": result.reason,
        "scenarios": list(result.scenarios),
        "summary": msgspec.to_builtins(result.summary),
        "series": list(result.points),
        "failures": msgspec.to_builtins(list(result.failures)),
    }
    return json.dumps(document, indent=2, allow_nan=False) + "\n"
