"""The command itself: help, version, and what it is called by."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from hyperlambda.commands.group import group

from .process import TIMEOUT, environment, hyperlambda

CHECKOUT = Path(__file__).parents[2]
NAMES = ["run", "serve", "demo", "subscribe", "publish", "token", "slots"]


def test_all_commands_are_listed() -> None:
    assert group.list_commands(click.Context(group)) == NAMES
    outcome = CliRunner().invoke(group, ["--help"])
    assert outcome.exit_code == 0
    assert all(f"\n  {name} " in outcome.stdout for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_help_shows_an_example(name: str) -> None:
    outcome = CliRunner().invoke(group, [name, "--help"])
    assert outcome.exit_code == 0
    assert f"Examples:\n    hyperlambda {name} " in outcome.stdout or (
        f"Examples:\n    hyperlambda {name}\n" in outcome.stdout
    )


def test_an_unknown_command_suggests_the_nearest() -> None:
    outcome = CliRunner().invoke(group, ["publsh"])
    assert outcome.exit_code == 2
    assert "no command is named 'publsh'; did you mean 'publish'?" in outcome.stderr
    outcome = CliRunner().invoke(group, ["xyz"])
    assert outcome.exit_code == 2
    assert outcome.stderr.endswith("no command is named 'xyz'\n")


@pytest.mark.parametrize(
    "command",
    [
        [sys.executable, "-m", "hyperlambda"],
        [sys.executable, str(CHECKOUT / "cli.py")],
    ],
)
def test_other_ways_to_call_it(command: list[str]) -> None:
    outcome = subprocess.run(
        [*command, "--version"],
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        env=environment(),
        cwd=CHECKOUT,
    )
    installed = hyperlambda("--version").stdout.decode()
    assert outcome.stdout == installed
    assert outcome.stdout.startswith("hyperlambda 0.")
    assert outcome.returncode == 0
