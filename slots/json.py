"""JSON: texts to nodes and back (spec 04 §3)."""

from __future__ import annotations

from collections.abc import Sequence

from hyperlambda import ArgumentError, Evaluator, Node, slot
from hyperlambda.expressions import expression_of, resolve_bool, resolve_text
from hyperlambda.json_reader import read_json
from hyperlambda.json_writer import write_json


@slot("json2lambda")
def json2lambda(evaluator: Evaluator, node: Node) -> None:
    """
    Turn a JSON text into nodes.

    Members become children of their name, elements children named `.`. Whole numbers
    are `long`, others `double`, and texts that look like an ISO date are a `date`.

    Reads:
        value: JSON as text or bytes, or an expression that leads to it.
    Leaves:
        value: null, or the value if the JSON is no object and no array.
        children: the members or elements; `{}`, `[]` and `null` have none.
    Raises:
        ArgumentError: The value is null.
        LiteralError: The text is no JSON, or nested more than 64 deep.
    Source:
        Spec 04 §3.1.

    Example::

        .text:@"{""name"":""Ada"",""tags"":[1,2.5]}"
        json2lambda:x:@.text
        // becomes
        .text:"{\\"name\\":\\"Ada\\",\\"tags\\":[1,2.5]}"
        json2lambda
           name:Ada
           tags
              .:long:1
              .:double:2.5
    """
    node.clear()
    text = resolve_text(node)
    if text is None:
        raise ArgumentError(f"'{node.name}' has no JSON to read: its value is null")
    evaluator.charge_texts(len(text))
    result = read_json(text)
    if evaluator.limits.max_nodes is not None:
        evaluator.charge_nodes(sum(1 for _ in result.walk()) - 1)
    node.value = result.value
    node.adopt(result.take_children())


@slot("lambda2json")
def lambda2json(evaluator: Evaluator, node: Node) -> None:
    """
    Turn nodes into a JSON text.

    Nodes that are all nameless or named `.` are an array, others an object. A node with
    children is an array or object itself, and its own value is left out.

    Reads:
        value: an expression that finds the nodes; without one the children are taken.
        format: bool, whether to write one element on a line; false by default. It is
            a member too when the children are what is written.
    Leaves:
        value: str, the JSON. Children are removed.
    Raises:
        ExpressionError: The value is not an expression, or an expression among the
            nodes finds several.
        ArgumentError: An object has a member twice.
        ConversionError: A value, such as a char or a node, has no form in JSON.
        LimitError: The text would be longer than it may be.
    Source:
        Spec 04 §3.2.

    Example::

        .data
           .:int:1
           .
              name:Ada
              born:date:"1815-12-10T00:00:00"
        lambda2json:x:-/*
        lambda2json
           ok:bool:true
           price:decimal:5
        // becomes
        .data
           .:int:1
           .
              name:Ada
              born:date:"1815-12-10T00:00:00.000"
        lambda2json:"[1,{\\"name\\":\\"Ada\\",\\"born\\":\\"1815-12-10T00:00:00\\"}]"
        lambda2json:"{\\"ok\\":true,\\"price\\":5.0}"
    """
    option = node.child("format")
    indent = option is not None and resolve_bool(option)
    text = write_json(_sources(node), indent=indent, evaluator=evaluator)
    evaluator.charge_text(len(text))
    node.value = text
    node.clear()


def _sources(node: Node) -> Sequence[Node]:
    if node.value is None:
        return node.children
    return expression_of(node).evaluate(node)
