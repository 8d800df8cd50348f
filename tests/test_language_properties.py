"""What holds for any tree, any text and any expression."""

from __future__ import annotations

import datetime
import re
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hyperlambda import (
    Expression,
    HyperlambdaError,
    HyperlambdaSyntaxError,
    Node,
    generate,
    parse,
)
from hyperlambda.errors import ExpressionError, LiteralError
from hyperlambda.values import (
    LOCAL,
    Byte,
    Char,
    Long,
    SByte,
    Short,
    Single,
    Time,
    UInt,
    ULong,
    UShort,
    type_name,
)


def words(text: str) -> list[str]:
    """Return what stands between blanks."""
    return text.split()


# Trees

HOSTILE = [
    *words(
        r"""
    : ' " @" // /* */ .. . \ \n: a:b 'a' "a" x: int:5 => ---
    """
    ),
    *("", " ", "\t", "\n", "\r\n", "\r", " a", "a ", "\ta", "\x0b", "\x1c", "a b"),
    *("\ufeff", "\ufeffa", "\u00a0", "\u00a0a\u2003", "\u2028"),
]

# Half surrogate pairs are no characters: no file and no socket can hold them.
characters = st.characters(exclude_categories=["Cs"])
texts = st.sampled_from(HOSTILE) | st.text(characters, max_size=12)
simple_names = st.sampled_from(["a", "b", "c d", ".", ".dot", "get-value", "7"])
names = simple_names | texts


def _integers(kind: Any, bits: int, *, signed: bool = True) -> st.SearchStrategy[Any]:
    low, high = (
        (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    )
    return st.integers(low, high).map(kind)


def _compiled(text: str) -> Expression:
    try:
        return Expression(text)
    except HyperlambdaError:
        return Expression("@.malformed")


def _decimal(digits: int, scale: int) -> Decimal:
    # Arithmetic would round to 28 digits, and the largest have 29.
    return Decimal((int(digits < 0), Decimal(digits).as_tuple().digits, -scale))


iterators = st.sampled_from(
    [
        *words(
            r"""
        * .. . - + -- ** # @a ^a !a 0 7 =5 = [0,1] [a|b] {@a} ={@a/0} {-/0} \* "a/b" b:c '
        """
        ),
        "",
        "a b",
    ]
)
expression_texts = st.lists(iterators, min_size=1, max_size=5).map("/".join) | texts

# Milliseconds are what a date is written with.
dates = st.builds(
    lambda when, zone: when.replace(
        microsecond=when.microsecond // 1000 * 1000, tzinfo=zone
    ),
    st.datetimes(),
    st.sampled_from([None, datetime.UTC, LOCAL]),
)

plain_values = (
    st.none()
    | texts
    | st.booleans()
    | _integers(int, 32)
    | _integers(Long, 64)
    | _integers(Short, 16)
    | _integers(SByte, 8)
    | _integers(Byte, 8, signed=False)
    | _integers(UShort, 16, signed=False)
    | _integers(UInt, 32, signed=False)
    | _integers(ULong, 64, signed=False)
    | st.floats()
    | st.floats(width=32).map(Single)
    | st.builds(_decimal, st.integers(-(2**96) + 1, 2**96 - 1), st.integers(0, 28))
    | st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]).map(Char)
    | dates
    | _integers(Time, 64)
    | st.uuids()
    | st.binary(max_size=12)
    | expression_texts.map(_compiled)
)


def _trees(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Node]:
    leaves = st.builds(Node, names, values)
    nodes = st.recursive(
        leaves,
        lambda inner: st.builds(Node, names, values, st.lists(inner, max_size=3)),
        max_leaves=8,
    )
    return st.builds(Node, st.just(""), st.none(), st.lists(nodes, max_size=4))


trees = _trees(plain_values | _trees(plain_values))


