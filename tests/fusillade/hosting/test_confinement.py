"""What a process that is confined like a script host can no longer do, whatever code it runs.

Each row names the measures that prevent it: where this system has none of them, there is nothing
to see.
"""

import json
import os
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from scripts import as_files

from fusillade.engine.sandbox.allowed import CALLS
from fusillade.engine.sandbox.seccomp import assemble
from fusillade.hosting.script_host import ScriptHost

_PROGRAM = r"""
import ctypes, json, os, signal, socket, ssl, sys, threading
from fusillade.engine.sandbox.confine import confine

secret, victim, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
parent = os.getppid()
libc = ctypes.CDLL(None, use_errno=True)
authorities = len(ssl.create_default_context().get_ca_certs())
measures, left_out = confine(1 << 30, parent)

def syscall(number, *arguments):
    if libc.syscall(number, *arguments) < 0:
        raise OSError(ctypes.get_errno(), "")

def process_vm_readv(pid):
    buffer = ctypes.create_string_buffer(8)
    vector = (ctypes.c_void_p * 2)(ctypes.addressof(buffer), 8)
    if libc.process_vm_readv(pid, vector, 1, vector, 1, 0) < 0:
        raise OSError(ctypes.get_errno(), "")

def libc_call(name, *arguments):
    if getattr(libc, name)(*arguments) < 0:
        raise OSError(ctypes.get_errno(), "")

def in_a_thread():
    seen = []
    thread = threading.Thread(target=lambda: seen.append(os.listdir("/proc/self/task")))
    thread.start()
    thread.join()
    assert seen

def import_late():
    import unicodedata, xml.dom.minidom

def trust():
    assert len(ssl.create_default_context().get_ca_certs()) == authorities

attempts = {
    "start a program": lambda: os.execv("/bin/true", ["true"]),
    "fork": os.fork,
    "vfork": lambda: os.posix_spawn("/bin/true", ["true"], {}),
    "make a file": lambda: open(secret + ".new", "w"),
    "write to a file": lambda: open(secret, "r+"),
    "remove a file": lambda: os.unlink(victim),
    "make a directory": lambda: os.mkdir(secret + ".d"),
    "change a file's mode": lambda: os.chmod(victim, 0o777),
    "write to memory that is a file": lambda: os.memfd_create("x"),
    "read another's file": lambda: open(secret).read(),
    "list a home": lambda: os.listdir("/home"),
    "read the users": lambda: open("/etc/passwd").read(),
    "read another process's environment": lambda: open(f"/proc/{parent}/environ").read(),
    "read another process's memory": lambda: process_vm_readv(parent),
    "open another process's memory": lambda: open(f"/proc/{parent}/mem", "rb"),
    "trace another process": lambda: libc_call("ptrace", 0x4206, parent, 0, 0),
    "signal another process": lambda: os.kill(parent, 0),
    "open a raw socket": lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1),
    "open an ICMP socket": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM, 1),
    "open a netlink socket": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0),
    "open a unix socket": lambda: socket.socket(socket.AF_UNIX),
    "listen": lambda: socket.create_server(("127.0.0.1", 0)),
    "make namespaces": lambda: libc_call("unshare", 0x10000000),
    "mount": lambda: libc_call("mount", b"none", b"/tmp", b"tmpfs", 0, None),
    "become root again": lambda: os.setresuid(0, 0, 0) or libc_call("chroot", b"/"),
    "use io_uring": lambda: syscall(425, 8, ctypes.create_string_buffer(256)),
    "open a process by number": lambda: syscall(434, parent, 0),
    "outlive its parent": lambda: libc_call("prctl", 1, 0, 0, 0, 0),
    "connect": lambda: socket.create_connection(("127.0.0.1", port)).close(),
    "look a name up": lambda: socket.getaddrinfo("localhost", port),
    "start a thread": in_a_thread,
    "read the certificate authorities": trust,
    "import a module": import_late,
    "see random bytes": lambda: os.urandom(8),
    "talk to itself": lambda: [one.close() for one in socket.socketpair()],
    "abort": lambda: os.kill(os.getpid(), 0),
}
outcome = {}
for name, attempt in attempts.items():
    try:
        attempt()
        outcome[name] = None
    except OSError as error:
        outcome[name] = error.errno
    except BaseException as error:
        outcome[name] = repr(error)
print(json.dumps([measures, left_out, outcome]))
sys.stdout.flush()
os._exit(0)
"""

Confined = tuple[dict[str, str], dict[str, str], dict[str, object]]


@pytest.fixture(scope="module")
def confined(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Confined]:
    directory = tmp_path_factory.mktemp("confined")
    secret = directory / "secret"
    secret.write_text("secret")
    victim = directory / "victim"
    victim.touch()
    with socket.create_server(("127.0.0.1", 0)) as server:
        done = subprocess.run(
            [sys.executable, "-I", "-c", _PROGRAM, secret, victim, str(server.getsockname()[1])],
            capture_output=True,
            timeout=30,
            env={"LANG": "C.UTF-8"},
        )
    assert done.returncode == 0, done.stderr.decode()
    yield tuple(json.loads(done.stdout))
    assert sorted(path.name for path in directory.iterdir()) == ["secret", "victim"]
    assert secret.read_text() == "secret"


