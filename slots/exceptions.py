"""Errors: [throw], and [try] with [.catch] and [.finally]."""

from __future__ import annotations

from hyperlambda import Evaluator, HyperlambdaError, LimitError, Node, slot
from hyperlambda.errors import ThrownError
from hyperlambda.expressions import resolve_bool, resolve_int, resolve_text


@slot("throw")
def throw(evaluator: Evaluator, node: Node) -> None:
    """
    Raise an error.

    Reads:
        value: the message.
        public: bool, whether clients may see the message; default false.
        status: int, the HTTP status; default 500.
        field: the input field at fault.
    Leaves:
        Nothing: the program goes on in the nearest [.catch].
    Raises:
        ThrownError: Always.
    Source:
        Spec 02 §3.10, §4.1.

    Example::

        try
           throw:no such user
              status:int:404
        .catch
           get-value:x:@.arguments/*/status
        // becomes
        try
           throw:no such user
              status:int:404
        .catch
           .arguments
              message:no such user
              type:magic.node.extensions.HyperlambdaException
              status:int:404
              public:bool:false
              field
           get-value:int:404
    """
    message = resolve_text(node)
    public, status, field = (node.child(name) for name in ("public", "status", "field"))
    raise ThrownError(
        "[no-message]" if message is None else message,
        public=public is not None and resolve_bool(public),
        status=500 if status is None else resolve_int(status),
        field=None if field is None else resolve_text(field),
    )


@slot("try")
def try_(evaluator: Evaluator, node: Node) -> None:
    """
    Run the children; if they fail, run [.catch]; in any case run [.finally].

    Reads:
        children: the code.
        .catch: the next sibling; in it, `@.arguments/*` are [message] and [type] of the
            error, and for those of the language [status], [public] and [field].
        .finally: the sibling after it, or the next one.
    Leaves:
        value and children: as they are; what was run shows its own results.
    Raises:
        HyperlambdaError: There is no [.catch], or [.catch] or [.finally] failed.
        LimitError: The program used up what it was given; [.catch] does not see it.
    Source:
        Spec 02 §4.2, §7 (Q4, Q5).

    Example::

        .log
        try
           throw:oops
        .catch
           set-value:x:@.log
              get-value:x:@.arguments/*/message
        .finally
           add:x:@.log
              .
                 done
        // becomes
        .log:oops
           done
        try
           throw:oops
        .catch
           .arguments
              message:oops
              type:magic.node.extensions.HyperlambdaException
              status:int:500
              public:bool:false
              field
           set-value:x:@.log
              get-value:oops
        .finally
           add:x:@.log
    """
    following = node.next
    catch = following if following is not None and following.name == ".catch" else None
    last = _finally_after(node)
    pending: HyperlambdaError | None = None
    try:
        evaluator.run_children(node)
    except LimitError:
        raise
    except HyperlambdaError as error:
        pending = error
    if pending is not None and catch is not None:
        caught, pending = pending, None
        try:
            catch.insert(0, _arguments(caught))
            evaluator.run_children(catch)
        except LimitError:
            raise
        except HyperlambdaError as error:
            pending = error
    if last is not None:
        _run_finally(evaluator, last)
    if pending is not None:
        raise pending


def _finally_after(node: Node) -> Node | None:
    """Return the [.finally] of a [try]: the next sibling, or the one after it."""
    following = node.next
    for _ in range(2):
        if following is None:
            return None
        if following.name == ".finally":
            return following
        following = following.next
    return None


def _run_finally(evaluator: Evaluator, last: Node) -> None:
    """Run all of it, even when something was returned; what it returns wins."""
    result = evaluator.evaluate(last)
    if result.value is not None or result.children:
        outer = evaluator.require_result()
        outer.clear()
        outer.value = result.value
        outer.adopt(result.take_children())


def _arguments(error: HyperlambdaError) -> Node:
    children = [Node("message", error.message), Node("type", error.kind)]
    if error.kind == HyperlambdaError.kind:
        children += [
            Node("status", error.status),
            Node("public", error.public),
            Node("field", error.field),
        ]
    return Node(".arguments", None, children)
