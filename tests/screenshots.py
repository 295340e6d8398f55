"""Makes the pictures of docs/images: a platform of its own, a run against a target, a browser.

python tests/screenshots.py
"""

import asyncio
import re
import sys
from pathlib import Path
from typing import Any

# The packages before the directories here that bear their names.
sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1]))

from browsers import CHROMIUM, WHY_NOT, Visitor, new_visitor, running_browser
from platforms import Platform, running_platform
from target import Target, running_target

_IMAGES = Path(__file__).parents[1] / "docs" / "images"
_SCRIPT = """// People look around in a shop; one in twenty orders something.
export const options = {
  workers: 24,
  duration: '40s',
  thresholds: {
    http_req_duration: ['p95 < 30', 'p99 < 250'],
    http_req_failed: ['rate < 0.05'],
  },
};

const shop = 'TARGET';

export default function () {
  const wait = 4 + Math.round(12 + 10 * Math.sin(Date.now() / 4000));
  const list = http.get(`${shop}/delay/${wait}`);
  check(list, { 'the list is there': (res) => res.status === 200 });
  http.post(`${shop}/echo`, JSON.stringify({ product: __ITER }));
  if (__ITER % 20 === 0) {
    check(http.get(`${shop}/status/503`), { 'the order was taken': (res) => res.status === 201 });
  }
  sleep(0.01);
}
"""


async def _live_run(visitor: Visitor, target: Target) -> None:
    page = visitor.page
    await visitor.go("/new", "New test")
    await page.get_by_role("textbox", name="Script", exact=True).fill(
        _SCRIPT.replace("TARGET", target.url)
    )
    verdict = page.locator(".verdict:not([aria-busy])", has_text="The script is valid")
    await verdict.and_(page.locator(".verdict", has_text=target.url)).wait_for()
    await page.get_by_label("Name", exact=True).fill("Shop, a Friday")
    await page.screenshot(path=_IMAGES / "new-test.png")
    await visitor.presses("Create test")
    # Not at one second: on a slow machine the page may pass over any.
    elapsed = re.compile(r"Elapsed\s*(2[5-9]|3\d) s")
    await page.locator(".tile", has_text=elapsed).wait_for(timeout=90_000)
    await page.screenshot(path=_IMAGES / "live-run.png")
    await page.locator(".heading .badge", has_text="completed").wait_for(timeout=90_000)


async def _phone(visitor: Visitor) -> None:
    page = visitor.page
    await page.get_by_role("link", name="Shop, a Friday").first.click()
    await page.locator(".charts").first.wait_for()
    await page.screenshot(path=_IMAGES / "phone.png")


async def _take(platform: Platform, target: Target) -> None:
    _IMAGES.mkdir(exist_ok=True)
    small: dict[str, Any] = {"viewport": {"width": 390, "height": 780}, "color_scheme": "dark"}
    async with running_browser() as browser:
        visitor = await new_visitor(browser, platform, viewport={"width": 1200, "height": 830})
        await visitor.signs_in()
        await _live_run(visitor, target)
        phone = await new_visitor(browser, platform, **small)
        await phone.signs_in()
        await _phone(phone)


def main() -> None:
    """All pictures."""
    if CHROMIUM is None:
        sys.exit(WHY_NOT)
    with running_platform() as platform, running_target() as target:
        asyncio.run(_take(platform, target))


if __name__ == "__main__":
    main()
