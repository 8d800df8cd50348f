"""
Regular expressions: the syntax of .NET to that of Python (spec 03 §2.6).

A pattern is read once from left to right and written anew. Groups are numbered as .NET
does, the nameless ones before those with a name; `Groups` knows where Python has them.
What Python has no form for is a `PatternError`: balancing groups, blocks such as
``\\p{IsGreek}``, ``\\G``, conditions other than a group, two groups of one name,
look-behind without a fixed width, and more than 99 groups.

``\\w`` and ``\\b`` are Python's: combining marks are no word characters, digits such as
``²`` are. A character beyond U+FFFF counts as one. ``\\d`` and ``\\s`` are .NET's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from hyperlambda.errors import PatternError

from .character_sets import category, class_literal, is_category, white_space
from .texts import shortened

__all__ = ["Groups", "translate"]

MOST_GROUPS = 99
LONGEST_PATTERN = 10_000


@dataclass(slots=True)
class Groups:
    """
    Where Python has the groups of a pattern.

    Attributes:
        numbers: Python's number of a group by that of .NET; 0 is the whole match.
        names: Python's number of a group by its name.
    """

    numbers: dict[int, int] = field(default_factory=lambda: {0: 0})
    names: dict[str, int] = field(default_factory=dict)

    @property
    def last(self) -> int:
        """The group with the highest number in .NET."""
        return self.numbers[max(self.numbers)]

    def find(self, name: str) -> int | None:
        """Return Python's number of a group, by its name or by .NET's number."""
        if name.isdecimal() and len(name) < 10:
            return self.numbers.get(int(name))
        return self.names.get(name)


@dataclass(slots=True)
class _Frame:
    """A group that is open: its options, and the Python groups that stand for them."""

    start: int
    flags: frozenset[str]
    wrappers: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Reference:
    """A place that names a group, filled in when all groups are known."""

    name: str
    form: str
    at: int


def translate(pattern: str) -> tuple[str, Groups]:
    """
    Return a pattern of Python, and its groups.

    Raises:
        PatternError: It is malformed, or uses what Python does not have.
    """
    if len(pattern) > LONGEST_PATTERN:
        raise PatternError(f"a pattern has at most {LONGEST_PATTERN} characters")
    return _Reader(pattern).read()


_GROUP = re.compile(r"\(\?(?::|=|!|<=|<!|>)")
_NAMED = re.compile(r"\(\?(?:<(\w+)>|'(\w+)')")
_CONDITION = re.compile(r"\(\?\((\w+)\)")
_OPTIONS = re.compile(r"\(\?([imnsxIMNSX]*)(?:-([imnsxIMNSX]+))?([:)])")
_COMMENT = re.compile(r"\(\?#[^)]*\)")
_QUANTIFIER = re.compile(r"[*+?]|\{[0-9]+(?:,[0-9]*)?\}")
_BLANKS = re.compile(r"(?:[\t-\r ]|#[^\n]*(?:\n|$))+")
_NAME = re.compile(r"<(\w+)>|'(\w+)'")
_PROPERTY = re.compile(r"\{(\w+)\}")
_CONTROLS = {"a": 7, "e": 27, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11}
_ANCHORS = {"b": r"\b", "B": r"\B", "A": r"\A", "z": r"\Z", "Z": r"(?=\n?\Z)"}


class _Reader:
    """Reads one pattern. `out` has what was written, `atom` where the last atom is."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self.out: list[str | _Reference] = []
        self.atom: int | None = None
        self.is_anchor = False
        self.flags: frozenset[str] = frozenset()
        self.frames = [_Frame(0, self.flags)]
        self.count = 0
        self.unnamed: list[int] = []
        self.named: dict[str, int] = {}

    def read(self) -> tuple[str, Groups]:
        while self.position < len(self.text):
            self._step()
        if len(self.frames) > 1:
            raise self._error("a group is never closed")
        self.out.append(")" * len(self.frames[0].wrappers))
        groups = self._groups()
        written = [
            each if isinstance(each, str) else self._resolved(each, groups)
            for each in self.out
        ]
        return "".join(written), groups

    def _step(self) -> None:
        text, at = self.text, self.position
        character = text[at]
        if "x" in self.flags and (blanks := _BLANKS.match(text, at)):
            self.position = blanks.end()
        elif character == "(":
            self._open()
        elif character == ")":
            self._close()
        elif character == "|":
            wrappers = self.frames[-1].wrappers
            self._write(")" * len(wrappers) + "|" + "".join(wrappers), 1)
            self.atom = None
        elif character == "[":
            self._write_atom(self._class())
        elif character == "\\":
            self._escape()
        elif quantifier := _QUANTIFIER.match(text, at):
            self._quantify(quantifier)
        elif character in "^$":
            self._write_atom(character, 1, is_anchor=True)
        elif character == ".":
            self._write_atom(".", 1)
        else:
            self._write_atom(re.escape(character), 1)

    # Writing

    def _write(self, piece: str | _Reference, length: int = 0) -> None:
        self.out.append(piece)
        self.position += length

    def _write_atom(
        self, piece: str | _Reference, length: int = 0, *, is_anchor: bool = False
    ) -> None:
        self.atom = len(self.out)
        self.is_anchor = is_anchor
        self._write(piece, length)

    def _quantify(self, match: re.Match[str]) -> None:
        if self.atom is None:
            raise self._error("a quantifier follows nothing that can be repeated")
        if self.is_anchor:  # which Python does not repeat unless it stands in a group
            self.out[self.atom] = f"(?:{self.out[self.atom]})"
        self.position = match.end()
        lazy = self.text.startswith("?", self.position)
        self._write(match[0] + "?" * lazy, lazy)
        if _QUANTIFIER.match(self.text, self.position):
            raise self._error("a quantifier follows another one")
        self.atom = None

    # Groups and options

    def _open(self) -> None:
        text, at = self.text, self.position
        if match := _COMMENT.match(text, at):
            self.position = match.end()
        elif match := _GROUP.match(text, at):
            self._push(match[0], match.end())
        elif match := _NAMED.match(text, at):
            self._capture(match[1] or match[2], match.end())
        elif match := _CONDITION.match(text, at):
            self._push(_Reference(match[1], "(?({0})", at), match.end())
        elif match := _OPTIONS.match(text, at):
            self._options(match)
        elif text.startswith("(?", at):
            raise self._error("this group is not known here")
        elif "n" in self.flags:
            self._push("(?:", at + 1)
        else:
            self._capture(None, at + 1)

    def _push(self, piece: str | _Reference, end: int) -> None:
        self.frames.append(_Frame(len(self.out), self.flags))
        self.out.append(piece)
        self.position = end
        self.atom = None

    def _capture(self, name: str | None, end: int) -> None:
        self.count += 1
        if self.count > MOST_GROUPS:
            raise self._error(f"a pattern has at most {MOST_GROUPS} groups")
        if name is None:
            self.unnamed.append(self.count)
        elif name in self.named:
            raise self._error(f"two groups are named '{name}'")
        else:
            self.named[name] = self.count
        self._push("(", end)

    def _close(self) -> None:
        if len(self.frames) == 1:
            raise self._error("')' closes no group")
        frame = self.frames.pop()
        self._write(")" * len(frame.wrappers) + ")", 1)
        self.flags = frame.flags
        self.atom, self.is_anchor = frame.start, False

    def _options(self, match: re.Match[str]) -> None:
        """Read ``(?i)``, which holds to the end of its group, or ``(?i:…)``."""
        on = frozenset(match[1].lower())
        off = frozenset((match[2] or "").lower())
        if match[3] == ":":
            self._push("(?:", match.end())
        self.position = match.end()
        self._open_options(on - off, off)
        self.flags = (self.flags | on) - off
        self.atom = None

    def _open_options(self, on: frozenset[str], off: frozenset[str]) -> None:
        shown_on = "".join(sorted(on & frozenset("ims")))
        shown_off = "".join(sorted(off & frozenset("ims")))
        if shown_on or shown_off:
            wrapper = f"(?{shown_on}{'-' if shown_off else ''}{shown_off}:"
            self.frames[-1].wrappers.append(wrapper)
            self.out.append(wrapper)

    def _groups(self) -> Groups:
        groups = Groups(names=self.named)
        numbers = groups.numbers
        numbers.update(enumerate(self.unnamed, 1))
        for name, at in self.named.items():
            if name.isdecimal():
                if int(name) in numbers:
                    raise self._error(f"group {int(name)} stands there already")
                numbers[int(name)] = at
        for name, at in self.named.items():
            if not name.isdecimal():
                free = next(n for n in range(1, MOST_GROUPS + 2) if n not in numbers)
                numbers[free] = at
        return groups

    def _resolved(self, reference: _Reference, groups: Groups) -> str:
        number = groups.find(reference.name)
        if number:
            return reference.form.format(number)
        octal = re.fullmatch("([0-7]{2,3})(.*)", reference.name)
        if reference.form.startswith("(?:") and octal is not None:
            return re.escape(chr(int(octal[1], 8) & 0xFF)) + octal[2]
        self.position = reference.at
        raise self._error(f"no group is named '{reference.name}'")

    # Escapes

    def _escape(self) -> None:
        at = self.position
        letter = self.text[at + 1 : at + 2]
        if letter in _ANCHORS:
            self._write_atom(_ANCHORS[letter], 2, is_anchor=True)
        elif letter == "k":
            match = _NAME.match(self.text, at + 2)
            if match is None:
                raise self._error("'\\k' needs the name of a group")
            name = match[1] or match[2]
            self._write_atom(_Reference(name, r"(?:\{0})", at), match.end() - at)
        elif letter and letter in "123456789":
            match = re.compile("[0-9]+").match(self.text, at + 1)
            assert match is not None
            form = _Reference(match[0], r"(?:\{0})", at)
            self._write_atom(form, match.end() - at)
        elif (inside := self._set()) is not None:
            self._write_atom(f"[{inside}]")
        else:
            self._write_atom(re.escape(self._character()))

    def _set(self) -> str | None:
        """Read an escape for many characters; return it as it stands in a class."""
        letter = self.text[self.position + 1 : self.position + 2]
        if letter and letter in "dDwW":
            self.position += 2
            return f"\\{letter}"
        if letter and letter in "sS":
            self.position += 2
            return white_space(letter == "S")
        if letter and letter in "pP":
            match = _PROPERTY.match(self.text, self.position + 2)
            if match is None or not is_category(match[1]):
                raise self._error("only general categories such as '\\p{Lu}' are known")
            self.position = match.end()
            return category(match[1], letter == "P")
        return None

    def _character(self) -> str:
        """Read an escape for one character."""
        at = self.position + 1
        letter = self.text[at : at + 1]
        if not letter:
            raise self._error("a pattern cannot end with '\\'")
        self.position = at + 1
        if letter in _CONTROLS:
            return chr(_CONTROLS[letter])
        if letter in "01234567":
            return self._code("[0-7]{1,3}", at, 8)
        if letter == "x":
            return self._code("[0-9A-Fa-f]{2}", at + 1, 16)
        if letter == "u":
            return self._code("[0-9A-Fa-f]{4}", at + 1, 16)
        if letter == "c":
            match = re.compile("[@-_a-z]").match(self.text, at + 1)
            if match is None:
                raise self._error("'\\c' needs a letter")
            self.position = match.end()
            return chr(ord(match[0].upper()) - 64)
        if letter.isalnum() or letter == "_":
            raise self._error(f"'\\{letter}' is not known here")
        return letter

    def _code(self, digits: str, at: int, base: int) -> str:
        match = re.compile(digits).match(self.text, at)
        if match is None:
            raise self._error("an escape needs more digits")
        self.position = match.end()
        code = int(match[0], base)
        return chr(code & 0xFF if base == 8 else code)

    # Classes

    def _class(self) -> str:
        """Read ``[…]``, and what is subtracted from it as in ``[a-z-[aeiou]]``."""
        text = self.text
        start = self.position
        self.position += 1
        negated = text.startswith("^", self.position)
        self.position += negated
        first = self.position
        items: list[str] = []
        minus = ""
        while not text.startswith("]", self.position) or self.position == first:
            if self.position >= len(text) or minus:
                self.position = start
                raise self._error("a '[' is never closed")
            if text.startswith("-[", self.position) and self.position > first:
                self.position += 1
                minus = self._class()
            else:
                items.append(self._class_item())
        self.position += 1
        whole = f"[{'^' * negated}{''.join(items)}]"
        return f"(?:(?!{minus}){whole})" if minus else whole

    def _class_item(self) -> str:
        if self.text[self.position] == "\\":
            inside = self._set()
            if inside is not None:
                return inside
        low = self._class_character()
        text, at = self.text, self.position
        if not text.startswith("-", at) or text[at + 1 : at + 2] in ("", "]", "["):
            return class_literal(low)
        self.position += 1
        if text[at + 1] == "\\" and self._set() is not None:
            raise self._error("a range ends with a character")
        high = self._class_character()
        if low > high:
            raise self._error("a range ends before it begins")
        return f"{class_literal(low)}-{class_literal(high)}"

    def _class_character(self) -> str:
        character = self.text[self.position]
        if character != "\\":
            self.position += 1
            return character
        if self.text.startswith("b", self.position + 1):
            self.position += 2
            return "\b"
        return self._character()

    def _error(self, reason: str) -> PatternError:
        quoted = shortened(self.text)
        return PatternError(
            f"the pattern '{quoted}' is malformed at {self.position}: {reason}"
        )
