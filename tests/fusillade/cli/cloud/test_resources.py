"""Commands for what a platform keeps: each shows, creates, changes and deletes as the API does."""

import json
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from apis import Api
from commands import fusillade

SCRIPT = "export default function () { http.get('http://127.0.0.1:9/'); }\n"


@pytest.fixture
def script(tmp_path: Path) -> str:
    path = tmp_path / "shop.js"
    path.write_text(SCRIPT)
    return str(path)


async def made(*arguments: str) -> str:
    """The id of what a command has created."""
    done = await fusillade(*arguments, "--json")
    assert (done.code, done.stderr) == (0, ""), done
    return str(done.json["id"])


async def test_json_is_the_answer_of_the_api_byte_for_byte(
    api: Api, logged_in: str, key: str
) -> None:
    async with api.client(key) as client:
        for command, path in {
            "regions": "/api/v1/regions",
            "quota": "/api/v1/quota",
            "whoami": "/api/v1/me",
            "templates list": "/api/v1/templates?limit=20",
            "tests list": "/api/v1/tests?limit=20",
        }.items():
            done = await fusillade(*command.split(), "--json")
            assert (done.code, done.stderr) == (0, "")
            assert done.stdout == (await client.get(path)).text + "\n"


async def test_quota_and_regions_are_readable(logged_in: str) -> None:
    quota = await fusillade("quota")
    assert "minutes" in quota.stdout
    assert "templates  0 of " in quota.stdout
    regions = await fusillade("regions")
    assert "eu-hel1" in regions.stdout


async def test_templates_are_created_shown_changed_run_and_deleted(
    logged_in: str, script: str, poked: list[UUID]
) -> None:
    made_as = ("templates", "create", script, "-w", "3", "-d", "2m", "--description", "All of it")
    template = await made(*made_as)
    listed = await fusillade("templates", "list")
    assert template in listed.stdout
    assert "shop" in listed.stdout
    done = await fusillade("templates", "update", template, "--workers", "5", "--json")
    assert (done.json["workers"], done.json["duration_seconds"]) == (5, 120)
    assert (
        "http.get('http://127.0.0.1:9/')" in (await fusillade("templates", "show", template)).stdout
    )

    run = (await fusillade("templates", "run", template, "--duration", "30s", "--json")).json
    assert run["status"] == "provisioning"
    assert poked == [UUID(run["test_id"])]
    shown = await fusillade("tests", "show", run["test_id"])
    assert "provisioning" in shown.stdout
    assert "30" in shown.stdout

    deleted = await fusillade("templates", "delete", template, "--json")
    assert (deleted.code, deleted.json) == (0, None)
    again = await fusillade("templates", "delete", template, "--json")
    assert (again.code, again.json["code"]) == (1, "not_found")
    assert again.stderr.startswith("fusillade: ")


async def test_schedules_are_created_paused_resumed_triggered_and_deleted(
    logged_in: str, script: str, poked: list[UUID]
) -> None:
    when = ("--cron", "0 0 2 * * * *", "--timezone", "Europe/Helsinki")
    schedule = await made("schedules", "create", script, "-w", "1", "-d", "10s", *when)
    assert "Europe/Helsinki" in (await fusillade("schedules", "list")).stdout
    assert (await fusillade("schedules", "pause", schedule, "--json")).json["status"] == "paused"
    assert "paused" in (await fusillade("schedules", "show", schedule)).stdout
    assert (await fusillade("schedules", "resume", schedule, "--json")).json["status"] == "active"
    new = await fusillade("schedules", "update", schedule, "--cron", "0 0 3 * * * *", "--json")
    assert new.json["cron_expression"] == "0 0 3 * * * *"
    triggered = await fusillade("schedules", "trigger", schedule)
    assert f"fusillade tests watch {poked[0]}" in triggered.stdout
    assert (await fusillade("schedules", "delete", schedule)).stdout == "Deleted.\n"

    wrong = ("schedules", "create", script, "-w", "1", "-d", "10s", "--cron", "every day")
    refused = await fusillade(*wrong)
    assert refused.code == 1
    assert "cron" in refused.stderr


async def test_webhooks_are_created_switched_off_tried_and_deleted(logged_in: str) -> None:
    address = "https://93.184.215.14/hook"
    done = await fusillade("webhooks", "create", address, "--event", "test.completed")
    assert "whsec_" in done.stdout
    (webhook,) = (await fusillade("webhooks", "list", "--json")).json["webhooks"]
    rotated = await fusillade("webhooks", "rotate-secret", webhook["id"], "--overlap-hours", "1")
    assert "whsec_" in rotated.stdout
    off = await fusillade("webhooks", "update", webhook["id"], "--off", "--json")
    assert off.json["active"] is False
    assert (await fusillade("webhooks", "test", webhook["id"])).code == 0
    deliveries = await fusillade("webhooks", "deliveries", webhook["id"])
    assert "test.completed" in deliveries.stdout
    assert "pending" in deliveries.stdout
    assert (await fusillade("webhooks", "delete", webhook["id"])).code == 0

    refused = await fusillade("webhooks", "create", "http://127.0.0.1/", "--event", "test.failed")
    assert refused.code == 1
    assert "https" in refused.stderr.lower()
    assert "--event" in (await fusillade("webhooks", "create", address)).stderr


