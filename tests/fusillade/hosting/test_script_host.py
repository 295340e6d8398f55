"""Scripts that misbehave end their own test, with a reason that a person can act on."""

import asyncio
import os
import signal
import sys
import time

import psutil
import pytest
from scripts import as_files, evaluate, run

from fusillade.engine.share import Share
from fusillade.errors import InvalidScript
from fusillade.hosting.script_host import ScriptFailed, ScriptHost, ScriptHostDied


async def test_an_endless_loop_is_ended_by_the_watchdog() -> None:
    async with ScriptHost(watchdog_seconds=0.5) as host:
        await host.load(as_files("export default function () { while (true) {} }"), "script.js")
        with pytest.raises(ScriptHostDied, match=r"did not give control back for 0.5 s"):
            async for _ in host.run(time.time(), Share(), "null"):
                pass


async def test_an_endless_loop_in_the_init_code_is_an_invalid_script() -> None:
    async with ScriptHost() as host:
        with pytest.raises(InvalidScript, match=r"init code did not end within 0.3 s"):
            await host.load(as_files("for (;;);"), "script.js", timeout_seconds=0.3)


@pytest.mark.parametrize(
    "bomb",
    [
        "const all = []; for (;;) all.push(new Array(1e6).fill(1.5));",
        "let s = 'x'; for (;;) s += s + 'y' + s.length;",
        "const all = []; for (;;) all.push(new Uint8Array(1e8).fill(1));",
    ],
)
async def test_a_script_that_allocates_without_end_ran_out_of_memory(bomb: str) -> None:
    script = f"export default function () {{ {bomb} }}"
    with pytest.raises((ScriptFailed, ScriptHostDied), match=r"memory|allocation"):
        await run(script, memory_limit_bytes=300 << 20, workers=1, duration_seconds=20)


async def test_setup_that_throws_says_what_and_where() -> None:
    with pytest.raises(
        ScriptFailed, match=r"setup\(\) threw TypeError: no good \(script\.js:2:65\)"
    ):
        await evaluate("sleep(0.001); const f = () => { throw new TypeError('no good'); }; f();")


async def test_an_error_of_an_iteration_is_logged_with_its_place_and_the_run_goes_on() -> None:
    script = """export default function () {
      sleep(0.001);
      const nothing = undefined;
      nothing.field;
    }"""
    done = await run(script, workers=1, iterations=3)
    assert done.summary.failed_iterations == 3
    assert done.summary.iterations == 3
    assert any("TypeError" in line and "(script.js:4:" in line for line in done.log), done.log


async def test_a_killed_host_is_reported_and_leaves_nothing() -> None:
    async with ScriptHost() as host:
        await host.load(as_files("export default function () { sleep(1); }"), "script.js")
        pid = host.pid
        asyncio.get_running_loop().call_later(0.3, os.kill, pid, signal.SIGKILL)
        with pytest.raises(ScriptHostDied, match="SIGKILL"):
            async for _ in host.run(time.time(), Share(), "null"):
                pass
    assert not psutil.pid_exists(pid)


async def test_a_host_ends_with_its_parent() -> None:
    program = (
        "import asyncio, os, signal\n"
        "from fusillade.hosting.script_host import ScriptHost\n"
        "async def main():\n"
        "    async with ScriptHost() as host:\n"
        "        await host.load({'a.js': b'export default function () {}'}, 'a.js')\n"
        "        print(host.pid, flush=True)\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "asyncio.run(main())\n"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    child = int(output)
    for _ in range(100):
        if not psutil.pid_exists(child):
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"the host {child} outlived its parent")


async def test_unhandled_rejections_are_lines_in_the_log() -> None:
    script = "export default function () { Promise.reject(new Error('lost')); sleep(0.1); }"
    done = await run(script, workers=1, iterations=1)
    assert any("Uncaught (in promise)" in line and "lost" in line for line in done.log), done.log
    assert done.summary.iterations == 1


async def test_what_is_printed_is_kept_with_its_level() -> None:
    script = "console.info('init'); export default function () { console.warn('a', { b: 1 }); print(2); }"
    done = await run(script, workers=1, iterations=1)
    assert done.log == ["info: init", 'warn: a {"b":1}', "info: 2"]


async def test_a_host_has_neither_environment_nor_inherited_files() -> None:
    os.environ["FUSILLADE_SECRET_FOR_TEST"] = "secret"
    try:
        async with ScriptHost() as host:
            await host.load(as_files("export default function () {}"), "script.js")
            child = psutil.Process(host.pid)
            if os.geteuid() != 0:
                # Not even its own user may look into it.
                with pytest.raises(psutil.AccessDenied):
                    child.environ()
                return
            assert "FUSILLADE_SECRET_FOR_TEST" not in child.environ()
            assert child.cwd() == "/"
    finally:
        del os.environ["FUSILLADE_SECRET_FOR_TEST"]
