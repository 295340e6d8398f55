"""The GitHub Action and the GitLab job of ``docs/ci``, run by shells as those services run them."""

import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from client import Client
from platforms import Platform
from target import Target

CI = Path(__file__).parents[2] / "docs" / "ci"
GITHUB = yaml.safe_load((CI / "github" / "action.yml").read_text())
GITLAB = yaml.safe_load((CI / "gitlab" / "fusillade.gitlab-ci.yml").read_text())[".fusillade"]

pytestmark = pytest.mark.skipif(
    shutil.which("curl") is None or shutil.which("jq") is None,
    reason="what is in docs/ci is written for curl and jq",
)


@pytest.fixture
def directory(tmp_path: Path, target: Target) -> Path:
    """A repository with a test of two files; it holds its threshold unless it asks for /500."""
    (tmp_path / "load" / "data").mkdir(parents=True)
    (tmp_path / "load" / "data" / "url.txt").write_text(f"{target.url}/status/")
    (tmp_path / "load" / "shop.js").write_text("""
      const url = open('./data/url.txt');
      export const options = { thresholds: { http_req_failed: ['rate < 0.5'] } };
      export default function () { http.get(url + 200); sleep(0.1); }""")
    return tmp_path


def fail(directory: Path) -> None:
    script = directory / "load" / "shop.js"
    script.write_text(script.read_text().replace("200", "500"))


def github(platform: Platform, directory: Path, **inputs: str) -> Any:
    """Run the action's only step with inputs as a workflow gives them."""
    (step,) = GITHUB["runs"]["steps"]
    assert step["shell"] == "bash"
    given = {"api-url": platform.url, "api-key": platform.key("test:create")}
    given |= {"script": "load/shop.js", "assets": "load/data/url.txt\n", "workers": "1"}
    given |= {"duration": "1", **inputs}
    for name, about in GITHUB["inputs"].items():
        if name not in given:
            assert "required" not in about
            given[name] = about["default"].replace("${{ github.run_number }}", "17")
    assert set(given) == set(GITHUB["inputs"])
    environment = {
        name: re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda found: given[found[1]], text)
        for name, text in step["env"].items()
    }
    environment["GITHUB_OUTPUT"] = str(directory / "output")
    shell = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c"]
    return run([*shell, step["run"]], directory, environment)


def gitlab(platform: Platform, directory: Path, **variables: str) -> Any:
    """Run the job's script as in an image whose shell is no bash."""
    (script,) = GITLAB["script"]
    environment = {"FUSILLADE_API_URL": platform.url, "CI_PIPELINE_IID": "17"}
    environment["FUSILLADE_API_KEY"] = platform.key("test:create")
    given = GITLAB["variables"] | {
        "FUSILLADE_SCRIPT": "load/shop.js",
        "FUSILLADE_ASSETS": "load/data/url.txt",
        "FUSILLADE_DURATION": "1",
        "FUSILLADE_WORKERS": "1",
        **variables,
    }
    environment |= {name: text.replace("$CI_PIPELINE_IID", "17") for name, text in given.items()}
    return run(["sh", "-e", "-c", script], directory, environment)


def run(
    command: list[str], directory: Path, environment: Mapping[str, str]
) -> "subprocess.CompletedProcess[str]":
    surroundings = {"PATH": "/usr/local/bin:/usr/bin:/bin", "no_proxy": "127.0.0.1"}
    return subprocess.run(
        command,
        cwd=directory,
        env=surroundings | {"FUSILLADE_POLL_SECONDS": "0.3"} | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_github_action_passes_with_a_baseline_and_fails_with_99_for_a_regression(
    platform: Platform, directory: Path, user: Client
) -> None:
    passed = github(platform, directory)
    assert passed.returncode == 0, passed.stderr
    assert "CI run 17: completed" in passed.stdout
    assert "held: http_req_failed rate < 0.5, it was 0" in passed.stdout
    (output,) = (directory / "output").read_text().splitlines()
    name, _, test_id = output.partition("=")
    assert name == "test-id"
    assert user.get(f"/api/v1/tests/{test_id}")["status"] == "completed"

    script = directory / "load" / "shop.js"
    script.write_text(re.sub("export const options.*", "", script.read_text()))
    fail(directory)
    worse = github(platform, directory, baseline=test_id, name="Worse")
    assert worse.returncode == 99
    assert "Worse: completed" in worse.stdout
    assert "regression: error rate increased 100.0 percentage points" in worse.stdout


def test_the_github_action_fails_with_99_for_a_threshold_and_with_1_for_what_is_refused(
    platform: Platform, directory: Path
) -> None:
    refused = github(platform, directory, assets="")
    assert refused.returncode == 1
    assert refused.stderr.startswith("Fusillade: ")
    assert "url.txt" in refused.stderr
    nobody = github(platform, directory, **{"api-key": "fusi_wrong"})
    assert nobody.returncode == 1
    assert "Fusillade: " in nobody.stderr
    fail(directory)
    crossed = github(platform, directory)
    assert crossed.returncode == 99
    assert "crossed: http_req_failed rate < 0.5, it was 1" in crossed.stdout


def test_the_gitlab_job_passes_and_fails_with_99_for_a_threshold(
    platform: Platform, directory: Path
) -> None:
    passed = gitlab(platform, directory)
    assert passed.returncode == 0, passed.stderr
    assert "CI run 17: completed" in passed.stdout
    fail(directory)
    crossed = gitlab(platform, directory, FUSILLADE_REGION="eu-hel1")
    assert crossed.returncode == 99, crossed.stderr


def test_a_job_that_is_cancelled_stops_its_test(
    platform: Platform, directory: Path, user: Client
) -> None:
    environment = {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "no_proxy": "127.0.0.1",
        "FUSILLADE_API_URL": platform.url,
        "FUSILLADE_API_KEY": platform.key("test:create"),
        "FUSILLADE_NAME": "Cancelled",
        "FUSILLADE_SCRIPT": "load/shop.js",
        "FUSILLADE_ASSETS": "load/data/url.txt",
        "FUSILLADE_DURATION": "120",
        "FUSILLADE_WORKERS": "1",
        "FUSILLADE_POLL_SECONDS": "0.3",
    }
    command = ["sh", "-e", "-c", GITLAB["script"][0]]
    with subprocess.Popen(
        command, cwd=directory, env=environment, stdout=subprocess.PIPE, text=True
    ) as job:
        assert job.stdout is not None
        test_id = job.stdout.readline().strip().rpartition("/")[2]
        user.until(test_id, "running")
        job.terminate()
        assert job.wait(60) == 143
    assert user.until(test_id, "stopped", "completed")["status"] == "stopped"


def test_both_run_the_same_steps() -> None:
    assert GITLAB["script"] == [GITHUB["runs"]["steps"][0]["run"]]
