"""Running code again and again: [for-each], [while]."""

from __future__ import annotations

from collections.abc import Iterator

from hyperlambda import Evaluator, HyperlambdaError, LimitError, Node, slot
from hyperlambda.body import Body
from hyperlambda.expressions import expression_of, resolve_bool

from .branching import body_of, run_condition


@slot("for-each")
def for_each(evaluator: Evaluator, node: Node) -> None:
    """
    Run the children once for each node that an expression finds.

    Reads:
        value: an expression. Each node is looked for when its turn comes.
        children: the code; in it, `@.dp/#` is the present node.
    Leaves:
        value and children: as they were.
    Raises:
        ExpressionError: The value is not an expression.
        TreeError: The code changed the list that is walked.
    Source:
        Spec 02 §2.7, §3.4.

    Example::

        .sum:int:0
        .items
           a:int:2
           b:int:3
        for-each:x:@.items/*
           math.increment:x:@.sum
              get-value:x:@.dp/#
        // becomes
        .sum:int:5
        .items
           a:int:2
           b:int:3
        for-each:x:@.items/*
           math.increment:x:@.sum
              get-value:x:@.dp/#
    """
    expression = expression_of(node)
    found = expression.iterate(node)
    present = next(found, None)
    if present is not None:
        _run_passes(evaluator, node, present, found, expression.is_apart(node))


def _run_passes(
    evaluator: Evaluator,
    node: Node,
    present: Node | None,
    found: Iterator[Node],
    is_apart: bool,
) -> None:
    """
    Run the code for the present node, and for those that are found next.

    Args:
        is_apart: What is looked for is not in the loop itself: the code may stay there
            between the passes.
    """
    code = node.take_children()
    node.adopt([Node(".dp"), *code])
    body = Body(evaluator, node)
    if body.is_known:
        body.renew()
    result = evaluator.result
    failure = None
    while present is not None:
        pointer = node.children[0]
        pointer.value = present
        evaluator.run_children(node)
        present = None
        if result is None or (result.value is None and not result.children):
            if not is_apart:
                node.clear()
            try:
                present = next(found, None)
            except HyperlambdaError as error:
                failure = error
        pointer.value = None
        if body.is_known or not body.restore():
            body.renew()
    if not body.is_known:
        code = node.children[1:]
    node.clear()
    node.adopt(code)
    if failure is not None:
        raise failure


@slot("while")
def while_(evaluator: Evaluator, node: Node) -> None:
    """
    Run code as long as a condition is true.

    Reads:
        As [if]: a value and code, or a condition and [.lambda].
    Leaves:
        value: false; when the code returned something, as it was.
        children: as they were, with the condition as it was last evaluated.
    Raises:
        ArgumentError: See [if].
        LimitError: There are more rounds than the evaluator allows; 5,000 unless
            `Limits` or the setting `magic:lambda:maxWhileIterations` say otherwise.
    Source:
        Spec 02 §3.4.

    Example::

        .i:int:0
        while
           lt
              get-value:x:@.i
              .:int:3
           .lambda
              math.increment:x:@.i
        // becomes
        .i:int:3
        while:bool:false
           lt:bool:false
              get-value:int:3
              .:int:3
           .lambda
              math.increment:x:@.i
    """
    is_short = node.value is not None
    most = evaluator.limits.max_while_iterations
    rounds = 0
    result = evaluator.result
    body = Body(evaluator, node)
    while resolve_bool(node) if is_short else run_condition(evaluator, node):
        rounds += 1
        if most is not None and rounds > most:
            raise LimitError(f"'while' runs more than the {most} rounds it may")
        evaluator.count_step()  # an empty body would never take one
        evaluator.run_children(node if is_short else body_of(node))
        if result is not None and (result.value is not None or result.children):
            return
        if body.is_known or not body.restore():
            body.renew()
    node.value = False
