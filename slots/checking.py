"""What the validators share (spec 03 §6)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hyperlambda import ArgumentError, Node
from hyperlambda.conversions import to_text
from hyperlambda.expressions import Expression, resolve, resolve_node

__all__ = ["check_each", "check_texts", "field_of", "parameter", "rejection"]


def field_of(node: Node) -> str:
    """Return what a rejection names as the field at fault."""
    value = node.value
    return value.iterators[-1] if type(value) is Expression else "value of node"


def rejection(message: str, field: str) -> ArgumentError:
    """Return the error of a client that sent what is not allowed."""
    return ArgumentError(message, public=True, status=400, field=field)


def parameter(
    node: Node, name: str, convert: Callable[[Any], Any], default: Any
) -> Any:
    """
    Return the resolved value of a child, or the default if there is no such child.

    Raises:
        ArgumentError: It has no value.
        HyperlambdaError: What `convert` raises.
    """
    child = node.child(name)
    if child is None:
        return default
    value = resolve(child)
    if value is None:
        raise ArgumentError(f"[{name}] of '{node.name}' has no value")
    return convert(value)


def check_each(node: Node, check: Callable[[Any], None]) -> None:
    """Check every value that is there; the node is emptied, whatever comes of it."""
    value = node.value
    items = value.evaluate(node) if type(value) is Expression else [node]
    try:
        for item in items:
            holder = resolve_node(item)
            if holder is not None and holder.value is not None:
                check(holder.value)
    finally:
        node.value = None
        node.clear()


def check_texts(node: Node, check: Callable[[str], None]) -> None:
    """Check every value that is there as text; otherwise as `check_each`."""

    def check_text(value: Any) -> None:
        text = to_text(value)
        if text is not None:
            check(text)

    check_each(node, check_text)
