"""Expressions as a Python programmer uses them."""

from __future__ import annotations

import copy

import pytest

from hyperlambda import Expression, HyperlambdaError, Node, generate, parse
from hyperlambda.errors import ExpressionError, MissingValueError, TreeError
from hyperlambda.expressions import (
    compile_expression,
    expression_of,
    resolve_bool,
    resolve_int,
    resolve_text,
    split,
)

# 01 §5.5
SHOP = parse(
    """
shop:main
   fruit:apple
      price:int:3
   fruit:pear
      price:int:5
   7:seven
   box
      fruit:fig
.want:pear
pick
"""
)
PICK = SHOP.children[-1]


def found(text: str, node: Node = PICK) -> list[str]:
    return [
        node.name if node.value is None else f"{node.name}={node.value}"
        for node in Expression(text).evaluate(node)
    ]


@pytest.mark.parametrize(
    ("text", "nodes"),
    [
        ("pick", "pick"),
        ("shop", ""),
        ("@shop/*/fruit", "fruit=apple fruit=pear"),
        ("../*/shop/*/fruit/*", "price=3 price=5"),
        ("@shop/*/fruit/.", "shop=main"),
        ("@shop/!fruit", "shop=main 7=seven box"),
        ("@shop/2", "7=seven"),
        ("@shop/*/\\7", "7=seven"),
        ("@shop/*/7", ""),
        ("@shop/*/[1,1]", "fruit=pear"),
        ("@shop/*/[fruit|box]/*", "price=3 price=5 fruit=fig"),
        ("@shop/*/fruit/*/=3", "price=3"),
        ("@shop/*/={@.want}", "fruit=pear"),
        ("@shop/*/={@nope}", "box"),
        ("@shop/*/box/0/@price", ""),
        ("@shop/*/box/0/^shop", "shop=main"),
        ("@shop/0/-", "box"),
        ("@shop/3/+", "fruit=apple"),
        ("@shop/#", ""),
        ("@shop/*/", ""),
        ("*/*/*", ""),
    ],
)
def test_evaluate(text: str, nodes: str) -> None:
    assert found(text) == nodes.split()


@pytest.mark.parametrize(
    "text",
    [
        "pick",
        "shop",
        "@shop/*",
        "@shop/**",
        "@shop/!fruit",
        "../*/*/*",
        "@shop/*/.",
        "@shop/2",
        "@shop/*/[1,2]",
        "@shop/*/[fruit|box]",
        "@shop/*/={@.want}",
        "..",
        "@shop/*/-",
        "@shop/*/+",
        "@shop/2/--",
        "../**/fruit/[1,1]/*",
        "@shop/*/fruit/*/=5/../*",
        "**/**/fruit",
    ],
)
def test_iterate_finds_what_evaluate_finds(text: str) -> None:
    expression = Expression(text)
    for node in SHOP.walk():
        try:
            nodes = expression.evaluate(node)
        except MissingValueError:
            with pytest.raises(MissingValueError):
                list(expression.iterate(node))
        else:
            assert list(expression.iterate(node)) == nodes


def test_a_result_is_a_snapshot() -> None:
    # 01 §7 Q49
    root = parse("a\n   b\n   c")
    result = Expression("*/a/*").evaluate(root)
    root.children[0].clear()
    assert [node.name for node in result] == ["b", "c"]


def test_iterating_sees_new_names_and_refuses_new_lists() -> None:
    # 02 §2.7
    root = parse("a\n   b\n   c\n   b")
    items = root.children[0]
    walk = Expression("0/*/b").iterate(root)
    next(walk)
    items.children[1].name = "b"
    assert [node.name for node in walk] == ["b", "b"]
    walk = Expression("0/*").iterate(root)
    next(walk)
    items.add(Node("d"))
    with pytest.raises(TreeError, match="changed while"):
        next(walk)


def test_iterating_fails_also_at_the_end_of_the_list() -> None:
    root = parse("a\n   b")
    walk = Expression("0/*").iterate(root)
    next(walk)
    root.children[0].clear()
    with pytest.raises(TreeError):
        next(walk)


@pytest.mark.parametrize(
    "text",
    [
        "{a",
        "={a",
        '"a',
        'a/"b',
        '"\\q"',
        "[4]",
        "[a,b]",
        "[1,2",
        "[",
        "{",
        "={",
        "{a}b{",
        "{" * 100_000,
        "{" * 100_000 + "}" * 100_000,
        "=" + "{" * 60 + "}" * 60,
    ],
    ids=lambda text: text[:8],
)
def test_malformed_texts_are_errors(text: str) -> None:
    try:
        Expression(text)
    except ExpressionError as error:
        message = error.message
    else:
        # What follows a closed brace is an iterator of its own: a name.
        assert text == "{a}b{"
        return
    assert len(message) < 200
    assert len(message.splitlines()) == 1


