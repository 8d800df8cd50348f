"""
For which names messages are kept, how many, and how long.

A rule is written ``PATTERN=COUNT`` or ``PATTERN=COUNT,AGE``: ``chat.*=1000,5m``. The
pattern is that of a subscription: a name, ``foo.*`` (everything below foo), or ``*``. Of
several rules the first that covers a name counts, so that ``chat.secret=0`` before
``chat.*=1000`` keeps nothing of ``chat.secret``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from ..errors import HyperlambdaError

__all__ = ["DEFAULT_AGE", "MAX_COUNT", "Rule", "covers", "find_rule", "may_meet"]

DEFAULT_AGE = 3600.0
"""Seconds that messages are kept when a rule does not say."""

MAX_COUNT = 1_000_000
"""Messages of one name."""

_AGE = re.compile(r"([0-9]{1,9})([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


@dataclass(frozen=True, slots=True)
class Rule:
    """
    What is kept of some names.

    Attributes:
        pattern: Which names.
        count: How many messages of each at most; 0 keeps none.
        age: Seconds that each is kept at most.
    """

    pattern: str
    count: int
    age: float = DEFAULT_AGE

    @classmethod
    def parse(cls, text: str) -> Rule:
        """
        Read a rule, such as ``chat.*=1000,5m``.

        Raises:
            HyperlambdaError: It is none.
        """
        pattern, _, kept = text.rpartition("=")
        pattern = pattern.strip()
        fixed = pattern.removesuffix(".*")
        if not pattern or (pattern != "*" and ("*" in fixed or not fixed)):
            raise HyperlambdaError(
                f"the history '{text}' needs a name, 'NAME.*' or '*' before its '='"
            )
        count, comma, age = (part.strip() for part in kept.partition(","))
        if not (count.isascii() and count.isdigit()) or int(count[:8]) > MAX_COUNT:
            raise HyperlambdaError(
                f"the history '{text}' needs a number of messages behind its '=', "
                f"at most {MAX_COUNT}"
            )
        if not comma:
            return cls(pattern, int(count))
        match = _AGE.fullmatch(age)
        if match is None or not int(match[1]):
            raise HyperlambdaError(
                f"the age in the history '{text}' must be like 30s, 5m, 2h or 1d"
            )
        return cls(pattern, int(count), float(match[1]) * _SECONDS[match[2]])


def find_rule(rules: Iterable[Rule], name: str) -> Rule | None:
    """Return the rule by which messages of a name are kept; None if they are not."""
    for rule in rules:
        if covers(rule.pattern, name):
            return rule if rule.count else None
    return None


def covers(pattern: str, name: str) -> bool:
    """Return whether a pattern stands for a name."""
    if pattern.endswith(".*"):
        return name.startswith(pattern[:-1])
    return pattern in ("*", name)


def may_meet(rules: Iterable[Rule], pattern: str) -> bool:
    """Return whether messages may be kept of a name, or of names of a pattern."""
    if not pattern.endswith("*"):
        return find_rule(rules, pattern) is not None
    start = pattern[:-1]
    for rule in rules:
        own = rule.pattern
        if own.endswith("*"):
            meets = own[:-1].startswith(start) or start.startswith(own[:-1])
        else:
            meets = own.startswith(start)
        if meets and rule.count:
            return True
    return False
