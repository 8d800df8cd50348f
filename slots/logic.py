"""Combining conditions: [and], [or], [not]."""

from __future__ import annotations

from hyperlambda import ArgumentError, Evaluator, Node, slot
from hyperlambda.expressions import resolve_bool


@slot("and")
def and_(evaluator: Evaluator, node: Node) -> None:
    """
    Find out whether all conditions are true; what follows a false one is not run.

    Reads:
        children: two or more conditions, each run unless its name begins with a dot.
    Leaves:
        value: bool.
        children: as they are; what was run shows its own results.
    Raises:
        ArgumentError: There are fewer than two children.
    Source:
        Spec 02 §3.3.

    Example::

        and
           exists:x:@.nothing
           get-value:x:@.never-run
        // becomes
        and:bool:false
           exists:bool:false
           get-value:x:@.never-run
    """
    node.value = not _stops_at(evaluator, node, False)


@slot("or")
def or_(evaluator: Evaluator, node: Node) -> None:
    """
    Find out whether any condition is true; what follows a true one is not run.

    Reads:
        children: two or more conditions, each run unless its name begins with a dot.
    Leaves:
        value: bool.
        children: as they are; what was run shows its own results.
    Raises:
        ArgumentError: There are fewer than two children.
    Source:
        Spec 02 §3.3.

    Example::

        or
           .:bool:true
           get-value:x:@.never-run
        // becomes
        or:bool:true
           .:bool:true
           get-value:x:@.never-run
    """
    node.value = _stops_at(evaluator, node, True)


def _stops_at(evaluator: Evaluator, node: Node, verdict: bool) -> bool:
    """Run the conditions in order, and return whether one has that verdict."""
    if len(node.children) < 2:
        raise ArgumentError(f"'{node.name}' needs at least two conditions")
    for child in list(node.children):
        evaluator.run_child(child)
        if resolve_bool(child) is verdict:
            return True
    return False


@slot("not")
def not_(evaluator: Evaluator, node: Node) -> None:
    """
    Turn a condition round.

    Reads:
        children: exactly one condition, run unless its name begins with a dot.
    Leaves:
        value: bool.
        children: as they are; what was run shows its own results.
    Raises:
        ArgumentError: There is not exactly one child.
    Source:
        Spec 02 §3.3.

    Example::

        not
           exists:x:@.nothing
        // becomes
        not:bool:true
           exists:bool:false
    """
    if len(node.children) != 1:
        raise ArgumentError("'not' needs exactly one condition")
    evaluator.run_children(node)
    node.value = not resolve_bool(node.children[0])
