"""The conformance tables: what programs, texts and expressions must come to."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hyperlambda import Evaluator, Expression, HyperlambdaError, Node, generate, parse
from hyperlambda.conversions import (
    coerce,
    to_bytes,
    to_date,
    to_guid,
    to_number,
    to_time,
)
from hyperlambda.expressions import (
    resolve,
    resolve_bool,
    resolve_int,
    resolve_node,
    resolve_text,
)

from .conformance_format import (
    KINDS,
    Case,
    ExpectedError,
    flat_text,
    parse_cases,
    read_cases,
    read_tree,
    read_value,
    tree_text,
    value_text,
)

TABLES = Path(__file__).with_name("conformance")
CASES = [case for path in sorted(TABLES.glob("*.txt")) for case in read_cases(path)]
WILDCARD = "…"


@pytest.mark.parametrize(
    "case", CASES, ids=[f"{case.file}:{case.line}" for case in CASES]
)
def test_case(case: Case) -> None:
    """Each case comes to what its table says."""
    check(case)


def test_titles_are_unique() -> None:
    """A title names one case, so that a failure can be found."""
    titles = [(case.file, case.title) for case in CASES]
    assert sorted(set(titles)) == sorted(titles)


def test_readme_examples() -> None:
    """The examples of the format's own page hold."""
    page = (TABLES / "README.md").read_text("utf-8")
    examples = page.split("```text\n")[1:]
    assert len(examples) > 1
    for example in examples:
        for case in parse_cases(example.partition("```")[0], "README.md"):
            check(case)


WRONG = {
    "parse": "// t\n@ parse\na:1\n=>\na = int 1",
    "parse that should fail": "// t\n@ parse\na\n=> error HE",
    "class": "// t\n@ parse\n a\n=> error UnknownTypeError",
    "kind": "// t\n@ parse\n a\n=> error Format",
    "place": "// t\n@ parse\n a\n=> error HE 1:1",
    "failure": "// t\n@ parse\n a\n=>\na",
    "regen": "// t\n@ regen marks\na\n=>\na⏎",
    "gen": "// t\n@ gen marks\na\n=>\na",
    "split": "// t\n@ split\na/b\n=>\n⟨a⟩",
    "eval": "@ eval\na\nb\n---\n// t\n-\n=>\nb",
    "get": "// t\n@ get int\na:5\n=>\nint 6",
    "coerce": "// t\n@ coerce int\nint 5\n=>\nint 6",
    "type in the tree": "// t\n.a:int:1\n=>\n.a:long:1",
    "order in the tree": "// t\n.a\n.b\n=>\n.b\n.a",
    "something where a text is hidden": "// t\n.a\n=>\n.a:…",
    "unexpected result": "// t\nreturn:1\n=>\nreturn:1",
    "other result": "// t\nreturn:1\n=>\nreturn:1\n=> result\n:2",
    "missing result": "// t\n.a\n=>\n.a\n=> result\n:2",
    "tree after an error": "// t\nthrow:a\n=> error HE\nthrow:b",
}


@pytest.mark.parametrize("table", WRONG.values(), ids=WRONG)
def test_wrong_outcome_is_noticed(table: str) -> None:
    """A table that is wrong fails."""
    [case] = parse_cases(table, "wrong.txt")
    with pytest.raises(pytest.fail.Exception):
        check(case)


# Doing what a case says


def check(case: Case) -> None:
    """Do what a case says and compare, showing the input and a diff if it differs."""
    CALLS[case.call](case)


def _check_run(case: Case) -> None:
    root = parse(case.text, file=case.file)
    error: HyperlambdaError | None = None
    result = Node()
    try:
        result = Evaluator().evaluate(root)
    except HyperlambdaError as caught:
        error = caught
    _compare_error(case, error)
    if case.outcome is not None:
        _compare_nodes(case, "tree", parse(case.outcome), root)
    if error is None:
        # A program that returns nothing leaves a node that is empty in every way.
        expected = parse('""' if case.result is None else case.result)
        _compare_nodes(case, "result", expected, Node("", None, [result]))


def _compare_nodes(case: Case, what: str, expected: Node, actual: Node) -> None:
    actual = actual.clone()
    _mask(expected, actual)
    _compare(case, what, generate(expected), generate(actual))


def _mask(expected: Node, actual: Node) -> None:
    """Give the actual nodes the wildcard where any value will do."""
    if expected.value == WILDCARD and actual.value is not None:
        actual.value = WILDCARD
    for pair in zip(expected.children, actual.children, strict=False):
        _mask(*pair)


def _check_parse(case: Case) -> None:
    comments = "comments" in case.options
    _compare_call(
        case, lambda: tree_text(parse(case.text, comments=comments).children), "tree"
    )


