"""
Sets of characters, as they stand in a class of Python's regular expressions.

Each is the inside of ``[…]``, spelled with escapes only.
"""

from __future__ import annotations

import sys
from functools import cache

from .strings import WHITE_SPACE

__all__ = ["category", "class_literal", "is_category", "white_space"]

# The general categories of Unicode: a letter for the kind, and those that may follow it.
_CATEGORIES = {
    "L": "ultmo",
    "M": "nce",
    "N": "dlo",
    "P": "cdseifo",
    "S": "mcko",
    "Z": "slp",
    "C": "cfson",
}


def is_category(name: str) -> bool:
    """Return whether a general category, or a kind of them, has that name."""
    kind, detail = name[:1], name[1:]
    return kind in _CATEGORIES and len(detail) < 2 and detail in _CATEGORIES[kind]


def class_literal(character: str) -> str:
    """Return a character so that it means nothing else in a class of Python."""
    code = ord(character)
    if character.isalnum() and code < 128:
        return character
    return f"\\U{code:08x}" if code > 0xFFFF else f"\\u{code:04x}"


def _text(ranges: list[tuple[int, int]]) -> str:
    return "".join(
        [
            f"{class_literal(chr(low))}-{class_literal(chr(high))}"
            for low, high in ranges
        ]
    )


def _runs(codes: list[int]) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    for code in codes:
        if runs and code == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], code)
        else:
            runs.append((code, code))
    return runs


def _others(runs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the runs between runs."""
    ends = [-1, *(high for _, high in runs)]
    starts = [*(low for low, _ in runs), sys.maxunicode + 1]
    return [
        (end + 1, start - 1)
        for end, start in zip(ends, starts, strict=True)
        if end + 1 < start
    ]


@cache
def white_space(negated: bool) -> str:
    """Return the white space of .NET, or everything else."""
    runs = _runs(sorted(map(ord, WHITE_SPACE)))
    return _text(_others(runs) if negated else runs)


def category(name: str, negated: bool) -> str:
    """Return the characters of a general category such as ``Lu`` or ``L``, or others."""
    known = _categories()
    parts = [runs for each, runs in known.items() if each.startswith(name)]
    others = _others(sorted(run for part in parts for run in part))
    return _text(others if negated else _others(others))  # the latter joins neighbours


@cache
def _categories() -> dict[str, list[tuple[int, int]]]:
    # A look at every character there is takes some tenths of a second: once, and only
    # for programs that ask for a category.
    import unicodedata

    codes: dict[str, list[int]] = {}
    for code in range(sys.maxunicode + 1):
        codes.setdefault(unicodedata.category(chr(code)), []).append(code)
    return {name: _runs(each) for name, each in codes.items()}
