"""Running code again and again: [for-each], [while]."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from hyperlambda import Evaluator, HyperlambdaError, LimitError, Node, slot
from hyperlambda.body import Body
from hyperlambda.expressions import expression_of, resolve_bool

from .branching import body_of, run_condition

# Loops that run so often, and then go on, get room for what they call.
_FEW: Final = 16
_NO_END: Final = -1


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
        evaluator.walking.append(node)
        try:
            passes = _Passes(evaluator, node, present, found, expression.is_apart(node))
            if evaluator.has_room or passes.run(_FEW):
                evaluator.run_with_room(passes.run, _NO_END)
            passes.end()
        finally:
            evaluator.walking.pop()


class _Passes:
    """
    Runs the code of a [for-each], for the present node and for those that are found next.

    Args:
        is_apart: What is looked for is not in the loop itself: the code may stay there
            between the passes.
    """

    __slots__ = (
        "_body",
        "_code",
        "_evaluator",
        "_failure",
        "_found",
        "_is_apart",
        "_node",
        "_present",
    )

    def __init__(
        self,
        evaluator: Evaluator,
        node: Node,
        present: Node,
        found: Iterator[Node],
        is_apart: bool,
    ) -> None:
        self._evaluator = evaluator
        self._node = node
        self._present: Node | None = present
        self._found = found
        self._is_apart = is_apart
        self._failure: HyperlambdaError | None = None
        self._code = node.take_children()
        node.adopt([Node(".dp"), *self._code])
        self._body = Body(evaluator, node, may_seal=is_apart)
        if self._body.is_known:
            self._body.renew()

    def run(self, count: int) -> bool:
        """Run so many passes; return whether there are more."""
        evaluator, node, body = self._evaluator, self._node, self._body
        found, is_apart = self._found, self._is_apart
        result = evaluator.result
        present = self._present
        while present is not None and count:
            count -= 1
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
                    self._failure = error
            pointer.value = None
            if body.is_known or not body.restore():
                body.renew()
        self._present = present
        return present is not None

    def end(self) -> None:
        """Put the code back, and say what was wrong with what is walked."""
        node = self._node
        code = self._code if self._body.is_known else node.children[1:]
        node.clear()
        node.adopt(code)
        if self._failure is not None:
            raise self._failure


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
    rounds = _Rounds(evaluator, node)
    if evaluator.has_room or rounds.run(_FEW):
        evaluator.run_with_room(rounds.run, _NO_END)


class _Rounds:
    """Runs the code of a [while]."""

    __slots__ = ("_body", "_evaluator", "_is_short", "_node", "_number")

    def __init__(self, evaluator: Evaluator, node: Node) -> None:
        self._evaluator = evaluator
        self._node = node
        self._is_short = node.value is not None
        self._body = Body(evaluator, node)
        self._number = 0

    def run(self, end: int) -> bool:
        """Run rounds up to one of this number; return whether there may be more."""
        evaluator, node, body = self._evaluator, self._node, self._body
        is_short, number = self._is_short, self._number
        most = evaluator.limits.max_while_iterations
        result = evaluator.result
        while resolve_bool(node) if is_short else run_condition(evaluator, node):
            number += 1
            if most is not None and number > most:
                raise LimitError(f"'while' runs more than the {most} rounds it may")
            evaluator.count_step()  # an empty body would never take one
            evaluator.run_children(node if is_short else body_of(node))
            if result is not None and (result.value is not None or result.children):
                return False
            if body.is_known or not body.restore():
                body.renew()
            if number == end:
                self._number = number
                return True
        node.value = False
        return False
