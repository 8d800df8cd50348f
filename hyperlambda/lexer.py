"""
Text to tokens: one token a line, plus INDENT and DEDENT (spec 01 §2).

Most lines are plain and are read by one regular expression. Whatever it does not match
(quotes with escapes, comments, blank lines, and all that is wrong) is read by
`read_item`, which knows exactly where everything stands.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from sys import intern
from typing import ClassVar, NamedTuple

from .errors import HyperlambdaSyntaxError
from .source import Source

__all__ = [
    "TRIM",
    "Item",
    "LineToken",
    "NodeToken",
    "read_item",
    "unquote",
]

# What counts as white space at the ends of a raw value (spec 01 §9).
TRIM = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008"
    "\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
)

# A plain line: indentation, raw name, and perhaps a raw or simply quoted value.
# A raw value may not be followed by a colon, for then it was no value.
_PLAIN = re.compile(
    r"""
    (\ *)
    ([^\s:"'/@\ufeff][^:\r\n]*+)
    (:
        (?:([a-z]++):)?
        (?:
            (?!@") ([^\s:"'][^:\r\n]*+)
          | "([^"\\\r\n]*+)" [\ \t]*+
        )?
    )?
    (?:[\r\n]++|\Z)
    """,
    re.VERBOSE,
)
_BLANK = re.compile(r" *(?:[\r\n]+|\Z)")
_SPACES = re.compile(r" *")
_RAW = re.compile(r"[^:\r\n]*")
_LINE = re.compile(r"[^\r\n]*")
_ANY_LINE_END = re.compile(r"\r\n|\r|\n")
_QUOTED = {
    '"': re.compile(r'"([^"\\]*+(?:\\.[^"\\]*+)*+)"', re.DOTALL),
    "'": re.compile(r"'([^'\\]*+(?:\\.[^'\\]*+)*+)'", re.DOTALL),
}
# Possessive: a pair of quotes is never taken for the end and one quote too many.
_VERBATIM = re.compile(r'@"([^"]*+(?:""[^"]*+)*+)"')
_BLANKS = re.compile(r"[ \t]*")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES = {
    '"': '"',
    "'": "'",
    "\\": "\\",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "v": "\v",
}


class LineToken:
    """
    What all tokens have in common.

    Attributes:
        type: The name of the terminal in the grammar.
    """

    __slots__ = ()

    type: ClassVar[str] = ""


class IndentToken(LineToken):
    """What follows is one level deeper."""

    __slots__ = ()
    type: ClassVar[str] = "INDENT"


class DedentToken(LineToken):
    """What follows is one level less deep."""

    __slots__ = ()
    type: ClassVar[str] = "DEDENT"


class NodeToken(LineToken):
    """
    A node as it is written.

    Attributes:
        name: The name, unquoted.
        kind: The name of the value's type, or None.
        text: The value's text, unquoted and trimmed; None if there is no value.
        source: The text it stands in.
        offset: Where its name begins there.
    """

    __slots__ = ("kind", "name", "offset", "source", "text")
    type: ClassVar[str] = "NODE"

    def __init__(
        self, name: str, kind: str | None, text: str | None, source: Source, offset: int
    ) -> None:
        self.name = name
        self.kind = kind
        self.text = text
        self.source = source
        self.offset = offset


_INDENT = IndentToken()
_DEDENT = DedentToken()


class Item(NamedTuple):
    """One node's line, with the place of each part; offsets are -1 where there is none."""

    name: str
    kind: str | None
    text: str | None
    kind_at: int
    text_at: int
    end: int


def tokens(source: Source, *, comments: bool = False) -> Iterator[LineToken]:
    """
    Yield the tokens of a text.

    Args:
        source: The text.
        comments: Yield comments as nodes named `..` instead of dropping them.

    Raises:
        HyperlambdaSyntaxError: A line is malformed, or indented as no line can be.
    """
    text = source.text
    plain = _PLAIN.match
    end = len(text)
    position = 0
    level = -1  # of the last node
    margin = -3  # its indentation
    reach = -1  # the level below which the next comment may stand
    held: list[tuple[int, NodeToken]] = []  # comments, until the next node is known
    while position < end:
        match = plain(text, position)
        if match is not None:
            indent, name, separator, kind, raw, quoted = match.groups()
            spaces = len(indent)
            offset = position + spaces
            if raw is not None:
                value = raw.rstrip(TRIM)
            elif separator is None:
                value = None
            else:
                value = quoted or ""
            token = NodeToken(intern(name), kind, value, source, offset)
            position = match.end()
        else:
            blank = _BLANK.match(text, position)
            if blank is not None:
                position = blank.end()
                continue
            offset = _SPACES.match(text, position).end()  # type: ignore[union-attr] # always matches
            spaces = offset - position
            if text.startswith(("//", "/*"), offset):
                words, position = _read_comment(source, offset)
                if words is None:
                    continue
                depth = _depth(source, offset, spaces, reach)
                reach = max(level, depth)
                if comments:
                    held.append((depth, NodeToken("..", None, words, source, offset)))
                continue
            item = read_item(source, offset)
            position = item.end
            token = NodeToken(intern(item.name), item.kind, item.text, source, offset)
        if held:
            depth = _depth(source, offset, spaces, level)
            level = yield from _release(held, level, depth)
            margin = level * 3
            held.clear()
        if spaces != margin:
            if spaces == margin + 3:
                level += 1
                if level:
                    yield _INDENT
            else:
                depth = _depth(source, offset, spaces, level)
                while level > depth:
                    level -= 1
                    yield _DEDENT
            margin = spaces
        reach = level
        yield token
    if held:
        level = yield from _release(held, level, 0)
    while level > 0:
        level -= 1
        yield _DEDENT


def _release(
    held: list[tuple[int, NodeToken]], level: int, depth: int
) -> Generator[LineToken, None, int]:
    """
    Yield the comments that stand before a node of that depth; return the level after.

    A comment never alters scope: one that is less indented than the node after it is
    taken as standing beside that node.
    """
    for own, comment in held:
        wanted = min(max(own, depth), level + 1)
        if wanted == level + 1:
            level += 1
            if level:
                yield _INDENT
        while level > wanted:
            level -= 1
            yield _DEDENT
        yield comment
    return level


def _depth(source: Source, offset: int, spaces: int, above: int) -> int:
    """Return the level of an indentation, which must fit below the item above."""
    if spaces % 3:
        raise _error(
            source,
            offset,
            f"an indentation of {spaces} spaces is not a multiple of three",
        )
    depth = spaces // 3
    if depth > above + 1:
        deepest = (above + 1) * 3
        raise _error(
            source,
            offset,
            f"an indentation of {spaces} spaces is too deep here",
            help=f"{deepest} spaces put it below the node before it"
            if deepest
            else "the first node of a text is not indented",
        )
    return depth


def read_item(source: Source, offset: int) -> Item:
    """
    Read the node whose name begins at an offset, knowing where each part stands.

    Raises:
        HyperlambdaSyntaxError: See spec 01 §2.10; the place is the part at fault.
    """
    text = source.text
    first = text[offset]
    if first == "\t":
        raise _error(
            source, offset, "a tab cannot indent", help="indent by three spaces"
        )
    quoted = first in "\"'" or text.startswith('@"', offset)
    if first == ":":
        name, position = "", offset
    elif quoted:
        name, position = _read_string(source, offset)
        position = _after_name(source, position)
    else:
        position = _RAW.match(text, offset).end()  # type: ignore[union-attr] # always matches
        name = text[offset:position]
    if not text.startswith(":", position):
        # Blanks after a quoted name read as an empty value (spec 01 §2.6); those of a raw
        # name belong to the name.
        value = "" if quoted and text[position - 1] in " \t" else None
        return Item(name, None, value, -1, -1, _line_end(text, position))
    return _read_value(source, name, position + 1)


def _after_name(source: Source, position: int) -> int:
    """Return where the colon, or the end of the line, follows a quoted name."""
    text = source.text
    after = _BLANKS.match(text, position).end()  # type: ignore[union-attr] # always matches
    if after == len(text) or text[after] in ":\r\n":
        return after
    raise _error(
        source, after, "expected ':' or the end of the line after a quoted name"
    )


def _read_value(source: Source, name: str, start: int) -> Item:
    """Read what follows the colon after a name."""
    text = source.text
    segment, quoted, position = _read_segment(source, start)
    if quoted or not text.startswith(":", position):
        return Item(name, None, segment, -1, start, _line_end(text, position))
    if text.startswith(":", start):
        # A type name has no colon: this is a value, and what follows it is too much,
        # except a last colon, which is all that is left of an empty one.
        if _BLANK.match(text, position + 1):
            return Item(name, None, ":", -1, start, _line_end(text, position + 1))
        raise _colon_error(source, position)
    kind_at, kind = start + _leading(text, start), segment
    start = position + 1
    segment, quoted, position = _read_segment(source, start)
    if not quoted and text.startswith(":", position):
        raise _colon_error(source, position)
    at = start if quoted else start + _leading(text, start)
    end = _line_end(text, position)
    return Item(name, kind or None, segment, kind_at, at, end)


def _read_segment(source: Source, start: int) -> tuple[str, bool, int]:
    """Return the segment that begins at an offset, whether it is quoted, and its end."""
    text = source.text
    first = text[start : start + 1]
    if not first or first in "\r\n":
        return "", False, start
    if first in "\"'" or text.startswith('@"', start):
        value, position = _read_string(source, start)
        end = _BLANKS.match(text, position).end()  # type: ignore[union-attr] # always matches
        if end < len(text) and text[end] not in "\r\n":
            raise _error(
                source, end, "expected the end of the line after a quoted text"
            )
        return value, True, end
    # The first character is taken whatever it is, even a colon (spec 01 §2.2).
    position = _RAW.match(text, start + 1).end()  # type: ignore[union-attr] # always matches
    return text[start:position].strip(TRIM), False, position


def _read_string(source: Source, start: int) -> tuple[str, int]:
    """Return the content of the quoted text that begins at an offset, and its end."""
    text = source.text
    if text[start] == "@":
        match = _VERBATIM.match(text, start)
        if match is None:
            raise _error(source, start, "this text is not closed by a '\"'", 2)
        return match[1].replace('""', '"'), match.end()
    quote = text[start]
    match = _QUOTED[quote].match(text, start)
    if match is None:
        raise _error(source, start, f"this text is not closed by a {quote}")
    body = match[1]
    if "\\" not in body:
        return body, match.end()
    try:
        return unquote(body), match.end()
    except HyperlambdaSyntaxError:
        at = next(m.start() for m in _ESCAPE.finditer(body) if m[1] not in _ESCAPES)
        raise _error(source, start + 1 + at, *_bad_escape(body[at + 1])) from None


def unquote(body: str) -> str:
    r"""
    Replace the ten escapes of quoted texts: ``\" \' \\ \n \r \t \a \b \f \v``.

    Raises:
        HyperlambdaSyntaxError: Another character stands behind a backslash; no place.
    """

    def replace(match: re.Match[str]) -> str:
        found = _ESCAPES.get(match[1])
        if found is None:
            raise HyperlambdaSyntaxError(_bad_escape(match[1])[0])
        return found

    return _ESCAPE.sub(replace, body)


def _bad_escape(character: str) -> tuple[str, int]:
    shown = character if character.isprintable() else f"U+{ord(character):04X}"
    return f"'\\{shown}' is not an escape", 2


def _read_comment(source: Source, start: int) -> tuple[str | None, int]:
    """Return the text of the comment at an offset, None if it says nothing, and its end."""
    text = source.text
    if text.startswith("//", start):
        end = _LINE.match(text, start).end()  # type: ignore[union-attr] # always matches
        words = text[start + 2 : end].strip(TRIM)
        return words or None, _line_end(text, end)
    close = text.find("*/", start + 2)
    if close < 0:
        raise _error(source, start, "this comment is not closed by '*/'", 2)
    end = close + 2
    after = _BLANK.match(text, end) or _BLANK.match(text, _skip_blanks(text, end))
    if after is None:
        raise _error(
            source,
            _skip_blanks(text, end),
            "expected the end of the line after a comment",
        )
    return _comment_text(text[start + 1 : end]), after.end()


def _comment_text(body: str) -> str:
    """Return what a block comment says: without stars, `body` being all but the first /."""
    lines = []
    for line in _ANY_LINE_END.split(body):
        bare = line.strip(TRIM)
        if bare.startswith("* "):
            bare = bare[2:]
        elif bare.startswith("*"):
            bare = bare[1:]
        lines.append(bare)
    last = lines[-1]
    lines[-1] = last[:-2] if last.endswith("*/") else last[:-1]
    return "\r\n".join(lines).strip(TRIM)


def _leading(text: str, start: int) -> int:
    """Return how many blanks stand at an offset."""
    return _skip_blanks(text, start) - start


def _skip_blanks(text: str, start: int) -> int:
    return _BLANKS.match(text, start).end()  # type: ignore[union-attr] # always matches


def _line_end(text: str, position: int) -> int:
    """Return where the next line begins."""
    blank = _BLANK.match(text, position)
    return blank.end() if blank else position


def _colon_error(source: Source, at: int) -> HyperlambdaSyntaxError:
    return _error(
        source, at, "unexpected ':'", help="a value with a colon must be quoted"
    )


def _error(
    source: Source,
    offset: int,
    message: str,
    width: int = 1,
    *,
    help: str | None = None,
) -> HyperlambdaSyntaxError:
    return HyperlambdaSyntaxError(message, place=source.place(offset, width), help=help)
