"""Choosing what to run: [if], [else-if], [else], [switch]."""

from __future__ import annotations

from typing import Final

from hyperlambda import ArgumentError, Evaluator, Node, slot
from hyperlambda.conversions import to_bool
from hyperlambda.errors import MissingValueError, TreeError
from hyperlambda.expressions import resolve, resolve_bool
from hyperlambda.ordering import equal
from hyperlambda.registry import standard_slots


@slot("if")
def if_(evaluator: Evaluator, node: Node) -> None:
    """
    Run code if a condition is true.

    Reads:
        value: the condition, in which case the children are the code.
        children: without a value, the condition (run first, unless its name begins with
            a dot) and [.lambda] with the code, in any order.
    Leaves:
        value: bool, whether the code was run.
        children: as they are; what was run shows its own results.
    Raises:
        ArgumentError: There are not exactly a condition and [.lambda].
        TreeError: There are two [.lambda].
    Source:
        Spec 02 §3.2, §5.1 (what counts as true).

    Example::

        .out
        if
           eq
              .:int:1
              .:int:1
           .lambda
              set-value:x:@.out
                 .:same
        // becomes
        .out:same
        if:bool:true
           eq:bool:true
              .:int:1
              .:int:1
           .lambda
              set-value:x:@.out
                 .:same
    """
    if node.value is not None:
        verdict = resolve_bool(node)
        if verdict:
            evaluator.run_children(node)
        node.value = verdict
        return
    verdict = run_condition(evaluator, node)
    if verdict:
        evaluator.run_children(body_of(node))
    node.value = verdict


def run_condition(evaluator: Evaluator, node: Node) -> bool:
    """Run the condition of the long form of [if] and [while], and return the verdict."""
    if len(node.children) != 2:
        raise ArgumentError(
            f"'{node.name}' needs a condition and [.lambda], or a value and code",
        )
    evaluator.run_children(node)
    condition, code = node.children
    if condition.name == ".lambda":
        if code.name == ".lambda":
            raise TreeError(f"'{node.name}' has two [.lambda] and no condition")
        condition = code
    verdict = condition.value
    return verdict if type(verdict) is bool else resolve_bool(condition)


def body_of(node: Node) -> Node:
    """Return the [.lambda] of the long form of [if] and [while]."""
    first, second = node.children
    if second.name == ".lambda":
        return second
    if first.name == ".lambda":
        return first
    raise ArgumentError(f"'{node.name}' has no [.lambda] to run")


@slot("else-if")
def else_if(evaluator: Evaluator, node: Node) -> None:
    """
    Run code if a condition is true and no branch before it was.

    Reads:
        As [if]. The previous sibling must be [if] or [else-if].
    Leaves:
        value: bool, whether the code was run.
        children: as they are; what was run shows its own results.
    Raises:
        ArgumentError: It does not follow [if] or [else-if], or see [if].
    Source:
        Spec 02 §3.2.

    Example::

        .out
        if:bool:false
           set-value:x:@.out
              .:first
        else-if:bool:true
           set-value:x:@.out
              .:second
        // becomes
        .out:second
        if:bool:false
           set-value:x:@.out
              .:first
        else-if:bool:true
           set-value:x:@.out
              .:second
    """
    is_decided, is_long = _look_back(evaluator, node)
    if is_decided:
        node.value = False
    elif is_long:
        is_harmless = _is_harmless(evaluator, node)
        if_(evaluator, node)
        is_decided = node.value is True
        is_long = is_decided or is_harmless
    else:
        if_(evaluator, node)
    if is_long:  # so that the next branch need not walk back to the first
        evaluator.chain = (node, is_decided)


@slot("else")
def else_(evaluator: Evaluator, node: Node) -> None:
    """
    Run the children if no branch before was run.

    Reads:
        children: the code. The previous sibling must be [if] or [else-if].
    Leaves:
        value: bool, whether the code was run.
        children: as they are; what was run shows its own results.
    Raises:
        ArgumentError: It does not follow [if] or [else-if].
    Source:
        Spec 02 §3.2.

    Example::

        .out
        if:bool:false
           set-value:x:@.out
              .:first
        else
           set-value:x:@.out
              .:other
        // becomes
        .out:other
        if:bool:false
           set-value:x:@.out
              .:first
        else:bool:true
           set-value:x:@.out
              .:other
    """
    is_decided, _ = _look_back(evaluator, node)
    if is_decided:
        node.value = False
    else:
        node.value = True
        evaluator.run_children(node)


# From how many branches on it is worth to remember that none of them was run.
_LONG_CHAIN: Final = 8


