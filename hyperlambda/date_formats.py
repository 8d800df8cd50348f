"""
Standard and custom .NET formats of dates and times.

One letter is a standard format, which for dates stands for a custom one; anything
longer, or a letter after ``%``, is custom.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo

from .cultures import INVARIANT, Culture
from .dates import (
    MONTH_NAMES,
    TICKS_PER_SECOND,
    WEEKDAY_NAMES,
    Time,
    normal_date,
)
from .errors import LiteralError, OutOfRangeError
from .numerals import abbreviate

__all__ = ["format_date", "format_time"]

# A run of one letter, a quoted text, an escaped character, or any other one.
_TOKEN = re.compile(
    r"(?P<letter>[dfFghHKmMstyz])(?P=letter)*+"
    r"|(?P<quote>['\"])(?P<quoted>(?:\\.|(?!(?P=quote))[^\\])*+)(?P=quote)"
    r"|\\(?P<escaped>.)|(?P<percent>%)(?=[^%])|.",
    re.DOTALL,
)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)

_FIXED_FORMATS = {
    "o": "yyyy'-'MM'-'dd'T'HH':'mm':'ss'.'fffffffK",
    "r": "ddd, dd MMM yyyy HH':'mm':'ss 'GMT'",
    "s": "yyyy'-'MM'-'dd'T'HH':'mm':'ss",
    "u": "yyyy'-'MM'-'dd HH':'mm':'ss'Z'",
}


def format_date(
    value: datetime, pattern: str, culture: Culture, zone: tzinfo | None = None
) -> str:
    """
    Format a date.

    Args:
        value: A date of any kind.
        pattern: One of the formats.
        culture: Its punctuation.
        zone: Whose clocks to show, a date without a zone being UTC; None shows the date
            as it is. The formats ``r``, ``u`` and ``U`` are always in UTC.

    Raises:
        LiteralError: The format does not exist.
        OutOfRangeError: The date does not exist in that zone.
    """
    value = normal_date(value)
    if zone is not None and pattern not in _ALWAYS_UTC:
        value = _shown_in(value, zone)
    if len(pattern) <= 1:
        pattern, culture = _date_pattern(pattern or "G", culture)
    return _fill(pattern, lambda token: _date_part(value, token), _separators(culture))


_ALWAYS_UTC = ("r", "R", "u", "U")


def _shown_in(value: datetime, zone: tzinfo) -> datetime:
    try:
        return value.replace(tzinfo=UTC).astimezone(zone)
    except OverflowError as error:
        raise OutOfRangeError("the date is outside the years 1 … 9999") from error


def _date_pattern(letter: str, culture: Culture) -> tuple[str, Culture]:
    """Return the custom format that a standard one stands for."""
    if letter.lower() in _FIXED_FORMATS and letter not in "SU":
        return _FIXED_FORMATS[letter.lower()], INVARIANT
    short_day, long_day = culture.short_date, culture.long_date
    patterns = {
        "d": short_day,
        "D": long_day,
        "f": f"{long_day} {culture.short_time}",
        "F": f"{long_day} {culture.long_time}",
        "g": f"{short_day} {culture.short_time}",
        "G": f"{short_day} {culture.long_time}",
        "m": "MMMM dd",
        "M": "MMMM dd",
        "t": culture.short_time,
        "T": culture.long_time,
        "U": f"{long_day} {culture.long_time}",
        "y": "yyyy MMMM",
        "Y": "yyyy MMMM",
    }
    if letter not in patterns:
        raise LiteralError(f"a date has no format {abbreviate(letter)}")
    return patterns[letter], culture


def _fill(pattern: str, part: Callable[[str], str], separators: dict[str, str]) -> str:
    """Replace the letters of a custom format; quotes and backslashes protect text."""
    pieces: list[str] = []
    for token in _TOKEN.finditer(pattern):
        text = token[0]
        if token["letter"]:
            piece = part(text)
            # ``F`` drops trailing zeros, and with the last one the point before it.
            if text[0] == "F" and not piece and pieces and pieces[-1] == ".":
                pieces.pop()
            pieces.append(piece)
        elif token["quote"]:
            pieces.append(_ESCAPE.sub(r"\1", token["quoted"]))
        elif token["escaped"]:
            pieces.append(token["escaped"])
        elif text in "'\"\\%" and not token["percent"]:
            raise LiteralError(f"the format {abbreviate(pattern)} is malformed")
        elif not token["percent"]:
            pieces.append(separators.get(text, text))
    return "".join(pieces)


def _separators(culture: Culture) -> dict[str, str]:
    """Return what ``/`` and ``:`` stand for, which is what the culture's formats use."""
    day = next(c for c in culture.short_date if not c.isalpha())
    clock = next(c for c in culture.short_time if not c.isalpha() and c != " ")
    return {"/": day, ":": clock}


