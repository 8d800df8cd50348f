"""Lines become tokens whose parts stand where they say."""

from __future__ import annotations

import pytest

from hyperlambda import HyperlambdaSyntaxError
from hyperlambda.lexer import TRIM, NodeToken, read_item, tokens, unquote
from hyperlambda.source import Source


def sketch(text: str, *, comments: bool = False) -> str:
    """Return the tokens of a text: names, and > and < for the levels."""
    marks = {"INDENT": ">", "DEDENT": "<"}
    return " ".join(
        token.name if isinstance(token, NodeToken) else marks[token.type]
        for token in tokens(Source(text), comments=comments)
    )


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", ""),
        ("\n\n  \n\r\n", ""),
        ("a", "a"),
        ("a\nb", "a b"),
        ("a\n   b\nc", "a > b < c"),
        ("a\n   b\n      c\nd", "a > b > c < < d"),
        ("a\n   b\n      c", "a > b > c < <"),
        ("a\n   b\n\n \n   c", "a > b c <"),
        ("a\n   b\n   // x\n   c", "a > b c <"),
        ("a\n   b\n// x\n   c", "a > b c <"),
        ("a\r   b\r\rc", "a > b < c"),
        ('"a b"\n   :x\n   @"c"', "a b >  c <"),
    ],
)
def test_levels(text: str, tokens: str) -> None:
    assert sketch(text) == tokens


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("// x\na", ".. a"),
        ("a\n   // x\n   b", "a > .. b <"),
        ("a\n// x\n   b", "a > .. b <"),
        ("a\n   // x\nb", "a .. b"),
        ("a\n   b\n// end", "a > b < .."),
        ("//\na", "a"),
        ("a\n   //\nb", "a b"),
        ("/**/\na", ".. a"),
    ],
)
def test_kept_comments_never_alter_scope(text: str, tokens: str) -> None:
    # 01 §7 Q16: whatever is kept, the other nodes stand where they stand without
    kept = sketch(text, comments=True)
    without = [word for word in sketch(text).split() if word not in "<>"]
    assert [word for word in kept.split() if word not in ("<", ">", "..")] == without
    assert kept.count(">") == kept.count("<")
    assert ".." in kept or "//\n" in text


@pytest.mark.parametrize(
    ("line", "name", "kind", "value"),
    [
        ("a", "a", None, None),
        ("a:", "a", None, ""),
        ("a:b c  ", "a", None, "b c"),
        ("a  :b", "a  ", None, "b"),
        ("a:int:5", "a", "int", "5"),
        ("a: int : 5 ", "a", "int", "5"),
        ("a:int:", "a", "int", ""),
        ("a::x", "a", None, ":x"),
        ('a:"b"  ', "a", None, "b"),
        ("a:'b\"c'", "a", None, 'b"c'),
        ('a:@"b ""c"" \\n"', "a", None, 'b "c" \\n'),
        ('a:x:"b:c"', "a", "x", "b:c"),
        ('a: "b"', "a", None, '"b"'),
        (":b", "", None, "b"),
        (":", "", None, ""),
        ('""', "", None, None),
        ('"k" : v', "k", None, "v"),
        ("it's:x", "it's", None, "x"),
        ("a:😀", "a", None, "😀"),
    ],
)
def test_the_parts_of_a_line(
    line: str, name: str, kind: str | None, value: str | None
) -> None:
    for text in (line, line + "\n", line + "\r\nnext"):
        item = read_item(Source(text), 0)
        assert (item.name, item.kind, item.text) == (name, kind, value)
        first = next(iter(tokens(Source(text))))
        assert isinstance(first, NodeToken)
        assert (first.name, first.kind, first.text) == (name, kind, value)


@pytest.mark.parametrize(
    ("line", "kind_at", "text_at"),
    [
        ("a:int:5", 2, 6),
        ("a:  int :  5", 4, 11),
        ('a:int:"5"', 2, 6),
        ("abc:value", -1, 4),
        ("a", -1, -1),
    ],
)
def test_the_parts_know_where_they_stand(line: str, kind_at: int, text_at: int) -> None:
    item = read_item(Source("x\n" + line), 2)
    expected = [at + 2 if at >= 0 else -1 for at in (kind_at, text_at)]
    assert [item.kind_at, item.text_at] == expected


def test_tokens_know_where_their_name_begins() -> None:
    text = 'a\n   "b":c\r\n\n// d\n   @"e"'
    offsets = [t.offset for t in tokens(Source(text)) if isinstance(t, NodeToken)]
    assert [text[offset] for offset in offsets] == ["a", '"', "@"]


def test_tokens_come_before_the_error_of_a_later_line() -> None:
    stream = tokens(Source("a\n   b\n  c"))
    assert [next(stream).type for _ in range(3)] == ["NODE", "INDENT", "NODE"]
    with pytest.raises(HyperlambdaSyntaxError):
        next(stream)


@pytest.mark.parametrize("blank", TRIM.replace("\n", "").replace("\r", ""))
def test_raw_values_lose_white_space_at_both_ends(blank: str) -> None:
    for line in (f"a:{blank}b{blank}", f"a:int:{blank}b{blank}"):
        assert read_item(Source(line), 0).text == "b"


@pytest.mark.parametrize("character", "\x1c\x1d\x1e\x1f\u200b\ufeff")
def test_raw_values_keep_what_is_no_white_space(character: str) -> None:
    text = f"{character}b{character}"
    assert read_item(Source(f"a:{text}"), 0).text == text


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (r"\"\'\\", "\"'\\"),
        (r"\n\r\t", "\n\r\t"),
        (r"\a\b\f\v", "\a\b\f\v"),
        ("plain", "plain"),
    ],
)
def test_unquote(body: str, text: str) -> None:
    assert unquote(body) == text


@pytest.mark.parametrize("escape", ["\\0", "\\x41", "\\u0041", "\\e", "\\/", "\\\n"])
def test_other_escapes_are_errors_where_they_stand(escape: str) -> None:
    with pytest.raises(HyperlambdaSyntaxError) as caught:
        list(tokens(Source(f'a:"ok\\n{escape}"')))
    assert caught.value.place is not None
    assert caught.value.place.column == 8
    assert len(caught.value.message.splitlines()) == 1
