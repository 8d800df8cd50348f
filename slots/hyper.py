"""Hyperlambda as data: its text to nodes and back (spec 01 §4.6)."""

from __future__ import annotations

from hyperlambda import (
    ArgumentError,
    Evaluator,
    Expression,
    Node,
    generate,
    parse,
    slot,
)
from hyperlambda.expressions import resolve_bool, resolve_text

from .texts import charge_written


@slot("hyper2lambda")
def hyper2lambda(evaluator: Evaluator, node: Node) -> None:
    """
    Turn a Hyperlambda text into nodes, without running them.

    The children are removed before the value is read: an expression does not see them.

    Reads:
        value: Hyperlambda, or an expression that leads to it.
        comments: bool, whether to keep comments, as nodes named `..`; false by default.
    Leaves:
        value: null.
        children: the nodes that were read.
    Raises:
        ArgumentError: The value is null.
        HyperlambdaSyntaxError: The text is no Hyperlambda.
    Source:
        Spec 01 §4.6.

    Example::

        .text:"door\\n   knob:brass"
        hyper2lambda:x:-
        // becomes
        .text:"door\\n   knob:brass"
        hyper2lambda
           door
              knob:brass
    """
    comments = _wants_comments(node)
    node.clear()
    text = resolve_text(node)
    if text is None:
        raise ArgumentError(f"'{node.name}' has nothing to read: its value is null")
    evaluator.charge_texts(len(text))
    result = parse(text, file=f"<{node.name}>", comments=comments)
    if evaluator.limits.max_nodes is not None:
        evaluator.charge_nodes(sum(1 for _ in result.walk()) - 1)
    node.adopt(result.take_children())
    node.value = None


@slot("lambda2hyper")
def lambda2hyper(evaluator: Evaluator, node: Node) -> None:
    """
    Turn nodes into a Hyperlambda text, whose lines end with CR and LF.

    Reads:
        value: an expression that finds the nodes; any other value is ignored, and the
            children are taken.
        comments: bool, whether nodes named `..` are written as comments; false by
            default. Without an expression it is a node to be written like the others.
    Leaves:
        value: str, the text. Children are kept.
    Raises:
        ArgumentError: There is neither a value nor a child.
        TreeError: A value of type node contains the node that holds it.
        LimitError: The text would be longer than it may be.
    Source:
        Spec 01 §4.6.

    Example::

        .data
           color:red
           size:int:4
        lambda2hyper:x:-/*
        // becomes
        .data
           color:red
           size:int:4
        lambda2hyper:"color:red\\r\\nsize:int:4\\r\\n"
    """
    value = node.value
    if type(value) is Expression:
        found = value.evaluate(node)
        charge_written(evaluator, found)
        comments = _wants_comments(node)
        parts = []
        for each in found:
            evaluator.time_left()  # what was found may stand in what was found
            parts.append(generate([each], comments=comments, newline="\r\n"))
        text = "".join(parts)
    else:
        if value is None and not node.children:
            raise ArgumentError(f"'{node.name}' has no nodes to write")
        charge_written(evaluator, node.children)
        text = generate(node, newline="\r\n")
    evaluator.charge_text(len(text))
    node.value = text


def _wants_comments(node: Node) -> bool:
    option = node.child("comments")
    return option is not None and resolve_bool(option)
