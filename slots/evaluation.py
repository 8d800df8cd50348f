"""Running code that stands elsewhere: [eval], [invoke], [whitelist]."""

from __future__ import annotations

from collections.abc import Callable

from hyperlambda import ArgumentError, Evaluator, Node, slot
from hyperlambda.body import put_arguments_first
from hyperlambda.errors import ConversionError, TreeError
from hyperlambda.expressions import Expression, expression_of, resolve_text
from hyperlambda.sealed import unseal


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
        unseal(code)
        evaluator.run_children(code)
        if evaluator.has_returned:
            return


@slot("invoke")
def invoke(evaluator: Evaluator, node: Node) -> None:
    """
    Run a copy of code that stands elsewhere, with arguments.

    The copy sees nothing but its arguments; the code itself stays as it is.

    Reads:
        value: an expression that finds exactly one node, whose children are the code.
        children: the arguments, `@.arguments/*` in the code; expressions stay
            expressions. An [.arguments] that the code has is replaced.
    Leaves:
        value and children: what the code returned.
    Raises:
        ExpressionError: There is no value.
        ConversionError: The value is not an expression.
        TreeError: The expression finds no node, or several.
        HyperlambdaError: The code failed; the arguments are back then.
    Source:
        Spec 02 §2.5, §3.1, §7 (Q24, Q41).

    Example::

        .greet
           get-value:x:@.arguments/*/who
           return:x:-
        invoke:x:@.greet
           who:Ann
        // becomes
        .greet
           get-value:x:@.arguments/*/who
           return:x:-
        invoke:Ann
    """
    if node.value is not None and type(node.value) is not Expression:
        raise ConversionError("'invoke' needs an expression as its value")
    found = expression_of(node).evaluate(node)
    if len(found) != 1:
        raise TreeError(
            f"'invoke' needs exactly one lambda, and the expression '{node.value}' "
            f"finds {len(found)}"
        )
    [code] = evaluator.clones(found)
    put_arguments_first(code)
    call(node, code, evaluator.evaluate)


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
    _leave(node, result)


def call(node: Node, code: Node, run: Callable[[Node], Node]) -> None:
    """
    Run code with the children of a node as arguments, and leave there what it returns.

    A failed call shows what it was called with.

    Args:
        node: The call.
        code: A copy, whose first child is [.arguments] if there are any.
        run: Runs the code and returns its result.

    Raises:
        HyperlambdaError: The code failed.
    """
    arguments = node.children
    if arguments:
        arguments = node.take_children()
        code.children[0].adopt(arguments)
    try:
        result = run(code)
    except BaseException:
        for argument in arguments:
            argument.untie()
        node.clear()
        node.extend(arguments)
        raise
    _leave(node, result)


def _leave(node: Node, result: Node) -> None:
    """Put what was returned where the call stood."""
    node.value = result.value
    if node.children:
        node.clear()
    if not result.children:
        return
    # Not `adopt`: code that was handed a reference may return what the call stands in.
    node.extend(result.take_children())
