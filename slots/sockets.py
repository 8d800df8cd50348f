"""
Messages to connected clients, and who is connected (spec 05 §2).

Each slot has a second name that begins with `socket.`. What they say goes to the hub of
the evaluator; an audience fails closed, so that no mistake makes a message public.
"""

from __future__ import annotations

from hyperlambda import (
    ArgumentError,
    Audience,
    AudienceKind,
    Evaluator,
    Expression,
    Hub,
    Message,
    Node,
    slot,
)
from hyperlambda.errors import SocketError, nearest
from hyperlambda.expressions import resolve, resolve_int, resolve_text
from hyperlambda.json_writer import write_json
from hyperlambda.sockets import CONNECTION
from hyperlambda.unwrapping import unwrap_descendants
from hyperlambda.values import WHITESPACE

_KINDS = {
    "roles": AudienceKind.ROLES,
    "groups": AudienceKind.GROUPS,
    "users": AudienceKind.USERS,
    "clients": AudienceKind.CLIENTS,
    "role": AudienceKind.ROLES,
    "group": AudienceKind.GROUPS,
    "user": AudienceKind.USERS,
    "client": AudienceKind.CLIENTS,
}


@slot("sockets.signal", "socket.signal")
def signal(evaluator: Evaluator, node: Node) -> None:
    """
    Send a message to connected clients.

    It reaches everybody who is connected, or those with one of some roles, in one of
    some groups, of some usernames or with some connection ids; never by two of these at
    once. Nothing is sent when the name is null.

    Reads:
        value: str, the name of the message, or an expression that leads to it.
        roles, groups, users or clients: names with commas between them, or an
            expression that leads to them; no names are nobody. The singular works too.
        args: what the message says, as JSON: its children. What expressions find takes
            their place, nodes as well as values.
    Leaves:
        value: as it was. Children are removed.
    Raises:
        SocketError: The evaluator has no hub, or the hub could not send.
        ArgumentError: The name is empty, an audience is null or finds nothing, there
            are two audiences, or a child is none of those above.
        ConversionError: A value in args has no form in JSON.
    Source:
        Spec 05 §2.1, 22.

    Example::

        .order
           id:int:17
        sockets.signal:orders.changed
           roles:root, admin
           args
              order:x:@.order/*
              state:paid
        // becomes
        .order
           id:int:17
        sockets.signal:orders.changed
    """
    hub = _hub(evaluator, node)
    _check_arguments(node)
    name = resolve_text(node)
    argument = _argument(evaluator, node)
    audience = _audience(node)
    if name == "":
        raise ArgumentError("a message needs a name, and this one is empty")
    if name is not None:
        hub.publish(Message(name, argument, audience))
    node.clear()


@slot("sockets.user.add-to-group", "socket.user.add-to-group")
def add_to_group(evaluator: Evaluator, node: Node) -> None:
    """
    Put a user into a group.

    It is the connections that the user has now that are put there; those of an unknown
    user are none.

    Reads:
        value: str, a username or a connection id, or an expression that leads to it.
        group: str, the name of the group.
    Leaves:
        The node as it was.
    Raises:
        SocketError: The evaluator has no hub, or the hub could not do it.
        ArgumentError: The username or the group is null.
    Source:
        Spec 05 §2.2.

    Example::

        sockets.user.add-to-group:ada
           group:editors
        // becomes
        sockets.user.add-to-group:ada
           group:editors
    """
    hub = _hub(evaluator, node)
    hub.add_to_group(*_membership(node))


@slot("sockets.user.remove-from-group", "socket.user.remove-from-group")
def remove_from_group(evaluator: Evaluator, node: Node) -> None:
    """
    Take a user out of a group.

    Reads:
        value: str, a username or a connection id, or an expression that leads to it.
        group: str, the name of the group.
    Leaves:
        The node as it was.
    Raises:
        SocketError: The evaluator has no hub, or the hub could not do it.
        ArgumentError: The username or the group is null.
    Source:
        Spec 05 §2.2.

    Example::

        sockets.user.remove-from-group:ada
           group:editors
        // becomes
        sockets.user.remove-from-group:ada
           group:editors
    """
    hub = _hub(evaluator, node)
    hub.remove_from_group(*_membership(node))


@slot("sockets.connection.enter-group", "socket.connection.enter-group")
def enter_group(evaluator: Evaluator, node: Node) -> None:
    """
    Put a connection into a group, until it ends.

    In a file that a client runs it is the client's own connection, unless another is
    named. Whoever may run the file may enter, so that the file decides who may.

    Reads:
        value: str, a connection id, or an expression that leads to it; the connection
            that runs the file by default.
        group: str, the name of the group.
    Leaves:
        The node as it was.
    Raises:
        SocketError: The evaluator has no hub, or the hub could not do it.
        ArgumentError: No connection runs the program and none is named, or the group
            is null.
    Source:
        Spec 05 §2.3, 22.

    Example::

        sockets.connection.enter-group:c1
           group:editors
        // becomes
        sockets.connection.enter-group:c1
           group:editors
    """
    hub = _hub(evaluator, node)
    hub.add_to_group(_connection(evaluator, node), _group(node))


