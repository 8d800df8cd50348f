"""
Looking at the limits of a program from where the program is not known.

Expressions are evaluated without knowing for whom. One that visits very many nodes says
so here, and whoever runs a program on this thread is asked whether it may go on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token
from typing import Any, Final

from .errors import ExpressionError

__all__ = [
    "LARGE",
    "MOST_VISITED",
    "Watch",
    "current_watch",
    "end_look",
    "look_at",
    "looking_at",
    "visit",
]

LARGE: Final = 10_000
"""From how many nodes on it is worth a look: some hundreds of microseconds."""

MOST_VISITED = 10_000_000
"""What one expression may visit: some seconds."""


class Watch:
    """
    What expressions know of the program that they are evaluated for.

    Attributes:
        look: Raises an error if the program may not go on.
        known: What siblings.py has found out about its long lists of children, by the
            `id` of their parents. None: nothing may be kept.
    """

    __slots__ = ("known", "look")

    look: Callable[[], None]
    known: dict[int, Any] | None

    def __init__(self, look: Callable[[], None]) -> None:
        self.look = look
        self.known = {}


_watch: ContextVar[Watch | None] = ContextVar("watch", default=None)


def look_at(look: Callable[[], None]) -> Token[Watch | None]:
    """Let a function be called, until `end_look`, when much is visited."""
    return _watch.set(Watch(look))


def end_look(token: Token[Watch | None]) -> None:
    """Undo `look_at`."""
    _watch.reset(token)


@contextmanager
def looking_at(look: Callable[[], None]) -> Iterator[None]:
    """Let a function be called, as long as a block runs, when much is visited."""
    token = look_at(look)
    try:
        yield
    finally:
        end_look(token)


def current_watch() -> Watch | None:
    """Return what is known of the program that runs here, or None if none does."""
    return _watch.get()


def visit(nodes: int) -> None:
    """
    Say that an expression visits that many nodes.

    Raises:
        ExpressionError: It is more than any expression may.
        LimitError: The program may not go on.
    """
    if nodes > MOST_VISITED:
        raise ExpressionError(
            f"an expression visits more than the {MOST_VISITED:,} nodes it may",
            help="each '**', '!' and '--' visits all nodes below or above each it is given",
        )
    watch = _watch.get()
    if watch is not None:
        watch.look()
