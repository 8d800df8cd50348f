"""Python's garbage collector, held back while programs run and while much is built."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

__all__ = ["begin_program", "end_program", "uncollected"]

# Characters of the text that a tree is built from: some thousands of nodes.
_LARGE: Final = 50_000

# So many new objects before the collector looks at them, instead of 700: nodes of some
# ten megabytes. Each node knows its parent, so that trees are never freed otherwise; but
# what a program makes mostly lives until it ends, and each look walks over all of it.
_SELDOM: Final = 100_000

# One entry for each program that runs. There is no lock: threads that begin and end at
# the same moment may let the collector look as usual early, but never leave it changed.
_running: Final[list[None]] = []
_usual: tuple[int, int, int] | None = None


def begin_program() -> None:
    """
    Let the collector look less often, until `end_program` has been called as often.

    A process that has set it so itself, or turned it off, is left alone.
    """
    global _usual
    if not _running:
        usual = gc.get_threshold()
        if 0 < usual[0] < _SELDOM:
            _usual = usual
            gc.set_threshold(_SELDOM, *usual[1:])
    _running.append(None)


def end_program() -> None:
    """Undo `begin_program`."""
    global _usual
    _running.pop()
    if not _running:
        usual, _usual = _usual, None  # in one go, so that one thread has it
        if usual is not None and gc.get_threshold()[0] == _SELDOM:
            gc.set_threshold(*usual)


@contextmanager
def uncollected(length: int = _LARGE) -> Iterator[None]:
    """
    Hold the collector back while a tree is built.

    Args:
        length: Of the text that it is built from. For short ones it is not worth it.

    Building makes no garbage, and each collection would walk all that is built so far.
    Threads that do so at the same time may let it go on early, but never leave it off.
    """
    if length < _LARGE or not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