@pytest.mark.parametrize(
    ("attempt", "preventing"),
    [
        ("start a program", "seccomp"),
        ("fork", "seccomp"),
        ("vfork", "seccomp"),
        ("make a file", "seccomp landlock"),
        ("write to a file", "seccomp landlock"),
        ("remove a file", "seccomp landlock"),
        ("make a directory", "seccomp landlock"),
        ("change a file's mode", "seccomp user"),
        ("write to memory that is a file", "seccomp"),
        ("read another's file", "landlock"),
        ("list a home", "landlock"),
        ("read the users", "landlock"),
        ("read another process's environment", "landlock user"),
        ("read another process's memory", "seccomp landlock user"),
        ("open another process's memory", "landlock user"),
        ("trace another process", "seccomp landlock user"),
        ("signal another process", "seccomp user"),
        ("open a raw socket", "seccomp capabilities"),
        ("open an ICMP socket", "seccomp"),
        ("open a netlink socket", "seccomp"),
        ("open a unix socket", "seccomp"),
        ("listen", "seccomp"),
        ("make namespaces", "seccomp"),
        ("mount", "seccomp capabilities user"),
        ("become root again", "seccomp capabilities user"),
        ("use io_uring", "seccomp"),
        ("open a process by number", "seccomp"),
        ("outlive its parent", "seccomp"),
    ],
)
def test_a_confined_process_cannot(attempt: str, preventing: str, confined: Confined) -> None:
    measures, left_out, outcome = confined
    if not set(preventing.split()) & set(measures):
        pytest.skip(f"this system has none of {preventing}: {left_out}")
    assert isinstance(outcome[attempt], int), outcome[attempt]


@pytest.mark.parametrize(
    "needed",
    [
        "connect",
        "look a name up",
        "start a thread",
        "read the certificate authorities",
        "import a module",
        "see random bytes",
        "talk to itself",
        "abort",
    ],
)
def test_a_confined_process_can_still(needed: str, confined: Confined) -> None:
    assert confined[2][needed] is None


def test_what_is_not_in_force_has_a_reason(confined: Confined) -> None:
    measures, left_out, _ = confined
    assert set(measures) | set(left_out) == {
        "limits",
        "no new privileges",
        "landlock",
        "user",
        "capabilities",
        "not dumpable",
        "seccomp",
    }
    assert {"limits", "no new privileges", "not dumpable"} <= set(measures)
    assert all(left_out.values())


async def test_a_host_says_what_it_has_and_the_kernel_agrees() -> None:
    async with ScriptHost() as host:
        await host.load(as_files("export default function () {}"), "script.js")
        facts = _status(host.pid)
        measures = host.start.measures
        assert ("seccomp" in measures) == (facts["Seccomp"] == "2")
        assert facts["NoNewPrivs"] == "1"
        if "capabilities" in measures:
            assert all(int(facts[name], 16) == 0 for name in ("CapPrm", "CapEff", "CapInh"))
        if "user" in measures:
            assert str(os.getuid()) not in facts["Uid"].split()
        assert "memory at most 1024 MiB" in host.start.in_words()


def _status(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return dict(line.split(":\t", 1) for line in lines)


_ALLOW, _EPERM, _ENOSYS, _KILL = 0x7FFF0000, 0x00050001, 0x00050026, 0x80000000
_X86_64, _AARCH64 = 0, 1
_AUDIT = (0xC000003E, 0xC00000B7)


def _decide(machine: int, number: int, *arguments: int, architecture: int | None = None) -> int:
    """What the filter for ``machine`` gives, as the kernel would run it."""
    program = list(struct.iter_unpack("=HBBI", assemble(machine)))
    assert len(program) <= 4096
    padded = (*arguments, *[0] * (6 - len(arguments)))
    words = struct.pack("<IIQ6Q", number, architecture or _AUDIT[machine], 0, *padded)
    at = accumulator = 0
    while True:
        code, when_true, when_false, operand = program[at]
        at += 1
        match code:
            case 0x20:
                accumulator = struct.unpack_from("<I", words, operand)[0]
            case 0x54:
                accumulator &= operand
            case 0x15:
                at += when_true if accumulator == operand else when_false
            case 0x25:
                at += when_true if accumulator > operand else when_false
            case 0x06:
                return operand
            case _:
                raise AssertionError(f"not an instruction: {code}")


@pytest.mark.parametrize("machine", [_X86_64, _AARCH64])
def test_the_filter_is_the_same_on_each_machine(machine: int) -> None:
    def of(name: str) -> int:
        number = CALLS[name][machine]
        assert number is not None
        return number

    assert _decide(machine, of("sendto"), 1, 2, 3) == _ALLOW
    assert _decide(machine, of("openat"), 0, 0, os.O_RDONLY | os.O_CLOEXEC) == _ALLOW
    for flags in (os.O_WRONLY, os.O_RDWR, os.O_CREAT, os.O_TRUNC):
        assert _decide(machine, of("openat"), 0, 0, flags) == _EPERM
    assert _decide(machine, of("socket"), socket.AF_INET6, 1 | 0o4000, 6) == _ALLOW
    assert _decide(machine, of("socket"), socket.AF_INET, socket.SOCK_RAW, 6) == _EPERM
    assert _decide(machine, of("socket"), socket.AF_INET, 2, 1) == _EPERM
    assert _decide(machine, of("clone"), 0x3D0F00) == _ALLOW
    assert _decide(machine, of("clone"), 0x3D0F00 | 0x10000000) == _EPERM
    assert _decide(machine, of("clone"), 17) == _EPERM
    assert _decide(machine, of("kill"), os.getpid()) == _ALLOW
    assert _decide(machine, of("kill"), 1) == _EPERM
    execve = (59, 221)[machine]
    assert _decide(machine, execve) == _EPERM
    assert _decide(machine, 435) == _ENOSYS
    assert _decide(machine, 5000) == _ENOSYS
    assert _decide(machine, of("sendto"), architecture=0x40000003) == _KILL
