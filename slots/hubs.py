"""What the slots about sockets share: the hub, and the connection they are about."""

from __future__ import annotations

from hyperlambda import ArgumentError, Evaluator, Hub, Node
from hyperlambda.errors import SocketError
from hyperlambda.expressions import resolve_text
from hyperlambda.sockets import CONNECTION

__all__ = ["connection_of", "hub_of"]


def hub_of(evaluator: Evaluator, node: Node) -> Hub:
    """Return the hub that a slot speaks to."""
    if evaluator.hub is None:
        raise SocketError(
            f"sockets are not enabled here, and '{node.name}' needs them",
            help="run the program with 'hyperlambda run FILE --connect URL', or give "
            "the evaluator a hub: Evaluator(hub=…)",
        )
    return evaluator.hub


def connection_of(evaluator: Evaluator, node: Node) -> str:
    """Return the id that a slot names, or that of the connection that runs it."""
    if node.value is None:
        id = evaluator.peek(CONNECTION)
        if id is None:
            raise ArgumentError(
                f"no connection runs this program, so '{node.name}' needs the id of one"
            )
        return str(id)
    named = resolve_text(node)
    if named is None:
        # What was meant to name another must not become the client's own.
        raise ArgumentError(f"'{node.name}' names a connection that is null")
    return named
