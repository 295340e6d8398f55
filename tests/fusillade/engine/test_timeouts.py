"""What runs once has a time limit, and after it nothing of it goes on."""

import msgspec
import pytest
from scripts import as_files, run
from target import Target

from fusillade.hosting.script_host import ScriptFailed, ScriptHost


@pytest.mark.parametrize(
    "wait",
    [
        "while (true) sleep(0.05);",
        "await new Promise(() => {});",
        "http.get(url + '/delay/20000');",
    ],
)
async def test_a_setup_that_takes_too_long_fails(target: Target, wait: str) -> None:
    script = f"""export const options = {{ setupTimeout: '300ms' }};
      const url = '{target.url}';
      export async function setup() {{ {wait} }}
      export default function () {{}}"""
    with pytest.raises(
        ScriptFailed, match=r"^setup\(\) did not end within 0\.3 s \(options\.setup"
    ):
        await run(script)


async def test_a_teardown_that_takes_too_long_fails_and_handle_summary_still_runs(
    target: Target,
) -> None:
    script = f"""export const options = {{ teardown_timeout: '300ms' }};
      export default function () {{}}
      export async function teardown() {{
        sleep(0.5); http.get('{target.url}/late'); return 'of teardown'; }}
      export function handleSummary() {{ sleep(1); return {{ 'a.txt': 'of handleSummary' }}; }}"""
    async with ScriptHost() as host:
        await host.load(as_files(script), "script.js")
        with pytest.raises(ScriptFailed, match=r"teardown\(\) did not end within 0\.3 s"):
            await host.teardown("null")
        done = await run(script.replace("sleep(0.5)", "sleep(0)"), iterations=1)
        output = await host.handle_summary(msgspec.to_builtins(done.summary))
    assert output == '{"a.txt":"of handleSummary"}'
    assert target.counted()["GET /late"] == 1  # of the second run alone
