"""Texts (spec 03 §2)."""

from __future__ import annotations

from collections.abc import Sequence

from hyperlambda import Evaluator, Node, slot
from hyperlambda.expressions import expression_of, resolve_text


@slot("strings.concat")
def concat(evaluator: Evaluator, node: Node) -> None:
    """
    Join texts into one.

    Children are run first. All of them are joined, those that do not run too; null adds
    nothing, and values that are not text are joined as the text they are read as.

    Reads:
        children: the parts. If there are any, the value is not looked at.
        value: without children, an expression that finds the parts.
    Leaves:
        value: str. Children are removed.
    Raises:
        ExpressionError: There are no children, and the value is not an expression.
        ConversionError: A part, such as a time or a node, cannot be read as text.
    Source:
        Spec 03 §2.1.

    Example::

        .tea:oolong
        strings.concat
           .:"cup of "
           get-value:x:@.tea
           .:int:2
        // becomes
        .tea:oolong
        strings.concat:cup of oolong2
    """
    parts: Sequence[Node]
    if node.children:
        evaluator.run_children(node)
        parts = node.children
    else:
        parts = expression_of(node).evaluate(node)
    node.value = "".join([resolve_text(part) or "" for part in parts])
    node.clear()
