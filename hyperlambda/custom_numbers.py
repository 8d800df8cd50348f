"""
Custom .NET formats of numbers: ``#,0.00``, ``0.0%``, ``00E+0``, ``0;(0);nothing``.

A format has one to three sections, for positive numbers, negative ones and zero. A
section is literal text between the places of digits: ``0`` always shows one, ``#`` only
if there is one to show.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from .cultures import Culture
from .errors import LiteralError
from .numerals import abbreviate

__all__ = ["Digits", "format_custom"]

_TOKEN = re.compile(
    r"(?P<exponent>[eE](?P<sign>[+-]?)(?P<zeros>0++))"
    r"|(?P<quote>['\"])(?P<quoted>[^'\"]*+)(?:(?P=quote)|$)"
    r"|\\(?P<escaped>.)|(?P<place>[#0])|(?P<mark>[.,%‰;])|.",
    re.DOTALL,
)
_LONGEST = 10_000


class Digits:
    """
    A number as its digits.

    Attributes:
        digits: Without leading zeros; "" is zero.
        scale: How many of them stand before the point; may be negative.
        negative: Whether it is below zero.
    """

    __slots__ = ("digits", "negative", "scale")

    def __init__(self, digits: str, scale: int, negative: bool) -> None:
        self.digits = digits.rstrip("0")
        self.scale = scale if self.digits else 0
        self.negative = negative

    def round(self, places: int) -> None:
        """Keep that many digits, counted from the first, and round half away from 0."""
        if places >= len(self.digits):
            return
        up = places >= 0 and self.digits[places] >= "5"
        kept = self.digits[: max(places, 0)]
        if up:
            kept = kept.rstrip("9")
            if kept:
                kept = kept[:-1] + str(int(kept[-1]) + 1)
            else:
                kept = "1"
                self.scale += 1
        self.digits = kept.rstrip("0")
        if not self.digits:
            self.scale = 0
            self.negative = False


class _Section:
    """What a section asks for: how many digits, where, and in which notation."""

    __slots__ = (
        "decimals",
        "grouped",
        "least",
        "places",
        "scientific",
        "shift",
        "tokens",
        "whole",
    )

    def __init__(self, tokens: list[re.Match[str]]) -> None:
        self.tokens = tokens
        self.places = 0  # of digits in all
        self.scientific = False
        self.grouped = False
        self.shift = 0  # powers of ten that the number is multiplied by
        first = last = point = None
        commas = 0  # pending: they group if a place follows, and scale if none does
        for token in tokens:
            text = token[0]
            if token["place"]:
                if commas and point is None:
                    self.grouped = True
                commas = commas if point is not None else 0
                if text == "0":
                    first = self.places if first is None else first
                    last = self.places + 1
                self.places += 1
            elif token["exponent"]:
                self.scientific = True
            elif text == "." and point is None:
                point = self.places
            elif text == "," and point is None and self.places:
                commas += 1
            elif text == "%":
                self.shift += 2
            elif text == "‰":
                self.shift += 3
        self.shift -= 3 * commas
        self.whole = self.places if point is None else point
        # Digits that show even if they are zero, before and after the point.
        self.least = max(self.whole - (self.whole if first is None else first), 0)
        self.decimals = max((last or 0) - self.whole, 0)


def format_custom(number: Digits, pattern: str, culture: Culture) -> str:
    """
    Format a number.

    Raises:
        LiteralError: The format is absurdly long.
    """
    if len(pattern) > _LONGEST:
        raise LiteralError(f"the format {abbreviate(pattern)} is too long")
    sections = _sections(pattern)
    choice = 2 if not number.digits else 1 if number.negative else 0
    choice = _chosen(sections, choice)
    section = _Section(sections[choice])
    if number.digits:
        number.scale += section.shift
        _round_to(number, section)
        if not number.digits and _chosen(sections, 2) != choice:
            choice = _chosen(sections, 2)
            section = _Section(sections[choice])
    # A section for negative numbers shows the sign itself, or means to hide it.
    shows_sign = number.negative and choice == 0 and bool(number.digits)
    body = "".join(_filled(number, section, culture))
    return culture.minus + body if shows_sign else body


def _sections(pattern: str) -> list[list[re.Match[str]]]:
    sections: list[list[re.Match[str]]] = [[]]
    for token in _TOKEN.finditer(pattern):
        if token["mark"] == ";":
            sections.append([])
        else:
            sections[-1].append(token)
    return sections


def _chosen(sections: list[list[re.Match[str]]], wanted: int) -> int:
    """Return the section that stands for another when that is absent or empty."""
    return wanted if wanted < len(sections) and sections[wanted] else 0


def _round_to(number: Digits, section: _Section) -> None:
    if section.scientific:
        number.round(section.places)
    else:
        number.round(number.scale + section.places - section.whole)


def _filled(number: Digits, section: _Section, culture: Culture) -> Iterator[str]:
    """Yield the texts that the tokens of a section become."""
    whole = section.whole
    # The position of a digit: 0 is the first after the point, 1 the last before it.
    position = whole if section.scientific else max(number.scale, whole)
    # How many digits more (or fewer) than places stand before the point.
    surplus = 0 if section.scientific else number.scale - whole
    rest = iter(number.digits)
    left = len(number.digits)
    pointed = False
    exponent_done = False
    for token in section.tokens:
        if token["place"] or token["mark"] == ".":
            while surplus > 0:
                yield next(rest, "0")
                left -= left > 0
                position -= 1
                surplus -= 1
                yield _group(position, section, culture)
        if token["place"]:
            if surplus < 0:
                surplus += 1
                digit = "0" if position <= section.least else ""
            elif left:
                digit = next(rest)
                left -= 1
            else:
                digit = "0" if position > -section.decimals else ""
            position -= 1
            if digit:
                yield digit
                yield _group(position, section, culture)
        elif token["mark"] == ".":
            if (
                position == 0
                and not pointed
                and (section.decimals or (whole < section.places and left))
            ):
                yield culture.point
                pointed = True
        elif token["mark"]:
            yield "" if token["mark"] == "," else token["mark"]
        elif token["exponent"] and not exponent_done:
            exponent_done = True
            yield token[0][0] + _exponent(number, section, token)
        elif token["quote"]:
            yield token["quoted"]
        else:
            yield token["escaped"] or token[0]


def _group(position: int, section: _Section, culture: Culture) -> str:
    """Return the separator after a digit before which `position` more stand, if any."""
    apart = section.grouped and position > 0 and position % 3 == 0
    return culture.group if apart else ""


def _exponent(number: Digits, section: _Section, token: re.Match[str]) -> str:
    power = number.scale - section.whole if number.digits else 0
    sign = "-" if power < 0 else "+" if token["sign"] == "+" else ""
    return sign + str(abs(power)).zfill(min(len(token["zeros"]), 10))
