"""The commands as a whole."""

import subprocess
import sys

from typer.testing import CliRunner

from fusillade.cli import COMMANDS, app


def test_help_names_every_command_with_its_first_line() -> None:
    shown = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "200"})
    assert shown.exit_code == 0
    listed = [line.split()[1:] for line in shown.output.splitlines() if line.startswith("│ ")]
    assert all(len(words) > 2 for words in listed[-len(COMMANDS) :])
    for name, words in {
        "up": "Start the platform",
        "down": "Stop the platform",
        "demo": "Start a platform of its own",
        "run": "Run a test here, on all cores",
        "validate": "Compile a test and run its init code",
        "exec": "Run an exported function once",
        "init": "Write a small test with comments",
        "schema": "Print the JSON schema",
        "tests": "Runs on a platform",
        "schedules": "Tests that start at certain times",
    }.items():
        assert name in COMMANDS
        assert words in shown.output


def test_to_list_the_commands_imports_none_of_them() -> None:
    program = (
        "import sys; from typer.testing import CliRunner; from fusillade.cli import app\n"
        "assert CliRunner().invoke(app, ['--help']).exit_code == 0\n"
        "print(*[name for name in sys.modules if name.startswith('fusillade.')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["fusillade.errors", "fusillade.cli"]


def test_an_unknown_command_is_exit_code_2() -> None:
    shown = CliRunner().invoke(app, ["rum"])
    assert shown.exit_code == 2


def test_a_run_starts_its_hosts_before_it_imports_what_takes_long() -> None:
    program = (
        "import sys; from fusillade.cli import app; import fusillade.cli.run; "
        "print(*{'aiohttp', 'fastapi', 'numpy', 'pydantic', 'ray', 'rich', 'sqlalchemy'}"
        " & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []


def test_help_and_commands_against_a_platform_import_neither_ray_nor_the_api() -> None:
    program = (
        "import sys; from typer.testing import CliRunner; from fusillade.cli import app\n"
        "for line in ('--help', 'tests --help', 'run --help'):\n"
        "    assert CliRunner().invoke(app, line.split()).exit_code == 0\n"
        "import fusillade.cli.cloud.run, fusillade.cli.cloud.watching\n"
        "print(*{'fastapi', 'pythonmonkey', 'ray'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []
