"""Whether a slow receiver of webhooks holds up others, at 1,000 deliveries a minute.

Twenty webhooks of one organisation; 50 events a minute for each, put into the outbox evenly. First
all answer at once, then one of them keeps each delivery for 10 s and so past the time limit. Shown
is how long after its commit an event is at each of the others. Then how fast a full outbox is
emptied, and what the dispatcher costs when there is nothing to do. Outbox, dispatcher and receivers
(HTTPS, with a certificate of their own authority) are three processes beside the bundled
PostgreSQL.

    python benchmarks/webhook_rate.py [--seconds 60]
"""

import argparse
import asyncio
import contextlib
import json
import multiprocessing
import signal
import ssl
import tempfile
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import psutil
import trustme
from aiohttp import web
from sqlalchemy import func, select, text

from fusillade.storage import accounts, bundled, database
from fusillade.storage.models import Webhook, WebhookDelivery
from fusillade.webhooks import outbox
from fusillade.webhooks.dispatcher import AT_ONCE, Dispatcher, Limits
from fusillade.webhooks.sender import Sender

_WEBHOOKS = 20
_A_MINUTE = 1000
_FULL = 200
_IDLE_SECONDS = 30
_SLOW_SECONDS = 10.0
_CALLS = text("SELECT sum(xact_commit + xact_rollback) FROM pg_stat_database")


def _receive(pipe: Connection, certificate: str) -> None:
    """Answers ``/slow`` after 10 s and anything else at once. Tells its port; then, for each
    message on the pipe, the lateness in seconds by path since the last one."""
    late: dict[str, list[float]] = {}

    async def handle(request: web.BaseRequest) -> web.Response:
        sent_at = json.loads(await request.read())["data"]["sent_at"]
        late.setdefault(request.path, []).append(time.time() - sent_at)
        if request.path == "/slow":
            await asyncio.sleep(_SLOW_SECONDS)
        return web.Response()

    async def serve() -> None:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(certificate)
        runner = web.ServerRunner(web.Server(handle), shutdown_timeout=0)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
        pipe.send(runner.addresses[0][1])
        while True:
            await asyncio.to_thread(pipe.recv)
            pipe.send(dict(late))
            late.clear()

    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    asyncio.run(serve())


def _dispatch(url: str, ca_file: str) -> None:
    async def run() -> None:
        limits = Limits(failing_hours=72, retention_days=30, allow_private=True, ca_file=None)
        async with Sender(connections=AT_ONCE, allow_private=True, ca_file=Path(ca_file)) as sender:
            await Dispatcher(database.Database(url, pool_size=5), sender, limits).run(url)

    asyncio.run(run())


@contextlib.contextmanager
def _process(work: Any, *arguments: Any) -> Iterator[Any]:
    process = multiprocessing.get_context("spawn").Process(target=work, args=arguments)
    process.start()
    try:
        yield process
    finally:
        process.terminate()
        process.join()


