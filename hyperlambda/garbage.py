"""Python's garbage collector, held back while much is built."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["uncollected"]

# Characters of the text that a tree is built from: some thousands of nodes.
_LARGE = 50_000


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
