"""Where the time of one request goes, in microseconds, by the kernel's profiler.

Runs a case of http_rate.py on one pinned core and samples its script host with ``perf`` (Debian's
linux-perf). A part's time is its share of the samples times the time of a request.

    python benchmarks/request_profile.py [CASE]
"""

import argparse
import asyncio
import re
import subprocess
import tempfile
import time

from engine_rate import pin
from http_rate import CASES, LOCATIONS, script_of
from peers import nginx, program

from fusillade.engine.share import Share
from fusillade.hosting.messages import Delta, Overrides
from fusillade.hosting.script_host import ScriptHost
from fusillade.metrics.aggregate import Aggregate

_SECONDS = 10
# What is called there and below it, by the symbol that a part begins with.
_PARTS = {
    "send(): the loopback's whole way to the target's socket": r"__send|__libc_send",
    "recv()": r"__libc_recv|__recv",
    "epoll_wait()": r"epoll_wait",
    "the script and its runtime (SpiderMonkey)": r"JS_CallFunctionValue",
}
_ENCRYPTION = "encryption (OpenSSL)"


async def _profile(script: str, users: int) -> tuple[float, dict[str, float]]:
    """Requests/s, and each part's share of the samples."""
    aggregate = Aggregate()
    async with ScriptHost() as host:
        overrides = Overrides(workers=users, duration_seconds=_SECONDS)
        await host.load({"script.js": script.encode()}, "script.js", overrides=overrides)
        pin(host.pid)
        data = await host.setup()
        with tempfile.NamedTemporaryFile() as file:
            sampler = None
            async for message in host.run(time.time() + 0.2, Share(), data):
                if isinstance(message, Delta):
                    aggregate.merge(0, message.payload)
                    sampler = sampler or _sample(host.pid, file.name)
            if sampler is not None:
                sampler.wait()
            shares = _shares(file.name)
    return aggregate.summary().total_requests / _SECONDS, shares


def _sample(pid: int, path: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [
            *(program("perf"), "record", "-e", "cpu-clock", "-F", "1999", "-g"),
            *("-p", str(pid), "-o", path, "--", "sleep", str(_SECONDS // 2)),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _shares(path: str) -> dict[str, float]:
    shares = dict.fromkeys((*_PARTS, _ENCRYPTION), 0.0)
    below = _report(path, "--children", "--sort", "symbol")
    for share, symbol in re.findall(r"^ +([\d.]+)% +[\d.]+% +\[\S\] (\S+)", below, re.MULTILINE):
        for part, names in _PARTS.items():
            if re.fullmatch(names, symbol):
                shares[part] = max(shares[part], float(share) / 100)
    libraries = _report(path, "--no-children", "--sort", "dso")
    for share, library in re.findall(r"^ +([\d.]+)% +(\S+)", libraries, re.MULTILINE):
        if library.startswith(("libssl", "libcrypto")):
            shares[_ENCRYPTION] += float(share) / 100
    return shares


def _report(path: str, *options: str) -> str:
    return subprocess.run(
        [program("perf"), "report", "-i", path, *options, "-g", "none"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("case", nargs="?", default="http", choices=CASES)
    case = CASES[parser.parse_args().case]
    with nginx(LOCATIONS, protocol=case.protocol) as port:
        rate, shares = asyncio.run(_profile(script_of(case, port), case.users))
    print(f"{case.title}: {rate:,.0f} requests/s, {1e6 / rate:.2f} us each\n")
    print("| part | us |\n| --- | ---: |")
    for part, share in shares.items():
        if share:
            print(f"| {part} | {share * 1e6 / rate:.2f} |")
    rest = 1 - sum(shares.values())
    print(f"| the engine: everything else | {rest * 1e6 / rate:.2f} |")


if __name__ == "__main__":
    main()
