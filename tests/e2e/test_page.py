"""The web page in a real Chromium, on a real platform."""

import json
import re

import pytest
from browsers import CHROMIUM, WHY_NOT, Visit, Visitor
from client import Client
from platforms import Platform
from playwright.async_api import Page, WebSocketRoute, expect
from target import Target

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason=WHY_NOT),
    pytest.mark.asyncio(loop_scope="module"),
]

QUICK = "export default function () { check(1, { one: (x) => x === 1 }); sleep(0.05); }"


async def seconds_shown(page: Page) -> list[str]:
    """What the table behind the first chart has in its first column."""
    data = page.locator("figure.chart").first.locator("details")
    if await data.get_attribute("open") is None:
        await data.locator("summary").click()
    await expect(data.locator("tbody th").first).to_have_text("0 s")
    return await data.locator("tbody th").all_text_contents()


LIBRARY = b"export const failing = '/status/500';"


def script_for(target: Target) -> str:
    """A script that needs LIBRARY as lib/paths.js."""
    return f"""
import {{ failing }} from './lib/paths.js';
export const options = {{ thresholds: {{ http_req_duration: ['p95 < 0.001', 'p99 < 60000'] }} }};
export default function () {{
  check(http.get('{target.url}/status/200'), {{ 'is <b>there</b>': (r) => r.status === 200 }});
  http.get('{target.url}' + failing);
  if (__ITER === 0) console.log('hello <i>log</i>');
  sleep(0.02);
}}
"""


async def test_a_newcomer_mends_a_script_watches_the_run_and_reads_its_results(
    visit: Visit, shared_target: Target
) -> None:
    visitor = await visit()
    page = visitor.page
    await visitor.go("/new", "Sign in to Fusillade")
    await page.get_by_label("E-mail").fill(visitor.platform.email)
    await page.get_by_label("Password", exact=True).fill("wrong")
    await visitor.presses("Sign in")
    await expect(page.get_by_role("alert")).to_contain_text("password")
    await page.get_by_label("Password", exact=True).fill(visitor.platform.password)
    await visitor.presses("Sign in")
    await visitor.sees("New test")

    # A script that is wrong has a mark on its line, and says what is wrong.
    await page.get_by_label("Start from").select_option("A first load test")
    script = page.get_by_role("textbox", name="Script", exact=True)
    await expect(script).to_have_value(re.compile("products"))
    await script.fill("export default function () {\n  http.get('http://127.0.0.1/;\n}\n")
    await expect(page.locator(".gutter .error")).to_have_text("2")
    await expect(page.locator(".problems")).to_contain_text("line 2")
    await visitor.presses("Create test")
    await expect(page.locator(".submit .problem")).to_contain_text("syntax error")
    await page.locator(".problems button").click()
    assert await script.evaluate("(area) => area.value.slice(0, area.selectionStart)") != ""

    # Mended, and with the file that it imports, it runs.
    await script.fill(script_for(shared_target))
    await expect(page.locator(".problems")).to_contain_text("lib/paths.js")
    library = {"name": "lib/paths.js", "mimeType": "text/javascript", "buffer": LIBRARY}
    await page.locator("input[type=file]").nth(1).set_input_files(library)
    await expect(page.locator(".verdict")).to_contain_text("The script is valid")
    await expect(page.locator(".gutter .error")).to_have_count(0)
    name = "Shop <img src=x onerror=alert(1)>"
    await page.get_by_label("Name", exact=True).fill(name)
    await page.get_by_label("Workers").fill("4")
    await page.get_by_label("Seconds").fill("300")
    await visitor.presses("Create test")
    await page.wait_for_url("**/runs/*-*")
    await visitor.sees(name)
    await expect(page.locator(".tile", has_text="Elapsed")).to_contain_text("3 s")
    await expect(page.locator(".thresholds .crossed")).to_contain_text("p95 < 0.001")
    await expect(page.locator(".thresholds .ok")).to_contain_text("p99 < 60000")
    await expect(page.get_by_role("region", name="By endpoint")).to_contain_text(
        f"{shared_target.url}/status/"
    )
    await expect(page.get_by_role("region", name="Checks")).to_contain_text("is <b>there</b>")
    await expect(page.locator(".log")).to_contain_text("hello <i>log</i>")
    await expect(page.get_by_role("region", name="WorkerActors")).to_contain_text("running")
    failed = page.get_by_role("region", name="Failed requests")
    await expect(failed).to_contain_text("status 500")
    assert (await seconds_shown(page))[:3] == ["0 s", "1 s", "2 s"]
    assert await visitor.barriers() == []

    # A reload in the middle loses nothing.
    await page.reload()
    await visitor.sees(name)
    await expect(page.locator(".tile", has_text="Elapsed")).to_contain_text(" s")
    shown = await seconds_shown(page)
    assert shown == [f"{second} s" for second in range(len(shown))]
    assert len(shown) >= 3

    await visitor.presses("Pause")
    await expect(page.locator(".heading .badge")).to_contain_text("paused")
    await visitor.presses("Resume")
    await expect(page.locator(".heading .badge")).to_contain_text("running")
    await visitor.presses("Stop")
    await expect(page.locator(".heading .badge")).to_contain_text("stopped")
    await expect(page.locator("figcaption", has_text="by percentile")).to_be_visible()
    await expect(page.locator(".shares")).to_contain_text("500")
    await failed.get_by_role("button").first.click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text(f"GET {shared_target.url}/status/500")
    assert await visitor.barriers() == []
    await visitor.presses("Close")
    async with page.expect_download() as download:
        await visitor.presses("Shop-img-src-x-onerror-alert-1.json")
    path = await (await download.value).path()
    assert json.loads(path.read_text())["name"] == name
    assert await page.locator("img, main b b").count() == 0

    # It can be changed and run again, with all that it had.
    await page.get_by_role("link", name="Run again").click()
    await visitor.sees("New test")
    await expect(script).to_have_value(script_for(shared_target))
    await expect(page.locator(".files")).to_contain_text("lib/paths.js")
    await expect(page.locator(".verdict")).to_contain_text("The script is valid")
    await page.get_by_role("link", name="Runs", exact=True).first.click()
    row = page.locator("tr", has_text=name).first
    await expect(row).to_contain_text("stopped")
    await expect(row.locator("svg.spark")).to_be_visible()
    await page.get_by_label("Search by name").fill("no such run")
    await expect(page.locator("main")).to_contain_text("No run fits these filters")

    # Signing out ends the token, not only the page's knowledge of it.
    token = await page.evaluate("sessionStorage.getItem('fusillade.token')")
    await visitor.presses("Sign out")
    await visitor.sees("Sign in to Fusillade")
    assert Client(visitor.platform.url, token).get("/api/v1/me").status == 401


