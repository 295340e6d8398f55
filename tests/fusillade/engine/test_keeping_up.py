"""Whether the generator or the target was the limit; a host that is overloaded is in
``tests/e2e/test_live.py``."""

from scripts import run
from target import Target


async def test_a_slow_target_alone_is_no_reason_to_warn(target: Target) -> None:
    script = f"export default function () {{ http.get('{target.url}/delay/400'); }}"
    done = await run(script, workers=10, duration_seconds=3.5)
    assert done.summary.total_requests > 0
    assert done.summary.warnings == []


async def test_a_rate_that_needs_more_workers_is_a_warning_with_its_numbers(
    target: Target,
) -> None:
    script = f"""
      export const options = {{ executor: 'constant-arrival-rate', rate: 50, workers: 2 }};
      export default function () {{ http.get('{target.url}/delay/200'); }}"""
    done = await run(script, duration_seconds=1)
    (warning,) = done.summary.warnings
    dropped, whole = done.summary.dropped_iterations, 50
    assert f"dropped {dropped:,} of {whole} iterations" in warning
