"""
What a program may still use up: steps, nodes, characters and time (see `Limits`).

Whoever makes much of something says so here, before it is made. A program and its forks
share one `Budget`; what each of them took from it is here too, so that asking is cheap.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Final

from .budget import Budget, copy_size
from .errors import LimitError
from .garbage import uncollected
from .limits import Limits
from .node import Node, clones

__all__ = ["ENDLESS", "Allowance"]

ENDLESS: Final = sys.maxsize
"""What stands for no limit where a number is counted down."""

# Steps between looks at whether the program may go on: some tens of microseconds.
_STEPS_BETWEEN_LOOKS: Final = 256
# The same if its time is limited; fewer when they took longer than this, in seconds.
_STEPS_BETWEEN_LOOKS_AT_THE_CLOCK: Final = 64
_LONG_TIME: Final = 0.002
# Characters from which on making a text is worth a look at the clock.
_LONG_TEXT: Final = 1000
# Nodes from which on it pays to hold the collector back while they are copied.
_MANY: Final = 500
# How many times the longest text all texts of a program may have together.
_TEXTS: Final = 100


class Allowance:
    """
    What one program, or one of its forks, has left.

    Attributes:
        limits: What the program may use up.
        dynamic_slots: The lambdas of [slots.create], by name.
    """

    __slots__ = (
        "_batch",
        "_budget",
        "_deadline",
        "_fuel",
        "_looked_at",
        "_node_allowance",
        "_roots",
        "_text_allowance",
        "dynamic_slots",
        "limits",
    )

    limits: Limits
    dynamic_slots: dict[str, Node]
    _batch: int
    _budget: Budget
    _deadline: float | None
    _fuel: int
    _looked_at: float
    _node_allowance: int | None
    _roots: list[Node]
    _text_allowance: int

    def _start_counting(self) -> None:
        """Begin with full limits."""
        limits = self.limits
        self._roots = []
        self._deadline = (
            None if limits.timeout is None else monotonic() + limits.timeout
        )
        self._node_allowance = limits.max_nodes
        self._text_allowance = _TEXTS * (limits.max_text or 0)
        steps = ENDLESS if limits.max_steps is None else limits.max_steps
        self._budget = Budget(steps, self._roots)
        self._fuel = 0
        self._batch = 1
        self._looked_at = 0.0

    @property
    def stopped(self) -> bool:
        """Whether the program is to end at its next look; any thread may set it."""
        return self._budget.stopped

    @stopped.setter
    def stopped(self, stopped: bool) -> None:
        self._budget.stopped = stopped

    def clones(self, nodes: list[Node]) -> list[Node]:
        """
        Return a copy of each node.

        Raises:
            LimitError: The program would have more nodes than it may.
        """
        if self._deadline is not None:
            self.look()
        most = self.limits.max_nodes
        if most is not None:
            self.charge_nodes(copy_size(nodes, most))
        if len(nodes) < _MANY:
            return clones(nodes)
        with uncollected():
            return clones(nodes)

    def charge_nodes(self, count: int) -> None:
        """
        Say that the program is about to have that many more nodes.

        Raises:
            LimitError: It would have more than it may.
        """
        if self._node_allowance is None:
            return
        self._node_allowance -= count
        if self._node_allowance < 0:
            most = self.limits.max_nodes or 0
            self._node_allowance = self._budget.allow_nodes(count, most)

    @contextmanager
    def holding(self, nodes: list[Node]) -> Iterator[None]:
        """Count nodes that stand in no tree of the program, as long as a block runs."""
        self._roots.extend(nodes)
        try:
            yield
        finally:
            if nodes:
                del self._roots[-len(nodes) :]

    def count_step(self) -> None:
        """
        Say that the program did what takes as long as calling a slot.

        Raises:
            LimitError: It did more than it may, or its time is over.
        """
        self._fuel -= 1
        if self._fuel < 0:
            self._refuel()

    def charge_text(self, length: int) -> None:
        """
        Say that the program is about to make a text of that many characters.

        Raises:
            LimitError: It is longer than it may be, or all texts together are; or the
                program's time is over.
        """
        most = self.limits.max_text
        if most is not None and length > most:
            raise LimitError(
                f"a text would have {length} characters, more than the {most} it may"
            )
        self.charge_texts(length)

    def charge_texts(self, length: int) -> None:
        """
        Say that the program is about to make texts of that many characters together.

        Raises:
            LimitError: All its texts together are longer than they may be, or its time
                is over.
        """
        if length > _LONG_TEXT and self._deadline is not None:
            self.look()
        most = self.limits.max_text
        if most is None:
            return
        self._text_allowance -= length
        if self._text_allowance < 0:
            slots = list(self.dynamic_slots.items())
            stored = [Node(name, code) for name, code in slots]
            self._text_allowance = self._budget.allow_text(
                length, _TEXTS * most, stored
            )

    def store(self, name: str, code: Node) -> None:
        """
        Make a dynamic slot, which stays when the program ends.

        Raises:
            LimitError: The dynamic slots would have more nodes than a program may.
        """
        most = self.limits.max_nodes
        if most is not None:
            self.look()  # counting takes longer than a step
            others = [n for key, n in list(self.dynamic_slots.items()) if key != name]
            if copy_size([*others, code], most) > most:
                raise LimitError(
                    f"the dynamic slots have more than the {most} nodes they may"
                )
        self.dynamic_slots[name] = code

    def time_left(self) -> float | None:
        """
        Return for how many seconds the program may still run; None means no limit.

        Raises:
            LimitError: Its time is over.
        """
        self.look()
        return (
            None if self._deadline is None else max(0.0, self._deadline - monotonic())
        )

    def sleep(self, seconds: float) -> None:
        """
        Wait, but no longer than the program may run.

        Raises:
            LimitError: Its time is over.
        """
        # Only programs that wait pay for loading the module.
        from time import sleep

        end = monotonic() + seconds
        while (left := end - monotonic()) > 0:
            if self._deadline is not None:
                left = min(left, max(0.0, self._deadline - monotonic()))
            sleep(min(left, 0.2))  # in parts, for the program may be told to stop
            self.look()

    def _refuel(self) -> None:
        """Allow some more steps, if the program has any left."""
        self.look()
        fuel = self._budget.take_steps(
            _STEPS_BETWEEN_LOOKS if self._deadline is None else self._next_batch()
        )
        if not fuel:
            raise LimitError(
                f"the program takes more than the {self.limits.max_steps} steps it may"
            )
        self._fuel = fuel - 1  # the step that asked is one of them

    def _next_batch(self) -> int:
        """Return how many steps to take before the next look at the clock."""
        now = monotonic()
        if now - self._looked_at > _LONG_TIME:
            self._batch = max(1, self._batch // 8)
        else:
            self._batch = min(_STEPS_BETWEEN_LOOKS_AT_THE_CLOCK, 2 * self._batch)
        self._looked_at = now
        return self._batch

    def look(self) -> None:
        """
        Look whether the program may go on; steps do so by themselves every so often.

        Raises:
            LimitError: Its time is over, or it was told to stop.
        """
        if self.stopped:
            raise LimitError("the program was stopped")
        if self._deadline is not None and monotonic() >= self._deadline:
            raise LimitError(
                f"the program runs longer than the {self.limits.timeout:g} seconds it may"
            )
