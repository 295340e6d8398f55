"""One platform on this machine: start, ask, stop. ``up``, ``down`` and ``demo`` are made of it."""

import contextlib
import os
import re
import secrets
import shutil
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from signal import SIG_IGN, SIGHUP, SIGINT, SIGTERM, signal
from types import FrameType
from typing import Any

import msgspec
import pydantic
from pydantic_settings import SettingsError

from fusillade.cli import first_admin, home, processes
from fusillade.errors import Conflict, InternalError, ValidationFailed
from fusillade.settings import Settings

HEALTH_SECONDS = 60.0
"""How long the API may take from its deployment to its first ``/health``."""

_RAY_ACCESS = ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN_PATH")

Report = Callable[[str], None]
"""Called with what the platform is about to do, a few words for people."""


@dataclass(frozen=True)
class Started:
    """A platform that answers."""

    running: home.Running
    admin: first_admin.Admin | None
    """Given on the first start only."""


def load_settings(**given: Any) -> Settings:
    """Settings from the environment and, before it, the options that are not None.

    Raises ValidationFailed naming the first setting that is wrong.
    """
    try:
        settings = Settings(**{name: value for name, value in given.items() if value is not None})
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        words = first["msg"].removeprefix("Value error, ")
        raise ValidationFailed(f"The setting {name} is wrong: {words}.") from error
    except SettingsError as error:
        named = re.search(r'"(\w+)"', str(error))
        raise ValidationFailed(
            f"The setting {named[1] if named else error} is wrong: it must be valid JSON."
        ) from error
    data_dir = settings.data_dir.expanduser().absolute()
    return settings.model_copy(update={"data_dir": data_dir})


def start(
    settings: Settings,
    *,
    address: str | None = None,
    dashboard_port: int | None = None,
    report: Report,
) -> Started:
    """Start everything and return when ``/health`` answers.

    On the Ray at ``address``, or on one of its own, with Ray's dashboard if that is given a port.
    Whatever goes wrong on the way, nothing of it is left behind. Raises ValidationFailed for what
    the user can put right, Conflict when a platform already runs on the data directory,
    InternalError when a part did not start.
    """
    home.prepare(settings.data_dir)
    with home.locked(settings.data_dir, wait_seconds=0):
        _refuse_if_running(settings, report)
        _check_surroundings(settings, address, dashboard_port)
        running = home.Running(
            id=secrets.token_hex(8),
            url=base_url(settings),
            runtime_dir=short_directory("fusi-"),
            address=address,
            ray_access={name: os.environ[name] for name in _RAY_ACCESS if name in os.environ},
            bundled_database=settings.database_url is None,
        )
        try:
            home.write_running(settings.data_dir, running)
            admin = _start_parts(settings, running, dashboard_port, report)
        except BaseException:
            with uninterrupted():
                _stop_parts(settings.data_dir, running)
            raise
    return Started(running=running, admin=admin)


def stop(data_dir: Path, *, platform_id: str | None = None) -> bool:
    """Stop what runs on the data directory; returns whether there was anything to stop.

    With ``platform_id``, only if that is still the one that runs. Raises InternalError, and stops
    nothing, if it is on a joined Ray that does not let us in: its runs could not be ended.
    """
    if not data_dir.is_dir():
        return False
    with home.locked(data_dir, wait_seconds=60), uninterrupted():
        running = home.read_running(data_dir)
        if running is None or platform_id not in (None, running.id):
            return False
        _rejoin(running)  # raises before anything is stopped
        _stop_parts(data_dir, running)
    return True


def is_alive(running: home.Running) -> bool:
    """Whether the platform's own Ray is there; one that was joined is somebody else's to watch."""
    return running.address is not None or processes.is_ray_alive(running.id)


def is_healthy(url: str, seconds: float) -> bool:
    """Whether ``/health`` answers 200 within that time."""
    deadline = time.monotonic() + seconds
    while True:
        with contextlib.suppress(urllib.error.URLError, OSError):
            # No proxy from the environment: this address is on our own machine.
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            with opener.open(f"{url}/health", timeout=5) as response:
                if response.status == 200:
                    return True
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.1)


