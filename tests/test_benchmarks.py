"""The benchmarks run, at tiny sizes, and what they compare is the same."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import yaml  # type: ignore[import-untyped] # its types are not needed here

from benchmarks import __main__ as command
from benchmarks import deliveries, documents, evaluation, parsing
from benchmarks.measuring import Row, median_rate, ratios, table, take_turns
from hyperlambda import Expression, Node, generate, parse

TINY: dict[str, Callable[[], list[Row]]] = {
    "parse": lambda: parsing.measure(60, 2),
    "evaluate": lambda: evaluation.measure(20, 2),
    "deliver": lambda: deliveries.measure(5, 2, 2, 3, 2),
}

ROWS = {"parse": 7, "evaluate": 5, "deliver": 9}

# A ratio, then its smallest and largest.
_RATIO = re.compile(r" / .* (\d+\.\d+)×   (\d+\.\d+)–(\d+\.\d+) ")


def test_each_part_has_a_measure_and_each_is_tried_here() -> None:
    assert set(TINY) == set(command.PARTS) == set(ROWS)


@pytest.mark.parametrize("part", TINY)
def test_each_row_has_a_ratio_inside_of_its_spread(
    part: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(command.PARTS, part, (pytest.fail, TINY[part]))
    monkeypatch.setattr(command, "raise_file_limit", lambda: None)
    command.main(["--quick", part])
    printed = capsys.readouterr().out.splitlines()
    rows = [line for line in printed if line.startswith("  ")]
    assert len(rows) == ROWS[part]
    for row in rows:
        found = _RATIO.search(row + " ")
        assert found, row
        ratio, smallest, largest = map(float, found.groups())
        assert 0 < smallest <= ratio <= largest


def test_an_unknown_part_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        command.main(["prase"])
    assert "no part is named 'prase'" in capsys.readouterr().err


def test_without_the_c_loader_the_benchmark_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(yaml, "__with_libyaml__", False)
    with pytest.raises(SystemExit, match="without its C loader"):
        parsing.measure(10, 1)


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


def test_the_table_shows_the_median_and_the_aim() -> None:
    row = Row("parse", "us", "them", [3.0, 1.0, 2.5], aim=2, note="a note")
    assert table([row]).splitlines()[1].split() == (
        ["us", "/", "them", "2.50×", "1.00–3.00", "≥", "2", "a", "note"]
    )
