"""The reference's own examples, as printed: only address and credentials are replaced."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from client import Client
from platforms import Platform
from target import Target

pytestmark = pytest.mark.skipif(
    shutil.which("curl") is None or shutil.which("jq") is None,
    reason="the reference's examples are written for curl and jq",
)


@pytest.fixture
def directory(tmp_path: Path, target: Target) -> Path:
    """A directory with the scripts that the examples upload."""
    script = f"export default function () {{ http.get('{target.url}/health'); sleep(0.1); }}\n"
    for name in ("test.js", "loadtest.js"):
        (tmp_path / name).write_text(script)
    return tmp_path


def bash(platform: Platform, directory: Path, example: str, **variables: str) -> str:
    """Run an example; what it printed."""
    done = run(platform, directory, example, **variables)
    done.check_returncode()
    return done.stdout


def run(
    platform: Platform, directory: Path, example: str, **variables: str
) -> "subprocess.CompletedProcess[str]":
    """Run an example."""
    text = (
        example.replace("https://api.fusillade.io", platform.url)
        .replace("you@example.com", platform.email)
        .replace('"password": "..."', f'"password": "{platform.password}"')
        .replace("duration=60", "duration=2")
    )
    for name, value in variables.items():
        text = text.replace(f"<{name}>", value)
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", text],
        cwd=directory,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "no_proxy": "127.0.0.1", **variables},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


LOGIN = """
curl -X POST https://api.fusillade.io/api/v1/auth/login \\
  -H "Content-Type: application/json" \\
  -d '{"email": "you@example.com", "password": "..."}'
"""


@pytest.fixture
def token(platform: Platform, directory: Path) -> str:
    answer = json.loads(bash(platform, directory, LOGIN))
    assert set(answer) == {"token", "user"}
    assert answer["token"].startswith("eyJ")
    return str(answer["token"])


def test_the_token_is_passed_in_subsequent_requests(
    platform: Platform, directory: Path, token: str
) -> None:
    example = """
curl https://api.fusillade.io/api/v1/me \\
  -H "Authorization: Bearer eyJ..."
""".replace("eyJ...", token)
    assert json.loads(bash(platform, directory, example))["email"] == platform.email


def test_create_api_key(platform: Platform, directory: Path, token: str) -> None:
    example = """
curl -X POST https://api.fusillade.io/api/v1/keys \\
  -H "Authorization: Bearer <token>" \\
  -H "Content-Type: application/json" \\
  -d '{"name": "CI Agent", "scopes": ["test:create"]}'
"""
    answer = json.loads(bash(platform, directory, example, token=token))
    assert answer["key"].startswith("fusi_")
    assert (answer["name"], answer["scopes"]) == ("CI Agent", ["test:create"])
    assert "id" in answer


def test_create_test(platform: Platform, directory: Path, token: str, user: Client) -> None:
    example = """
curl -X POST "https://api.fusillade.io/api/v1/tests" \\
  -H "Authorization: Bearer <token>" \\
  -F "name=API Load Test" \\
  -F "script=@test.js" \\
  -F "workers=100" \\
  -F "duration=60" \\
  -F "region=eu-hel1"
"""
    # 100 workers need more WorkerActors than this machine has cores for: it stays as created.
    answer = json.loads(bash(platform, directory, example, token=token))
    assert set(answer) == {"test_id", "status"}
    assert answer["status"] == "provisioning"
    assert user.post(f"/api/v1/tests/{answer['test_id']}/stop")["status"] == "cancelled"


def test_wait_for_provisioning(platform: Platform, directory: Path, token: str) -> None:
    example = """
curl -X POST "https://api.fusillade.io/api/v1/tests?wait=true" \\
  -H "Authorization: Bearer <token>" \\
  -F "name=CI Test" \\
  -F "script=@test.js" \\
  -F "workers=50" \\
  -F "duration=60"
"""
    answer = json.loads(bash(platform, directory, example, token=token))
    assert answer["status"] == "ready"
    client = platform.log_in()
    client.post(f"/api/v1/tests/{answer['test_id']}/stop")


def test_wait_for_full_completion(
    platform: Platform, directory: Path, token: str, target: Target
) -> None:
    example = """
curl -X POST "https://api.fusillade.io/api/v1/tests?wait=true&wait_for=completed" \\
  -H "Authorization: Bearer <token>" \\
  -F "name=CI Test" \\
  -F "script=@test.js" \\
  -F "workers=50" \\
  -F "duration=60"
"""
    answer = json.loads(bash(platform, directory, example, token=token))
    assert answer["status"] == "completed"
    test = platform.log_in().get(f"/api/v1/tests/{answer['test_id']}")
    assert test["summary"]["total_requests"] == target.counted()["GET /health"] > 0


CI = """
# Run test, wait for completion, check for regression
TEST_ID=$(curl -s -X POST "https://api.fusillade.io/api/v1/tests?wait=true&wait_for=completed" \\
  -H "Authorization: Bearer $FUSILLADE_API_KEY" \\
  -F "name=CI Run #$GITHUB_RUN_NUMBER" \\
  -F "script=@loadtest.js" \\
  -F "workers=50" \\
  -F "duration=60" | jq -r '.test_id')

REGRESSION=$(curl -s "https://api.fusillade.io/api/v1/tests/$TEST_ID/compare/$BASELINE_ID" \\
  -H "Authorization: Bearer $FUSILLADE_API_KEY" | jq -r '.regression')

if [ "$REGRESSION" = "true" ]; then
  echo "Performance regression detected"
  exit 1
fi
"""


def test_the_ci_script_gates_on_the_comparison_with_a_baseline(
    platform: Platform, directory: Path, target: Target, user: Client
) -> None:
    fast = (directory / "loadtest.js").read_text()
    slow = fast.replace("/health", "/delay/300")
    for baseline, current, exit_code in ((slow, fast, 0), (fast, slow, 1)):
        (directory / "loadtest.js").write_text(current)
        done = run(
            platform,
            directory,
            CI,
            BASELINE_ID=user.run(baseline, workers=2)["id"],
            FUSILLADE_API_KEY=platform.key("test:create"),
            GITHUB_RUN_NUMBER="17",
        )
        said = "Performance regression detected\n" if exit_code else ""
        assert (done.returncode, done.stdout) == (exit_code, said), done.stderr
        # It never called start: wait_for=completed does.
        newest = user.get("/api/v1/tests?limit=1")["tests"][0]
        assert (newest["status"], newest["name"]) == ("completed", "CI Run #17")