async def test_a_lost_connection_comes_back_and_the_gap_is_filled(
    visitor: Visitor, user: Client
) -> None:
    page = visitor.page
    sockets: list[WebSocketRoute] = []

    def connect(socket: WebSocketRoute) -> None:
        sockets.append(socket)
        socket.connect_to_server()

    await page.route_web_socket(re.compile("/ws/runs/"), connect)
    test_id = user.create(QUICK, workers=2, duration=60)["test_id"]
    user.post(f"/api/v1/tests/{test_id}/start")
    await visitor.go(f"/runs/{test_id}", "A test")
    elapsed = page.locator(".tile", has_text="Elapsed")
    await expect(elapsed).to_contain_text("2 s")
    await sockets[0].close(code=1011, reason="lost")
    await expect(page.locator("p.connection")).to_contain_text("The connection was lost")
    await expect(elapsed).to_contain_text("5 s")
    await expect(page.locator("p.connection")).to_have_count(0)
    assert len(sockets) == 2
    shown = await seconds_shown(page)
    assert shown == [f"{second} s" for second in range(len(shown))]
    user.post(f"/api/v1/tests/{test_id}/stop")
    await expect(page.locator(".heading .badge")).to_contain_text("stopped")


async def test_a_test_that_waits_for_machines_says_what_for_and_is_cancelled(
    visitor: Visitor, user: Client
) -> None:
    page = visitor.page
    await visitor.go("/new", "New test")
    await page.get_by_role("textbox", name="Script", exact=True).fill(QUICK)
    await page.get_by_label("Name", exact=True).fill("Far away")
    await page.get_by_label("Region").select_option("Several, with weights …")
    await page.get_by_label("eu-hel1").fill("60")
    await page.get_by_label("us-east-1").fill("40")
    await visitor.presses("Create test")
    await visitor.sees("Far away")
    await expect(page.locator(".lead")).to_contain_text("eu-hel1 60 %, us-east-1 40 %")
    await expect(page.locator(".waiting-panel")).to_contain_text("us-east-1")
    await visitor.presses("Cancel")
    await expect(page.locator(".heading .badge")).to_contain_text("cancelled")
    newest = user.get("/api/v1/tests?limit=1")["tests"][0]
    assert (newest["region"], newest["status"]) == ("eu-hel1:60,us-east-1:40", "cancelled")