def _date_part(value: datetime, token: str) -> str:
    letter, count = token[0], len(token)
    if letter in "fF":
        return _fraction(value.microsecond * 10, token)
    if letter == "d":
        if count < 3:
            return f"{value.day:0{count}}"
        name = WEEKDAY_NAMES[value.weekday()]
        return name[:3] if count == 3 else name
    if letter == "M":
        if count < 3:
            return f"{value.month:0{count}}"
        name = MONTH_NAMES[value.month - 1]
        return name[:3] if count == 3 else name
    if letter == "y":
        return f"{value.year % 100 if count < 3 else value.year:0{count}}"
    if letter == "t":
        half = "AM" if value.hour < 12 else "PM"
        return half[:count]
    if letter == "z":
        return _offset(value, count)
    if letter == "K":
        if value.tzinfo is None:
            return ""
        return ("Z" if value.tzinfo is UTC else _offset(value, 3)) * count
    if letter == "g":
        return "A.D."
    numbers = {
        "h": value.hour % 12 or 12,
        "H": value.hour,
        "m": value.minute,
        "s": value.second,
    }
    return f"{numbers[letter]:0{min(count, 2)}}"


def _offset(value: datetime, count: int) -> str:
    """Return the offset from UTC: hours, hours of two digits, or with minutes."""
    offset = value.utcoffset() or timedelta(0)
    sign = "-" if offset < timedelta(0) else "+"
    hours, minutes = divmod(abs(offset) // timedelta(minutes=1), 60)
    if count > 2:
        return f"{sign}{hours:02}:{minutes:02}"
    return f"{sign}{hours:0{count}}"


def _fraction(ticks: int, token: str) -> str:
    """Return as many digits of a second as the token is long."""
    if len(token) > 7:
        raise LiteralError("a second has at most 7 decimals")
    digits = f"{ticks:07}"[: len(token)]
    return digits.rstrip("0") if token[0] == "F" else digits


def format_time(value: Time, pattern: str, culture: Culture) -> str:
    """
    Format a duration; custom formats leave the sign out.

    Raises:
        LiteralError: The format does not exist.
    """
    if pattern in ("", "c", "t", "T"):
        return str(value)
    seconds, fraction = divmod(abs(value.ticks), TICKS_PER_SECOND)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    sign = culture.minus if value.ticks < 0 else ""
    if pattern == "g":
        digits = f"{fraction:07}".rstrip("0")
        tail = f"{culture.point}{digits}" if digits else ""
        head = f"{days}:" if days else ""
        return f"{sign}{head}{hours}:{minutes:02}:{seconds:02}{tail}"
    if pattern == "G":
        clock = f"{hours:02}:{minutes:02}:{seconds:02}"
        return f"{sign}{days}:{clock}{culture.point}{fraction:07}"
    if len(pattern) == 1:
        raise LiteralError(f"a time has no format {abbreviate(pattern)}")
    numbers = {"d": days, "h": hours, "m": minutes, "s": seconds}

    def part(token: str) -> str:
        letter, count = token[0], len(token)
        if letter in "fF":
            return _fraction(fraction, token)
        if letter not in numbers or count > (8 if letter == "d" else 2):
            raise LiteralError(f"a time has no format {abbreviate(pattern)}")
        return f"{numbers[letter]:0{count}}"

    for token in _TOKEN.finditer(pattern):
        plain = not (token["letter"] or token["quote"] or token["escaped"])
        if plain and token[0] != "%":
            raise LiteralError(
                f"the time format {abbreviate(pattern)} has text outside quotes"
            )
    return _fill(pattern, part, {})
