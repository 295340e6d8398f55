"""Completion in shells: what they ask, as they ask it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

FUSILLADE = Path(sys.executable).with_name("fusillade")


def asked(**environment: str) -> str:
    done = subprocess.run(
        [str(FUSILLADE)],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout


def test_bash_is_told_options_of_a_command() -> None:
    told = asked(
        _FUSILLADE_COMPLETE="complete_bash", COMP_WORDS="fusillade run --cl", COMP_CWORD="2"
    )
    assert told.split() == ["--cloud"]


def test_zsh_and_fish_are_told_what_commands_do_as_well() -> None:
    zsh = asked(_FUSILLADE_COMPLETE="complete_zsh", _TYPER_COMPLETE_ARGS="fusillade tests sto")
    assert '"stop":"Stop a running test' in zsh
    fish = asked(
        _FUSILLADE_COMPLETE="complete_fish",
        _TYPER_COMPLETE_ARGS="fusillade tests sto",
        _TYPER_COMPLETE_FISH_ACTION="get-args",
    )
    assert fish.startswith("stop\tStop a running test")


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_can_be_given_their_script(shell: str) -> None:
    script = asked(_FUSILLADE_COMPLETE=f"source_{shell}")
    assert f"_FUSILLADE_COMPLETE=complete_{shell}" in script


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_bash_completes_once_it_has_read_the_script() -> None:
    program = (
        'eval "$(_FUSILLADE_COMPLETE=source_bash fusillade)"; COMP_WORDS=(fusillade webh); '
        'COMP_CWORD=1; _fusillade_completion fusillade; echo "${COMPREPLY[@]}"; '
        "complete -p fusillade"
    )
    done = subprocess.run(
        ["bash", "--norc", "-c", program],
        env=os.environ | {"PATH": f"{FUSILLADE.parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.splitlines()[0] == "webhooks"
    assert "_fusillade_completion" in done.stdout.splitlines()[1]
