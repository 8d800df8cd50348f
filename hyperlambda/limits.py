"""What a program may use up."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Limits"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """
    What one evaluation may use up; None means no limit.

    A program that goes beyond one ends with a `LimitError`, which its own [try] does
    not see.

    Attributes:
        max_steps: Slots called.
        max_depth: Blocks running inside of blocks. What Python itself can bear ends a
            program too: without a limit, or with one above 2,000, that comes first.
        max_nodes: Nodes in the trees of the program at one time, those that are values
            included; what is removed does not count. Counted every so often, so that
            up to an eighth more may pass. The dynamic slots of the evaluator may have
            as many again, whichever program made them.
        max_text: Characters of one text that a slot makes. All texts together may have
            a hundred times as many; of them up to an eighth more may pass. Making a
            text of gigabytes cannot be interrupted: without a limit, a program can run
            for longer than its timeout.
        max_while_iterations: Rounds of one [while].
        timeout: Seconds from start to end.
    """

    max_steps: int | None = None
    max_depth: int | None = 1000
    max_nodes: int | None = None
    max_text: int | None = 100_000_000
    max_while_iterations: int | None = 5000
    timeout: float | None = None