async def test_keys_are_created_with_scopes_and_deleted(
    logged_in: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = await fusillade("keys", "create", "CI", "--scope", "test:read", "--json")
    assert done.json["scopes"] == ["test:read"]
    listed = await fusillade("keys", "list")
    assert "CI" in listed.stdout
    assert done.json["key"] not in listed.stdout
    monkeypatch.setenv("FUSILLADE_API_KEY", done.json["key"])
    refused = await fusillade("keys", "create", "More")
    assert refused.code == 1
    assert "fusillade keys create NAME --scope SCOPE" in refused.stderr
    monkeypatch.delenv("FUSILLADE_API_KEY")
    assert (await fusillade("keys", "delete", done.json["id"])).code == 0
    assert "CI" not in (await fusillade("keys", "list")).stdout


async def test_a_list_that_goes_on_says_how(logged_in: str, script: str) -> None:
    for name in ("one", "two"):
        await made("templates", "create", script, "-w", "1", "-d", "1s", "--name", name)
    first = await fusillade("templates", "list", "--limit", "1")
    assert "two" in first.stdout
    assert "1 of 2" in first.stdout
    cursor = first.stdout.split("--cursor ")[1].strip()
    assert "one" in (await fusillade("templates", "list", "--cursor", cursor)).stdout


async def test_what_steers_a_terminal_does_not_reach_it(logged_in: str, tmp_path: Path) -> None:
    script = tmp_path / "evil.js"
    script.write_text(f"// \x1b]0;owned\x07\n{SCRIPT}")
    markup = "[bold]name[/bold]"
    made_as = ("templates", "create", str(script), "-w", "1", "-d", "1s", "--name", markup)
    shown = await fusillade("templates", "show", await made(*made_as))
    assert "\x1b" not in shown.stdout
    assert "]0;owned" in shown.stdout
    assert markup in shown.stdout


async def test_what_goes_wrong_is_one_sentence_and_exit_code_1(logged_in: str, script: str) -> None:
    for command, words in {
        "tests show {id}": "There is no test",
        "tests show ../keys": "fusillade:",
        "tests stop {id}": "There is no test",
        "tests watch {id}": "There is no test",
        "compare {id}": "Give a test and its baseline",
        "compare {id} {id}": "There is no test",
        "run --cloud none.js": "There is no file none.js.",
        "run --cloud {script} -d 60": "--duration: say in which unit, such as 60s or 60m.",
        "run --cloud {script} -d 1500ms": "whole seconds",
        "run --cloud {script} --dry-run": "--dry-run is for runs on this machine",
        "run {script} --region eu-hel1": "--region is for runs on a platform: add --cloud.",
        "run --cloud {script} -w 1 -d 1s --asset /etc/hostname": "it must be a file below",
        "run --cloud {script} -w 999999 -d 1s": "fusillade quota shows the limits.",
    }.items():
        done = await fusillade(*command.format(id=uuid4(), script=script).split())
        assert (done.code, done.stdout) == (1, ""), command
        assert words in done.stderr
        assert "Traceback" not in done.stderr


async def test_a_script_that_cannot_run_is_shown_with_its_place(
    logged_in: str, tmp_path: Path
) -> None:
    path = tmp_path / "broken.js"
    path.write_text("export default function () { nothing(; }\n")
    done = await fusillade("run", "--cloud", str(path), "-w", "1")
    assert done.code == 1
    assert "broken.js:1:" in done.stderr
    assert "nothing was sent" in done.stderr


async def test_files_that_a_script_names_go_along_and_no_others(
    api: Api, logged_in: str, key: str, tmp_path: Path, poked: list[UUID]
) -> None:
    for name, text in {
        "lib/get.ts": "import { base } from './base';\nexport const get = () => base as string;",
        "lib/base.js": "export const base = JSON.parse(open('./data/base.json')).url;",
        "data/base.json": '{"url": "http://127.0.0.1:9/"}',
        "data/late.csv": "name\n",
        "secrets.json": "{}",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    script = tmp_path / "main.js"
    script.write_text("""
      import { get } from './lib/get.ts';
      export const options = { workers: 2, duration: '7s' };
      const rows = new SharedCSV(['data', 'late.csv'].join('/'));
      export default function () { get(); print(__ENV.WHO); }""")
    late = ("--asset", str(tmp_path / "data" / "late.csv"))
    done = await fusillade("run", "--cloud", str(script), *late, "-e", "WHO=me", "--json")
    assert done.code == 0, done.stderr
    test_id = done.json["test_id"]
    assert poked == [UUID(test_id)]
    assert f"{logged_in}/runs/{test_id}" in done.stderr
    async with api.client(key) as client:
        files = (await client.get(f"/api/v1/tests/{test_id}/files")).json()
        test = (await client.get(f"/api/v1/tests/{test_id}")).json()
    assert {one["path"] for one in files["files"]} == {
        "main.js",
        "lib/get.ts",
        "lib/base.js",
        "data/base.json",
        "data/late.csv",
    }
    assert (test["name"], test["workers"], test["duration_seconds"]) == ("main", 2, 7)
    assert json.loads(done.stdout) == {"test_id": test_id, "status": "provisioning"}