class _Bench:
    def __init__(self, store: database.Database, pipe: Connection, port: int, pid: int) -> None:
        self._store = store
        self._pipe = pipe
        self._port = port
        self._dispatcher = psutil.Process(pid)

    async def organisation(self, slow: int) -> UUID:
        """One with twenty webhooks, of which the first ones are slow."""
        async with self._store.session() as session:
            user = await accounts.create_organisation_with_owner(
                session, name="Acme", email=f"{uuid4()}@acme.test", password="a password"
            )
            for number in range(_WEBHOOKS):
                path = "slow" if number < slow else f"fast/{number}"
                session.add(
                    Webhook(
                        organisation_id=user.organisation_id,
                        url=f"https://localhost:{self._port}/{path}",
                        events=["test.ready"],
                        secret="whsec_benchmark",
                    )
                )
        return user.organisation_id

    async def emit(self, owner: UUID) -> None:
        """One event for all webhooks, of a test of its own."""
        async with self._store.session() as session:
            data = {"sent_at": time.time()}
            await outbox.emit(session, owner, "test.ready", data, test_id=uuid4())

    async def pending(self, owner: UUID) -> int:
        async with self._store.session() as session:
            found = await session.scalar(
                select(func.count())
                .select_from(WebhookDelivery)
                .where(
                    WebhookDelivery.organisation_id == owner, WebhookDelivery.status == "pending"
                )
            )
        return found or 0

    def late(self) -> tuple[list[float], list[float]]:
        """Seconds from the commit to the fast receivers and to the slow one, since it was asked."""
        self._pipe.send(None)
        by_path = self._pipe.recv()
        slow = by_path.pop("/slow", [])
        return sorted(one for times in by_path.values() for one in times), slow

    def cpu_seconds(self) -> float:
        times = self._dispatcher.cpu_times()
        return float(times.user + times.system)

    async def steady(self, slow: int, seconds: float) -> None:
        owner = await self.organisation(slow)
        self.late()
        count = round(_A_MINUTE / _WEBHOOKS * seconds / 60)
        used, begin = self.cpu_seconds(), time.monotonic()
        for number in range(count):
            await asyncio.sleep(max(0.0, begin + number * seconds / count - time.monotonic()))
            await self.emit(owner)
        await asyncio.sleep(5.0)
        used = self.cpu_seconds() - used
        fast, slow_ones = self.late()
        expected = count * (_WEBHOOKS - slow)
        p50, p99 = np.quantile(fast, [0.5, 0.99]) * 1000
        print(
            f"| {'one is slow' if slow else 'all are fast'} | {len(fast)} of {expected} | "
            f"{len(slow_ones)} of {count * slow} | {p50:.0f} | {p99:.0f} | {fast[-1] * 1000:.0f} | "
            f"{100 * used / seconds:.1f} % |",
            flush=True,
        )

    async def full(self) -> None:
        owner = await self.organisation(0)
        begin = time.monotonic()
        for _ in range(_FULL):
            await self.emit(owner)
        while await self.pending(owner):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        seconds = time.monotonic() - begin
        count = _FULL * _WEBHOOKS
        print(f"\nA full outbox: {count:,} deliveries in {seconds:.1f} s, {count / seconds:.0f}/s")

    async def idle(self) -> None:
        async with self._store.session() as session:
            await session.execute(text("DELETE FROM webhook_deliveries"))
        await asyncio.sleep(2.0)
        used, calls = self.cpu_seconds(), await self._calls()
        await asyncio.sleep(_IDLE_SECONDS)
        used, calls = self.cpu_seconds() - used, await self._calls() - calls
        print(
            f"Idle for {_IDLE_SECONDS} s: {used * 1000:.0f} ms of processor time, "
            f"{calls} transactions in the database"
        )

    async def _calls(self) -> int:
        async with self._store.session() as session:
            return int(await session.scalar(_CALLS) or 0)


async def _measure(url: str, pipe: Connection, pid: int, seconds: float) -> None:
    store = database.Database(url)
    bench = _Bench(store, pipe, pipe.recv(), pid)
    # Not before the dispatcher has started and sent something.
    owner = await bench.organisation(0)
    await bench.emit(owner)
    while await bench.pending(owner):  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    print(
        f"{_A_MINUTE:,} deliveries a minute to {_WEBHOOKS} webhooks for {seconds:g} s; "
        "milliseconds from the commit to the fast receivers\n"
    )
    print("| | arrived | at the slow one | p50 | p99 | max | of a core |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for slow in (0, 1):
        await bench.steady(slow, seconds)
    await bench.full()
    await bench.idle()
    await store.dispose()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    seconds = parser.parse_args().seconds
    with tempfile.TemporaryDirectory(prefix="fusi-bench-", dir="/tmp") as name:
        directory = Path(name)
        authority = trustme.CA()
        authority.cert_pem.write_to_path(str(directory / "ca.pem"))
        certificate = authority.issue_cert("localhost", "127.0.0.1")
        certificate.private_key_and_cert_chain_pem.write_to_path(str(directory / "server.pem"))
        data = directory / "data"
        data.mkdir()
        url = bundled.start(data)
        try:
            database.upgrade(url)
            ours, theirs = multiprocessing.Pipe()
            with (
                _process(_receive, theirs, str(directory / "server.pem")),
                _process(_dispatch, url, str(directory / "ca.pem")) as dispatcher,
            ):
                asyncio.run(_measure(url, ours, dispatcher.pid, seconds))
        finally:
            bundled.stop(data)


if __name__ == "__main__":
    main()
