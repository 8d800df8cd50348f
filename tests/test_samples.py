"""Every sample runs, and does what is written in `samples/expected`."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest
from click.testing import CliRunner

from hyperlambda import parse
from hyperlambda.client import SocketClient
from hyperlambda.commands.group import group
from hyperlambda.commands.performance import perform

SAMPLES = Path(__file__).parent.parent / "samples"
EXPECTED = SAMPLES / "expected"
PROGRAMS = sorted(path.name for path in SAMPLES.glob("*.hl"))
ON_SOCKETS = [name for name in PROGRAMS if name.startswith(("signal", "sockets"))]
PLAIN = [name for name in PROGRAMS if name not in ON_SOCKETS]


def expected(program: str) -> str:
    return (EXPECTED / program).with_suffix(".txt").read_text("utf-8")


def deliveries(program: bytes, name: str) -> str:
    """Return one line for each message that somebody got, in the order of publishing."""
    return "".join(
        f"{label} {message.name} {json.dumps(message.args, separators=(',', ':'))}\n"
        for scene in perform(parse(program, file=name))
        for label, received in scene.received.items()
        for message in received
    )


def test_all_kinds_of_samples_are_there() -> None:
    assert len(PLAIN) >= 7
    assert len(ON_SOCKETS) >= 5


def test_every_sample_has_an_expectation_and_no_expectation_is_left_over() -> None:
    expectations = {path.stem for path in EXPECTED.glob("*.txt")}
    assert expectations == {Path(name).stem for name in PROGRAMS}


def test_the_list_of_samples_is_complete() -> None:
    readme = (SAMPLES / "README.md").read_text("utf-8")
    scripts = [path.name for path in SAMPLES.glob("*.py")]
    missing = [name for name in [*PROGRAMS, *scripts] if f"]({name})" not in readme]
    assert not missing


@pytest.mark.parametrize("name", PLAIN)
def test_a_program_prints_what_is_expected(name: str) -> None:
    outcome = CliRunner().invoke(group, ["run", str(SAMPLES / name)])
    assert (outcome.stdout, outcome.stderr, outcome.exit_code) == (
        expected(name),
        "",
        0,
    )


@pytest.mark.parametrize("name", ON_SOCKETS)
def test_messages_reach_whom_they_are_for_and_nobody_else(name: str) -> None:
    program = (SAMPLES / name).read_bytes()
    assert deliveries(program, name) == expected(name)


def test_the_demo_runs_the_sample() -> None:
    shipped = files("hyperlambda.commands") / "signal.hl"
    assert shipped.read_bytes() == (SAMPLES / "signal.hl").read_bytes()


def test_the_app_serves_and_leaves_quietly() -> None:
    command = [sys.executable, str(SAMPLES / "app.py"), "0"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as app:
        try:
            assert app.stdout is not None
            url = app.stdout.readline().removeprefix("listening on http").strip()
            assert app.stdout.readline() == "welcome:Ada\n"
            assert app.stdout.readline() == "points:int:42\n"
            with SocketClient(f"ws{url}/ws") as client:
                client.subscribe("dice.rolled")
                message = next(client.messages(timeout=20))
            assert 1 <= message.args["points"] <= 6
            app.send_signal(signal.SIGINT)
            assert app.communicate(timeout=20) == ("", "")
            assert app.returncode == 0
        finally:
            app.kill()
