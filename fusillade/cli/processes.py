"""Which processes of this machine belong to one platform, and how they are ended.

Every process of a platform's Ray carries a mark in its environment, ``FUSILLADE_PLATFORM=<id>``,
that each of its children inherits. Pids and pid files say less: they are reused, and they are gone
after a ``kill -9`` of whoever kept them. Some processes hide their environment (Ray's agents write
their title over it, script hosts get an empty one), so what descends from a marked process or
shares its session counts as well; Ray is always started in a session of its own.
"""

import contextlib
import os
import time
from collections.abc import Iterable, Iterator

import psutil

MARK = "FUSILLADE_PLATFORM"

TERM_SECONDS = 3.0
"""How long Ray's raylet, and then all the rest, get between SIGTERM and SIGKILL."""


def belonging_to(platform_id: str) -> list[psutil.Process]:
    """All living processes of that platform, never this one or its ancestors."""
    mine = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    everyone = [process for process in psutil.process_iter() if process.pid not in mine]
    found = {process.pid: process for process in everyone if _is_marked(process, platform_id)}
    sessions = {_session(process) for process in found.values()} - {None, os.getsid(0)}
    for process in everyone:
        if _session(process) in sessions:
            found[process.pid] = process
    for process in list(found.values()):
        with contextlib.suppress(psutil.Error):
            for child in process.children(recursive=True):
                found[child.pid] = child
    return [process for process in found.values() if _is_alive(process)]


def end(platform_id: str) -> None:
    """End the platform's Ray: first the raylet, which ends its workers, then everything else."""
    family = belonging_to(platform_id)
    raylets = [process for process in family if _name(process) == "raylet"]
    _terminate(raylets)
    _terminate(process for process in family if _is_alive(process))
    for process in _until_none_left(platform_id):
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


def is_ray_alive(platform_id: str) -> bool:
    """Whether both processes that a Ray node cannot do without are there."""
    names = {
        _name(process) for process in psutil.process_iter() if _is_marked(process, platform_id)
    }
    return {"raylet", "gcs_server"} <= names


def _until_none_left(platform_id: str) -> Iterator[psutil.Process]:
    """Yield survivors to be killed until a look finds none: a killed parent may have forked."""
    deadline = time.monotonic() + 10
    while (family := belonging_to(platform_id)) and time.monotonic() < deadline:
        yield from family
        psutil.wait_procs(family, timeout=1)


def _terminate(processes: Iterable[psutil.Process]) -> None:
    asked = []
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.terminate()  # psutil compares start times: a reused pid is not signalled
            asked.append(process)
    _, alive = psutil.wait_procs(asked, timeout=TERM_SECONDS)
    for process in alive:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(alive, timeout=TERM_SECONDS)


def _is_marked(process: psutil.Process, platform_id: str) -> bool:
    try:
        return bool(process.environ().get(MARK) == platform_id)
    except (psutil.Error, OSError):  # somebody else's process, or gone
        return False


def _session(process: psutil.Process) -> int | None:
    try:
        return os.getsid(process.pid)
    except OSError:
        return None


def _name(process: psutil.Process) -> str:
    try:
        return str(process.name())
    except psutil.Error:
        return ""


def _is_alive(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False
