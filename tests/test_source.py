"""Places say where a character of a text stands, and show it."""

from __future__ import annotations

from time import process_time

import pytest

from hyperlambda import Node, parse
from hyperlambda.source import Place, Source

LINES = "first\nsecond\r\nthird\rfourth\n\n\r\n\nlast"


def naive_place(text: str, offset: int) -> tuple[int, int]:
    """Return line and column, counted one character at a time."""
    line = column = 1
    for index in range(offset):
        if text[index] == "\n" or (text[index] == "\r" and text[index + 1] != "\n"):
            line, column = line + 1, 1
        else:
            column += 1
    return line, column


@pytest.mark.parametrize(
    "text", [LINES, "a", "\n\n\n", "\r\n\r\n", "\r\r", "ab\u2028c"]
)
def test_every_offset_has_the_place_that_counting_gives(text: str) -> None:
    source = Source(text, "f")
    for offset in range(len(text)):
        place = source.place(offset)
        assert (place.line, place.column) == naive_place(text, offset), offset


@pytest.mark.parametrize(
    ("offset", "line", "column", "text"),
    [
        (0, 1, 1, "first"),
        (5, 1, 6, "first"),
        (6, 2, 1, "second"),
        (12, 2, 7, "second"),
        (14, 3, 1, "third"),
        (20, 4, 1, "fourth"),
        (27, 5, 1, ""),
        (31, 8, 1, "last"),
        (35, 8, 5, "last"),
    ],
)
def test_place_has_the_line_itself(
    offset: int, line: int, column: int, text: str
) -> None:
    place = Source(LINES, "f").place(offset)
    assert (place.line, place.column, place.text) == (line, column, text)


def test_the_end_of_an_empty_text_is_its_first_place() -> None:
    assert str(Source("").place(0)) == "<text>:1:1"


def test_a_place_is_written_as_editors_read_it() -> None:
    assert str(Place("dir/f.hl", 3, 4, "x")) == "dir/f.hl:3:4"


@pytest.mark.parametrize(
    ("place", "excerpt"),
    [
        (Place("f", 3, 1, "for-eech:x:@.a", 8), "  3 | for-eech:x:@.a\n    | ^^^^^^^^"),
        (Place("f", 12, 4, "   bad", 3), " 12 |    bad\n    |    ^^^"),
        (Place("f", 1234, 1, "x"), "1234 | x\n     | ^"),
        (Place("f", 1, 3, "ab"), "  1 | ab\n    |   ^"),
        (Place("f", 1, 1, ""), "  1 | \n    | ^"),
        (Place("f", 1, 2, "ab", 99), "  1 | ab\n    |  ^"),
        (Place("f", 1, 3, "\t\tx"), "  1 | \t\tx\n    | \t\t^"),
        (Place("f", 1, 2, "a\x1bb"), "  1 | a b\n    |  ^"),
        (Place("f", 1, 3, "😀é!"), "  1 | 😀é!\n    |   ^"),
    ],
)
def test_excerpt_has_carets_under_what_is_meant(place: Place, excerpt: str) -> None:
    assert place.excerpt() == excerpt


@pytest.mark.parametrize("column", [1, 70, 500_000, 1_000_000])
def test_the_excerpt_of_an_endless_line_is_short_and_points_right(column: int) -> None:
    line = "a" * (column - 1) + "X" + "a" * (1_000_000 - column)
    shown, carets = Place("f", 1, column, line).excerpt().split("\n")
    assert len(shown) < 200
    assert shown[carets.index("^")] == "X"


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("a\n   b:c\n   'd':e", ["f:1:1", "f:2:4", "f:3:4"]),
        ("\ufeffa\r\n   b\r\nc", ["f:1:1", "f:2:4", "f:3:1"]),
        ("// note\n\n\na\n   /* x */\n   b", ["f:4:1", "f:6:4"]),
        ("a\r   b\rc", ["f:1:1", "f:2:4", "f:3:1"]),
        ('a:"x\ny"\nb', ["f:1:1", "f:3:1"]),
        ("😀:1\n   😀😀:2\n   b", ["f:1:1", "f:2:4", "f:3:4"]),
        (':x\n""\n@"v"', ["f:1:1", "f:2:1", "f:3:1"]),
    ],
)
def test_nodes_remember_their_position(text: str, places: list[str]) -> None:
    nodes = list(parse(text, file="f").walk())[1:]
    assert [str(node.place) for node in nodes] == places


@pytest.mark.parametrize(
    ("text", "width"), [("abc:x", 3), ('"abc":x', 5), ("'abc'", 5), (":x", 1)]
)
def test_the_place_of_a_node_is_as_wide_as_its_name(text: str, width: int) -> None:
    place = parse(text).children[0].place
    assert place is not None
    assert place.width == width


def test_a_node_that_was_made_has_no_place() -> None:
    assert Node("a").place is None


def test_a_place_far_down_a_large_text_is_found_in_time() -> None:
    text = "a\n" * 2_000_000
    start = process_time()
    place = Source(text).place(len(text) - 2)
    assert place.line == 2_000_000
    assert process_time() - start < 5
