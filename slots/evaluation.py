"""Running code that stands elsewhere: [eval], [whitelist]."""

from __future__ import annotations

from hyperlambda import ArgumentError, Evaluator, Node, slot
from hyperlambda.expressions import Expression, expression_of, resolve_text


@slot("eval")
def evaluate(evaluator: Evaluator, node: Node) -> None:
    """
    Run code where it stands: the children, or what an expression finds.

    Reads:
        value: an expression; the children of each node that it finds are run.
        children: code, when there is no value.
    Leaves:
        value and children: as they are; the code shows its own results.
    Raises:
        ArgumentError: There is a value and children too.
        ExpressionError: The value is not an expression.
    Source:
        Spec 02 §2.2, §3.1.

    Example::

        .out
        .job
           set-value:x:@.out
              .:done
        eval:x:@.job
        // becomes
        .out:done
        .job
           set-value:x:@.out
              .:done
        eval:x:@.job
    """
    if node.children:
        if node.value is not None and node.name == "eval":
            raise ArgumentError("'eval' takes a value or children, not both")
        evaluator.run_children(node)
        return
    if node.value is None:
        return
    for code in expression_of(node).iterate(node):
        evaluator.run_children(code)
        if evaluator.has_returned:
            return


@slot("whitelist")
def whitelist(evaluator: Evaluator, node: Node) -> None:
    """
    Run code that may call only some slots, on a copy that sees nothing else.

    Reads:
        vocabulary: its children name the slots; `signal:NAME` allows a dynamic one.
        .lambda: the code.
    Leaves:
        value and children: what the code returned.
    Raises:
        ArgumentError: [vocabulary] or [.lambda] is missing.
        NotAllowedError: The code calls another slot.
    Source:
        Spec 02 §1.5, §3.1.

    Example::

        whitelist
           vocabulary
              strings.concat
              return
           .lambda
              strings.concat
                 .:a
                 .:b
              return:x:-
        // becomes
        whitelist:ab
    """
    vocabulary, code = node.child("vocabulary"), node.child(".lambda")
    if vocabulary is None or code is None:
        raise ArgumentError("'whitelist' needs [vocabulary] and [.lambda]")
    dynamic = [
        resolve_text(entry) if type(entry.value) is not Expression else str(entry.value)
        for entry in vocabulary.children
        if entry.name == "signal" and entry.value is not None
    ]
    names = [entry.name for entry in vocabulary.children]
    [copy] = evaluator.clones([code])
    with evaluator.allowing(names, [name for name in dynamic if name]):
        result = evaluator.evaluate(copy)
    node.value = result.value
    node.clear()
    node.adopt(result.take_children())
