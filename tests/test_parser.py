"""Texts become trees, and bad ones become one error that says where."""

from __future__ import annotations

import codecs
import gc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hyperlambda import HyperlambdaSyntaxError, Node, generate, parse
from hyperlambda.errors import UnknownTypeError
from hyperlambda.parser import read_file

TREE = "house\n   room:kitchen\n      lamps:int:4\n   room:attic\ngarden\n"


def assert_sound(root: Node) -> None:
    for node in root.walk():
        for index, child in enumerate(node.children):
            assert (child.parent, child.index) == (node, index)


def test_parse_returns_a_nameless_root() -> None:
    root = parse("a:1")
    assert (root.name, root.value, root.parent) == ("", None, None)
    assert [node.name for node in root.children] == ["a"]


@pytest.mark.parametrize(
    "text", ["", "\n", "   ", "\ufeff", "// only\n", "\r\n   \r\n"]
)
def test_a_text_that_says_nothing_has_no_nodes(text: str) -> None:
    assert not parse(text).children


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\n\r", "\n\n", "\r\n  \r\n"])
def test_line_ends_do_not_matter(end: str) -> None:
    root = parse(TREE.replace("\n", end))
    assert generate(root) == TREE
    assert_sound(root)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_inside_of_strings_are_kept(end: str) -> None:
    for quote in ('"', "'", '@"'):
        root = parse(f"a:{quote}x{end}y{quote[-1]}{end}b")
        assert [node.value for node in root.children] == [f"x{end}y", None]


@pytest.mark.parametrize("character", "\v\f\x1c\x85\u2028\u2029")
def test_other_line_ends_of_unicode_are_characters(character: str) -> None:
    [node] = parse(f"a{character}b:c{character}d").children
    assert (node.name, node.value) == (f"a{character}b", f"c{character}d")


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (b"", "utf-8"),
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
        (codecs.BOM_UTF32_BE, "utf-32-be"),
    ],
)
def test_bytes_and_files_are_decoded_by_their_mark(
    mark: bytes, encoding: str, tmp_path: Path
) -> None:
    data = mark + "naïve:😀\r\n   b".encode(encoding)
    path = tmp_path / "f.hl"
    path.write_bytes(data)
    for root in (parse(data), parse(read_file(path))):
        assert generate(root) == "naïve:😀\n   b\n"


def test_bytes_that_are_no_utf_8_become_replacement_characters() -> None:
    assert parse(b"a:\xff\xfe\xfd").children[0].value == "\ufffd" * 3
    assert parse(b"\xc3:x").children[0].name == "\ufffd"


def test_half_a_surrogate_pair_becomes_a_replacement_character() -> None:
    assert parse("a:\ud800").children[0].value == "\ufffd"
    assert parse("a:\ud83d\ude00").children[0].value == "😀"


def test_only_one_byte_order_mark_disappears() -> None:
    assert parse("\ufeff\ufeffa").children[0].name == "\ufeffa"


def test_comments_are_dropped_or_kept() -> None:
    text = "// head\na\n   /* in */\n   b"
    assert generate(parse(text)) == "a\n   b\n"
    kept = parse(text, comments=True)
    assert [(n.name, n.value) for n in kept.walk()][1:] == [
        ("..", "head"),
        ("a", None),
        ("..", "in"),
        ("b", None),
    ]
    assert_sound(kept)


def test_names_are_shared() -> None:
    first, second = parse("some-name\nsome-name").children
    assert first.name is second.name


def test_the_value_of_type_node_is_a_root() -> None:
    value = parse('k:node:"p:int:1\\n   q"').children[0].value
    assert isinstance(value, Node)
    assert (value.name, value.parent) == ("", None)
    assert generate(value) == "p:int:1\n   q\n"


# Errors


@pytest.mark.parametrize(
    ("text", "place", "line"),
    [
        ("a\n b", "f.hl:2:2", " b"),
        ("a\r\n\r\n b\r\n", "f.hl:3:2", " b"),
        ("a\r b", "f.hl:2:2", " b"),
        ("\ufeff b", "f.hl:1:2", " b"),
        ("😀\n  😀", "f.hl:2:3", "  😀"),
        ("😀:int:😀", "f.hl:1:7", "😀:int:😀"),
        ('a\nb:"x\ny\nz', "f.hl:2:3", 'b:"x'),
        ('a:"x\ny" z', "f.hl:2:4", 'y" z'),
        ("a\n   b:int:x\nc\n d", "f.hl:2:10", "   b:int:x"),
    ],
)
def test_an_error_has_file_line_column_and_the_line(
    text: str, place: str, line: str
) -> None:
    for given_text in (text, text.encode()):
        with pytest.raises(HyperlambdaSyntaxError) as caught:
            parse(given_text, file="f.hl")
        assert str(caught.value.place) == place
        assert caught.value.place is not None
        assert caught.value.place.text == line
        assert "^" in caught.value.render()


def test_the_file_is_called_text_unless_it_has_a_name() -> None:
    with pytest.raises(HyperlambdaSyntaxError, match=r"^<text>:1:2: "):
        parse(" a")


def test_an_unknown_type_has_its_own_class() -> None:
    with pytest.raises(UnknownTypeError, match="itn") as caught:
        parse("a:itn:5")
    assert caught.value.name == "itn"


def test_an_error_leaves_the_parser_and_the_collector_usable() -> None:
    large = "a:b\n" * 20_000
    for bad in (large + " c", large + "c:int:x", "c:x:{"):
        with pytest.raises(HyperlambdaSyntaxError):
            parse(bad)
        assert gc.isenabled()
    assert len(parse(large).children) == 20_000
    assert gc.isenabled()


def test_a_collector_that_is_off_stays_off() -> None:
    gc.disable()
    try:
        parse("a:b\n" * 20_000)
        assert not gc.isenabled()
    finally:
        gc.enable()


@given(st.text(alphabet="ab :\"'@/*\\\n\r\t {}[]xint", max_size=60))
def test_any_text_parses_or_has_an_error_inside_of_it(text: str) -> None:
    failed: HyperlambdaSyntaxError | None = None
    try:
        assert_sound(parse(text))
    except HyperlambdaSyntaxError as error:
        failed = error
    if failed is not None:
        place = failed.place
        assert place is not None
        assert 1 <= place.line <= text.count("\n") + text.count("\r") + 1
        assert 1 <= place.column <= len(place.text) + 1
        assert place.text in text
        assert failed.render().startswith(f"{place}: error: ")
