"""
Looking at the limits of a program from where the program is not known.

Expressions are evaluated without knowing for whom. One that visits very many nodes says
so here, and whoever runs a program on this thread is asked whether it may go on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from .errors import ExpressionError

__all__ = ["LARGE", "MOST_VISITED", "looking_at", "visit"]

LARGE = 10_000
"""From how many nodes on it is worth a look: some hundreds of microseconds."""

MOST_VISITED = 10_000_000
"""What one expression may visit: some seconds."""

_look: ContextVar[Callable[[], None] | None] = ContextVar("look", default=None)


@contextmanager
def looking_at(look: Callable[[], None]) -> Iterator[None]:
    """Let a function be called, as long as a block runs, when much is visited."""
    token = _look.set(look)
    try:
        yield
    finally:
        _look.reset(token)


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
    look = _look.get()
    if look is not None:
        look()
