"""A test on a platform, watched from here: Ctrl-C asks whether to leave it or to stop it."""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from typing import Any

from fusillade.cli.cloud.following import follow
from fusillade.cli.cloud.live_view import LiveView
from fusillade.cli.cloud.reports import save_reports
from fusillade.cli.cloud.result_view import exit_code, show_result
from fusillade.cli.cloud.server import ApiError, Unreachable, part
from fusillade.cli.cloud.session import Session, console
from fusillade.cli.outputs import Output

_QUESTION = "\nd: leave it running; s: stop it; Enter: go on watching? "


def watch_to_the_end(
    here: Session, test_id: str, *, live: bool, reports: Sequence[Output] = ()
) -> int:
    """Show what becomes of a test, and its result, and write its reports; the exit code, or 128 and
    the signal's number if it was left running. ``live``: also the numbers of each second."""
    path = f"/api/v1/tests/{part(test_id)}"
    test = here.server.get(path).data
    screen = console(stderr=here.as_json)
    with LiveView(screen, test["name"], test["duration_seconds"], live) as view:
        left = asyncio.run(_Watch(here, test_id, view).run())
    if left is not None:
        screen.print(
            f"The test {test_id} goes on. fusillade tests watch {test_id} shows it, fusillade "
            f"tests stop {test_id} ends it."
            + (f" Reports are written by fusillade tests report {test_id}." if reports else ""),
            markup=False,
            soft_wrap=True,
        )
        return 128 + left
    answer = here.server.get(path)
    here.show(answer, show_result)
    save_reports(here.server, test_id, reports)
    return exit_code(answer.data)


class _Watch:
    """One test, one view, and somebody at the keyboard or not."""

    def __init__(self, here: Session, test_id: str, view: LiveView) -> None:
        self._server = here.server
        self._test_id = test_id
        self._view = view
        self._question: asyncio.Task[None] | None = None

    async def run(self) -> signal.Signals | None:
        """Return at the test's end; the signal, if one had the test left running."""
        loop = asyncio.get_running_loop()
        self._left: asyncio.Future[signal.Signals] = loop.create_future()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._interrupted, number)
        following = asyncio.ensure_future(
            follow(self._server, self._test_id, self._told, self._lost)
        )
        both: set[asyncio.Future[Any]] = {following, self._left}
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        if self._question is not None:
            self._question.cancel()
        if following.done():
            following.result()
            return None
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        return self._left.result()

    def _told(self, message: dict[str, Any]) -> None:
        self._view.show(message)

    def _lost(self) -> None:
        self._view.note("The connection is lost; the test goes on. Connecting again ...")

    def _interrupted(self, number: signal.Signals) -> None:
        asking = self._question is not None and not self._question.done()
        if number == signal.SIGINT and not asking and sys.stdin.isatty() and sys.stderr.isatty():
            self._question = asyncio.ensure_future(self._ask())
        elif not self._left.done():
            self._left.set_result(signal.Signals(number))

    async def _ask(self) -> None:
        self._view.halt()
        sys.stderr.write(_QUESTION)
        sys.stderr.flush()
        answer = await _line()
        if answer is None or answer.startswith("d"):
            if not self._left.done():
                self._left.set_result(signal.SIGINT)
            return
        if answer.startswith("s"):
            try:
                path = f"/api/v1/tests/{part(self._test_id)}/stop"
                await asyncio.to_thread(self._server.post, path)
            except (ApiError, Unreachable) as error:
                self._view.note(error.message)
        self._view.go_on()


async def _line() -> str | None:
    """What is typed next, in small letters; None at the end of the input."""
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    descriptor = sys.stdin.fileno()
    loop.add_reader(descriptor, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(descriptor)
    text = os.read(descriptor, 1024)
    return text.decode(errors="replace").strip().lower() if text else None
