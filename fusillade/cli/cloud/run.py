"""``fusillade run --cloud``: run a test on a platform."""

import asyncio
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fusillade.cli.cloud import uploads
from fusillade.cli.cloud.plans import whole_seconds
from fusillade.cli.cloud.session import Session, session
from fusillade.cli.outputs import Output
from fusillade.cli.script_env import given_variables
from fusillade.errors import InvalidScript
from fusillade.script.planned import counted

if TYPE_CHECKING:
    from fusillade.hosting.messages import Loaded


def run_on_platform(
    script: Path,
    *,
    name: str | None,
    workers: int | None,
    duration: str | None,
    region: str | None,
    env: Sequence[str],
    assets: Sequence[Path],
    wait: bool,
    watch: bool,
    as_json: bool,
    reports: Sequence[Output] = (),
) -> int:
    """Create and start a test; the exit code. Without ``wait``, ``watch`` or ``reports`` to be
    written at its end it is left to itself.

    Raises :class:`FusilladeError`."""
    wait = wait or bool(reports)
    given_variables(env)
    seconds = None if duration is None else whole_seconds(duration)
    with session(as_json) as here:
        files = uploads.files_of(script, assets)
        if workers is None or seconds is None:
            loaded = asyncio.run(_load(files, script.name, env))
            workers = workers or loaded.workers
            seconds = seconds or max(1, math.ceil(loaded.duration_seconds))
        fields: dict[str, Any] = {
            "name": name or script.stem,
            "workers": workers,
            "duration": seconds,
            "start": "true",
        }
        if region is not None:
            fields["region"] = region
        form = uploads.form(fields, env, script.name, files)
        answer = here.server.call("POST", "/api/v1/tests", form=form)
        test_id = str(answer.data["test_id"])
        if not (wait or watch):
            here.show(answer, lambda console, _: None)
        _say_where(here, test_id, files)
        if not (wait or watch):
            return 0
        from fusillade.cli.cloud.watching import watch_to_the_end

        return watch_to_the_end(here, test_id, live=watch, reports=reports)


def _say_where(here: Session, test_id: str, files: dict[str, bytes]) -> None:
    more = len(files) - 1
    words = f" with {counted(more, 'further file')}" if more else ""
    here.say(f"Created the test {test_id}{words}: {here.server.account.url}/runs/{test_id}")


async def _load(files: dict[str, bytes], entry: str, env: Sequence[str]) -> "Loaded":
    """What the script's own options say. Raises :class:`InvalidScript`."""
    from fusillade.cli.problem_view import describe
    from fusillade.hosting.script_host import ScriptHost, ScriptRejected

    async with ScriptHost() as host:
        try:
            return await host.load(files, entry, env=given_variables(env))
        except ScriptRejected as error:
            for problem in error.problems:
                sys.stderr.write(describe(problem, files) + "\n")
            raise InvalidScript(f"{entry} cannot run; nothing was sent.") from error
