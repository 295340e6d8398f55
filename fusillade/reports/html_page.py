"""A result as one HTML page: no script, no resource from elsewhere, everything escaped."""

from collections.abc import Iterable, Sequence
from html import escape
from importlib.resources import files

from fusillade.durations import show_duration
from fusillade.metrics.summary import Distribution
from fusillade.reports import numbers
from fusillade.reports.chart import Line, chart
from fusillade.reports.distributions import distributions, show_value
from fusillade.reports.result import Result, check_name

_MOST_ENDPOINTS = 500
_SPREAD = ("avg", "min", "med", "p90", "p95", "p99", "max")


def html_page(result: Result) -> str:
    """The whole page. Its policy forbids scripts and requests, whatever a test's names hold."""
    style = files("fusillade.reports").joinpath("html_page.css").read_text("utf-8")
    title = escape(f"{result.name}: {result.status}")
    sections = (
        _head(result),
        _cards(result),
        _charts(result),
        _thresholds(result),
        _checks(result),
        _endpoints(result),
        _regions(result),
        _durations(result),
        _percentiles(result),
        _totals(result),
    )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{title}</title>\n<style>\n{style}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(section for section in sections if section)
        + "\n</main>\n</body>\n</html>\n"
    )


def _head(result: Result) -> str:
    kind = "good" if result.passed else "bad"
    started = result.started_at.strftime("%Y-%m-%d %H:%M:%S UTC")
    duration = show_duration(round(result.summary.duration_seconds, 1))
    reason = f'<p class="reason">{escape(result.reason)}</p>' if result.reason else ""
    warnings = "".join(
        f'<p class="warning">{escape(words)}</p>' for words in result.summary.warnings
    )
    plan = "".join(f"<li>{escape(words)}</li>" for words in result.scenarios)
    return (
        f'<header><h1>{escape(result.name)} <span class="badge {kind}">{result.status}</span></h1>'
        f"<p>{started}, {duration}</p>{reason}{warnings}"
        + (f'<ul class="plan">{plan}</ul>' if plan else "")
        + "</header>"
    )


def _cards(result: Result) -> str:
    summary = result.summary
    passes = sum(check.passes for check in summary.checks)
    checks = passes + sum(check.fails for check in summary.checks)
    failed = f"{numbers.count(summary.failed_requests)} failed"
    cards = [
        ("Requests", numbers.count(summary.total_requests), failed, summary.failed_requests > 0),
        ("Rate", f"{summary.rps:,.1f}/s", "requests", False),
        ("Latency, median", numbers.milliseconds(summary.med_latency_ms), "", False),
        (
            "Latency, p95",
            numbers.milliseconds(summary.p95_latency_ms),
            f"max {numbers.milliseconds(summary.max_latency_ms)}",
            False,
        ),
        (
            "Iterations",
            numbers.count(summary.iterations),
            f"on up to {numbers.count(summary.max_workers)} workers",
            False,
        ),
    ]
    if checks:
        passed = f"{numbers.count(passes)} of {numbers.count(checks)}"
        cards.append(("Checks", numbers.share(passes / checks), passed, passes < checks))
    return (
        '<section class="cards">'
        + "".join(
            f'<div class="card{" bad" if bad else ""}"><span>{label}</span><b>{value}</b>'
            f"<small>{below}</small></div>"
            for label, value, below, bad in cards
        )
        + "</section>"
    )


def _charts(result: Result) -> str:
    points = result.points
    if not points:
        return ""

    def of(name: str) -> list[float]:
        return [float(point[name]) for point in points]

    figures = (
        chart("Requests a second", [Line("requests", of("requests"), 1)], numbers.count),
        chart(
            "Latency",
            [
                Line("p99", of("p99_latency_ms"), 3, highest=True),
                Line("p95", of("p95_latency_ms"), 2, highest=True),
                Line("median", of("p50_latency_ms"), 1),
            ],
            numbers.milliseconds,
        ),
        chart("Failed requests a second", [Line("failed", of("errors"), 4)], numbers.count),
        chart(
            "Workers",
            [Line("active workers", of("active_workers"), 2, highest=True)],
            numbers.count,
        ),
    )
    return f'<section class="charts">{"".join(figures)}</section>'


def _thresholds(result: Result) -> str:
    rows = [
        (
            _verdict(one.ok),
            escape(one.metric),
            escape(one.expression),
            "no values" if one.value is None else numbers.count(one.value),
        )
        for one in result.summary.thresholds
    ]
    return _section("Thresholds", ("", "metric", "condition", "value"), rows, texts=3)


def _checks(result: Result) -> str:
    rows = []
    for check in result.summary.checks:
        total = check.passes + check.fails
        rows.append(
            (
                _verdict(check.fails == 0),
                escape(check_name(check.name, check.group)),
                numbers.count(check.passes),
                numbers.count(check.fails),
                numbers.share(check.passes / total) if total else "",
            )
        )
    return _section("Checks", ("", "check", "passed", "failed", "share"), rows, texts=2)