def _look_back(evaluator: Evaluator, node: Node) -> tuple[bool, bool]:
    """
    Return whether a branch before this one was run, and whether there are very many.

    Raises:
        ArgumentError: There are none.
    """
    before = node.previous
    if before is None or before.name not in ("if", "else-if"):
        raise ArgumentError(f"'{node.name}' must follow [if] or [else-if]")
    known = evaluator.chain
    if known is not None and known[0] is before:
        return known[1] or to_bool(before.value), True
    length = 1
    while before is not None and before.name == "else-if":
        if to_bool(before.value):
            return True, length > _LONG_CHAIN
        before = before.previous
        length += 1
    is_first_true = before is not None and before.name == "if" and to_bool(before.value)
    return is_first_true, length > _LONG_CHAIN


# What changes nothing but its own nodes, so that no branch before can change meanwhile.
_HARMLESS: Final = frozenset(
    [
        "and",
        "eq",
        "exists",
        "get-count",
        "get-name",
        "get-value",
        "lt",
        "lte",
        "mt",
        "mte",
        "neq",
        "not",
        "not-exists",
        "not-null",
        "null",
        "or",
    ]
)


def _is_harmless(evaluator: Evaluator, node: Node) -> bool:
    """Return whether evaluating the condition of a branch changes only the condition."""
    if node.value is not None:  # the short form: an expression, which changes nothing
        return True
    functions, standard = evaluator.registry.functions, standard_slots().functions
    waiting = [child for child in node.children if child.name != ".lambda"]
    while waiting:
        name = waiting[-1].name
        is_statement = name and name[0] != "."
        if is_statement and (
            name not in _HARMLESS or functions.get(name) is not standard[name]
        ):
            return False
        waiting.extend(waiting.pop().children)
    return True


@slot("switch")
def switch(evaluator: Evaluator, node: Node) -> None:
    """
    Run the first case that equals a value, or else the default.

    Reads:
        value: any; an expression is followed.
        case: one or more, each with a value. One without children shares the code of the
            next sibling.
        default: at most once, without a value.
    Leaves:
        value and children: as they are; what was run shows its own results.
    Raises:
        ArgumentError: There is no [case], a [case] without value, a [default] with one,
            or anything else; or the chosen [default] has no children.
        MissingValueError: The expression of a [case] finds nothing.
    Source:
        Spec 02 §3.2.

    Example::

        .out
        switch:nb
           case:nb
           case:da
              set-value:x:@.out
                 .:hei
           default
              set-value:x:@.out
                 .:hello
        // becomes
        .out:hei
        switch:nb
           case:nb
           case:da
              set-value:x:@.out
                 .:hei
           default
              set-value:x:@.out
                 .:hello
    """
    _check_switch(node)
    chosen = _choose(node, resolve(node))
    while chosen is not None and chosen.name == "case" and not chosen.children:
        chosen = chosen.next
    if chosen is None:
        return
    if not chosen.children:
        raise ArgumentError("the [default] of 'switch' has no code")
    evaluator.signal(chosen.name, chosen)


def _check_switch(node: Node) -> None:
    cases = 0
    for child in node.children:
        if child.name == "case":
            cases += 1
            if child.value is None:
                raise ArgumentError("a [case] needs a value")
        elif child.name != "default":
            raise ArgumentError(f"'switch' cannot have a child '{child.name}'")
        elif child.value is not None:
            raise ArgumentError("a [default] has no value")
    if not cases:
        raise ArgumentError("'switch' needs a [case]")


def _choose(node: Node, wanted: object) -> Node | None:
    for child in node.children:
        if child.name == "case":
            value = resolve(child)
            if value is None:
                raise MissingValueError("the expression of a [case] finds no value")
            if equal(value, wanted):
                return child
    return node.child("default")


@slot("case", "default")
def case(evaluator: Evaluator, node: Node) -> None:
    """
    Run the children: what [switch] does with the branch that it chose.

    Reads:
        children: the code. The parent must be [switch].
    Leaves:
        value and children: as they are; the code shows its own results.
    Raises:
        ArgumentError: The parent is not [switch].
    Source:
        Spec 02 §3.2.

    Example::

        .out
        switch:int:1
           case:int:1
              set-value:x:@.out
                 .:one
        // becomes
        .out:one
        switch:int:1
           case:int:1
              set-value:x:@.out
                 .:one
    """
    if node.parent is None or node.parent.name != "switch":
        raise ArgumentError(f"'{node.name}' must stand in [switch]")
    evaluator.run_children(node)
