"""One platform for all tests that only use it, one on a cluster of several nodes, and a browser."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from browsers import Visit, Visitor, new_visitor, running_browser
from client import Client
from clusters import Cluster, platform_on, running_cluster
from otlp import Collector, running_collector
from platforms import Platform, running_platform
from playwright.async_api import Browser
from receivers import ca_file


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the platform writes the series of its runs."""
    return tmp_path_factory.mktemp("exported")


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory, exported: Path) -> Iterator[Platform]:
    """A platform with embedded defaults, whose webhooks may lead to receivers on this machine."""
    certificates = ca_file(tmp_path_factory.mktemp("receivers"))
    with running_platform(
        FUSILLADE_WEBHOOK_ALLOW_PRIVATE="true",
        FUSILLADE_WEBHOOK_CA_FILE=str(certificates),
        FUSILLADE_EXPORT_URL=str(exported),
        RAY_metrics_report_interval_ms="2000",  # or a dashboard's test would take five times as long
    ) as started:
        yield started


@pytest.fixture
def user(platform: Platform) -> Client:
    """A logged-in administrator."""
    return platform.log_in()


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """Two nodes in eu-hel1 and one in us-east-1, two CPUs each; a test that kills one adds one."""
    with running_cluster("eu-hel1", "eu-hel1", "us-east-1") as started:
        yield started


@pytest.fixture(scope="session")
def collector() -> Iterator[Collector]:
    """Whom the platform on that cluster tells of traces and metrics."""
    with running_collector() as started:
        yield started


@pytest.fixture(scope="session")
def cluster_platform(cluster: Cluster, collector: Collector) -> Iterator[Platform]:
    """A platform on that cluster, which logs JSON."""
    with platform_on(
        cluster,
        FUSILLADE_HOPELESS_SECONDS="5",
        FUSILLADE_LOG_FORMAT="json",
        FUSILLADE_OTLP_ENDPOINT=collector.url,
    ) as started:
        yield started


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def browser() -> AsyncIterator[Browser]:
    """One for a module's tests; each has sessions of its own in it."""
    async with running_browser() as started:
        yield started


@pytest_asyncio.fixture(loop_scope="module")
async def visit(browser: Browser, request: pytest.FixtureRequest) -> AsyncIterator[Visit]:
    """Opens tabs. At the end no policy was violated in them and nothing stands in their consoles."""
    visitors = []

    async def visit(on: Platform | None = None, **context: Any) -> Visitor:
        to = on or request.getfixturevalue("platform")
        visitors.append(await new_visitor(browser, to, **context))
        return visitors[-1]

    yield visit
    wrong = [one for visitor in visitors for one in await visitor.violations() + visitor.problems]
    for visitor in visitors:
        await visitor.page.context.close()
    assert wrong == []


@pytest_asyncio.fixture(loop_scope="module")
async def visitor(visit: Visit) -> Visitor:
    """Somebody who has signed in."""
    visitor = await visit()
    await visitor.signs_in()
    return visitor
