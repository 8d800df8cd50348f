"""Who runs the program: [auth.ticket.get], [auth.ticket.verify], [auth.ticket.in-role]."""

from __future__ import annotations

from hyperlambda import Evaluator, HyperlambdaError, Node, slot
from hyperlambda.expressions import resolve_text
from hyperlambda.sockets import TICKET
from hyperlambda.values import WHITESPACE

_ROOT = "root"


@slot("auth.ticket.get")
def get_ticket(evaluator: Evaluator, node: Node) -> None:
    """
    Get who runs the program.

    Reads:
        Nothing.
    Leaves:
        value: str, the username; as it was when nobody is known.
        children: `roles` is appended, with the roles below it, if there are any.
    Raises:
        LimitError: The program would have too many nodes.
    Source:
        Spec 03 §11.1.

    Example::

        auth.ticket.get
        // becomes
        auth.ticket.get
    """
    ticket: Node | None = evaluator.peek(TICKET)
    if ticket is not None:
        node.value = ticket.value
        node.adopt(evaluator.clones(list(ticket.children)))


@slot("auth.ticket.verify")
def verify_ticket(evaluator: Evaluator, node: Node) -> None:
    """
    Go on only if somebody is known, and has one of some roles.

    Reads:
        value: str, roles with commas between them, or an expression that leads to
            them; none asks for no role. The role `root` is enough, whatever is asked.
    Leaves:
        The node as it was.
    Raises:
        HyperlambdaError: Nobody is known, or has none of the roles: status 401, and the
            message may be shown to clients.
    Source:
        Spec 03 §11.4, 05 §5.4.

    Example::

        try
           auth.ticket.verify:editor
        .catch
           return:x:@.arguments/*/message
        // becomes
        try
           auth.ticket.verify:editor
        .catch
           .arguments
              message:Access denied
              type:magic.node.extensions.HyperlambdaException
              status:int:401
              public:bool:true
              field:
           return:x:@.arguments/*/message
        // returns
        :Access denied
    """
    asked = resolve_text(node)
    ticket: Node | None = evaluator.peek(TICKET)
    if ticket is not None and ticket.value is not None:
        roles = _roles(ticket)
        if not asked or _ROOT in roles or not roles.isdisjoint(_split(asked)):
            return
    # The words are those that front ends know.
    raise HyperlambdaError("Access denied", public=True, status=401)


@slot("auth.ticket.in-role")
def is_in_role(evaluator: Evaluator, node: Node) -> None:
    """
    Tell whether who runs the program has one of some roles.

    Reads:
        value: str, roles with commas between them, or an expression that leads to them.
    Leaves:
        value: bool.
        children: as they are.
    Raises:
        ExpressionError: The expression finds several nodes.
    Source:
        Spec 03 §11.4.

    Example::

        auth.ticket.in-role:editor
        // becomes
        auth.ticket.in-role:bool:false
    """
    asked = resolve_text(node)
    ticket: Node | None = evaluator.peek(TICKET)
    node.value = (
        ticket is not None
        and bool(asked)
        and not _roles(ticket).isdisjoint(_split(asked or ""))
    )


def _roles(ticket: Node) -> set[object]:
    holder = ticket.child("roles")
    return set() if holder is None else {role.value for role in holder.children}


def _split(roles: str) -> set[object]:
    parts = (part.strip(WHITESPACE) for part in roles.split(","))
    return {part for part in parts if part}