def _endpoints(result: Result) -> str:
    endpoints = sorted(result.summary.endpoints, key=lambda endpoint: -endpoint.count)
    rows = [
        (
            escape(_endpoint_name(endpoint.method, endpoint.name)),
            numbers.count(endpoint.count),
            numbers.count(endpoint.errors),
            *(
                numbers.milliseconds(value)
                for value in (endpoint.avg, endpoint.p50, endpoint.p95, endpoint.p99, endpoint.max)
            ),
            escape(_codes(endpoint.status_codes)),
        )
        for endpoint in endpoints[:_MOST_ENDPOINTS]
    ]
    headers = ("endpoint", "requests", "failed", "avg", "median", "p95", "p99", "max", "status")
    left = len(endpoints) - len(rows)
    note = f"{left:,} more endpoints are not shown." if left else ""
    return _section("Endpoints", headers, rows, note=note)


def _regions(result: Result) -> str:
    """Where there are several."""
    rows = [
        (
            escape(one.region),
            numbers.count(one.requests),
            f"{one.rps:,.1f}/s",
            numbers.count(one.errors),
            *(numbers.milliseconds(value) for value in (one.avg, one.p50, one.p95, one.p99)),
        )
        for one in result.summary.by_region
    ]
    headers = ("region", "requests", "rate", "failed", "avg", "median", "p95", "p99")
    return _section("Regions", headers, rows if len(rows) > 1 else ())


def _durations(result: Result) -> str:
    rows = [
        (escape(name), *(show_value(name, getattr(spread, column)) for column in _SPREAD))
        for name, spread in distributions(result.summary)
    ]
    return _section("Durations and distributions", ("metric", *_SPREAD), rows)


def _percentiles(result: Result) -> str:
    rows = [
        (f"{one.percentile:g} %", numbers.milliseconds(one.latency_ms))
        for one in result.summary.latency_percentiles
    ]
    return _section("Latency by percentile", ("share of requests", "answered within"), rows)


def _totals(result: Result) -> str:
    summary = result.summary
    rows = [
        ("http_reqs", f"{numbers.count(summary.total_requests)} ({summary.rps:,.1f}/s)"),
        ("failed", f"{summary.failed_requests:,} ({numbers.share(summary.error_rate)})"),
        ("status codes", _codes(summary.status_codes)),
        ("errors", _codes(summary.errors)),
        ("iterations", numbers.count(summary.iterations)),
        ("iterations failed", numbers.count(summary.failed_iterations)),
        ("iterations interrupted", numbers.count(summary.interrupted_iterations)),
        ("iterations dropped", numbers.count(summary.dropped_iterations)),
        ("workers at once", numbers.count(summary.max_workers)),
        ("data sent", numbers.data(summary.data_sent_bytes)),
        ("data received", numbers.data(summary.data_received_bytes)),
        ("connections opened", numbers.count(summary.new_connections)),
        ("requests on a kept connection", numbers.count(summary.reused_connections)),
    ]
    rows += [
        (name, numbers.count(value))
        for name, value in summary.metrics.items()
        if not isinstance(value, Distribution)
    ]
    return _section(
        "Totals", ("", ""), [(escape(name), escape(text)) for name, text in rows if text]
    )


def _section(
    title: str,
    headers: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    texts: int = 1,
    note: str = "",
) -> str:
    """A table; cells are HTML already. The first ``texts`` columns are words, not numbers: of more
    than one, the first is a tick."""
    kinds = ["t", *["w"] * (texts - 1)] if texts > 1 else ["w"]

    def cell(tag: str, column: int, content: str) -> str:
        kind = kinds[column] if column < texts else "n"
        return f"<{tag} class={kind}>{content}</{tag}>"

    def row_of(tag: str, row: Sequence[str]) -> str:
        return f"<tr>{''.join(cell(tag, i, content) for i, content in enumerate(row))}</tr>"

    body = "".join(row_of("td", row) for row in rows)
    if not body:
        return ""
    head = f"<thead>{row_of('th', headers)}</thead>" if any(headers) else ""
    below = f'<p class="note">{escape(note)}</p>' if note else ""
    return (
        f'<section><h2>{title}</h2><div class="scroll"><table>{head}<tbody>{body}</tbody></table>'
        f"</div>{below}</section>"
    )


def _verdict(ok: bool) -> str:
    return '<span class="ok">✓</span>' if ok else '<span class="no">✗</span>'


def _endpoint_name(method: str, name: str) -> str:
    return name if not method or name.startswith(f"{method} ") else f"{method} {name}"


def _codes(counts: dict[str, int]) -> str:
    return ", ".join(f"{code}: {count:,}" for code, count in counts.items())
