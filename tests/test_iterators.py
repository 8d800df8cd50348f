"""Iterators: what may be added, and how lazily each looks at its nodes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hyperlambda import Expression, Node, parse
from hyperlambda.descending import walk_children
from hyperlambda.errors import ExpressionError, MissingValueError, TreeError
from hyperlambda.iterators import (
    _DYNAMIC,
    _STATIC,
    Step,
    add_dynamic_iterator,
    add_static_iterator,
    iterator,
)
from hyperlambda.numerals import Long
from hyperlambda.values import literal_text


def found(text: str, node: Node) -> str:
    return " ".join(node.name for node in Expression(text).evaluate(node))


TREE = parse("a\n   b\n      c\n      d\n   e\nf")
[A, F] = TREE.children


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("**", "a b c d e"),
        ("!b", "a e"),
        ("!a", ""),
        ("**/**", "a b c d e b c d c d e"),
        ("*/*/.", "b"),
        ("**/.", " a b"),
        ("*/.././.", ""),
        ("0", "b"),
        ("00", ""),
        ("-1", ""),
        ("+1", ""),
        (" 0 ", ""),
        ("2147483648", ""),
        ("9" * 5000, ""),
        ("*/[0,1]", "b"),
        ("*/[-5,1]", "b"),
        ("*/[1,99]", "e"),
        ("*/[0,0]", ""),
        ("*/[0,-1]", ""),
        ("*/[ 0 , 2 ]", "b e"),
        ("*/[0,1,7]", "b"),
        ("*/[e|b]", "b e"),
        ("*/[e|]", "e"),
        ("*/[|]", ""),
        ("*/[ e|]", ""),
        ("\\a", "a"),
        ("\\**", ""),
        ("\\", ""),
    ],
)
def test_from_a(text: str, names: str) -> None:
    assert found(text, A) == names.strip() or found(text, A) == names


@pytest.mark.parametrize("text", ["-", "+"])
def test_a_root_has_no_siblings(text: str) -> None:
    with pytest.raises(MissingValueError):
        Expression(text).evaluate(TREE)


@pytest.mark.parametrize("text", [".", "#", "^a", "@a"])
def test_a_root_contributes_nothing(text: str) -> None:
    # 01 §7 Q34
    assert Expression(text).evaluate(TREE) == []


def test_siblings_wrap_around() -> None:
    # 01 §7 Q45
    assert found("-", A) == "f"
    assert found("+", F) == "a"
    only = Node("p", None, [Node("only")]).children[0]
    assert found("+/-/-", only) == "only"


def test_references_are_followed_by_identity() -> None:
    target = Node("target", None, [Node("child")])
    holder = Node("link", target)
    assert Expression("#").evaluate(holder) == [target]
    assert found("#/*", holder) == "child"


@pytest.mark.parametrize(
    "number", ["[99999999999,1]", "[1]", "[a,b]", "[,]", "[1,2", "["]
)
def test_malformed_subscripts(number: str) -> None:
    # 01 §7 Q37
    with pytest.raises(ExpressionError):
        iterator(number)


def test_walking_children_notices_every_change() -> None:
    parent = Node("p", None, [Node("a"), Node("b")])
    walk = walk_children(parent)
    assert next(walk).name == "a"
    parent.children[1].name = "c"
    assert next(walk).name == "c"
    parent.sort(lambda node: node.name)
    with pytest.raises(TreeError, match="'p' changed"):
        next(walk)


@pytest.mark.parametrize("text", ["*", "**", "!zzz", "*/*", "**/b", "*/[0,9]"])
def test_lazy_walks_notice_a_change_of_the_list_they_are_in(text: str) -> None:
    root = parse("a\n   b\n      x\n   b\n      y")
    start = root if text == "*/*" else root.children[0]
    walk = Expression(text).iterate(start)
    next(walk)
    if text in ("**", "!zzz"):
        next(walk)  # the first was the start itself, whose list is not walked yet
    root.children[0].add(Node("new"))
    with pytest.raises(TreeError):
        list(walk)


def test_a_lazy_walk_does_not_mind_changes_elsewhere() -> None:
    root = parse("a\n   b\n   c\nother")
    walk = Expression("0/*").iterate(root)
    next(walk)
    root.children[1].add(Node("new"))
    root.children[0].children[1].add(Node("new"))
    assert next(walk).name == "c"
    assert next(walk, None) is None


def test_up_and_root_are_looked_up_at_once() -> None:
    # 02 §2.7
    root = parse("a\n   b\nc\nhere")
    walk = Expression("@a/*").iterate(root.children[-1])
    root.children[0].name = "z"
    assert [node.name for node in walk] == ["b"]


@pytest.fixture
def tables() -> Iterator[None]:
    """Undo what a test adds: both tables belong to the process (01 §5.11)."""
    static, dynamic = dict(_STATIC), dict(_DYNAMIC)
    yield
    for table, saved in ((_STATIC, static), (_DYNAMIC, dynamic)):
        table.clear()
        table.update(saved)  # type: ignore[arg-type] # each gets its own back


@pytest.mark.usefixtures("tables")
def test_a_static_iterator_may_be_added() -> None:
    def last(nodes: list[Node], identity: Node) -> list[Node]:
        return [node.children[-1] for node in nodes if node.children]

    before = Expression("$last")
    add_static_iterator("$last", last)
    assert found("$last", A) == "e"
    assert [n.name for n in Expression("$last").iterate(A)] == ["e"]
    assert found("\\$last", A) == ""
    assert before.evaluate(A) == []  # compiled earlier: still a name


@pytest.mark.usefixtures("tables")
def test_a_dynamic_iterator_may_be_added() -> None:
    made = []

    def ends_with(text: str) -> Step:
        made.append(text)
        return lambda nodes, identity: [n for n in nodes if n.name.endswith(text[1:])]

    add_dynamic_iterator("$", ends_with)
    assert found("**/$c", A) == "c"
    assert made == ["$c"]
    add_static_iterator("$c", lambda nodes, identity: [])
    assert found("**/$c", A) == ""  # the whole text beats the prefix


@pytest.mark.usefixtures("tables")
def test_an_added_iterator_sees_the_identity() -> None:
    add_static_iterator("$me", lambda nodes, identity: [identity])
    assert found("../*/$me", F) == "f"


_WANTED = st.text("-+0123456789_ \u0663.", max_size=50) | st.integers().map(str)


@settings(max_examples=300)
@example("--5", 5)
@example("-0", 0)
@example("\u0665", 5)
@example("007", 7)
@given(_WANTED, st.integers())
def test_a_filter_finds_integers_that_are_written_just_so(
    wanted: str, other: int
) -> None:
    """Integers are compared as such, and must be found as if their texts were."""
    values: list[Any] = [wanted, other, 0, 5, -5, True, None, 5.0]
    try:
        values.append(int(wanted))
    except ValueError:
        pass
    values += [Long(each) for each in values if type(each) is int and abs(each) < 2**63]
    root = Node("", None, [Node("a", value) for value in values])
    holder = root.add(Node("x"))
    matching = Expression(f"./*/a/={wanted.strip()}").evaluate(holder)
    expected = [
        node
        for node in root.children[:-1]
        if (literal_text(node.value) or "") == wanted.strip()
    ]
    assert matching == expected


def test_a_filter_finds_integers_of_many_digits() -> None:
    many = "-" + "7" * 300
    root = Node("", None, [Node("a", int(many)), Node("a", -7)])
    holder = root.add(Node("x"))
    assert Expression(f"./*/a/={many}").evaluate(holder) == root.children[:1]