def spelled(node: Node) -> Any:
    """Return all that a tree says, as tuples that can be compared."""
    value = node.value
    if isinstance(value, Node):
        shown: Any = [spelled(child) for child in value.children]
    elif isinstance(value, float):
        # NaN does not equal itself, and -0 equals 0.
        shown = repr(value)
    elif isinstance(value, Decimal):
        shown = str(value)
    elif isinstance(value, Expression):
        shown = value.iterators
    else:
        shown = value
    children = [spelled(child) for child in node.children]
    zone = getattr(value, "tzinfo", None)
    return node.name, type_name(value), type(value), shown, zone, children


@given(trees)
def test_tree_survives_its_text(tree: Node) -> None:
    """What is generated from a tree parses as the same tree."""
    assert spelled(parse(generate(tree))) == spelled(tree)


@given(trees)
def test_tree_survives_its_text_with_crlf(tree: Node) -> None:
    """The same holds for the line ends that slots write."""
    assert spelled(parse(generate(tree, newline="\r\n"))) == spelled(tree)


@given(trees)
def test_parents_and_siblings_are_linked(tree: Node) -> None:
    """A parsed node knows its parent, and its place among its siblings."""
    for node in parse(generate(tree)).walk():
        for index, child in enumerate(node.children):
            assert child.parent is node
            assert child.position() == index


# Texts

PROGRAM = """\
.data
   first:int:5
   "second one":date:"2031-07-09T08:00:05Z"
   // a comment
   .:@"verbatim ""text"" \\n"
if
   eq:x:@.data/*/first
      .:int:5
   .lambda
      /*
       * a longer one
       */
      set-value:x:"@.data/*/={@.x/0}"
         .:'it\\'s\\tfine'
return:decimal:5.50
"""
PIECES = [
    *words(
        r"""
    : " ' @" "" \ // /* */ x: int: node: date: char: bytes: 5 a b:c . .. @.a/* { } [ ] é😀
    """
    ),
    *("   ", "\n", "\r\n", "\r", " ", "\t", "\n   ", "\n      ", "a:b\n"),
    *("\ufeff", "\u00a0"),
]


@st.composite
def mutated_programs(draw: st.DrawFn) -> str:
    """Make a program in which a few pieces were put in, taken out or doubled."""
    text = PROGRAM
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        stop = start + draw(st.integers(0, 6))
        middle = draw(st.sampled_from([*PIECES, text[start:stop] * 2]))
        text = text[:start] + middle + text[stop:]
    return text


programs = (
    st.text(characters)
    | st.lists(st.sampled_from(PIECES), max_size=20).map("".join)
    | mutated_programs()
)

_LINE_END = re.compile(r"\r\n|\r|\n")


def _check_place(text: str, error: HyperlambdaSyntaxError) -> None:
    # A byte-order mark belongs to no line.
    lines = _LINE_END.split(text.removeprefix("\ufeff"))
    place = error.place
    assert place is not None
    assert 1 <= place.line <= len(lines)
    # Just behind the last character is a place too: there something is missing.
    assert 1 <= place.column <= len(lines[place.line - 1]) + 1
    assert place.width >= 1
    assert place.text == lines[place.line - 1]
    assert error.message
    assert "\n" not in error.message
    assert error.render().startswith(f"{place}: error: ")


@given(programs, st.booleans())
@example("\r\n   \r\n\ta", False)
@example('a:"\\q"\r\n', True)
@example("a:int:\r\nb", False)
def test_any_text_parses_or_says_where_it_fails(text: str, comments: bool) -> None:
    """A text parses, or the error has a place within the text."""
    try:
        parse(text, comments=comments)
    except HyperlambdaSyntaxError as error:
        _check_place(text, error)


@given(programs)
def test_generated_text_is_a_fixed_point(text: str) -> None:
    """After one pass, parse and generate change nothing more."""
    try:
        once = generate(parse(text))
    except HyperlambdaSyntaxError:
        return
    assert generate(parse(once)) == once