@pytest.mark.parametrize(
    ("text", "iterators"),
    [
        ("", [""]),
        ("/", ["", ""]),
        ('"a/b"/c', ["a/b", "c"]),
        ("{a/b}c", ["{a/b}", "c"]),
        ("={a/b}/", ["={a/b}", ""]),
        ("{a{b}c}", ["{a{b}c}"]),
    ],
)
def test_split(text: str, iterators: list[str]) -> None:
    assert split(text) == iterators
    assert Expression(text).iterators == iterators


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("@.a/*", "@.a/*"),
        ('"@.a"/*', "@.a/*"),
        ('"a/b"', '"a/b"'),
        ('"a/\\"b\\\\"', '"a/\\"b\\\\"'),
        ("{@.b/0}", '"{@.b/0}"'),
        ("", ""),
        ("a/", "a/"),
        ("/", "/"),
        ('"\\"a"', '"\\"a"'),
    ],
)
def test_str_compiles_to_the_same_iterators(text: str, written: str) -> None:
    # 01 §7 Q36
    expression = Expression(text)
    assert str(expression) == written
    assert Expression(written).iterators == expression.iterators
    assert Expression(written) == expression
    assert hash(Expression(written)) == hash(expression)


def test_equality_is_that_of_the_text_form() -> None:
    assert Expression('"a"/b') == Expression("a/b")
    assert Expression("a/b") != Expression("a/c")
    assert Expression("a/b") != "a/b"
    assert repr(Expression("@.a")) == "Expression('@.a')"


def test_compiled_expressions_are_shared_and_forgotten() -> None:
    assert compile_expression("@.some/*") is compile_expression("@.some/*")
    first = compile_expression("@.again")
    for number in range(10_000):
        compile_expression(f"@.x{number}")
    assert compile_expression("@.again") == first


def test_an_expression_may_be_copied() -> None:
    expression = Expression("@shop/*")
    assert copy.copy(expression).evaluate(PICK) == expression.evaluate(PICK)


# Chains


def test_resolve_follows_chains_to_their_end() -> None:
    root = parse(
        ".limit:int:10\na:x:@.limit\nb:x:@a\nmissing:x:@.nothing\nnull:x:@e\ne"
    )
    b, missing = root.child("b"), root.child("missing")
    assert b is not None
    assert missing is not None
    assert b.resolve() == 10
    assert expression_of(b).follow(b) is root.children[0]
    assert (missing.resolve(), resolve_int(missing)) == (None, 0)
    assert (resolve_text(missing), resolve_bool(missing)) == (None, False)


def test_a_null_that_is_found_is_not_nothing() -> None:
    root = parse("e\nlook:x:@e")
    with pytest.raises(HyperlambdaError):
        resolve_int(root.children[1])


@pytest.mark.parametrize(
    "text",
    ["a:x:.", "a:x:../0", "a:x:+\nb:x:-", "a:x:../*/a", "a:x:../1\nb:x:../2\nc:x:../0"],
)
def test_an_expression_that_leads_to_itself_is_an_error(text: str) -> None:
    # 01 §7 Q50
    node = parse(text).children[0]
    if text == "a:x:.":
        assert node.resolve() is None  # its parent holds no value
        return
    with pytest.raises(ExpressionError, match="back to itself"):
        node.resolve()


@pytest.mark.parametrize(
    "text",
    [
        "a:x:../*/{../0}",
        "a:x:../*/={../0}",
        "a:x:{../1}\nb:x:{../0}",
        "a:x:../*/{../1}\nb:x:../*/={../0}",
    ],
)
def test_braces_that_lead_to_themselves_end(text: str) -> None:
    node = parse(text).children[0]
    try:
        value = node.resolve()
    except ExpressionError as error:
        value = error.message
    assert value is None or "itself" in str(value)


def test_a_long_chain_is_no_circle() -> None:
    lines = ["v:int:5", *(f"v:x:../{index}" for index in range(20_000))]
    assert parse("\n".join(lines)).children[-1].resolve() == 5


def test_a_long_chain_of_braces_is_a_value_or_an_error() -> None:
    lines = [".v0:.v0"]
    lines += [f".v{i}:x:../*/{{../{i - 1}}}" for i in range(1, 20_000)]
    node = parse("\n".join(lines)).children[-1]
    try:
        outcome = str(node.resolve())
    except ExpressionError as error:
        outcome = error.message
    assert outcome in ("None", ".v0") or "itself" in outcome


def test_an_expression_needs_no_tree() -> None:
    node = Node("a", Expression("*/b"), [Node("b", 1)])
    assert node.resolve() == 1
    assert generate([node]) == "a:x:*/b\n   b:int:1\n"


def test_expression_of_says_what_is_missing() -> None:
    with pytest.raises(ExpressionError, match="needs an expression") as caught:
        expression_of(Node("get-value"))
    assert caught.value.help == "write get-value:x:@name"
    with pytest.raises(ExpressionError):
        expression_of(Node("get-value", "@.a"))


def test_deep_trees_do_not_recurse() -> None:
    root = leaf = Node()
    for _ in range(100_000):
        leaf = leaf.add(Node("a"))
    for text, count in [("**", 100_001), ("!b", 100_001), ("!a", 1)]:
        assert len(Expression(text).evaluate(root)) == count
        assert sum(1 for _ in Expression(text).iterate(root)) == count
    assert len(Expression("--").evaluate(leaf)) == 100_000
    assert Expression("..").evaluate(leaf) == [root]
    assert Expression("@x").evaluate(leaf) == []
    assert Expression("^a").evaluate(leaf) == [leaf.parent]
