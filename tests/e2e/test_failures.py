"""Failed requests of a run on a platform."""

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


def test_the_requests_that_failed_are_kept_with_the_result(
    platform: Platform, user: Client, target: Target
) -> None:
    test = user.run(SCRIPT, env=[f"URL={target.url}"])
    assert test["status"] == "completed"
    found = user.get(f"/api/v1/tests/{test['id']}/failures")["failures"]
    kinds = {(one["response"]["status"], one["check"]) for one in found}
    assert kinds == {(500, None), (200, "it is a teapot")}
    assert "tell-nobody" not in str(found)
