"""Waiting: [sleep]."""

from __future__ import annotations

from hyperlambda import ArgumentError, Evaluator, Node, slot
from hyperlambda.expressions import resolve_int


@slot("sleep")
def sleep(evaluator: Evaluator, node: Node) -> None:
    """
    Wait.

    Reads:
        value: int, milliseconds; an expression that finds nothing is 0.
    Leaves:
        value and children: as they are.
    Raises:
        ArgumentError: The number is negative.
        ConversionError: There is no number.
        LimitError: The time of the program is over.
    Source:
        Spec 02 §3.11, §7 (Q39).

    Example::

        sleep:int:1
        // becomes
        sleep:int:1
    """
    milliseconds = resolve_int(node)
    if milliseconds < 0:
        raise ArgumentError(f"'sleep' cannot wait {milliseconds} milliseconds")
    evaluator.sleep(milliseconds / 1000)
