"""
Who is connected, in which groups, and how to end that (spec 05 §2.4, 2.6).

Each slot has a second name that begins with `socket.`.
"""

from __future__ import annotations

from hyperlambda import ArgumentError, Evaluator, Expression, Node, slot
from hyperlambda.expressions import resolve, resolve_bool, resolve_int, resolve_text

from .hubs import connection_of, hub_of


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
    hub = hub_of(evaluator, node)
    listed = [
        Node(
            ".",
            None,
            [
                Node("username", user.username),
                Node("connections", None, [Node(".", id) for id in user.connections]),
            ],
        )
        for user in hub.users(*_page(node))
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
    hub = hub_of(evaluator, node)
    node.value = hub.count_users(_filter(node))
    node.clear()


@slot("sockets.connections.count", "socket.connections.count")
def count_connections(evaluator: Evaluator, node: Node) -> None:
    """
    Count the connections of those who are connected; a user may have several.

    Reads:
        filter: str, what the usernames must start with; all by default.
    Leaves:
        value: int. Children are removed.
    Raises:
        SocketError: The evaluator has no hub, or the hub could not be asked.
    Source:
        An addition of ours to spec 05 §2.4.

    Example::

        sockets.connections.count
           filter:a
        // becomes
        sockets.connections.count:int:2
    """
    hub = hub_of(evaluator, node)
    node.value = hub.count_connections(_filter(node))
    node.clear()


@slot("sockets.groups", "socket.groups")
def groups(evaluator: Evaluator, node: Node) -> None:
    """
    List the groups that somebody is in, by name.

    Reads:
        filter: str, what the names must start with; all by default.
        offset: int, how many groups to leave out first; 0 by default.
        limit: int, how many to list; 10 by default.
    Leaves:
        value: null.
        children: one node named `.` for each group, with the `name` and how many
            `connections` are in it.
    Raises:
        SocketError: The evaluator has no hub, or the hub could not be asked.
        ArgumentError: The limit is negative.
        ConversionError, LiteralError: The offset or limit is null, or no number.
    Source:
        Spec 05 §2.6.

    Example::

        sockets.groups
           filter:e
        // becomes
        sockets.groups
           .
              name:editors
              connections:int:2
    """
    hub = hub_of(evaluator, node)
    listed = [
        Node(
            ".",
            None,
            [Node("name", group.name), Node("connections", group.connections)],
        )
        for group in hub.groups(*_page(node))
    ]
    evaluator.charge_nodes(3 * len(listed))
    node.value = None
    node.clear()
    node.adopt(listed)


@slot("sockets.connection.groups", "socket.connection.groups")
def connection_groups(evaluator: Evaluator, node: Node) -> None:
    """
    List the groups of a connection, by name.

    Reads:
        value: str, a connection id, or an expression that leads to it; the connection
            that runs the file by default. Unknown ones have no groups.
    Leaves:
        value: null.
        children: one node named `.` for each group.
    Raises:
        SocketError: The evaluator has no hub, or the hub could not be asked.
        ArgumentError: No connection runs the program and none is named.
    Source:
        Spec 05 §2.6.

    Example::

        sockets.connection.groups:c1
        // becomes
        sockets.connection.groups
           .:editors
           .:staff
    """
    hub = hub_of(evaluator, node)
    listed = [
        Node(".", group) for group in hub.groups_of(connection_of(evaluator, node))
    ]
    evaluator.charge_nodes(len(listed))
    node.value = None
    node.clear()
    node.adopt(listed)


@slot("sockets.user.groups", "socket.user.groups")
def user_groups(evaluator: Evaluator, node: Node) -> None:
    """
    List the groups that a user was put into for good, by name.

    These are the groups of `sockets.user.add-to-group` with `persist`, whether the user
    is connected or not. A connection may be in others.

    Reads:
        value: str, a username, or an expression that leads to it.
    Leaves:
        value: null.
        children: one node named `.` for each group.
    Raises:
        SocketError: The evaluator has no hub, or the hub could not be asked.
        ArgumentError: The username is null.
    Source:
        An addition of ours to spec 05 §2.6.

    Example::

        sockets.user.groups:ada
        // becomes
        sockets.user.groups
           .:editors
    """
    hub = hub_of(evaluator, node)
    listed = [Node(".", each) for each in hub.lasting_groups_of(_username(node))]
    evaluator.charge_nodes(len(listed))
    node.value = None
    node.clear()
    node.adopt(listed)


@slot("sockets.connection.disconnect", "socket.connection.disconnect")
def disconnect(evaluator: Evaluator, node: Node) -> None:
    """
    End a connection, after what was sent to it so far.

    Reads:
        value: str, a connection id, or an expression that leads to it; the connection
            that runs the file by default. An unknown one is none.
        message: str, what its client is told.
        reconnect: bool, whether the client is asked to connect anew; false by default.
    Leaves:
        The node as it was.
    Raises:
        SocketError: The evaluator has no hub, or the hub could not do it.
        ArgumentError: No connection runs the program and none is named.
    Source:
        Spec 05 §2.6.

    Example::

        sockets.connection.disconnect:c1
           message:see you
        // becomes
        sockets.connection.disconnect:c1
           message:see you
    """
    hub = hub_of(evaluator, node)
    reason, may_return = _farewell(node)
    hub.disconnect(connection_of(evaluator, node), reason, may_return=may_return)


@slot("sockets.user.disconnect", "socket.user.disconnect")
def disconnect_user(evaluator: Evaluator, node: Node) -> None:
    """
    End the connections that a user has now, after what was sent to them so far.

    Reads:
        value: str, a username or a connection id, or an expression that leads to it.
            Those of an unknown user are none.
        message: str, what the clients are told.
        reconnect: bool, whether the clients are asked to connect anew; false by
            default. True makes those come back whose roles have changed.
    Leaves:
        The node as it was.
    Raises:
        SocketError: The evaluator has no hub, or the hub could not do it.
        ArgumentError: The username is null.
    Source:
        Spec 05 §2.6.

    Example::

        sockets.user.disconnect:ada
           reconnect:bool:true
        // becomes
        sockets.user.disconnect:ada
           reconnect:bool:true
    """
    hub = hub_of(evaluator, node)
    username = _username(node)
    reason, may_return = _farewell(node)
    hub.disconnect_user(username, reason, may_return=may_return)


def _username(node: Node) -> str:
    username = resolve_text(node)
    if username is None:
        raise ArgumentError(f"'{node.name}' needs a username: its value is null")
    return username


def _farewell(node: Node) -> tuple[str, bool]:
    message, reconnect = node.child("message"), node.child("reconnect")
    return (
        "" if message is None else resolve_text(message) or "",
        reconnect is not None and resolve_bool(reconnect),
    )


def _page(node: Node) -> tuple[str, int, int]:
    """Return filter, offset and limit."""
    offset = max(0, _number(node, "offset", 0))
    limit = _number(node, "limit", 10)
    if limit < 0:
        raise ArgumentError(f"the limit of '{node.name}' is negative")
    return _filter(node), offset, limit


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