def _check_regen(case: Case) -> None:
    comments = "comments" in case.options

    def regenerate() -> str:
        root = parse(case.text, comments=comments)
        return generate(root, comments=comments, newline="\r\n")

    _compare_call(case, regenerate, "text", exact=True)


def _check_gen(case: Case) -> None:
    nodes = read_tree(case.text)
    comments = "comments" in case.options
    _compare_call(
        case,
        lambda: generate(nodes, comments=comments, newline="\r\n"),
        "text",
        exact=True,
    )


def _check_split(case: Case) -> None:
    _compare_call(
        case,
        lambda: "".join(f"⟨{part}⟩" for part in Expression(case.text).iterators),
        "iterators",
    )


def _check_eval(case: Case) -> None:
    # The identity is the last node of the tree at the head of the table.
    identity = parse(case.setting).children[-1]
    _compare_call(
        case, lambda: flat_text(Expression(case.text).evaluate(identity)), "nodes"
    )


def _resolved(convert: Callable[[Any], Any]) -> Callable[[Node], Any]:
    def read(node: Node) -> Any:
        holder = resolve_node(node)
        return None if holder is None else convert(holder.value)

    return read


def _number(name: str) -> Callable[[Any], Any]:
    return lambda value: to_number(value, name)


GETTERS: dict[str, Callable[[Node], Any]] = {
    "any": resolve,
    "string": resolve_text,
    "bool": resolve_bool,
    "int": resolve_int,
    "bytes": _resolved(to_bytes),
    "date": _resolved(to_date),
    "time": _resolved(to_time),
    "guid": _resolved(to_guid),
    **{
        name: _resolved(_number(name))
        for name in ("byte", "short", "uint", "long", "decimal", "double", "float")
    },
}


def _check_get(case: Case) -> None:
    kind, *names = case.options
    root = parse(case.text)
    node = root.child(names[0]) if names else root.children[0]
    assert node is not None
    _compare_call(case, lambda: value_text(GETTERS[kind](node)), "value")


def _check_coerce(case: Case) -> None:
    value = read_value(case.text)
    _compare_call(case, lambda: value_text(coerce(value, case.options[0])), "value")


CALLS: dict[str, Callable[[Case], None]] = {
    "run": _check_run,
    "parse": _check_parse,
    "regen": _check_regen,
    "gen": _check_gen,
    "split": _check_split,
    "eval": _check_eval,
    "get": _check_get,
    "coerce": _check_coerce,
}


# Comparing


def _compare_call(
    case: Case, call: Callable[[], str], what: str, *, exact: bool = False
) -> None:
    error: HyperlambdaError | None = None
    actual = ""
    try:
        actual = call()
    except HyperlambdaError as caught:
        error = caught
    _compare_error(case, error)
    if error is None:
        expected = case.outcome or ""
        _compare(case, what, expected, actual if exact else actual.removesuffix("\n"))
    elif case.call in ("parse", "regen") and error.place is None:
        _fail(case, f"the error says no place: {error.message}")


def _compare_error(case: Case, error: HyperlambdaError | None) -> None:
    wanted = case.error
    if error is None:
        if wanted is not None:
            _fail(case, f"expected error {wanted.name}, but nothing failed")
        return
    if wanted is None:
        _fail(case, f"unexpected {_describe(error)}")
    elif not _is_named(error, wanted):
        _fail(case, f"expected error {wanted.name}, not {_describe(error)}")
    elif wanted.place is not None and _position(error) != wanted.place:
        line, column = wanted.place
        _fail(case, f"expected the error at {line}:{column}, not {_describe(error)}")


def _is_named(error: HyperlambdaError, wanted: ExpectedError) -> bool:
    if wanted.name in KINDS:
        return error.kind == KINDS[wanted.name]
    return wanted.name is None or type(error).__name__ == wanted.name


def _position(error: HyperlambdaError) -> tuple[int, int] | None:
    place = error.place
    return None if place is None else (place.line, place.column)


def _describe(error: HyperlambdaError) -> str:
    return f"{type(error).__name__} ({error.kind}) {error}"


def _compare(case: Case, what: str, expected: str, actual: str) -> None:
    if expected == actual:
        return
    diff = difflib.unified_diff(
        _shown(expected),
        _shown(actual),
        f"expected {what}",
        f"actual {what}",
        lineterm="",
    )
    _fail(case, "\n".join(diff))


def _shown(text: str) -> list[str]:
    # Line ends are part of what is compared: they show.
    return [line.replace("\r", "␍") for line in text.replace("\n", "⏎\n").splitlines()]


def _fail(case: Case, message: str) -> None:
    head = f"{case.file}:{case.line}: {case.title}"
    pytest.fail(f"{head}\n\n{case.text}\n\n{message}", pytrace=False)
