"""The benchmarks run, at tiny sizes, and what they compare is the same."""

from __future__ import annotations

import platform
import random
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import pytest
import yaml  # type: ignore[import-untyped] # its types are not needed here

from benchmarks import __main__ as command
from benchmarks import (
    clusters,
    contests,
    deliveries,
    documents,
    engine,
    evaluation,
    growth,
    json_documents,
    machine,
    parsing,
    publishing,
    reference,
    report,
    scale,
    shapes,
)
from benchmarks.measuring import (
    Plot,
    Result,
    Row,
    median_bounds,
    median_rate,
    ratios,
    table,
    take_turns,
)
from hyperlambda import Expression, Node, generate, parse

from .server.javascript import give_up

TEXTS = [program for program in reference.PROGRAMS if program.name == "texts"]

TINY: dict[str, Callable[[], Result]] = {
    "parse": lambda: parsing.measure(60, 2, 1),
    "evaluate": lambda: evaluation.measure(20, 2),
    "json": lambda: json_documents.measure(10, 2),
    "reference": lambda: reference.measure(1, None, TEXTS),
    "grow": lambda: growth.measure(1, 40, shapes.KINDS[:2], shapes.SHAPES[:2]),
    "deliver": lambda: deliveries.measure(deliveries.Sizes(6, 5, 2, 2, 3, ["uvloop"])),
    "scale": lambda: scale.measure(scale.Sizes(20, 3, 2, ["asyncio"])),
    "publish": lambda: publishing.measure(publishing.Sizes(3, 4, 20, 2, ["uvloop"])),
    "cluster": lambda: clusters.measure(clusters.Sizes(8, 2, 20, 2)),
}

ROWS = {
    "parse": 8,
    "evaluate": 5,
    "json": 2,
    "reference": 2,
    "grow": 4,
    "deliver": 19,
    "scale": 5,
    "publish": 7,
    "cluster": 11,
}

# A ratio, then its smallest and largest.
_RATIO = re.compile(r" / .* (\d+\.\d+)×   (\d+\.\d+)–(\d+\.\d+) ")


def test_each_part_has_a_measure_and_each_is_tried_here() -> None:
    assert set(TINY) == set(command.PARTS) == set(ROWS)


