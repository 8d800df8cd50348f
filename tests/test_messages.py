"""
What `hyperlambda run` prints for programs that fail, word by word.

The programs and the texts stand in messages/*.txt: a title, the program, `=>` and what
stderr shows. HYPERLAMBDA_REWRITE=1 writes the texts anew; look at the difference before
it is kept.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from click.testing import CliRunner

from hyperlambda import (
    Evaluator,
    HyperlambdaError,
    Limits,
    Message,
    parse,
)
from hyperlambda.commands.failures import show_failure
from hyperlambda.commands.group import group
from hyperlambda.errors import SocketError

from .test_docstrings import QuietHub

TABLES = Path(__file__).with_name("messages")
REWRITES = bool(os.environ.get("HYPERLAMBDA_REWRITE"))


@dataclass(frozen=True, slots=True)
class Case:
    """
    A program that fails.

    Attributes:
        title: What is wrong with it.
        way: ``run`` and options of the command; or ``python``, with limits as
            ``name=number``, ``allow=names`` and ``hub=broken``.
        program: Its text.
        shown: What stderr must show.
    """

    title: str
    way: list[str]
    program: str
    shown: str


def read(table: Path) -> list[Case]:
    cases = []
    for chunk in table.read_text("utf-8").split("\n---\n"):
        title, *rest = chunk.strip("\n").split("\n")
        assert title.startswith("// "), title
        way = rest.pop(0)[2:].split() if rest[0].startswith("@ ") else ["run"]
        program, _, shown = "\n".join(rest).partition("\n=>")
        cases.append(Case(title, way, program, shown.strip("\n")))
    return cases


def written(cases: list[Case]) -> str:
    chunks = []
    for case in cases:
        way = "" if case.way == ["run"] else f"@ {' '.join(case.way)}\n"
        chunks.append(f"{case.title}\n{way}{case.program}\n=>\n{show(case)}\n")
    return "---\n".join(chunks)


def show(case: Case) -> str:
    """Return what the program of a case writes to stderr."""
    kind, *options = case.way
    text = from_command(case, options) if kind == "run" else from_python(case, options)
    return text.rstrip("\n")


def from_command(case: Case, options: list[str]) -> str:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "p.hl"
        path.write_text(case.program, "utf-8")
        outcome = CliRunner().invoke(group, ["run", str(path), *options])
    assert (outcome.exit_code, outcome.stdout) == (1, ""), case.title
    return outcome.stderr.replace(str(path), "p.hl")


class BrokenHub(QuietHub):
    """A hub whose server is away."""

    def publish(self, message: Message) -> None:
        raise SocketError("the server at ws://127.0.0.1:8765/ws is not there")


def from_python(case: Case, options: list[str]) -> str:
    given = dict(option.split("=", 1) for option in options)
    allow = given.pop("allow", None)
    hub = BrokenHub() if given.pop("hub", "") == "broken" else QuietHub()
    limits = Limits(**{name: int(number) for name, number in given.items()})
    evaluator = Evaluator(
        limits=limits, allow=None if allow is None else allow.split(","), hub=hub
    )

    @evaluator.slot("host.broken")
    def broken(run: Evaluator, node: object) -> None:
        raise ValueError("the disk is full")

    with CliRunner().isolation() as (_, stderr, *_):
        with pytest.raises(HyperlambdaError) as caught:
            evaluator.evaluate(parse(case.program, file="p.hl"))
        show_failure(caught.value)
        return stderr.getvalue().decode()


def all_cases() -> Iterator[Case]:
    for table in sorted(TABLES.glob("*.txt")):
        cases = read(table)
        if REWRITES:
            table.write_text(written(cases), "utf-8")
            cases = read(table)
        yield from cases


CASES = list(all_cases())
each_case = pytest.mark.parametrize("case", CASES, ids=[c.title[3:] for c in CASES])


@each_case
def test_message(case: Case) -> None:
    assert show(case) == case.shown


@each_case
def test_message_is_written_as_all_are(case: Case) -> None:
    first, *rest = case.shown.split("\n")
    match = re.fullmatch(r"(?:p\.hl|<hyper2lambda>):[0-9]+:[0-9]+: error: (.+)", first)
    assert match is not None, "it names the file, the line and the column"
    sentence = match[1]
    assert sentence[0] not in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    assert not sentence.endswith(".")
    assert len(sentence) < 200
    assert re.match(r" +[0-9]+ \| ", rest[0])
    assert re.fullmatch(r" +\|\s+\^+", rest[1])
    for line in rest[2:]:
        assert re.match(r"  (help: |in '|… and )", line), line


def test_there_are_enough_and_none_twice() -> None:
    assert len(CASES) >= 60
    assert len({case.title for case in CASES}) == len(CASES)
    assert len({case.program for case in CASES}) == len(CASES)


def test_a_table_is_read_as_it_is_written() -> None:
    for table in TABLES.glob("*.txt"):
        assert written(read(table)) == table.read_text("utf-8")