@given(programs)
def test_comments_never_alter_scope(text: str) -> None:
    """Kept or dropped, comments leave the other nodes where they are."""
    try:
        dropped = parse(text)
    except HyperlambdaSyntaxError:
        return
    # A node that is named as comments are looks like one.
    for node in dropped.walk():
        if node.name == "..":
            return
    kept = parse(text, comments=True)
    for node in list(kept.walk()):
        if node.name == "..":
            node.untie()
    assert spelled(kept) == spelled(dropped)


@given(st.text())
def test_half_characters_become_replacement_characters(text: str) -> None:
    """Half a surrogate pair, which nothing can hold, does not get into a tree."""
    try:
        root = parse(text)
    except HyperlambdaSyntaxError:
        return
    generate(root).encode()


@given(st.binary(max_size=60))
def test_any_bytes_parse_or_fail_as_a_text_does(data: bytes) -> None:
    """Bytes that are no text in any encoding are read as well as they can be."""
    try:
        parse(data)
    except HyperlambdaSyntaxError as error:
        place = error.place
    else:
        return
    assert place is not None


# Expressions

FOREST = """\
a:5
   b:x:@a
   c d:node:"x:1"
      7:=5
.:x:..
   *
   b:x:+
   a
      a:bytes:YQ==
a:x:-
   "":time:5
"""
EXPRESSION_PIECES = [
    *words(
        r"""
    / * ** . .. - + -- # @ @a ^ ^a ! = =5 { } ={ [ ] [0,1] [a|b] " \ 7 0 1 a b {@a} ={-}
    {@a/{-}}/ , | : é
    """
    ),
    " ",
    "\n",
]
any_expression = (
    st.lists(st.sampled_from(EXPRESSION_PIECES), max_size=12).map("".join)
    | st.text(characters, max_size=20)
    | expression_texts
)


@given(any_expression, st.integers(0, 11))
@settings(max_examples=300)
@example("./-", 1)
@example("./+", 1)
@example("../-/#/--", 0)
def test_any_expression_compiles_and_evaluates(text: str, start: int) -> None:
    """An expression finds nodes or fails with an error of the language."""
    try:
        expression = Expression(text)
    except (ExpressionError, HyperlambdaSyntaxError):
        return
    nodes = list(parse(FOREST).walk())
    try:
        found = expression.evaluate(nodes[start % len(nodes)])
    except HyperlambdaError:
        return
    assert all(isinstance(node, Node) for node in found)


@given(any_expression, st.integers(0, 11))
def test_lazy_and_eager_evaluation_agree(text: str, start: int) -> None:
    """While nothing changes, looking at nodes one by one finds the same."""
    try:
        expression = Expression(text)
    except HyperlambdaError:
        return
    node = list(parse(FOREST).walk())[start]
    try:
        eager: list[Node] | None = expression.evaluate(node)
    except HyperlambdaError:
        eager = None
    try:
        lazy: list[Node] | None = list(expression.iterate(node))
    except HyperlambdaError:
        lazy = None
    if eager is not None:
        assert lazy is not None
        assert [id(node) for node in lazy] == [id(node) for node in eager]


@given(any_expression)
def test_expression_survives_its_text(text: str) -> None:
    """The text of an expression compiles to the same iterators."""
    try:
        expression = Expression(text)
    except HyperlambdaError:
        return
    assert Expression(str(expression)).iterators == expression.iterators


@given(any_expression)
def test_expression_survives_a_program(text: str) -> None:
    """An expression in a program means what it means outside."""
    try:
        expression = Expression(text)
    except HyperlambdaError:
        return
    tree = Node("", None, [Node("a", expression)])
    assert parse(generate(tree)).children[0].value.iterators == expression.iterators


@given(st.characters(min_codepoint=0x10000))
def test_char_is_one_unit(character: str) -> None:
    """A character beyond the first 65,536 is no char."""
    with pytest.raises(HyperlambdaSyntaxError) as caught:
        parse(f"a:char:{character}")
    assert isinstance(caught.value.__cause__, LiteralError)