@pytest.mark.parametrize("part", TINY)
def test_each_row_has_a_ratio_inside_of_its_spread(
    part: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if part == "cluster" and shutil.which("redis-server") is None:
        give_up("redis-server is not installed")
    measures = command.Part(pytest.fail, TINY[part])
    monkeypatch.setitem(command.PARTS, part, measures)
    monkeypatch.setattr(command, "describe", lambda: "a machine")
    command.main(["--quick", part])
    printed = capsys.readouterr().out.splitlines()
    rows = [line for line in printed if line.startswith("  ")]
    assert len(rows) == ROWS[part]
    for row in rows:
        found = _RATIO.search(row + " ")
        assert found, row
        ratio, smallest, largest = map(float, found.groups())
        assert 0 < smallest <= ratio <= largest


def found(*ratios: float, least: float | None = None) -> Result:
    row = Row("a part", "us", "them", ratios, aim=2, note="a note", least=least)
    plot = Plot("bench-a", "A title", "n", "ms", {"us": [(1, 2.0), (2, 4.0)]})
    return Result([row], [plot], ["pytest", "no-such-package"])


@pytest.mark.parametrize(
    ("least", "has_failed"), [(None, False), (2.5, False), (2.6, True)]
)
def test_a_check_fails_only_if_the_best_round_is_too_slow(
    least: float | None, has_failed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    measures = command.Part(pytest.fail, lambda: found(1.0, 2.5, least=least))
    monkeypatch.setattr(command, "PARTS", {"a": measures})
    monkeypatch.setattr(command, "describe", lambda: "a machine")
    command.main(["--quick"])
    if not has_failed:
        command.main(["--quick", "--check"])
        return
    with pytest.raises(SystemExit, match=r"us beside them is 2\.5 at best, and 2\.6"):
        command.main(["--quick", "--check"])


def test_what_is_measured_is_written_into_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "benchmarks.md"
    page.write_text("before\n<!-- measured: a -->\nold\n<!-- end -->\nafter\n")
    drawn: list[Path] = []
    monkeypatch.setattr(report, "_draw", lambda plot, path: drawn.append(path))
    for _ in range(2):
        report.write("a", found(1.0, 3.0, 2.0), "a machine", page)
    assert page.read_text() == (
        "before\n<!-- measured: a -->\n"
        f"a machine; pytest {pytest.__version__}.\n\n"
        "| | beside | ratio | spread | aim | |\n"
        "| --- | --- | ---: | ---: | ---: | --- |\n"
        "| **a part** | | | | | |\n"
        "| us | them | 2.00 | 1.00–3.00 | 2 | a note |\n\n"
        "![A title](img/bench-a.svg)\n"
        "<!-- end -->\nafter\n"
    )
    assert drawn == [tmp_path / "img" / "bench-a.svg"] * 2
    with pytest.raises(SystemExit, match="no place for 'b'"):
        report.write("b", found(1.0), "a machine", page)


def test_the_page_has_a_place_for_each_part() -> None:
    text = report.PAGE.read_text("utf-8")
    for part in command.PARTS:
        assert text.count(f"<!-- measured: {part} -->\n") == 1
    assert text.count("<!-- end -->") == len(command.PARTS)


@pytest.mark.parametrize("x", [1, "one"])
@pytest.mark.parametrize("is_logarithmic", [False, True])
def test_pictures_are_drawn_and_always_the_same(
    x: object, is_logarithmic: bool, tmp_path: Path
) -> None:
    plot = Plot(
        "p", "Title", "x", "y", {"a": [(x, 1.0)], "b": [(x, 2.0)]}, is_logarithmic
    )
    report._draw(plot, tmp_path / "img" / "p.svg")
    first = (tmp_path / "img" / "p.svg").read_bytes()
    report._draw(plot, tmp_path / "img" / "p.svg")
    assert (tmp_path / "img" / "p.svg").read_bytes() == first
    assert b"Title" in first or b"<path" in first


def test_the_machine_is_told_without_its_name() -> None:
    text = machine.describe()
    assert re.search(r"\d+ cores, .*Python \d+\.\d+.*yardstick \d+ ms", text)
    assert (platform.node() or "?") not in text
    assert "/" not in text.replace(machine._processor(), "")


def test_an_unknown_part_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        command.main(["prase"])
    assert "no part is named 'prase'" in capsys.readouterr().err


def test_without_the_c_loader_the_benchmark_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(yaml, "__with_libyaml__", False)
    with pytest.raises(SystemExit, match="without its C loader"):
        parsing.measure(10, 1, 1)


def test_the_yaml_document_has_the_same_nodes() -> None:
    document = documents.lines(1_000)
    nodes = parse(documents.to_hyperlambda(document)).children
    expected = [_plain(node) for node in nodes]
    assert yaml.load(documents.to_yaml(document), Loader=yaml.CSafeLoader) == expected


def test_the_document_is_mixed_and_always_the_same() -> None:
    document = documents.lines(1_000)
    assert document == documents.lines(1_000)
    assert document != documents.lines(1_000, seed=2)
    assert len(documents.to_hyperlambda(document).splitlines()) == 1_000
    kinds = [line.kind for line in document]
    for kind in ("comment", "none", "text", "quoted", "int", "x"):
        assert kinds.count(kind) > 20


def _plain(node: Node) -> object:
    """Return a node as the YAML document has it."""
    value = str(node.value) if type(node.value) is Expression else node.value
    if not node.children:
        return {node.name: value}
    own = [] if value is None else [value]
    return {node.name: [*own, *(_plain(child) for child in node.children)]}


def test_each_program_does_something() -> None:
    for job in evaluation.JOBS:
        root = parse(job.text(10))
        before = generate(root)
        job.plain(root)
        assert generate(root) != before, job.name


def test_contestants_take_turns_after_a_round_that_does_not_count() -> None:
    order: list[str] = []

    def measure(name: str, seconds: float) -> float:
        order.append(name)
        return seconds if len(order) > 2 else 1_000

    times = take_turns(
        {"a": lambda: measure("a", 2.0), "b": lambda: measure("b", 3.0)}, 2
    )
    assert order == ["a", "b"] * 3
    assert times == {"a": [2.0, 2.0], "b": [3.0, 3.0]}
    assert ratios(times, "a", "b") == [1.5, 1.5]
    assert median_rate(times["a"], 246_912) == 123_000


@pytest.mark.parametrize(
    ("count", "bounds"),
    [(1, (1, 1)), (5, (1, 5)), (6, (1, 6)), (9, (2, 8)), (25, (8, 18))],
)
def test_the_true_median_is_between_the_bounds_in_19_of_20_cases(
    count: int, bounds: tuple[int, int]
) -> None:
    assert median_bounds([float(n) for n in range(count, 0, -1)]) == bounds
    missed = 0
    dice = random.Random(count)
    for _ in range(2_000):
        low, high = median_bounds([dice.random() for _ in range(count)])
        missed += not low <= 0.5 <= high
    assert count < 6 or missed < 120


async def test_pairs_change_places_in_each_round() -> None:
    order: list[str] = []

    def contestant(name: str, seconds: float) -> contests.Contestant:
        async def publish(count: int) -> None:
            order.append(name)

        clock = iter(range(1_000))
        crowd = mock.Mock(arrived=mock.AsyncMock())
        peer = mock.Mock(
            processor_time=mock.AsyncMock(side_effect=lambda: next(clock) * seconds)
        )
        return contests.Contestant(publish, crowd, lambda count: count, peer)

    sent = await contests.send_in_pairs(
        contestant("a", 1.0), contestant("b", 3.0), 10, 2, 5, rounds=3
    )
    # Each turn begins with one message that is not timed.
    assert order == [name for name in "abba" for _ in range(3)] * 3
    assert sent.processor == {"own": [2.0] * 3, "other": [6.0] * 3}
    assert ratios(sent.processor, "own", "other") == [3.0] * 3
    assert sent.amount == 10 * 2 * 5 * 2
    assert [len(times) for times in sent.elapsed.values()] == [3, 3]


def test_the_table_shows_the_median_and_the_aim() -> None:
    row = Row("parse", "us", "them", [3.0, 1.0, 2.5], aim=2, note="a note")
    assert table([row]).splitlines()[1].split() == (
        ["us", "/", "them", "2.50×", "1.00–3.00", "≥", "2", "a", "note"]
    )


def test_the_accelerated_form_takes_turns_with_the_plain_one() -> None:
    rows = reference.measure(1, Path(sys.executable), TEXTS * 2).rows
    parts = [row.part for row in rows]
    assert parts == ["in plain Python"] * 3 + ["accelerated"] * 3  # with the means


@pytest.mark.parametrize("program", reference.PROGRAMS, ids=lambda it: it.name)
def test_programs_return_what_the_original_s_do(program: reference.Program) -> None:
    assert engine.run(str(reference.FOLDER / f"{program.name}.hl"))[1] == program.result


def test_without_a_working_python_the_reference_says_so(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\nexit 3\n")
    python.chmod(0o755)
    with pytest.raises(SystemExit, match="stopped"):
        reference.measure(1, python, TEXTS)


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
def test_the_exponent_is_the_power_of_the_size(power: float) -> None:
    sizes = [10.0, 100.0, 1_000.0]
    assert growth.exponent(sizes, [3 * size**power for size in sizes]) == (
        pytest.approx(power)
    )
