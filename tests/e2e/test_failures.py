"""Failed requests of a run on a platform."""

import time

from client import Client
from platforms import Platform
from target import Target

SCRIPT = """
  export default function () {
    http.post(__ENV.URL + '/status/500', { password: 'tell-nobody' });
    check(http.get(__ENV.URL + '/'), { 'it is a teapot': (r) => r.status === 418 });
    sleep(0.2);
  }
"""


def test_the_requests_that_failed_are_shown_while_a_test_runs_and_kept_with_its_result(
    platform: Platform, user: Client, target: Target
) -> None:
    env = [f"URL={target.url}"]
    created = user.create(SCRIPT, "", env=env, duration=120, start="true")
    path = f"/api/v1/tests/{created['test_id']}"
    found = {"failures": []}
    deadline = time.monotonic() + 60
    while len(found["failures"]) < 10:
        assert time.monotonic() < deadline, f"there is {found}"
        time.sleep(0.1)
        found = user.get(f"{path}/failures").body
    assert found["status"] == "running"
    kinds = {(one["response"]["status"], one["check"]) for one in found["failures"]}
    assert kinds == {(500, None), (200, "it is a teapot")}
    assert "tell-nobody" not in str(found)
    user.post(f"{path}/stop")
    user.until(created["test_id"], "stopped")
    assert user.get(f"{path}/failures")["failures"] == found["failures"]