def base_url(settings: Settings) -> str:
    """Where a client on this machine finds the API."""
    everywhere = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}
    host = everywhere.get(settings.host, settings.host)
    return f"http://{host}:{settings.port}"


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """Let a second Ctrl-C not stop the clearing up after the first."""
    before = {number: signal(number, SIG_IGN) for number in (SIGINT, SIGTERM, SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal(number, handler)


def interrupt_on_signals() -> None:
    """Make SIGTERM and a closed terminal what Ctrl-C is: a KeyboardInterrupt."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    for number in (SIGINT, SIGTERM, SIGHUP):
        signal(number, interrupt)


def _refuse_if_running(settings: Settings, report: Report) -> None:
    """Raise Conflict if the last ``up`` still runs; clear away what a crash left of it."""
    running = home.read_running(settings.data_dir)
    if running is None:
        return
    if is_alive(running) and is_healthy(running.url, seconds=5):
        raise Conflict(
            f"A platform already runs on {settings.data_dir}, at {running.url}: "
            f"stop it first with fusillade down --data-dir {settings.data_dir}."
        )
    report("Clearing away what is left of the last platform")
    with uninterrupted():
        _stop_parts(settings.data_dir, running)


def _check_surroundings(
    settings: Settings, address: str | None, dashboard_port: int | None
) -> None:
    """Find out what would fail later, before anything is started."""
    from actors.platform import check_reachable, is_free

    if not is_free(settings.host, settings.port):
        raise ValidationFailed(
            f"Nothing can listen on {settings.host}:{settings.port}: the port is taken or the "
            "address is not this machine's; choose others with --port and --host."
        )
    if dashboard_port is not None:
        if address is not None:
            raise ValidationFailed(
                "--dashboard-port is for the Ray that up starts itself; the one at "
                f"{address} has its own dashboard: leave the option out."
            )
        if not is_free("127.0.0.1", dashboard_port):
            raise ValidationFailed(
                f"Ray's dashboard cannot listen on 127.0.0.1:{dashboard_port}: the port is taken; "
                "choose another with --dashboard-port."
            )
    if address is not None:
        check_reachable(address)


def _start_parts(
    settings: Settings, running: home.Running, dashboard_port: int | None, report: Report
) -> first_admin.Admin | None:
    from actors import platform as ray_platform

    runtime_dir = Path(running.runtime_dir)
    if running.address is not None:
        # A wrong token is one sentence of ours, not forty warnings of Ray's.
        environment = ray_platform.SERVE_WITH_HAPROXY | {"RAY_BACKEND_LOG_LEVEL": "error"}
    else:
        environment = ray_platform.serve_environment(runtime_dir)
        environment |= ray_platform.ray_environment(home.ray_token_file(settings.data_dir))
        for name in ("RAY_ADDRESS", "RAY_AUTH_TOKEN", "RAY_NAMESPACE"):
            os.environ.pop(name, None)  # they speak of another Ray than the one we start
    # Serve reads these on import, here as well as in Ray's processes.
    os.environ.update(environment)

    # PostgreSQL and Ray start side by side, and so do the imports of this process.
    pool = ThreadPoolExecutor(max_workers=2, thread_name_prefix="start")
    try:
        if running.address is None:
            report("Starting Ray and the database")
            address = pool.submit(
                ray_platform.start_local,
                runtime_dir,
                settings.default_region,
                {**os.environ, processes.MARK: running.id},
                dashboard_port=dashboard_port,
            )
        else:
            report("Starting the database")
        database = pool.submit(_start_database, settings)
        from actors import exporter, scheduler, test_run, webhook_dispatcher
        from api import deployment

        settings, admin = database.result()
        ray_address = running.address or address.result()
        report("Deploying the API")
        ray_address = ray_platform.connect(ray_address)
        try:
            if running.address is not None:
                known = msgspec.structs.replace(running, address=ray_address)
                home.write_running(settings.data_dir, known)
            else:
                addresses = ray_platform.metrics_addresses()
                home.write_prometheus_targets(settings.data_dir, addresses)
            scheduler.launch(settings)
            webhook_dispatcher.launch(settings)
            exporter.launch(settings)
            deployment.deploy(settings)
            test_run.recover(settings)
        finally:
            ray_platform.disconnect()
            interrupt_on_signals()  # Ray puts a handler of its own in their place
    except BaseException:
        with uninterrupted():
            processes.end(running.id)  # so that the thread that waits for `ray start` comes back
            pool.shutdown(wait=True, cancel_futures=True)
        raise
    pool.shutdown()
    if not is_healthy(running.url, HEALTH_SECONDS):
        raise InternalError(f"The API did not answer at {running.url}/health.")
    return admin


def _start_database(settings: Settings) -> tuple[Settings, first_admin.Admin | None]:
    """Start or reach PostgreSQL and bring it up to date; returns settings that name it."""
    from fusillade.storage import bundled, database

    if settings.database_url is None:
        url = bundled.start(settings.data_dir)
        settings = settings.model_copy(update={"database_url": url})
    assert settings.database_url is not None
    database.upgrade(settings.database_url)
    return settings, first_admin.create_if_none(settings)


def _stop_parts(data_dir: Path, running: home.Running) -> None:
    """End all that belongs to ``running``; every step runs even if one before it failed."""
    from fusillade.storage import bundled

    with contextlib.ExitStack() as steps:
        steps.callback(home.forget_running, data_dir)
        steps.callback(shutil.rmtree, running.runtime_dir, ignore_errors=True)
        if running.bundled_database:
            steps.callback(bundled.stop, data_dir)
        if running.address is None:
            steps.callback(processes.end, running.id)
        else:
            steps.callback(_leave_joined, running)


def _leave_joined(running: home.Running) -> None:
    """Take the API and the test runs off a Ray that is not ours, and leave the rest alone."""
    if not _rejoin(running):
        return
    from actors import platform as ray_platform
    from api import deployment

    try:
        deployment.undeploy()
        ray_platform.end_actors()
    finally:
        ray_platform.disconnect()


def _rejoin(running: home.Running) -> bool:
    """Be connected to the Ray that was joined; False if there is none or it is gone.

    Raises InternalError if it does not let us in.
    """
    from actors import platform as ray_platform

    if running.address is None:
        return False
    if ray_platform.is_connected():
        return True
    try:
        ray_platform.check_reachable(running.address)
    except ValidationFailed:
        return False
    # Serve and Ray read these on import.
    environment = ray_platform.SERVE_WITH_HAPROXY | {"RAY_BACKEND_LOG_LEVEL": "error"}
    os.environ.update(running.ray_access | dict(os.environ) | environment)
    ray_platform.connect(running.address)
    return True


def short_directory(prefix: str) -> str:
    """Make a directory with a path short enough for the Unix sockets of Ray and HAProxy."""
    root = tempfile.gettempdir()
    # HAProxy takes 97 characters, and Serve puts its sockets 76 below the directory.
    if len(root) > 7 or sys.platform == "darwin":
        root = "/tmp"
    return tempfile.mkdtemp(prefix=prefix, dir=root)
