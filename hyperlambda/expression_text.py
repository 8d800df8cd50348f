"""The text of an expression, and the texts of its iterators (spec 01 §5.2, §5.9)."""

from __future__ import annotations

import re
from typing import Final

from .errors import ExpressionError, HyperlambdaSyntaxError
from .lexer import unquote

__all__ = ["iterator_text", "shortened", "split"]

# More braces within braces than any program has: each is a call deeper when evaluated.
_DEEPEST_NESTING: Final = 50


def split(text: str) -> list[str]:
    """
    Return the texts of the iterators of an expression (spec 01 §5.2).

    Raises:
        ExpressionError: A quote or a brace is never closed.
    """
    if '"' not in text and "{" not in text:
        return text.split("/")
    parts: list[str] = []
    buffer = ""
    position = 0
    ended = True  # whether what stands at the end is an iterator of its own
    while position < len(text):
        character = text[position]
        ended = True
        if character == "/":
            parts.append(buffer)
            buffer = ""
            position += 1
        elif character == '"' and not buffer:
            buffer, position = _quoted(text, position)
        elif character == "{" and buffer in ("", "="):
            close = _closing(text, position)
            parts.append(buffer + text[position:close])
            buffer = ""
            position = close + text.startswith("/", close)
            ended = text.startswith("/", close)
        else:
            stop = _DELIMITER.search(text, position + 1)
            position, start = (stop.start() if stop else len(text)), position
            buffer += text[start:position]
    if ended:
        parts.append(buffer)
    return parts


_DELIMITER = re.compile(r'[/"{]')
_QUOTED = re.compile(r'"([^"\\]*(?:\\.[^"\\]*)*)"', re.DOTALL)
_BRACE = re.compile(r"[{}]")


def _quoted(text: str, start: int) -> tuple[str, int]:
    match = _QUOTED.match(text, start)
    if match is None:
        raise ExpressionError(f"a quote is never closed in '{shortened(text)}'")
    try:
        return unquote(match[1]), match.end()
    except HyperlambdaSyntaxError as error:
        raise ExpressionError(error.message) from error


def _closing(text: str, start: int) -> int:
    """Return the offset just behind the brace that balances the one at an offset."""
    depth = 0
    for match in _BRACE.finditer(text, start):
        if match[0] == "{":
            depth += 1
            if depth > _DEEPEST_NESTING:
                raise ExpressionError("an expression is nested too deeply")
        else:
            depth -= 1
            if not depth:
                return match.end()
    raise ExpressionError(f"a brace is never closed in '{shortened(text)}'")


def iterator_text(part: str) -> str:
    """Return the text of one iterator as it stands in an expression."""
    braced = part.startswith(("{", "={"))
    if "/" in part or part.startswith('"') or (braced and not _is_balanced(part)):
        return '"' + part.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return part


def _is_balanced(part: str) -> bool:
    try:
        return _closing(part, part.index("{")) == len(part)
    except ExpressionError:
        return False


def shortened(text: str) -> str:
    """Return a text as it is shown in errors."""
    return text if len(text) <= 60 else text[:57] + "…"
