"""
How long matching a regular expression may take at worst.

Python's matcher tries one way after the other and cannot be interrupted. `worst_case`
counts the ways: an upper bound on the steps, from the tree that `re` itself makes of a
pattern. A repetition counts once for each number of rounds it could end after, unless
what follows it cannot begin as another round does, for then going back never helps; a
choice counts once for each branch; what stands in a repetition counts once for each
round, as often as that is. The bound of ``(a+)+b`` has no end in practice, that of
``([a-z]+\\.)+[a-z]{2,}`` grows with the square of the text.
"""

from __future__ import annotations

import re
from re import _constants as op
from re import _parser
from typing import Any

__all__ = ["Tree", "parse_tree", "worst_case"]

Tree = Any
"""A `re._parser.SubPattern`: a sequence of (operation, argument)."""
_Item = tuple[Any, Any]
_Follow = tuple[_Item, ...] | None
"""The single characters, or ends of the text, that may come; None if not known."""

_SINGLE = frozenset((op.LITERAL, op.NOT_LITERAL, op.ANY, op.IN))
_REPEATS = frozenset((op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT))
_MOST = 1e30
_MOST_LISTED = 300
_ENDS = frozenset((op.AT_END, op.AT_END_STRING))


def parse_tree(pattern: str, flags: int) -> Tree:
    """Return the tree of a pattern that is known to be well formed."""
    return _parser.parse(pattern, flags)


def worst_case(tree: Tree, text: str) -> float:
    """Return an upper bound on the steps of finding all matches in a text."""
    items = list(tree)
    folds = bool(tree.state.flags & re.IGNORECASE) or "(?i" in tree.state.str
    counter = _Counter(len(text), folds)
    ways = counter.ways(items, ())
    alternatives = 1 + tree.state.str.count("|")
    attempts = len(text) + 1
    if items and items[0] == (op.AT, op.AT_BEGINNING):
        attempts = text.count("\n") + 1  # one at each line, and a glance elsewhere
    length = min(len(text), _length_of_failures(tree)) + 1
    return float(min(_MOST, len(text) + attempts * length * ways * alternatives))


def _length_of_failures(tree: Tree) -> int:
    """Return how far an attempt can come, in characters, and fail."""
    items = list(tree)
    while len(items) == 1 and items[0][0] is op.SUBPATTERN:
        items = list(items[0][1][3])
    if not items:
        return 0
    last, argument = items[-1]
    width = 0
    if last in _REPEATS and _is_single(argument[2]):
        width = argument[0]  # from there on it has matched
    else:
        width = _parser.SubPattern(tree.state, items[-1:]).getwidth()[1]
    return int(_parser.SubPattern(tree.state, items[:-1]).getwidth()[1] + width)


