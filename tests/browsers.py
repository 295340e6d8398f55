"""A real Chromium on a platform's web page."""

import contextlib
import os
import re
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from axe_playwright_python.async_playwright import Axe
from platforms import Platform
from playwright.async_api import Browser, Page, async_playwright, expect

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
WHY_NOT = "there is no chromium (apt-get install chromium)"
_ARGUMENTS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    *(["--no-sandbox"] if os.geteuid() == 0 else []),
]
expect.set_options(timeout=30_000)
_NOTE_VIOLATIONS = """
window.violations = [];
document.addEventListener('securitypolicyviolation', (event) => {
  window.violations.push(`${event.violatedDirective}: ${event.blockedURI}`);
});
"""


@dataclass
class Visitor:
    """One tab of somebody, and all that went wrong in it."""

    page: Page
    platform: Platform
    problems: list[str] = field(default_factory=list)

    async def go(self, path: str, heading: str) -> None:
        """Open an address of the page and wait for its heading."""
        await self.page.goto(self.platform.url + path)
        await self.sees(heading)

    async def sees(self, heading: str) -> None:
        """Wait for the page with this heading."""
        await self.page.get_by_role("heading", name=heading, level=1).wait_for()

    async def signs_in(self) -> None:
        """As the administrator, with the password."""
        await self.page.goto(self.platform.url)
        await self.page.get_by_label("E-mail").fill(self.platform.email)
        await self.page.get_by_label("Password", exact=True).fill(self.platform.password)
        await self.page.get_by_role("button", name="Sign in", exact=True).click()
        await self.sees("Runs")

    async def presses(self, button: str) -> None:
        """Click the button with exactly this name."""
        await self.page.get_by_role("button", name=button, exact=True).click()

    async def violations(self) -> list[str]:
        """What the content security policy has refused."""
        found: list[str] = await self.page.evaluate("window.violations")
        return found

    async def overflow(self) -> int:
        """By how many pixels the page is wider than its window."""
        pixels: int = await self.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        return pixels

    async def barriers(self, *rules: str) -> list[str]:
        """What axe-core finds that keeps people out: by WCAG 2.2 (A and AA) and good practice, or
        by these rules alone."""
        standards = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
        options: dict[str, Any] = {
            "runOnly": {"type": "rule" if rules else "tag", "values": rules or standards},
            "resultTypes": ["violations"],
        }
        results = await Axe().run(self.page, options=options)
        return [
            f"{one['id']}: {one['help']} ({', '.join(node['html'][:200] for node in one['nodes'][:3])})"
            for one in results.response["violations"]
        ]


Visit = Callable[..., Awaitable[Visitor]]
"""Opens a tab, on another platform than the usual one with ``on``."""


@contextlib.asynccontextmanager
async def running_browser() -> AsyncIterator[Browser]:
    """Chromium without a window."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=_ARGUMENTS)
        try:
            yield browser
        finally:
            await browser.close()


async def new_visitor(browser: Browser, platform: Platform, **context: Any) -> Visitor:
    """Somebody in a new session; ``context``: what the browser tells of itself."""
    context.setdefault("viewport", {"width": 1280, "height": 900})
    opened = await browser.new_context(locale="en-GB", **context)
    await opened.add_init_script(_NOTE_VIOLATIONS)
    page = await opened.new_page()
    page.set_default_timeout(20_000)
    visitor = Visitor(page, platform)

    def note(message: Any) -> None:
        # What the API refuses stands there as well; the tests ask for that.
        refused = re.match(r"Failed to load resource: .* status of 4\d\d", message.text)
        if message.type in ("error", "warning") and not refused:
            visitor.problems.append(message.text)

    page.on("console", note)
    page.on("pageerror", lambda error: visitor.problems.append(str(error)))
    return visitor