@slot("sockets.connection.leave-group", "socket.connection.leave-group")
def leave_group(evaluator: Evaluator, node: Node) -> None:
    """
    Take a connection out of a group.

    Reads:
        value: str, a connection id, or an expression that leads to it; the connection
            that runs the file by default.
        group: str, the name of the group.
    Leaves:
        The node as it was.
    Raises:
        SocketError: The evaluator has no hub, or the hub could not do it.
        ArgumentError: No connection runs the program and none is named, or the group
            is null.
    Source:
        Spec 05 §2.3, 22.

    Example::

        sockets.connection.leave-group:c1
           group:editors
        // becomes
        sockets.connection.leave-group:c1
           group:editors
    """
    hub = _hub(evaluator, node)
    hub.remove_from_group(_connection(evaluator, node), _group(node))


@slot("sockets.users", "socket.users")
def users(evaluator: Evaluator, node: Node) -> None:
    """
    List who is connected, by name.

    Reads:
        filter: str, what the usernames must start with; all by default.
        offset: int, how many users to leave out first; 0 by default.
        limit: int, how many to list; 10 by default.
    Leaves:
        value: null.
        children: one node named `.` for each user, with the `username` and below
            `connections` the connection ids. Anonymous connections have their id as
            username.
    Raises:
        SocketError: The evaluator has no hub, or the hub could not be asked.
        ArgumentError: The limit is negative.
        ConversionError, LiteralError: The offset or limit is null, or no number.
    Source:
        Spec 05 §2.4.

    Example::

        sockets.users
           filter:a
        // becomes
        sockets.users
           .
              username:ada
              connections
                 .:c1
                 .:c2
    """
    hub = _hub(evaluator, node)
    offset = max(0, _number(node, "offset", 0))
    limit = _number(node, "limit", 10)
    if limit < 0:
        raise ArgumentError(f"the limit of '{node.name}' is negative")
    listed = [
        Node(
            ".",
            None,
            [
                Node("username", user.username),
                Node("connections", None, [Node(".", id) for id in user.connections]),
            ],
        )
        for user in hub.users(_filter(node), offset, limit)
    ]
    evaluator.charge_nodes(sum(3 + len(user.children[1].children) for user in listed))
    node.value = None
    node.clear()
    node.adopt(listed)


@slot("sockets.users.count", "socket.users.count")
def count_users(evaluator: Evaluator, node: Node) -> None:
    """
    Count who is connected; each anonymous connection counts as a user.

    Reads:
        filter: str, what the usernames must start with; all by default.
    Leaves:
        value: int. Children are removed.
    Raises:
        SocketError: The evaluator has no hub, or the hub could not be asked.
    Source:
        Spec 05 §2.4.

    Example::

        sockets.users.count
           filter:a
        // becomes
        sockets.users.count:int:1
    """
    hub = _hub(evaluator, node)
    node.value = hub.count_users(_filter(node))
    node.clear()


def _hub(evaluator: Evaluator, node: Node) -> Hub:
    if evaluator.hub is None:
        raise SocketError(
            f"sockets are not enabled here, and '{node.name}' needs them",
            help="run the program with 'hyperlambda run FILE --connect URL', or give "
            "the evaluator a hub: Evaluator(hub=…)",
        )
    return evaluator.hub


# A message


def _check_arguments(node: Node) -> None:
    """Refuse children that mean nothing: one of them may be a misspelt audience."""
    for child in node.children:
        name = child.name
        if name not in _KINDS and name != "args" and name != "..":
            near = nearest(name.lower().lstrip("."), ["args", *_KINDS])
            raise ArgumentError(
                f"'{node.name}' has no argument '{name}'",
                help=f"did you mean '{near}'?"
                if near
                else "what the message says belongs below 'args'",
                place=child.place,
            )


def _argument(evaluator: Evaluator, node: Node) -> str | None:
    arguments = node.child("args")
    if arguments is None:
        return None
    unwrap_descendants(evaluator, arguments)
    return write_json(arguments.children, evaluator=evaluator)


def _audience(node: Node) -> Audience:
    given: dict[str, Node] = {}
    for child in node.children:
        if child.name in _KINDS:
            given.setdefault(child.name, child)
    if not given:
        return Audience()
    if len(given) > 1:
        names = " and ".join(f"'{name}'" for name in given)
        raise ArgumentError(f"a message has one audience at most, not {names}")
    ((name, child),) = given.items()
    text = resolve_text(child)
    if text is None:
        raise ArgumentError(
            f"the audience '{name}' is null",
            help=f"leave '{name}' out to reach everybody, or write '{name}:\"\"' to reach "
            "nobody",
            place=child.place,
        )
    parts = [part.strip(WHITESPACE) for part in text.split(",")]
    return Audience(_KINDS[name], tuple(part for part in parts if part))


# Other arguments


def _membership(node: Node) -> tuple[str, str]:
    username = resolve_text(node)
    if username is None:
        raise ArgumentError(f"'{node.name}' needs a username: its value is null")
    return username, _group(node)


def _connection(evaluator: Evaluator, node: Node) -> str:
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


def _group(node: Node) -> str:
    child = node.child("group")
    group = None if child is None else resolve_text(child)
    if group is None:
        raise ArgumentError(f"'{node.name}' needs a 'group'")
    return group


def _filter(node: Node) -> str:
    child = node.child("filter")
    return "" if child is None else resolve_text(child) or ""


def _number(node: Node, name: str, default: int) -> int:
    child = node.child(name)
    if child is None:
        return default
    # An expression without result is no argument at all (spec 04 §19).
    if type(child.value) is Expression and resolve(child) is None:
        return default
    return resolve_int(child)
