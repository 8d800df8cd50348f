"""Ending a program with a result: [return], [return-value], [return-nodes], [yield]."""

from __future__ import annotations

from hyperlambda import Evaluator, Node, slot
from hyperlambda.expressions import Expression, expression_of, resolve
from hyperlambda.unwrapping import unwrap_descendants


@slot("return")
def return_(evaluator: Evaluator, node: Node) -> None:
    """
    End the program, or the slot that runs, with a value or nodes.

    Reads:
        children: returned as they are, together with the value.
        value: without children; an expression returns the value of the one node that it
            finds, or copies of several. No value returns nothing and ends nothing.
    Leaves:
        value: as it is.
        children: none; they moved into the result.
    Raises:
        MissingValueError: Nobody would read the result.
    Source:
        Spec 02 §1.6, §3.9.

    Example::

        .name:Ada
        return:x:@.name
        // becomes
        .name:Ada
        return:x:@.name
        // returns
        :Ada
    """
    result = evaluator.require_result()
    value = node.value
    if node.children:
        result.adopt(node.take_children())
        result.value = value
    elif type(value) is Expression:
        found = value.evaluate(node)
        if len(found) == 1:
            result.value = found[0].value
        else:
            result.adopt(evaluator.clones(found))
    else:
        result.value = value


@slot("return-value")
def return_value(evaluator: Evaluator, node: Node) -> None:
    """
    End the program, or the slot that runs, with a value.

    Reads:
        value: any; an expression is followed to its end.
    Leaves:
        value and children: as they are.
    Raises:
        ExpressionError: The expression finds several nodes.
        MissingValueError: Nobody would read the result.
    Source:
        Spec 02 §3.9.

    Example::

        .n:int:9
        return-value:x:@.n
        // becomes
        .n:int:9
        return-value:x:@.n
        // returns
        :int:9
    """
    evaluator.require_result().value = resolve(node)


@slot("return-nodes")
def return_nodes(evaluator: Evaluator, node: Node) -> None:
    """
    End the program, or the slot that runs, with nodes.

    Reads:
        value: an expression, copies of whose nodes are returned.
        children: without a value, returned as they are.
    Leaves:
        value: as it is.
        children: none if they were returned.
    Raises:
        ExpressionError: The value is not an expression.
        MissingValueError: Nobody would read the result.
    Source:
        Spec 02 §3.9.

    Example::

        .list
           a:1
        return-nodes:x:@.list/*
        // becomes
        .list
           a:1
        return-nodes:x:@.list/*
        // returns
        a:1
    """
    result = evaluator.require_result()
    if node.value is None:
        result.adopt(node.take_children())
    else:
        result.adopt(evaluator.clones(expression_of(node).evaluate(node)))


@slot("yield")
def yield_(evaluator: Evaluator, node: Node) -> None:
    """
    End the program, or the slot that runs, with nodes whose expressions are replaced.

    Reads:
        children: as [return-nodes]; expressions are replaced by what they find, and one
            that ends in `*` by copies of the nodes that it finds.
    Leaves:
        value: as it is.
        children: none if they were returned.
    Raises:
        ExpressionError: The value is not an expression.
        MissingValueError: Nobody would read the result.
    Source:
        Spec 02 §3.9.

    Example::

        .name:Ada
        yield
           who:x:@.name
        // becomes
        .name:Ada
        yield
        // returns
        who:Ada
    """
    unwrap_descendants(evaluator, node)
    return_nodes(evaluator, node)
