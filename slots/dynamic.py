"""Slots made by programs: [slots.create], [signal], [execute]."""

from __future__ import annotations

from hyperlambda import ArgumentError, Evaluator, Node, UnknownSlotError, slot
from hyperlambda.errors import NotAllowedError
from hyperlambda.expressions import resolve_text
from hyperlambda.unwrapping import unwrap_descendants


@slot("slots.create", "function")
def create(evaluator: Evaluator, node: Node) -> None:
    """
    Make a slot of the children, for [signal] and [execute].

    Reads:
        value: its name. One that exists is replaced.
        children: its code; in it, `@.arguments/*` are the arguments of the call.
    Leaves:
        value and children: as they are.
    Raises:
        ArgumentError: There is no name.
    Source:
        Spec 02 §3.8.

    Example::

        slots.create:greet
           strings.concat
              .:"Hello "
              get-value:x:@.arguments/*/name
           return:x:@strings.concat
        execute:greet
           name:Ada
        // becomes
        slots.create:greet
           strings.concat
              .:"Hello "
              get-value:x:@.arguments/*/name
           return:x:@strings.concat
        execute:Hello Ada
    """
    name = _name(node)
    evaluator.dynamic_slots[name] = evaluator.clones([node])[0]


@slot("signal")
def signal(evaluator: Evaluator, node: Node) -> None:
    """
    Call a slot made by [slots.create], with the arguments as they are.

    Reads:
        value: the name of the slot.
        children: the arguments; expressions stay expressions.
    Leaves:
        value and children: what the slot returned.
    Raises:
        ArgumentError: There is no name.
        UnknownSlotError: There is no such slot.
        NotAllowedError: The whitelist does not allow it.
    Source:
        Spec 02 §3.8.

    Example::

        slots.create:twice
           math.multiply:x:@.arguments/*/n
              .:int:2
           return:x:-
        signal:twice
           n:int:4
        // becomes
        slots.create:twice
           math.multiply:x:@.arguments/*/n
              .:int:2
           return:x:-
        signal:int:8
    """
    _call(evaluator, node)


@slot("execute")
def execute(evaluator: Evaluator, node: Node) -> None:
    """
    Call a slot made by [slots.create], with what the arguments lead to.

    Reads:
        value: the name of the slot.
        children: the arguments; expressions are replaced by what they find, and one that
            ends in `*` by copies of the nodes that it finds.
    Leaves:
        value and children: what the slot returned.
    Raises:
        ArgumentError: There is no name.
        UnknownSlotError: There is no such slot.
        NotAllowedError: The whitelist does not allow it.
    Source:
        Spec 02 §3.8.

    Example::

        .list
           a:1
           b:2
        slots.create:count
           get-count:x:@.arguments/*/items/*
           return:x:-
        execute:count
           items:x:@.list/*
        // becomes
        .list
           a:1
           b:2
        slots.create:count
           get-count:x:@.arguments/*/items/*
           return:x:-
        execute:int:2
    """
    unwrap_descendants(evaluator, node)
    _call(evaluator, node)


def _name(node: Node) -> str:
    name = resolve_text(node)
    if name is None:
        raise ArgumentError(f"'{node.name}' needs the name of a slot")
    return name


def _call(evaluator: Evaluator, node: Node) -> None:
    name = _name(node)
    if not evaluator.may_signal(name):
        raise NotAllowedError(name)
    made = evaluator.dynamic_slots.get(name)
    if made is None:
        raise UnknownSlotError(name, evaluator.dynamic_slots, what="dynamic slot")
    [code] = evaluator.clones([made])
    arguments = node.take_children()
    if arguments:
        declared = code.child(".arguments")
        if declared is not None:
            declared.untie()
        holder = code.insert(0, Node(".arguments"))
        holder.adopt(arguments)
    try:
        result = evaluator.run_trusted(code)
    except BaseException:
        # A failed call shows what it was called with.
        for argument in arguments:
            argument.untie()
        node.clear()
        node.adopt(arguments)
        raise
    node.value = result.value
    node.clear()
    node.adopt(result.take_children())
