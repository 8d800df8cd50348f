"""The type of a value, and making values of others (spec 01 §3.8, 02 §3.7)."""

from __future__ import annotations

from hyperlambda import ArgumentError, Evaluator, Node, conversions, slot
from hyperlambda.errors import TreeError
from hyperlambda.expressions import (
    compile_expression,
    expression_of,
    resolve,
    resolve_node,
    resolve_text,
)
from hyperlambda.values import type_name, type_names

from . import texts
from .texts import charge_written


@slot("types")
def types(evaluator: Evaluator, node: Node) -> None:
    """
    List the names of all types.

    Reads:
        Nothing.
    Leaves:
        children: one nameless node for each type is appended, with its name as value.
    Raises:
        LimitError: The program would have too many nodes.
    Source:
        Spec 02 §3.7.

    Example::

        types
        // becomes
        types
           :bytes
           :short
           :ushort
           :int
           :uint
           :long
           :ulong
           :decimal
           :double
           :single
           :float
           :char
           :byte
           :sbyte
           :string
           :bool
           :date
           :time
           :guid
           :x
           :node
    """
    names = type_names()
    evaluator.charge_nodes(len(names))
    node.adopt([Node("", name) for name in names])


# Not `type`, which the module needs itself.
@slot("type")
def type_(evaluator: Evaluator, node: Node) -> None:
    """
    Get the name of the type of a value.

    Reads:
        value: an expression that finds exactly one node. If the value of that node is
            an expression in its turn, its type is `x`.
    Leaves:
        value: str, or null if the node has no value. Children are kept.
    Raises:
        ExpressionError: The value is not an expression.
        TreeError: It finds no node, or several.
    Source:
        Spec 02 §3.7.

    Example::

        .size:int:4
        type:x:@.size
        // becomes
        .size:int:4
        type:int
    """
    node.value = type_name(_one(node).value)


@slot("convert")
def convert(evaluator: Evaluator, node: Node) -> None:
    """
    Convert a value to another type.

    Reads:
        value: an expression that finds exactly one node, whose value is converted.
        first child, whatever its name: the name of a type, or `base64`, `base64-url`,
            `from-base64` or `from-base64-url`.
    Leaves:
        value: the converted value. Children are removed.
    Raises:
        ExpressionError: The value is not an expression.
        TreeError: It finds no node, or several.
        ArgumentError: No type is named, or none has that name.
        ConversionError, LiteralError, OutOfRangeError: The value has no form of that
            type.
    Source:
        Spec 02 §3.7, 5.4.

    Example::

        .size:"42"
        convert:x:@.size
           type:int
        // becomes
        .size:42
        convert:int:42
    """
    value = _one(node).value
    wanted = resolve_text(node.children[0]) if node.children else None
    if wanted is None:
        raise ArgumentError(
            f"'{node.name}' needs the name of a type as its first child"
        )
    node.clear()
    if type(value) is Node:
        charge_written(evaluator, [Node("", value)])
    result = conversions.convert(value, wanted)
    if isinstance(result, str | bytes):
        evaluator.charge_text(len(result))
    node.value = result


# Not `format`, which is a function of Python too.
@slot("format")
def format_(evaluator: Evaluator, node: Node) -> None:
    """
    Format a value by a pattern.

    Reads:
        value: any, or an expression that leads to it.
        pattern: text with `{0}`, `{0,width}` or `{0:FORMAT}` where the value belongs.
        culture: the name of a culture, such as `nb-NO`; invariant by default.
    Leaves:
        value: str. Children are removed.
    Raises:
        TreeError: There is no pattern.
        LiteralError: The pattern is malformed, or does not suit the value.
        ArgumentError: The culture is unknown.
    Source:
        Spec 02 §3.7.

    Example::

        format:decimal:1.5
           pattern:"{0:0.00} kg"
           culture:de-DE
        // becomes
        format:1,50 kg
    """
    # Only programs that format pay for loading cultures and patterns.
    from hyperlambda.formatting import composite

    value = resolve(node)
    child = node.child("pattern")
    pattern = None if child is None else resolve_text(child)
    if pattern is None:
        raise TreeError(f"'{node.name}' needs a 'pattern'")
    option = node.child("culture")
    culture = None if option is None else resolve_text(option)
    node.clear()
    node.value = composite(pattern, value, culture, charge=evaluator.charge_text)


@slot("compose")
def compose(evaluator: Evaluator, node: Node) -> None:
    """
    Make an expression of its iterators.

    Reads:
        children: texts, or expressions that lead to them, each an iterator; whatever
            their names, they are not run. No value is the empty iterator.
    Leaves:
        value: the expression. Children are removed.
    Raises:
        ExpressionError: What they make is malformed.
        ConversionError: A child has no text.
    Source:
        Spec 02 §3.7.

    Example::

        .list
           a:1
        .which:a
        compose
           .:@.list
           .:*
           .:x:@.which
        get-value:x:@compose
        // becomes
        .list
           a:1
        .which:a
        compose:x:@.list/*/a
        get-value:1
    """
    iterators = [resolve_text(child) or "" for child in node.children]
    node.value = compile_expression(texts.join(evaluator, iterators, "/"))
    node.clear()


@slot("floatArray2bytes")
def float_array_to_bytes(evaluator: Evaluator, node: Node) -> None:
    """
    Pack numbers into bytes.

    Reads:
        value: an expression; the values of the nodes that it finds are read as float.
    Leaves:
        value: bytes, four for each number, the least significant first. Children are
            kept.
    Raises:
        ExpressionError: The value is not an expression.
        ConversionError, LiteralError: A value is no number.
    Source:
        Spec 02 §3.7.

    Example::

        .f
           .:float:1
           .:0.5
        floatArray2bytes:x:@.f/*
        // becomes
        .f
           .:float:1
           .:0.5
        floatArray2bytes:bytes:AACAPwAAAD8=
    """
    # Only programs that pack numbers pay for loading this.
    from struct import pack

    holders = [resolve_node(found) for found in expression_of(node).evaluate(node)]
    numbers = [
        0.0 if holder is None else conversions.to_number(holder.value, "float")
        for holder in holders
    ]
    node.value = pack(f"<{len(numbers)}f", *numbers)


def _one(node: Node) -> Node:
    """Return the one node that the expression of a node finds."""
    expression = expression_of(node)
    found = expression.evaluate(node)
    if len(found) != 1:
        raise TreeError(
            f"'{node.name}' needs exactly one node, and the expression "
            f"'{expression}' finds {len(found)}"
        )
    return found[0]
