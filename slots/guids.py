"""Globally unique identifiers (spec 03 §5)."""

from __future__ import annotations

from uuid import uuid4

from hyperlambda import Evaluator, Node, slot


@slot("guid.new")
def new(evaluator: Evaluator, node: Node) -> None:
    """
    Make an identifier that nobody else has: 122 random bits.

    Reads:
        value and children: nothing of them.
    Leaves:
        value: guid, of version 4.
        children: as they are.
    Raises:
        Nothing.
    Source:
        Spec 03 §5, RFC 9562 §5.4.

    Example::

        guid.new
        strings.length:x:@guid.new
        set-value:x:@guid.new
           .:a text of 36 characters
        // becomes
        guid.new:a text of 36 characters
        strings.length:int:36
        set-value:x:@guid.new
           .:a text of 36 characters
    """
    node.value = uuid4()
