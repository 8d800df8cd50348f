"""Reading the tree: [get-value], [get-name], [get-nodes], [reference], [exists] …"""

from __future__ import annotations

from hyperlambda import Evaluator, Node, slot
from hyperlambda.errors import ExpressionError, TreeError
from hyperlambda.expressions import Expression, expression_of, resolve


@slot("get-value")
def get_value(evaluator: Evaluator, node: Node) -> None:
    """
    Read the value of a node.

    Reads:
        value: an expression that finds at most one node; anything else stays as it is.
    Leaves:
        value: the value found, or none.
        children: as they are.
    Raises:
        ExpressionError: The expression finds several nodes.
    Source:
        Spec 02 §3.5.

    Example::

        .name:Ada
        get-value:x:@.name
        // becomes
        .name:Ada
        get-value:Ada
    """
    node.value = resolve(node)


@slot("get-name")
def get_name(evaluator: Evaluator, node: Node) -> None:
    """
    Read the name of a node.

    Reads:
        value: an expression that finds at most one node.
    Leaves:
        value: the name, or none.
        children: as they are.
    Raises:
        ExpressionError: The value is not an expression, or finds several nodes.
    Source:
        Spec 02 §3.5.

    Example::

        .items
           first
        get-name:x:@.items/0
        // becomes
        .items
           first
        get-name:first
    """
    found = _at_most_one(node)
    node.value = None if found is None else found.name


@slot("get-count")
def get_count(evaluator: Evaluator, node: Node) -> None:
    """
    Count the nodes that an expression finds.

    Reads:
        value: an expression.
    Leaves:
        value: int, the number of nodes.
        children: as they are.
    Raises:
        ExpressionError: The value is not an expression.
    Source:
        Spec 02 §3.5.

    Example::

        .items
           a
           b
        get-count:x:@.items/*
        // becomes
        .items
           a
           b
        get-count:int:2
    """
    node.value = len(expression_of(node).evaluate(node))


@slot("get-nodes")
def get_nodes(evaluator: Evaluator, node: Node) -> None:
    """
    Copy the nodes that an expression finds.

    Reads:
        value: an expression, or none.
    Leaves:
        value: none.
        children: those it had, then the copies.
    Raises:
        ExpressionError: The value is not an expression.
        TreeError: The expression finds the slot's own children.
        LimitError: There would be more nodes than the program may have.
    Source:
        Spec 02 §3.5.

    Example::

        .items
           a:1
           b:2
        get-nodes:x:@.items/*
        // becomes
        .items
           a:1
           b:2
        get-nodes
           a:1
           b:2
    """
    if node.value is None:
        return
    found = expression_of(node).evaluate(node)
    if node.children and any(match.parent is node for match in found):
        raise TreeError("'get-nodes' cannot add copies of its own children to them")
    copies = evaluator.clones(found)
    node.value = None
    node.adopt(copies)


@slot("get-first-value")
def get_first_value(evaluator: Evaluator, node: Node) -> None:
    """
    Find the first value that is there.

    Reads:
        value: an expression, whose nodes are tried first; or any other value.
        children: tried in order when that gives none, each run unless its name begins
            with a dot. Those behind the first value are not run.
    Leaves:
        value: the first value that is not null, or none.
        children: none.
    Raises:
        UnknownSlotError: A child that is tried is no slot.
    Source:
        Spec 02 §3.5.

    Example::

        .nothing
        get-first-value:x:@.nothing
           .
           .:fallback
           get-value:x:@.never-run
        // becomes
        .nothing
        get-first-value:fallback
    """
    value = node.value
    if type(value) is Expression:
        values = (found.value for found in value.evaluate(node))
        value = next((each for each in values if each is not None), None)
    if value is None:
        for child in list(node.children):
            evaluator.run_child(child)
            if child.value is not None:
                value = child.value
                break
    node.value = value
    node.clear()


@slot("exists")
def exists(evaluator: Evaluator, node: Node) -> None:
    """
    Find out whether an expression finds any node.

    Reads:
        value: an expression.
    Leaves:
        value: bool.
        children: as they are.
    Raises:
        ExpressionError: The value is not an expression.
    Source:
        Spec 02 §3.5.

    Example::

        .items
           a
        exists:x:@.items/*
        // becomes
        .items
           a
        exists:bool:true
    """
    node.value = bool(expression_of(node).evaluate(node))


@slot("not-exists")
def not_exists(evaluator: Evaluator, node: Node) -> None:
    """
    Find out whether an expression finds no node.

    Reads:
        value: an expression.
    Leaves:
        value: bool.
        children: as they are.
    Raises:
        ExpressionError: The value is not an expression.
    Source:
        Spec 02 §3.5.

    Example::

        not-exists:x:@.items/*
        // becomes
        not-exists:bool:true
    """
    node.value = not expression_of(node).evaluate(node)


@slot("null")
def null(evaluator: Evaluator, node: Node) -> None:
    """
    Find out whether none of the nodes that an expression finds has a value.

    Reads:
        value: an expression.
    Leaves:
        value: bool; true when no node is found.
        children: as they are.
    Raises:
        ExpressionError: The value is not an expression.
    Source:
        Spec 02 §3.5.

    Example::

        .a
        null:x:@.a
        // becomes
        .a
        null:bool:true
    """
    node.value = not _has_value(node)


@slot("not-null")
def not_null(evaluator: Evaluator, node: Node) -> None:
    """
    Find out whether any of the nodes that an expression finds has a value.

    Reads:
        value: an expression.
    Leaves:
        value: bool; false when no node is found.
        children: as they are.
    Raises:
        ExpressionError: The value is not an expression.
    Source:
        Spec 02 §3.5.

    Example::

        .a:1
        not-null:x:@.a
        // becomes
        .a:1
        not-null:bool:true
    """
    node.value = _has_value(node)


@slot("reference")
def reference(evaluator: Evaluator, node: Node) -> None:
    """
    Get a node itself, not a copy; `/#` in an expression goes through it.

    Reads:
        value: an expression that finds at most one node.
    Leaves:
        value: the node, or none.
        children: as they are.
    Raises:
        ExpressionError: The value is not an expression, or finds several nodes.
    Source:
        Spec 02 §3.5.

    Example::

        .a
           b:old
        reference:x:@.a/*/b
        set-value:x:@reference/#
           .:new
        set-value:x:@reference
        // becomes
        .a
           b:new
        reference
        set-value:x:@reference/#
           .:new
        set-value:x:@reference
    """
    node.value = _at_most_one(node)
    evaluator.references += 1


def _at_most_one(node: Node) -> Node | None:
    found = expression_of(node).evaluate(node)
    if len(found) > 1:
        raise ExpressionError(
            f"'{node.name}' finds {len(found)} nodes where one is wanted"
        )
    return found[0] if found else None


def _has_value(node: Node) -> bool:
    found = expression_of(node).evaluate(node)
    return any(match.value is not None for match in found)