async def test_a_script_that_was_just_pasted_is_created_as_its_own_options_say(
    visitor: Visitor, user: Client
) -> None:
    page = visitor.page
    await visitor.go("/new", "New test")
    await expect(page.locator(".verdict")).to_contain_text("The script is valid")
    await page.get_by_label("Name", exact=True).fill("In a hurry")
    await page.get_by_text("Start as soon as it is ready").click()
    options = "export const options = { workers: 3, duration: '47s' };"
    await page.get_by_role("textbox", name="Script", exact=True).fill(options + QUICK)
    await visitor.presses("Create test")
    await visitor.sees("In a hurry")
    await expect(page.locator(".lead")).to_contain_text("3 workers · 47 s")
    user.post(f"/api/v1/tests/{page.url.rpartition('/')[2]}/stop")


async def test_a_session_that_has_ended_leads_to_sign_in_and_back(
    visitor: Visitor, platform: Platform
) -> None:
    page = visitor.page
    await visitor.go("/trends?metric=rps&period=7d", "Trends")
    token = await page.evaluate("sessionStorage.getItem('fusillade.token')")
    Client(platform.url, token).post("/api/v1/auth/logout")
    await page.get_by_label("Metric").select_option("Error rate")
    await visitor.sees("Sign in to Fusillade")
    await expect(page.locator(".notice")).to_contain_text("session has ended")
    await visitor.presses("API key")
    await page.get_by_role("textbox", name="API key").fill("fusi_wrong")
    await visitor.presses("Sign in with the key")
    await expect(page.locator("form [role=alert]")).to_contain_text("not known")
    await page.get_by_role("textbox", name="API key").fill(platform.key("test:read"))
    await visitor.presses("Sign in with the key")
    await visitor.sees("Trends")
    assert page.url == f"{platform.url}/trends?metric=rps&period=7d"


async def test_runs_are_compared_and_a_regression_is_marked(
    visitor: Visitor, user: Client, shared_target: Target
) -> None:
    page = visitor.page
    for name, path in (("Release 1", "/delay/1"), ("Release 2", "/delay/80")):
        user.run(
            f"export default function () {{ http.get('{shared_target.url}{path}'); }}", name=name
        )
    await visitor.go("/runs?search=Release", "Runs")
    for name in ("Release 1", "Release 2"):
        await page.get_by_label(f"Compare {name}").first.check()
    await visitor.presses("Compare")
    await visitor.sees("Compare runs")
    verdicts = page.get_by_role("row", name=re.compile("^Verdict"))
    await expect(verdicts).to_contain_text("regression")
    await expect(verdicts).to_contain_text("p95 latency increased")
    await page.get_by_label("Baseline").select_option(label=await option_with(page, "Release 2"))
    await expect(verdicts).to_contain_text("no regression")
    await visitor.go("/trends", "Trends")
    await expect(page.get_by_role("region", name="Newest runs")).to_contain_text("Release 2")


async def option_with(page: Page, words: str) -> str:
    """The whole text of the baseline's option that has these words."""
    options = await page.get_by_label("Baseline").locator("option").all_text_contents()
    return next(option for option in options if words in option)


async def test_a_schedule_says_its_times_in_words_and_is_paused_changed_and_triggered(
    visitor: Visitor,
) -> None:
    page = visitor.page
    await visitor.go("/schedules/new", "New schedule")
    await page.get_by_role("textbox", name="Script", exact=True).fill(QUICK)
    await page.get_by_label("Name", exact=True).fill("Nightly <b>")
    await page.get_by_label("Workers").fill("1")
    await page.get_by_label("Seconds").fill("1")
    await page.get_by_label("Cron expression").fill("nonsense")
    await visitor.presses("Create schedule")
    await expect(page.locator("form > * > .problem, form > .problem")).to_contain_text("cron")
    await page.get_by_label("Cron expression").fill("0 30 9 * * Mon-Fri *")
    await page.get_by_label("Time zone").select_option("Europe/Helsinki")
    await expect(page.locator("[role=status]", has_text="Helsinki")).to_have_text(
        "From Monday to Friday at 09:30, Europe/Helsinki time"
    )
    await visitor.presses("Create schedule")
    await visitor.sees("Nightly <b>")
    await expect(page.locator(".moments li")).to_have_count(5)
    await expect(page.locator(".moments")).to_contain_text("09:30:00")
    await visitor.presses("Pause")
    await expect(page.locator(".heading .badge")).to_contain_text("paused")
    await visitor.presses("Resume")
    await expect(page.locator(".heading .badge")).to_contain_text("active")
    await page.get_by_label("How often").select_option("Every hour")
    await visitor.presses("Save")
    await expect(page.locator(".lead")).to_contain_text("Every hour")
    await visitor.presses("Run now")
    await page.wait_for_url("**/runs/*-*")
    await expect(page.locator(".heading .badge")).to_contain_text("completed")
    await visitor.go("/schedules", "Schedules")
    await page.get_by_role("link", name="Nightly <b>").first.click()
    await page.get_by_role("heading", name="Next times").wait_for()
    await visitor.presses("Delete")
    await page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    await visitor.sees("Schedules")


