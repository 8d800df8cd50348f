"""Texts with a name, and places in them: what errors point at."""

from __future__ import annotations

import re
from dataclasses import dataclass

_LINE_END = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class Place:
    """
    Where something stands in a text.

    Attributes:
        file: The name of the text, as its reader gave it.
        line: From 1.
        column: From 1, in characters.
        text: The whole line, without its end.
        width: How many characters are meant, at least 1.
    """

    file: str
    line: int
    column: int
    text: str
    width: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"

    def excerpt(self) -> str:
        """Return the line with carets under what is meant, over two lines."""
        gutter = f"{self.line:>3} | "
        before, line = self.column - 1, self.text
        # A line of a megabyte would bury the message: show what is near.
        if len(line) > 160:
            start = max(0, before - 60)
            line = line[start : start + 120]
            before -= start
        width = max(1, min(self.width, len(line) - before))
        shown = "".join(c if c == "\t" or c.isprintable() else " " for c in line)
        # Tabs stay tabs under the line, so that the carets stand where it does.
        pad = "".join("\t" if c == "\t" else " " for c in line[:before])
        blank = " " * (len(gutter) - 2) + "| "
        return f"{gutter}{shown.rstrip()}\n{blank}{pad}{'^' * width}"


class Source:
    """A text that nodes came from; nodes keep it to say where they stand."""

    __slots__ = ("name", "text")

    def __init__(self, text: str, name: str = "<text>") -> None:
        self.text = text
        self.name = name

    def place(self, offset: int, width: int = 1) -> Place:
        """
        Return the place of a character.

        Args:
            offset: Characters from the start of the text, from 0.
            width: How many characters are meant.
        """
        if "\r" not in self.text:
            return self._place(offset, width, self.text.count("\n", 0, offset) + 1)
        ends = _LINE_END.finditer(self.text, 0, min(offset, len(self.text)))
        line = 1 + sum(1 for _ in ends)
        # A CR LF that the offset cuts in two has not ended its line.
        if offset and self.text[offset - 1 : offset + 1] == "\r\n":
            line = line - 1
        return self._place(offset, width, line)

    def _place(self, offset: int, width: int, line: int) -> Place:
        inside = self.text[offset - 1 : offset + 1] == "\r\n"
        start = self._line_start(offset - inside)
        stop = _LINE_END.search(self.text, start)
        text = self.text[start : stop.start() if stop else len(self.text)]
        return Place(self.name, line, offset - start + 1, text, max(1, width))

    def _line_start(self, offset: int) -> int:
        text = self.text
        return max(text.rfind("\n", 0, offset), text.rfind("\r", 0, offset)) + 1
