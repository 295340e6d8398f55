"""How long trends and lists take when an organisation has stored 100,000 runs.

On the bundled PostgreSQL and the API in this process, without Serve; each question is asked several
times, and the median is shown.

    python benchmarks/trends.py [--runs 100000]
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from pathlib import Path

import httpx
import msgspec
import psycopg
from sqlalchemy import text

from api.app import build_app
from fusillade.metrics.aggregate import Aggregate
from fusillade.settings import Settings
from fusillade.storage import accounts, bundled, database

_QUESTIONS = (
    "/api/v1/analytics/trends?metric=p95&period=30d",
    "/api/v1/analytics/trends?metric=error_rate&period=365d",
    "/api/v1/analytics/trends?metric=rps&period=365d&target_url=https://3.example.com",
    "/api/v1/tests?limit=20",
    "/api/v1/tests?limit=20&sort=name",
)
_TIMES = 9
_PASSWORD = "correct horse battery staple"
_ROWS = text(
    """
    INSERT INTO tests (id, organisation_id, name, status, workers, duration_seconds, region, entry,
        options, warnings, target_urls, start_when_ready, stop_requested, summary, created_at,
        finished_at)
    SELECT gen_random_uuid(), :organisation, 'Run ' || i, 'completed', 50, 60, 'eu-hel1',
        'script.js', '{}', '[]', ARRAY['https://' || i % 10 || '.example.com'], false, false,
        CAST(:summary AS jsonb) || jsonb_build_object('avg_latency_ms', 40 + i % 9,
            'p95_latency_ms', 80 + i % 17, 'error_rate', (i % 5) / 1000.0, 'rps', 1000 + i % 31),
        now() - i * interval '365 days' / :runs, now() - i * interval '365 days' / :runs
    FROM generate_series(0, :runs - 1) AS i
    """
)


def _vacuum(url: str) -> None:
    plain = url.replace("postgresql+psycopg://", "postgresql://")
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE tests")


async def _ask(url: str, runs: int) -> None:
    store = database.Database(url)
    async with store.session() as session:
        user = await accounts.create_organisation_with_owner(
            session, name="Acme", email="owner@acme.test", password=_PASSWORD
        )
        summary = msgspec.json.encode(Aggregate().summary()).decode()
        await session.execute(
            _ROWS, {"organisation": user.organisation_id, "runs": runs, "summary": summary}
        )
    _vacuum(url)  # as the server does by itself, sooner or later
    app = build_app(Settings(database_url=url, jwt_secret="s" * 32, rate_limit_requests=0))
    print(f"{runs:,} stored runs, median of {_TIMES}\n\n| question | ms |\n| --- | ---: |")
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api.test") as client,
    ):
        body = {"email": "owner@acme.test", "password": _PASSWORD}
        token = (await client.post("/api/v1/auth/login", json=body)).json()["token"]
        client.headers["Authorization"] = f"Bearer {token}"
        for question in _QUESTIONS:
            times = []
            for _ in range(_TIMES):
                began = time.perf_counter()
                answer = await client.get(question)
                times.append(time.perf_counter() - began)
                answer.raise_for_status()
            print(f"| `{question}` | {statistics.median(times) * 1000:.0f} |", flush=True)
    await store.dispose()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=100_000)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory(prefix="fusi-bench-", dir="/tmp") as directory:
        url = bundled.start(Path(directory))
        try:
            database.upgrade(url)
            asyncio.run(_ask(url, runs))
        finally:
            bundled.stop(Path(directory))


if __name__ == "__main__":
    main()
