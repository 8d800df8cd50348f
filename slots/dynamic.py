"""Slots made by programs: [slots.create], [signal], [execute], [slots.get] …"""

from __future__ import annotations

from hyperlambda import ArgumentError, Evaluator, Node, UnknownSlotError, slot
from hyperlambda.errors import NotAllowedError
from hyperlambda.expressions import resolve_text
from hyperlambda.ordering import text_key
from hyperlambda.unwrapping import unwrap_descendants

from .evaluation import call


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
        LimitError: There would be more nodes than the program, or all dynamic slots
            together, may have.
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
    evaluator.store(name, evaluator.clones([node])[0])


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


@slot("try-signal")
def try_signal(evaluator: Evaluator, node: Node) -> None:
    """
    Call a slot made by [slots.create], if there is one that may be called.

    Reads:
        value: the name of the slot.
        children: the arguments; expressions stay expressions.
    Leaves:
        value and children: what the slot returned; none if it was not called.
    Raises:
        ArgumentError: There is no name.
        HyperlambdaError: The slot failed; the arguments are back then.
    Source:
        Spec 02 §1.5, §3.8.

    Example::

        try-signal:missing
           n:1
        // becomes
        try-signal
    """
    name = _name(node)
    made = evaluator.dynamic_slots.get(name) if evaluator.may_signal(name) else None
    if made is None:
        node.value = None
        node.clear()
    else:
        _call_copy(evaluator, node, made)


@slot("slots.get")
def get(evaluator: Evaluator, node: Node) -> None:
    """
    Get the code of a slot made by [slots.create].

    Reads:
        value: the name of the slot.
    Leaves:
        value: none.
        children: copies of the code.
    Raises:
        ArgumentError: There is no name.
        UnknownSlotError: There is no such slot.
        LimitError: There would be more nodes than the program may have.
    Source:
        Spec 02 §3.8.

    Example::

        slots.create:one
           return:int:1
        slots.get:one
        // becomes
        slots.create:one
           return:int:1
        slots.get
           return:int:1
    """
    copies = evaluator.clones(list(_made(evaluator, _name(node)).children))
    node.value = None
    node.clear()
    node.adopt(copies)


@slot("slots.delete")
def delete(evaluator: Evaluator, node: Node) -> None:
    """
    Forget a slot made by [slots.create]; nothing happens when there is none.

    Reads:
        value: the name of the slot.
    Leaves:
        value: none.
        children: none.
    Raises:
        ArgumentError: There is no name.
    Source:
        Spec 02 §3.8.

    Example::

        slots.create:one
           return:int:1
        slots.delete:one
        slots.exists:one
        // becomes
        slots.create:one
           return:int:1
        slots.delete
        slots.exists:bool:false
    """
    evaluator.dynamic_slots.pop(_name(node), None)
    node.value = None
    node.clear()


@slot("slots.exists")
def exists(evaluator: Evaluator, node: Node) -> None:
    """
    Find out whether there is a slot made by [slots.create].

    Reads:
        value: the name of the slot.
    Leaves:
        value: bool.
        children: as they are.
    Raises:
        ArgumentError: There is no name.
    Source:
        Spec 02 §3.8.

    Example::

        slots.create:one
           return:int:1
        slots.exists:one
        // becomes
        slots.create:one
           return:int:1
        slots.exists:bool:true
    """
    node.value = _name(node) in evaluator.dynamic_slots


@slot("slots.vocabulary")
def vocabulary(evaluator: Evaluator, node: Node) -> None:
    """
    List the slots made by [slots.create].

    Reads:
        value: a text that the names must contain, or none.
    Leaves:
        value: none.
        children: those it had, then one nameless node for each slot, with its name as
            value, in the order of texts. Inside of [whitelist] only those that may be
            called.
    Raises:
        LimitError: The program would have too many nodes.
    Source:
        Spec 02 §3.8.

    Example::

        slots.create:area.square
        slots.create:area.circle
        slots.vocabulary:area
        // becomes
        slots.create:area.square
        slots.create:area.circle
        slots.vocabulary
           :area.circle
           :area.square
    """
    part = resolve_text(node) or ""
    names = [
        name
        for name in list(evaluator.dynamic_slots)
        if part in name and evaluator.may_signal(name)
    ]
    evaluator.charge_nodes(len(names))
    node.value = None
    node.adopt([Node("", name) for name in sorted(names, key=text_key)])


def _name(node: Node) -> str:
    name = resolve_text(node)
    if name is None:
        raise ArgumentError(f"'{node.name}' needs the name of a slot")
    return name


def _made(evaluator: Evaluator, name: str) -> Node:
    made = evaluator.dynamic_slots.get(name)
    if made is None:
        raise UnknownSlotError(name, evaluator.dynamic_slots, what="dynamic slot")
    return made


def _call(evaluator: Evaluator, node: Node) -> None:
    name = _name(node)
    made = evaluator.dynamic_slots.get(name)
    if made is None or not evaluator.may_signal(name):
        if not evaluator.may_signal(name):
            raise NotAllowedError(name)
        made = _made(evaluator, name)
    _call_copy(evaluator, node, made)


def _call_copy(evaluator: Evaluator, node: Node, made: Node) -> None:
    code = evaluator.code_of(made, bool(node.children))
    copy = code.take()
    call(node, copy.owner, evaluator.run_trusted)
    code.give_back(copy)
