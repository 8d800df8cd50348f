"""`hyperlambda run`: what it prints, where, and with which exit code."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from hyperlambda.commands.group import group

from .process import EXECUTABLE, TIMEOUT, environment, hyperlambda, line_of, started


def run(tmp_path: Path, program: str | bytes, *options: str) -> Result:
    data = program.encode() if isinstance(program, str) else program
    (tmp_path / "p.hl").write_bytes(data)
    return CliRunner().invoke(group, ["run", str(tmp_path / "p.hl"), *options])


@pytest.mark.parametrize(
    ("program", "options", "output"),
    [
        ("return:hello", [], "hello\n"),
        ("return:int:5", [], "5\n"),
        ("return:bool:true", [], "true\n"),
        ('return:""', [], "\n"),
        ("return:bytes:AQI=", [], "AQI=\n"),
        (".a:1", [], ""),
        ("", [], ""),
        ("return\n   a:int:1\n   b:x", [], "a:int:1\nb:x\n"),
        ("return:top\n   a:1", [], "top\na:1\n"),
        (".a:1\nget-value:x:@.a", ["--tree"], ".a:1\nget-value:1\n"),
        ("return:gone", ["--tree"], "return:gone\n"),
        ("", ["--tree"], ""),
        ("return:é", ["--json"], '"é"\n'),
        ("return:int:5", ["--json"], "5\n"),
        ("return:bool:false", ["--json"], "false\n"),
        (".a", ["--json"], "null\n"),
        ("return\n   a:int:1\n   b:x", ["--json"], '{\n  "a": 1,\n  "b": "x"\n}\n'),
        ("return\n   .:int:1\n   .:int:2", ["--json"], "[\n  1,\n  2\n]\n"),
        ("return:x:@.arguments/*/n", ["--arg", "n=Ada"], "Ada\n"),
        ("return:x:@.arguments/*/n", ["--arg", "n="], "\n"),
        ("return:x:@.arguments/*/n", ["--arg", "n=a=b:c"], "a=b:c\n"),
        (
            "type:x:@.arguments/*/n\nreturn:x:@type",
            ["--arg", "m=1", "--arg", "n:int=5"],
            "int\n",
        ),
        ("yield\n   a:x:@.arguments/*", ["--arg", "x:date=2020-01-01T00:00:00"], None),
        ("return:emoji 🙂", [], "emoji 🙂\n"),
        ("\ufeff.a:1\r\nreturn:x:@.a\r\n", [], "1\n"),
    ],
)
def test_output(
    tmp_path: Path, program: str, options: list[str], output: str | None
) -> None:
    outcome = run(tmp_path, program, *options)
    assert outcome.exit_code == 0, outcome.stderr
    assert outcome.stderr == ""
    if output is None:
        output = 'a\n   x:date:"2020-01-01T00:00:00.000"\n'
    assert outcome.stdout == output


def test_json_can_be_read_again(tmp_path: Path) -> None:
    text = 'return\n   list\n      .:decimal:1.5\n      .\n   text:@"a ""b"" \n🙂"'
    outcome = run(tmp_path, text, "--json")
    assert json.loads(outcome.stdout) == {"list": [1.5, None], "text": 'a "b" \n🙂'}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--arg", "n"], "'n' is not of the form name=value"),
        (["--arg", "=5"], "'=5' is not of the form name=value"),
        (["--arg", ":int=5"], "':int=5' is not of the form name=value"),
        (["--arg", "n:int=x"], "'n': 'x' is not"),
        (["--arg", "n:itn=5"], "'n': no type is named 'itn'"),
        (["--arg", "n=1", "--arg", "n=2"], "'n' is given twice"),
        (["--tree", "--json"], "--tree and --json exclude each other"),
        (["--timeout", "0"], "0"),
        (["--timeout", "nan"], "number of seconds"),
        (["--max-steps", "none"], "'none' is not a valid integer"),
        (["--log-level", "loud"], "'loud' is not one of"),
    ],
)
def test_a_wrong_command_line_is_told_before_the_program_runs(
    tmp_path: Path, options: list[str], message: str
) -> None:
    outcome = run(tmp_path, "log.error:it ran", *options)
    assert outcome.exit_code == 2
    assert outcome.stdout == ""
    assert message in outcome.stderr
    assert "it ran" not in outcome.stderr


def test_no_file_at_all_is_a_usage_error() -> None:
    outcome = CliRunner().invoke(group, ["run"])
    assert outcome.exit_code == 2
    assert "Missing argument 'FILE'" in outcome.stderr


def test_a_file_that_does_not_exist_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "hello.hl").write_text("return:1")
    missing = str(tmp_path / "helo.hl")
    outcome = hyperlambda("run", missing)
    assert outcome.returncode == 2
    assert outcome.stdout == b""
    hint = f"did you mean '{tmp_path / 'hello.hl'}'?"
    assert outcome.stderr.decode() == f"error: no file is named '{missing}'; {hint}\n"


def test_a_folder_is_no_program(tmp_path: Path) -> None:
    outcome = CliRunner().invoke(group, ["run", str(tmp_path)])
    assert outcome.exit_code == 2
    assert outcome.stderr == f"error: '{tmp_path}' is a folder, not a program\n"


def test_names_that_no_file_can_have_are_one_line() -> None:
    outcome = CliRunner().invoke(group, ["run", "a" * 5000])
    assert outcome.exit_code == 2
    assert outcome.stderr.count("\n") == 1


def test_stdin_is_a_program() -> None:
    outcome = hyperlambda("run", "-", input="return:🙂".encode())
    assert (outcome.stdout, outcome.stderr) == ("🙂\n".encode(), b"")
    outcome = hyperlambda("run", "-", input=b"nosuch")
    assert outcome.returncode == 1
    assert outcome.stderr.startswith(b"<stdin>:1:1: error: no slot is named 'nosuch'\n")


def test_a_syntax_error_shows_the_line(tmp_path: Path) -> None:
    outcome = run(tmp_path, "a:1\n  b:2\n")
    assert outcome.exit_code == 1
    assert outcome.stderr.startswith(f"{tmp_path / 'p.hl'}:2:")
    assert "\n  2 |   b:2\n" in outcome.stderr


def test_a_failure_shows_the_place_the_help_and_the_way_there(tmp_path: Path) -> None:
    program = (
        "slots.create:inner\n   if:bool:true\n      retrun:1\ntry\n   signal:inner\n"
    )
    outcome = run(tmp_path, program)
    file = tmp_path / "p.hl"
    assert outcome.exit_code == 1
    assert outcome.stdout == ""
    assert outcome.stderr.splitlines() == [
        f"{file}:3:7: error: no slot is named 'retrun'",
        "  3 |       retrun:1",
        "    |       ^^^^^^",
        "  help: did you mean 'return'?",
        f"  in 'if' at {file}:2:4",
        f"  in 'signal' at {file}:5:4",
        f"  in 'try' at {file}:4:1",
    ]


def test_a_deep_recursion_shows_the_innermost_ten(tmp_path: Path) -> None:
    outcome = run(tmp_path, "slots.create:f\n   signal:f\nsignal:f\n")
    assert outcome.exit_code == 1
    lines = outcome.stderr.splitlines()
    assert "nested" in lines[0]
    assert len(lines) <= 16
    assert lines[-1].startswith("  … and ")


def test_the_traceback_is_for_those_who_ask(tmp_path: Path) -> None:
    assert "Traceback" not in run(tmp_path, "nosuch").stderr
    outcome = run(tmp_path, "nosuch", "--debug")
    assert outcome.exit_code == 1
    assert "Traceback" in outcome.stderr
    assert "error: no slot is named 'nosuch'" in outcome.stderr


def test_limits(tmp_path: Path) -> None:
    endless = "while:bool:true\n   .a\n"
    outcome = run(tmp_path, endless + "   sleep:int:20\n", "--timeout", "0.2")
    assert outcome.exit_code == 1
    assert "longer than the 0.2 seconds" in outcome.stderr
    outcome = run(tmp_path, endless, "--max-steps", "100")
    assert outcome.exit_code == 1
    assert outcome.stderr.startswith(f"{tmp_path / 'p.hl'}:")


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        ([], ["info", "error", "fatal"]),
        (["--log-level", "debug"], ["debug", "info", "error", "fatal"]),
        (["--log-level", "error"], ["error", "fatal"]),
        (["--log-level", "fatal"], ["fatal"]),
    ],
)
def test_log_entries_go_to_stderr(
    tmp_path: Path, options: list[str], shown: list[str]
) -> None:
    levels = ["debug", "info", "error", "fatal"]
    program = "".join(f"log.{level}:hello\n" for level in levels)
    outcome = run(tmp_path, program, *options)
    assert outcome.exit_code == 0
    assert outcome.stdout == ""
    assert outcome.stderr == "".join(f"{level}: hello\n" for level in shown)


def test_output_is_utf8_whatever_was_declared(tmp_path: Path) -> None:
    (tmp_path / "p.hl").write_text("log.info:é🙂\nreturn:é🙂", "utf-8")
    for encoding in ("ascii", "latin-1", "utf-16"):
        outcome = hyperlambda(
            "run", str(tmp_path / "p.hl"), PYTHONIOENCODING=encoding, PYTHONUTF8="0"
        )
        assert outcome.stdout == "é🙂\n".encode()
        assert outcome.stderr == "info: é🙂\n".encode()
        assert outcome.returncode == 0


def test_messages_need_a_server(tmp_path: Path) -> None:
    outcome = run(tmp_path, "sockets.signal:foo")
    assert outcome.exit_code == 1
    assert "--connect" in outcome.stderr


def test_a_reader_that_leaves_is_no_failure(tmp_path: Path) -> None:
    # More than a pipe holds, so that we are still writing when nobody reads.
    (tmp_path / "p.hl").write_text("return:" + "x" * 1_000_000)
    reading, writing = os.pipe()
    os.close(reading)
    try:
        outcome = subprocess.run(
            [EXECUTABLE, "run", str(tmp_path / "p.hl")],
            stdout=writing,
            stderr=subprocess.PIPE,
            timeout=TIMEOUT,
            env=environment(),
        )
    finally:
        os.close(writing)
    assert outcome.stderr == b""
    assert outcome.returncode == 141


def test_a_full_disk_is_one_line() -> None:
    with open("/dev/full", "wb") as full:
        outcome = subprocess.run(
            [EXECUTABLE, "run", "-"],
            input=b"return:1",
            stdout=full,
            stderr=subprocess.PIPE,
            timeout=TIMEOUT,
            env=environment(),
        )
    assert outcome.stderr.startswith(b"error: the output cannot be written: No space")
    assert outcome.stderr.count(b"\n") == 1
    assert outcome.returncode == 1


def test_closed_streams_are_no_crash() -> None:
    script = f"{EXECUTABLE} run - <&-; echo $?; echo return:1 | {EXECUTABLE} run - >&-"
    outcome = subprocess.run(
        ["sh", "-c", f"{script}; echo $? >&2"],
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        env=environment(),
    )
    assert outcome.stdout == "2\n"
    assert outcome.stderr == "error: stdin is closed\n0\n"


def test_ctrl_c_ends_a_program_quietly(tmp_path: Path) -> None:
    (tmp_path / "p.hl").write_text("log.info:sleeping\nsleep:int:60000\n")
    with started("run", str(tmp_path / "p.hl")) as process:
        assert line_of(process.stderr) == "info: sleeping"
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=TIMEOUT)
    assert (stdout, stderr.strip(), process.returncode) == ("", "", 130)


def test_ctrl_c_is_not_caught_by_the_program(tmp_path: Path) -> None:
    program = "try\n   log.info:sleeping\n   sleep:int:60000\n.catch\n   log.info:no\n"
    (tmp_path / "p.hl").write_text(program)
    with started("run", str(tmp_path / "p.hl")) as process:
        assert line_of(process.stderr) == "info: sleeping"
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=TIMEOUT)
    assert (stdout, stderr.strip(), process.returncode) == ("", "", 130)
