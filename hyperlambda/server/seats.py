"""
How many clients may be connected: to one process, or to all that share a port.

Processes that share a port share memory too: each writes there how many clients it has,
and reads how many the others have. So a limit means all of them together, however the
system deals out the connections.
"""

from __future__ import annotations

import mmap
from typing import TypeAlias

__all__ = ["Counts", "Seats", "shared_counts"]

Counts: TypeAlias = "memoryview[int] | list[int]"
"""How many clients each process has."""


def shared_counts(workers: int) -> Counts:
    """Return counts, all 0, that this process shares with those that it will fork."""
    return memoryview(mmap.mmap(-1, 8 * workers)).cast("q")


class Seats:
    """
    Tells whether there is room for one more.

    Args:
        limit: How many clients there may be at most; None for no limit.
        worker: The number of this process, from 1, among those that share its port;
            None: it is the only one.
        counts: Of all of them.

    Attributes:
        worker: The same.
    """

    def __init__(
        self,
        limit: int | None,
        worker: int | None = None,
        counts: Counts | None = None,
    ) -> None:
        self.worker = worker
        self._limit = limit
        self._counts = [0] if counts is None else counts
        self._place = 0 if worker is None else worker - 1
        # Whoever had this number before has died.
        self.take(0)

    def take(self, count: int) -> None:
        """Note how many clients this process has."""
        self._counts[self._place] = count

    @property
    def is_full(self) -> bool:
        """Whether nobody else may come."""
        return self._limit is not None and sum(self._counts) >= self._limit