async def test_a_webhook_shows_its_secret_once_and_its_deliveries(visitor: Visitor) -> None:
    page = visitor.page
    await visitor.go("/webhooks", "Webhooks")
    await visitor.presses("New webhook")
    await page.get_by_label("Address").fill("https://169.254.169.254/hook")
    await visitor.presses("Create webhook")
    await expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("169.254.169.254")
    await page.get_by_label("Address").fill("https://hooks.example.invalid/fusillade")
    await page.get_by_label("test.ready").check()
    await visitor.presses("Create webhook")
    secret = page.get_by_role("textbox", name="The webhook's secret")
    await expect(secret).to_have_value(re.compile("^whsec_"))
    await visitor.presses("I have kept it")
    await visitor.sees("https://hooks.example.invalid/fusillade")
    await visitor.presses("Send a test")
    await page.get_by_role("button", name="test.ready").first.click()
    await expect(page.get_by_role("dialog")).to_contain_text("00000000-0000-0000-0000-000000000000")
    await visitor.presses("Close")
    await visitor.presses("Switch off")
    await expect(page.locator(".heading .badge")).to_contain_text("off")
    await visitor.presses("Switch on")
    await expect(page.locator(".heading .badge")).to_contain_text("on")
    await visitor.presses("New secret")
    await visitor.presses("Make a new secret")
    await expect(page.get_by_role("textbox", name="The webhook's new secret")).to_have_value(
        re.compile("^whsec_")
    )
    await visitor.presses("I have kept it")
    await visitor.presses("Delete")
    await page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    await visitor.sees("Webhooks")


async def test_a_template_a_key_and_a_colleague_are_made_and_removed(
    visitor: Visitor, visit: Visit, platform: Platform
) -> None:
    page = visitor.page
    await visitor.go("/templates/new", "New template")
    await page.get_by_role("textbox", name="Script", exact=True).fill(QUICK)
    await page.get_by_label("Name", exact=True).fill("Smoke")
    await visitor.presses("Create template")
    await visitor.sees("Templates")
    await page.get_by_role("link", name="Use Smoke").first.click()
    await expect(page.get_by_label("Name", exact=True)).to_have_value("Smoke")
    await expect(page.get_by_role("textbox", name="Script", exact=True)).to_have_value(QUICK)

    await visitor.go("/keys", "API keys")
    await visitor.presses("New key")
    await page.get_by_label("Name", exact=True).fill("Page")
    await visitor.presses("Create key")
    await expect(page.get_by_role("textbox", name="Your new API key")).to_have_value(
        re.compile("^fusi_")
    )
    await visitor.presses("I have kept it")
    await visitor.presses("Delete the key Page")
    await page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    await expect(page.locator(".notice", has_text="deleted")).to_be_visible()

    await visitor.go("/team", "Team")
    await visitor.presses("Invite somebody")
    await page.get_by_label("E-mail").fill("grace@invited.test")
    await visitor.presses("Send invitation")
    await expect(page.get_by_role("region", name="Invitations")).to_contain_text("grace@")
    mail = next(
        text
        for file in (platform.data_dir / "mail").glob("*.eml")
        if "grace@invited.test" in (text := file.read_text())
    )
    found = re.search(r"/invites/[\w-]+(?=\n)", mail)
    assert found is not None
    grace = await visit()
    await grace.go(found[0], "Join Default")
    await grace.page.get_by_label("Your name").fill("Grace")
    await grace.page.get_by_label("Password").fill("correct horse battery staple")
    await grace.presses("Join")
    await grace.sees("Runs")
    await grace.go("/team", "Team")
    await expect(grace.page.get_by_role("button", name="Invite somebody")).to_have_count(0)
    await visitor.go("/team", "Team")
    await visitor.presses("Remove Grace")
    await page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    await expect(page.locator("tr", has_text="Grace")).to_have_count(0)


