"""
Messages to connected clients, and the groups that these are in (spec 05 §2).

Each slot has a second name that begins with `socket.`. What they say goes to the hub of
the evaluator; an audience fails closed, so that no mistake makes a message public.
"""

from __future__ import annotations

from hyperlambda import (
    ArgumentError,
    Audience,
    AudienceKind,
    Evaluator,
    Message,
    Node,
    slot,
)
from hyperlambda.errors import nearest
from hyperlambda.expressions import resolve_bool, resolve_text
from hyperlambda.json_writer import write_json
from hyperlambda.unwrapping import unwrap_descendants
from hyperlambda.values import WHITESPACE

from .hubs import connection_of, hub_of
from .settings import setting

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

_ARGUMENTS = ("args", "except", *_KINDS)

_NULL_IS_EVERYONE = "magic:sockets:null-audience-is-everyone"
"""The setting that restores what the reference does with an audience that is null."""

_EVERYONE = Audience()


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
        except: connection ids, written the same way, that do not get it.
        args: what the message says, as JSON: its children. What expressions find takes
            their place, nodes as well as values.
    Leaves:
        value: as it was. Children are removed.
    Raises:
        SocketError: The evaluator has no hub, or the hub could not send.
        ArgumentError: The name is empty, an audience is null or finds nothing (unless
            `magic:sockets:null-audience-is-everyone` is true in the configuration),
            there are two audiences, `except` is null or finds nothing, or a child is
            none of those above.
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
    hub = hub_of(evaluator, node)
    given = _arguments(node)
    name = resolve_text(node)
    argument = _argument(evaluator, given.pop("args", None))
    excluded = given.pop("except", None)
    audience = _audience(evaluator, given)
    without = () if excluded is None else _excluded(excluded)
    if name == "":
        raise ArgumentError("a message needs a name, and this one is empty")
    if name is not None:
        hub.publish(Message(name, argument, audience, without))
    node.clear()


@slot("sockets.user.add-to-group", "socket.user.add-to-group")
def add_to_group(evaluator: Evaluator, node: Node) -> None:
    """
    Put a user into a group.

    It is the connections that the user has now that are put there; those of an unknown
    user are none. With `persist`, so are all that the user makes later, until the user
    is taken out of the group.

    Reads:
        value: str, a username or a connection id, or an expression that leads to it.
        group: str, the name of the group.
        persist: bool, whether it goes for later connections too; false by default.
    Leaves:
        The node as it was.
    Raises:
        SocketError: The evaluator has no hub, the hub could not do it, or what should
            last is the id of a connection.
        ArgumentError: The username or the group is null.
    Source:
        Spec 05 §2.2, 2.6, 21.4.

    Example::

        sockets.user.add-to-group:ada
           group:editors
        // becomes
        sockets.user.add-to-group:ada
           group:editors
    """
    hub = hub_of(evaluator, node)
    persist = node.child("persist")
    hub.add_to_group(
        *_membership(node), persist=persist is not None and resolve_bool(persist)
    )


@slot("sockets.user.remove-from-group", "socket.user.remove-from-group")
def remove_from_group(evaluator: Evaluator, node: Node) -> None:
    """
    Take a user out of a group, for good.

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
    hub = hub_of(evaluator, node)
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
    hub = hub_of(evaluator, node)
    hub.add_to_group(connection_of(evaluator, node), _group(node))


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
    hub = hub_of(evaluator, node)
    hub.remove_from_group(connection_of(evaluator, node), _group(node))


# A message


def _arguments(node: Node) -> dict[str, Node]:
    """
    Return the first argument of each name.

    Refuses children that mean nothing: one of them may be a misspelt audience.
    """
    given: dict[str, Node] = {}
    for child in node.children:
        name = child.name
        if name in _ARGUMENTS:
            given.setdefault(name, child)
        elif name != "..":
            near = nearest(name.lower().lstrip("."), _ARGUMENTS)
            raise ArgumentError(
                f"'{node.name}' has no argument '{name}'",
                help=f"did you mean '{near}'?"
                if near
                else "what the message says belongs below 'args'",
                place=child.place,
            )
    return given


def _argument(evaluator: Evaluator, arguments: Node | None) -> str | None:
    if arguments is None:
        return None
    unwrap_descendants(evaluator, arguments)
    return write_json(arguments.children, evaluator=evaluator)


def _audience(evaluator: Evaluator, given: dict[str, Node]) -> Audience:
    if not given:
        return _EVERYONE
    # Files may have it in quotes.
    if str(setting(evaluator, _NULL_IS_EVERYONE, False)).lower() == "true":
        given = {name: each for name, each in given.items() if _names_some(each)}
        if not given:
            return _EVERYONE
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
    return Audience(_KINDS[name], _split(text))


def _names_some(audience: Node) -> bool:
    return resolve_text(audience) is not None


def _excluded(child: Node) -> tuple[str, ...]:
    text = resolve_text(child)
    if text is None:
        # Who was to be left out must not get it because of a mistake.
        raise ArgumentError(
            "the connections of 'except' are null",
            help="leave 'except' out, or write 'except:\"\"', to except nobody",
            place=child.place,
        )
    return _split(text)


def _split(text: str) -> tuple[str, ...]:
    parts = [part.strip(WHITESPACE) for part in text.split(",")]
    return tuple(part for part in parts if part)


# Other arguments


def _membership(node: Node) -> tuple[str, str]:
    username = resolve_text(node)
    if username is None:
        raise ArgumentError(f"'{node.name}' needs a username: its value is null")
    return username, _group(node)


def _group(node: Node) -> str:
    child = node.child("group")
    group = None if child is None else resolve_text(child)
    if group is None:
        raise ArgumentError(f"'{node.name}' needs a 'group'")
    return group