class _Counter:
    """
    Counts ways for texts of one length.

    Attributes:
        length: Of the text, in characters.
        folds: Whether capitals may count as small letters anywhere in the pattern.
    """

    def __init__(self, length: int, folds: bool) -> None:
        self.length = length
        self.folds = folds

    def ways(self, items: list[_Item], follow: _Follow) -> float:
        """Return in how many ways a sequence may match from one place."""
        product = 1.0
        for index, (operation, argument) in enumerate(items):
            if operation not in _SINGLE:
                after = self.first(items[index + 1 :], follow)
                product = min(_MOST, product * self._ways(operation, argument, after))
        return product

    def _ways(self, operation: Any, argument: Any, follow: _Follow) -> float:
        if operation in _REPEATS:
            least, most, body = argument
            return self._repeated(least, most, body, follow)
        if operation is op.SUBPATTERN:
            return self.ways(list(argument[3]), follow)
        if operation is op.BRANCH:
            ways = [self.ways(list(branch), follow) for branch in argument[1]]
            return max(ways) if self._exclude(argument[1]) else sum(ways)
        if operation is op.ATOMIC_GROUP:
            return self.ways(list(argument), ())
        if operation in (op.ASSERT, op.ASSERT_NOT):
            return self.ways(list(argument[1]), ())
        if operation is op.GROUPREF_EXISTS:
            _, yes, no = argument
            return self.ways(list(yes), follow) + self.ways(list(no or ()), follow)
        return 1.0

    def _repeated(self, least: int, most: int, body: Tree, follow: _Follow) -> float:
        first, may_be_empty = self._first_of_sequence(list(body))
        ends = not may_be_empty and self._is_apart(first, follow)
        rounds = min(int(most), self.length + 1)
        choices = 1 if ends else max(1, rounds - least + 1)
        if _is_single(body):
            return choices
        inner = None if first is None or follow is None else first + follow
        ways = self.ways(list(body), inner)
        if ways == 1:
            return choices
        try:
            return min(_MOST, choices * ways**rounds)
        except OverflowError:
            return _MOST

    # What may come first

    def first(self, items: list[_Item], follow: _Follow) -> _Follow:
        """Return what a sequence may begin with, or what follows it if it is empty."""
        found, may_be_empty = self._first_of_sequence(items)
        if found is None or not may_be_empty:
            return found
        return None if follow is None else found + follow

    def _first_of_sequence(self, items: list[_Item]) -> tuple[_Follow, bool]:
        found: tuple[_Item, ...] = ()
        for item in items:
            more, may_be_empty = self._first_of(*item)
            if more is None:
                return None, True
            found += more
            if len(found) > _MOST_LISTED:
                return None, True
            if not may_be_empty:
                return found, False
        return found, True

    def _first_of(self, operation: Any, argument: Any) -> tuple[_Follow, bool]:
        if operation in _SINGLE:
            return ((operation, argument),), False
        if operation is op.SUBPATTERN:
            return self._first_of_sequence(list(argument[3]))
        if operation in _REPEATS:
            found, may_be_empty = self._first_of_sequence(list(argument[2]))
            return found, may_be_empty or argument[0] == 0
        if operation is op.AT and argument in _ENDS:
            return ((operation, argument),), False
        if operation is op.BRANCH:
            parts = [self._first_of_sequence(list(each)) for each in argument[1]]
            if any(found is None for found, _ in parts):
                return None, True
            joined = tuple(item for found, _ in parts for item in found or ())
            return joined, any(empty for _, empty in parts)
        return None, True

    def _exclude(self, branches: list[Tree]) -> bool:
        """Return whether at most one of the branches can begin at any place."""
        if len(branches) > 20:
            return False
        firsts = []
        for branch in branches:
            found, may_be_empty = self._first_of_sequence(list(branch))
            if found is None or may_be_empty:
                return False
            firsts.append(found)
        return all(
            self._is_apart(a, b)
            for index, a in enumerate(firsts)
            for b in firsts[index + 1 :]
        )

    def _is_apart(self, a: _Follow, b: _Follow) -> bool:
        """Return whether no character is in both."""
        if a is None or b is None or len(a) * len(b) > _MOST_LISTED:
            return False
        return all(self._differ(x, y) for x in a for y in b)

    def _differ(self, a: _Item, b: _Item) -> bool:
        if a[0] is op.AT or b[0] is op.AT:
            return _is_apart_from_end(a, b) or _is_apart_from_end(b, a)
        for one, other in ((a, b), (b, a)):
            listed = _listed(one)
            if listed is not None:
                if self.folds and any(_has_case(code) for code in listed):
                    return False
                return not any(_matches(other, code) for code in listed)
        return False


def _is_apart_from_end(end: _Item, other: _Item) -> bool:
    # No character stands at the end of a text, but a line end may at that of a line.
    return other[0] in _SINGLE and (
        end[1] is op.AT_END_STRING or not _matches(other, 10)
    )


def _is_single(body: Tree) -> bool:
    """Return whether a sequence always takes one character."""
    while len(body) == 1 and body[0][0] is op.SUBPATTERN:
        body = body[0][1][3]
    return len(body) == 1 and body[0][0] in _SINGLE


def _has_case(code: int) -> bool:
    character = chr(code)
    return character.lower() != character or character.upper() != character


def _listed(item: _Item) -> list[int] | None:
    """Return the characters of an item, if they are few."""
    operation, argument = item
    if operation is op.LITERAL:
        return [argument]
    if operation is not op.IN:
        return None
    found: list[int] = []
    for kind, value in argument:
        if kind is op.LITERAL:
            found.append(value)
        elif kind is op.RANGE and value[1] - value[0] < _MOST_LISTED:
            found.extend(range(value[0], value[1] + 1))
        else:
            return None
        if len(found) > _MOST_LISTED:
            return None
    return found


_CATEGORIES = {
    op.CATEGORY_DIGIT: r"\d",
    op.CATEGORY_NOT_DIGIT: r"\D",
    op.CATEGORY_WORD: r"\w",
    op.CATEGORY_NOT_WORD: r"\W",
    op.CATEGORY_SPACE: r"\s",
    op.CATEGORY_NOT_SPACE: r"\S",
}


def _matches(item: _Item, code: int) -> bool:
    """Return whether an item takes a character, letters taken as they are."""
    operation, argument = item
    if operation is op.LITERAL:
        return bool(argument == code)
    if operation is op.NOT_LITERAL:
        return bool(argument != code)
    if operation is op.ANY:
        return True  # with an option, a line end too
    negated = argument[0][0] is op.NEGATE
    for kind, value in argument:
        if kind is op.LITERAL:
            taken = value == code
        elif kind is op.RANGE:
            taken = value[0] <= code <= value[1]
        elif kind is op.CATEGORY:
            taken = re.match(_CATEGORIES[value], chr(code)) is not None
        else:
            continue
        if taken:
            return not negated
    return bool(negated)