async def test_the_keyboard_alone_is_enough(visit: Visit) -> None:
    visitor = await visit()
    page = visitor.page
    keyboard = page.keyboard

    async def focused() -> str:
        text: str = await page.evaluate(
            "document.activeElement.innerText || document.activeElement.name || ''"
        )
        return text

    async def tab_to(words: str) -> None:
        for _ in range(40):
            await keyboard.press("Tab")
            if (await focused()).strip() == words:
                outline = await page.evaluate(
                    "getComputedStyle(document.activeElement).outlineStyle"
                )
                assert outline != "none", words
                return
        raise AssertionError(f"Tab does not reach {words}")

    await visitor.go("/", "Sign in to Fusillade")
    await tab_to("email")
    await keyboard.type(visitor.platform.email)
    await tab_to("password")
    await keyboard.type(visitor.platform.password)
    await keyboard.press("Enter")
    await visitor.sees("Runs")
    # The heading has the focus after each change of the page; on a new page the skip link is first.
    await expect(page.get_by_role("heading", name="Runs", level=1)).to_be_focused()
    await page.reload()
    await visitor.sees("Runs")
    await keyboard.press("Tab")
    assert await focused() == "Skip to the content"
    await keyboard.press("Enter")
    await expect(page.locator("main")).to_be_focused()
    await page.reload()
    await visitor.sees("Runs")
    await tab_to("API keys")
    await keyboard.press("Enter")
    await visitor.sees("API keys")
    await tab_to("New key")
    await keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    await expect(page.get_by_label("Name", exact=True)).to_be_focused()
    for _ in range(12):
        await keyboard.press("Tab")
        # Between its last and its first element the browser's own buttons have the focus.
        assert await page.evaluate(
            "document.activeElement === document.body || !!document.activeElement.closest('dialog')"
        )
    await keyboard.press("Escape")
    await expect(dialog).to_have_count(0)
    assert await focused() == "New key"
    # Tab leaves the editor: nobody is caught in it.
    await visitor.go("/new", "New test")
    editor = page.get_by_role("textbox", name="Script", exact=True)
    await editor.focus()
    await keyboard.press("Tab")
    await expect(editor).not_to_be_focused()


async def test_every_page_keeps_nobody_out_and_fits_a_phone_in_the_dark(
    visitor: Visitor, visit: Visit, user: Client, shared_target: Target
) -> None:
    library = ("lib/paths.js", LIBRARY)
    runs = [
        user.run(script_for(shared_target), name=f"Run {n}", assets=library)["id"] for n in range(2)
    ]
    kept = {"script_content": QUICK, "workers": 1, "duration_seconds": 1}
    body = kept | {"name": "Kept", "cron_expression": "0 0 2 * * * *"}
    schedule = user.post("/api/v1/schedules", body=body)["id"]
    template = user.post("/api/v1/templates", body=kept | {"name": "Kept"})["id"]
    hook = {"url": "https://hooks.example.invalid/a-very-long-address", "events": ["test.ready"]}
    webhook = user.post("/api/v1/webhooks", body=hook)["id"]
    user.post("/api/v1/team/invite", body={"email": "linus@invited.test"})
    stranger = await visit()
    wrong = []
    for path in (
        "/sign-in",
        "/invites/nobody",
        "/runs",
        f"/runs/{runs[0]}",
        "/runs/nothing",
        "/new",
        f"/compare?ids={','.join(runs)}",
        "/trends",
        "/schedules",
        f"/schedules/{schedule}",
        "/templates",
        f"/templates/{template}",
        "/webhooks",
        f"/webhooks/{webhook}",
        "/keys",
        "/team",
        "/account",
    ):
        tab = stranger if path in ("/sign-in", "/invites/nobody") else visitor
        await tab.page.set_viewport_size({"width": 1280, "height": 900})
        await tab.page.emulate_media(color_scheme="light")
        await tab.page.goto(tab.platform.url + path)
        await tab.page.locator("main:not(:has(.loading)) h1").first.wait_for()
        found = await tab.barriers()
        await tab.page.set_viewport_size({"width": 320, "height": 700})
        await tab.page.emulate_media(color_scheme="dark")
        found += await tab.barriers("color-contrast", "target-size", "scrollable-region-focusable")
        if pixels := await tab.overflow():
            found.append(f"{pixels} pixels too wide")
        wrong += [f"{path}: {barrier}" for barrier in found]
    await visitor.page.goto(f"{visitor.platform.url}/webhooks")
    await visitor.presses("New webhook")
    wrong += [f"dialog: {barrier}" for barrier in await visitor.barriers()]
    await visitor.presses("Cancel")
    assert wrong == []
    await visitor.presses("Menu")
    await visitor.page.get_by_role("link", name="Trends").click()
    await visitor.sees("Trends")
