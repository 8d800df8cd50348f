"""Regular expressions that are matched without hanging (slots/matching.py)."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter

import pytest
from hyperlambda.slots import matching
from hyperlambda.slots.matching import compile_pattern
from hyperlambda.slots.pattern_cost import parse_tree, worst_case
from hypothesis import given, settings
from hypothesis import strategies as st

from hyperlambda import Evaluator, LimitError, Limits, Node, generate, parse
from hyperlambda.errors import PatternError

ENDLESS = "strings.matches:" + "a" * 40 + "\n   .:(a+)+b"


def run(program: str, **limits: float) -> str:
    root = parse(program)
    Evaluator(limits=Limits(**limits)).evaluate(root)  # type: ignore[arg-type]
    return generate(root)


def bound(pattern: str, length: int, *, multiline: bool = False) -> float:
    compiled = compile_pattern(pattern, multiline=multiline).compiled
    return worst_case(parse_tree(compiled.pattern, compiled.flags), "a" * length)


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+b",
        "(a|a)*b",
        "(a|ab)*c",
        "(a*)*b",
        "(\\w+\\s?)*$",
        "(\\d+|\\w+)*!",
        "(a{0,30}){0,30}b",
        "a?" * 30 + "a" * 30,
        "(?=(a+)+b)",
        "(?:(a+)\\1)+b",
        "(.*)(.*)(.*)(.*)(.*)x",
        "(?i)(a+A*)+b",
        "(?>(a+)+b)",
        "(?:\\Z|(?:\\Z)){60}",
        "([^b]+|a)+b",
    ],
)
def test_pattern_that_may_take_for_ever_has_a_bound_that_says_so(pattern: str) -> None:
    assert bound(pattern, 100) > matching._MOST_STEPS


@pytest.mark.parametrize(
    ("pattern", "length"),
    [
        ("\\d+", 1_000_000),
        ("(\\w+)", 1_000_000),
        ("(a|b)*", 1_000_000),
        ("abc", 1_000_000),
        ("^[A-Z]{2}\\d+$", 1_000_000),
        ("^(\\w+)=(\\d+)$", 1_000_000),
        ("^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$", 2_000),
        ('"[^"]*"', 2_000),
        ("(\\w+,)*\\w+", 100),
        ("(?:[a-z0-9]+\\.)+[a-z]{2,}", 100),
        ("<b>.*?</b>", 100),
        ("\\s+$", 100),
        ("(?:cup|tea|pot)+x", 100),
    ],
)
def test_pattern_that_is_quick_has_a_small_bound(pattern: str, length: int) -> None:
    assert bound(pattern, length) <= matching._MOST_STEPS


PIECES = st.recursive(
    st.sampled_from(["a", "b", "ab", "[ab]", "[^b]", ".", "$", "\\w", "(?=a)"]),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map("".join),
        st.lists(inner, min_size=2, max_size=3).map(lambda x: f"({'|'.join(x)})"),
        st.tuples(inner, st.sampled_from(["*", "+?", "?", "{2,5}", "+"])).map(
            lambda x: f"(?:{x[0]}){x[1]}"
        ),
    ),
    max_leaves=6,
)


@settings(max_examples=300, deadline=None)
@given(PIECES, st.text("ab\n", max_size=12))
def test_bound_holds(pattern: str, rest: str) -> None:
    """What is matched at once is matched soon, whatever the pattern is."""
    text = "a" * 40 + rest
    compiled = compile_pattern(pattern).compiled
    if worst_case(parse_tree(compiled.pattern, 32), text) <= matching._MOST_STEPS:
        start = perf_counter()
        compiled.findall(text)
        assert perf_counter() - start < 10


@given(PIECES, st.text("ab\n", max_size=12))
def test_what_both_dialects_share_means_the_same(pattern: str, text: str) -> None:
    try:
        expected = re.compile(pattern)
    except re.error:  # Python does not repeat an anchor
        return
    found = compile_pattern(pattern).compiled.finditer(text)
    assert [m.span() for m in found] == [m.span() for m in expected.finditer(text)]


@given(st.text("()[]{}|?*+^$.\\<>:=!-'ipkxn01,a ", max_size=20))
def test_any_text_is_a_pattern_or_an_error_of_the_language(text: str) -> None:
    try:
        pattern = compile_pattern(text)
    except PatternError:
        return
    parse_tree(pattern.compiled.pattern, 32)


@pytest.mark.parametrize("text", ["(" * 3000, "[a-" * 3000, "(?i" * 3000, "a" * 10_001])
def test_pattern_that_is_too_large_is_an_error(text: str) -> None:
    node = Node("strings.matches", "a", [Node(".", text)])
    with pytest.raises((PatternError, LimitError)):
        Evaluator().signal("strings.matches", node)


def test_pattern_has_at_most_99_groups() -> None:
    compile_pattern("(a)" * 99)
    with pytest.raises(PatternError, match="99 groups"):
        compile_pattern("(a)" * 100)


def test_matching_ends_with_the_time_of_the_program() -> None:
    start = perf_counter()
    with pytest.raises(LimitError, match="longer than"):
        run(ENDLESS, timeout=0.3)
    assert perf_counter() - start < 20


def test_other_threads_go_on_meanwhile() -> None:
    with ThreadPoolExecutor(2) as pool:
        endless = pool.submit(run, ENDLESS, timeout=2)
        turns = 0
        while not endless.done():
            run("strings.matches:abc\n   .:b", timeout=2)
            turns += 1
        assert turns > 10
        assert isinstance(endless.exception(), LimitError)


PROGRAMS = [
    "strings.matches:aaab caab\n   .:(a+)+b",
    "strings.matches:ccc\n   .:(a+)+b",
    "strings.matches:aaab caab\n   .:(a*)*",
    'strings.regex-replace:"aaab caab"\n   .:(?<x>a+)+b\n   .:"[$&|${x}|$1|$2|$`|$+|$_]"',
    'strings.regex-replace:"x\\nab"\n   .:^(a+)+b$\n   .:y',
    "validators.regex:caab\n   regex:(a+)+b",
    "strings.matches:😀aab\n   .:.(a+)+b",
]


@pytest.mark.parametrize("program", PROGRAMS)
def test_process_of_its_own_finds_the_same(
    monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    expected = run(program)
    monkeypatch.setattr(matching, "_MOST_STEPS", 0)
    assert run(program, timeout=60) == expected


def test_process_of_its_own_may_find_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matching, "_MOST_STEPS", 0)
    program = "try\n   validators.regex:ccc\n      regex:(a+)+b\n.catch"
    assert "status:int:400" in run(program, timeout=60)


def test_process_that_cannot_be_had_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(matching, "_MOST_STEPS", 0)
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    with pytest.raises(LimitError, match="process"):
        run(PROGRAMS[0], timeout=60)


def test_process_that_fails_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matching, "_MOST_STEPS", 0)
    monkeypatch.setattr(matching, "_CHILD", "raise MemoryError")
    with pytest.raises(LimitError, match="memory"):
        run(PROGRAMS[0], timeout=60)


def test_no_limit_of_time_needs_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    monkeypatch.setattr(matching, "_MOST_STEPS", 0)
    assert run("strings.matches:ab\n   .:a") == "strings.matches\n   .:a\n"
