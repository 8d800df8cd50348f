"""
Matching regular expressions, without ever hanging.

A pattern that backtracks may take longer than the universe is old, and Python holds its
interpreter lock meanwhile: no other thread could stop it. A program that may run for a
limited time therefore gets its matches found in a process of their own, which can be
ended, unless `pattern_cost` proves that they take little time.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from hyperlambda import Evaluator, LimitError
from hyperlambda.errors import PatternError

from .pattern_syntax import Groups, translate

__all__ = ["Pattern", "compile_pattern", "find_all", "is_found"]

Spans = tuple[tuple[int, int], ...]

# Some tenths of a second.
_MOST_STEPS = 1e7
_LIMITED_MEMORY = 1 << 30
_CHILD = """
import marshal, re, sys
try:
    import resource
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
except (ImportError, OSError, ValueError):
    pass
source, flags, text, groups, first = marshal.load(sys.stdin.buffer)
found = []
for match in re.compile(source, flags).finditer(text):
    found.append(tuple([match.span(group) for group in groups]))
    if first:
        break
marshal.dump(found, sys.stdout.buffer)
""".replace("MEMORY", str(_LIMITED_MEMORY))


@dataclass(frozen=True, slots=True)
class Pattern:
    """
    A pattern, ready for use.

    Attributes:
        compiled: The pattern of Python.
        groups: Where that has the groups of the original.
    """

    compiled: re.Pattern[str]
    groups: Groups


@lru_cache(maxsize=512)
def compile_pattern(text: str, *, multiline: bool = False) -> Pattern:
    """
    Return a pattern that is written as .NET does.

    Raises:
        PatternError: It is malformed, or uses what Python does not have.
    """
    source, groups = translate(text)
    try:
        compiled = re.compile(source, re.MULTILINE if multiline else 0)
    except re.error as error:
        raise PatternError(f"the pattern is not valid here: {error.msg}") from error
    except (OverflowError, RecursionError) as error:
        raise PatternError("the pattern is too large") from error
    return Pattern(compiled, groups)


def find_all(
    evaluator: Evaluator, pattern: Pattern, text: str, groups: Sequence[int] = (0,)
) -> Iterable[Spans]:
    """
    Return all matches, each as the places of some groups of Python; 0 is the whole.

    Raises:
        LimitError: The program's time is over.
    """
    if _may_hang(evaluator, pattern, text):
        return _find_apart(evaluator, pattern, text, groups, first=False)
    return (
        tuple([match.span(group) for group in groups])
        for match in pattern.compiled.finditer(text)
    )


def is_found(evaluator: Evaluator, pattern: Pattern, text: str) -> bool:
    """
    Return whether a pattern matches anywhere.

    Raises:
        LimitError: The program's time is over.
    """
    if _may_hang(evaluator, pattern, text):
        return bool(_find_apart(evaluator, pattern, text, (), first=True))
    return pattern.compiled.search(text) is not None


def _may_hang(evaluator: Evaluator, pattern: Pattern, text: str) -> bool:
    if evaluator.time_left() is None:
        return False
    return _worst_case(pattern.compiled, text) > _MOST_STEPS


def _worst_case(compiled: re.Pattern[str], text: str) -> float:
    # Only programs whose time is limited pay for loading this.
    from .pattern_cost import worst_case

    return worst_case(_tree(compiled.pattern, compiled.flags), text)


@lru_cache(maxsize=512)
def _tree(source: str, flags: int) -> object:
    from .pattern_cost import parse_tree

    return parse_tree(source, flags)


def _find_apart(
    evaluator: Evaluator,
    pattern: Pattern,
    text: str,
    groups: Sequence[int],
    *,
    first: bool,
) -> list[Spans]:
    """Find matches in a process that ends with the program's time."""
    # Only patterns that may take long pay for loading these.
    import marshal
    from subprocess import DEVNULL, PIPE, Popen, TimeoutExpired

    compiled = pattern.compiled
    work: bytes | None = marshal.dumps(
        (compiled.pattern, int(compiled.flags), text, tuple(groups), first)
    )
    command = [sys.executable, "-I", "-S", "-c", _CHILD]
    try:
        process = Popen(command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL)
    except OSError as error:
        raise LimitError("no process can be had to match a pattern") from error
    with process:
        try:
            while True:
                left = evaluator.time_left()
                wait = 0.2 if left is None else min(left, 0.2)
                try:
                    answer, _ = process.communicate(work, timeout=wait)
                    break
                except TimeoutExpired:
                    work = None  # it has been handed over
        finally:
            process.kill()
    if process.returncode:
        raise LimitError("a pattern needs more memory than it may have")
    found: list[Spans] = marshal.loads(answer)
    return found
