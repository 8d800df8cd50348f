"""What surrounds code: [context], [get-context], [vocabulary]."""

from __future__ import annotations

from hyperlambda import ArgumentError, Evaluator, Node, slot
from hyperlambda.expressions import resolve, resolve_text
from hyperlambda.ordering import text_key
from hyperlambda.registry import add_installed_slots

# Programs can reach nothing else that their host has put into scope (spec 02 §1.4).
_PREFIX = "dynamic."


@slot("context")
def context(evaluator: Evaluator, node: Node) -> None:
    """
    Run code, and let it and all that it calls find a value by name.

    Reads:
        value: the name, for [get-context].
        value (a child): the value; an expression is followed, and a node copied.
        .lambda: the code.
    Leaves:
        value and children: as they are; the code shows its own results.
    Raises:
        ArgumentError: There is no name, no value or no [.lambda].
    Source:
        Spec 02 §1.4, §3.1.

    Example::

        context:user
           value:ann
           .lambda
              get-context:user
        get-context:user
        // becomes
        context:user
           value:ann
           .lambda
              get-context:ann
        get-context
    """
    name = resolve_text(node)
    if name is None:
        raise ArgumentError("'context' needs a name")
    holder = node.child("value")
    value = None if holder is None else resolve(holder)
    if value is None:
        raise ArgumentError("'context' needs a [value] that is not null")
    code = node.child(".lambda")
    if code is None:
        raise ArgumentError("'context' needs a [.lambda]")
    copies = evaluator.clones([value]) if type(value) is Node else []
    with (
        evaluator.holding(copies),
        evaluator.scope(_PREFIX + name, copies[0] if copies else value),
    ):
        evaluator.run_children(code)


@slot("get-context")
def get_context(evaluator: Evaluator, node: Node) -> None:
    """
    Get the value that the nearest [context] of a name provides.

    Reads:
        value: the name.
    Leaves:
        value: the value, or none; a node is the same one each time.
        children: as they are.
    Raises:
        ExpressionError: The expression finds several nodes.
    Source:
        Spec 02 §3.1.

    Example::

        context:n
           value:int:1
           .lambda
              get-context:n
        // becomes
        context:n
           value:int:1
           .lambda
              get-context:int:1
    """
    node.value = evaluator.peek(_PREFIX + (resolve_text(node) or ""))


@slot("vocabulary")
def vocabulary(evaluator: Evaluator, node: Node) -> None:
    """
    List the slots that may be called.

    Reads:
        value: a text that the names must begin with, or none.
    Leaves:
        value: none.
        children: one nameless node for each slot, with its name as value: first names
            without a dot, then those with one, in the order of texts.
    Raises:
        LimitError: The program would have too many nodes.
    Source:
        Spec 02 §3.1.

    Example::

        vocabulary:slots.
        // becomes
        vocabulary
           :slots.create
           :slots.delete
           :slots.exists
           :slots.get
           :slots.vocabulary
    """
    prefix = resolve_text(node) or ""
    node.clear()
    add_installed_slots(evaluator.registry)
    names = [
        name
        for name in list(evaluator.registry)
        if name.startswith(prefix) and name[0] != "." and evaluator.may_call(name)
    ]
    evaluator.charge_nodes(len(names))
    node.value = None
    node.adopt([Node("", name) for name in sorted(names, key=_place)])


def _place(name: str) -> tuple[bool, tuple[str, ...]]:
    return "." in name, text_key(name)
