"""
The plain protocol: one JSON object in each text frame, for a bare `WebSocket`.

The server begins with ``{"type":"welcome","connection":id,"user":name or null,
"roles":[…],"groups":[…],"expires":Unix seconds or null}``. What arrives for a
subscription is ``{"type":"message","name":…,"args":JSON or null}``. A request may carry an
``id`` (text or integer), which its one answer repeats:

=================  =============================  =====================================
request            its fields                     answer
=================  =============================  =====================================
subscribe          names; since; former           subscribed: names (those of the request)
unsubscribe        names                          unsubscribed: names
publish            name; args; one of roles,      published: connections (if it was
                   groups, users, clients;        to count)
                   except; count
execute            file; args                     executed: result (if there is one)
ping               –                              pong
users              prefix; offset; limit          users: users [{username, connections}]
count-users        prefix                         count-users: count, connections
add-to-group       user; group; persist           added-to-group
remove-from-group  user; group                    removed-from-group
groups             prefix; offset; limit          groups: groups [{name, connections}]
connection-groups  connection                     connection-groups: groups
user-groups        user                           user-groups: groups, those that last
disconnect         connection or user; message;   disconnected
                   reconnect
anything refused                                  error: code, message
=================  =============================  =====================================

- ``names``: names, patterns like ``foo.*`` (everything below ``foo``), or ``*``.
- ``args``: any JSON; absent, receivers see null.
- An audience: a list of texts, or one text that is split at commas. Null, two kinds of
  audience, and any field that is not listed are errors: a message never goes to everyone by
  accident. An empty list reaches nobody.
- ``except``: ids of connections that do not get the message, written like an audience.
- ``count``: whether the answer tells how many connections of this server have subscribed
  to the name and are in the audience; false if absent.
- ``reconnect``: whether the client is asked to connect anew; false if absent.
- ``since``: a position; what was published behind it comes before the answer, which tells
  whether that is all (``recovered``). When there is more, the answer is ``replayed``: the
  client asks again, since its ``position``, and is subscribed only at the end. "" is the
  position of whoever has seen nothing.
- ``former``: ids of connections that the client had before; what excludes one of them is
  not sent to it.
- ``limit``: null for no limit; 10 if absent.
- publish, users, and what is below them need one of the publishers' roles. A file that
  is executed says itself who may run it.

Codes of errors: ``malformed`` (no JSON object), ``invalid`` (a field is wrong),
``unknown-type``, ``forbidden``, ``unsupported``, ``too-many`` (subscriptions), ``failed``.
An error never ends the connection.

Messages of names with history have a ``position``, and so have, for whoever listens to such
names, the answers to subscribe and ping: it stands for everything that came before.

Frames that a request causes at its own connection come before its answer.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from json import dumps
from typing import Any, NoReturn, TypeAlias

from ...errors import SocketError, nearest
from ...sockets import Message
from ..frames import PING, text_frame
from ..history import write_position
from ..hub import Connection, SocketHub
from ..recovery import Bounds
from .fields import (
    AUDIENCES,
    Fields,
    RequestError,
    parse_fields,
    refuse_rest,
    take_audience,
    take_flag,
    take_id,
    take_integer,
    take_json,
    take_limit,
    take_list,
    take_text,
)
from .subscribing import MAX_NAMES, Later, Subscriber

__all__ = ["MAX_NAMES", "Done", "Execute", "PlainSession", "encode_message"]

Done: TypeAlias = Callable[..., None]
"""Takes how a call ended: ``done(error text or None, JSON text of the result or None)``."""

Execute: TypeAlias = Callable[[Connection, str, str | None, Done], None]
"""
Runs a file for a connection: ``execute(connection, file, JSON text or None, done)``.

Returns at once; ``done`` is called later, once, from any thread. Both protocols share it.
"""


def encode_message(message: Message) -> bytes:
    """Return the frame of a message; its argument is spliced in as it is."""
    name = dumps(message.name, ensure_ascii=False)
    argument = "null" if message.argument is None else message.argument
    text = f'{{"type":"message","name":{name},"args":{argument}'
    if message.position is not None:
        text = f'{text},"position":"{write_position(message.position)}"'
    return text_frame(f"{text}}}".encode())


class PlainSession:
    """
    Serves one connection.

    Args:
        hub: Where the connection joins, and what its requests go to.
        connection: Its `encode` is `encode_message`.
        publishers: Roles of which one is needed to publish.
        execute: Runs files; without it `execute` is answered with ``unsupported``.
        count_publish: Called for each message that the client publishes.
        count_resume: Called each time that it asks for what it has missed.
        bounds: How much of that it gets at once.
    """

    heartbeat = PING
    answers_heartbeats = True

    def __init__(
        self,
        hub: SocketHub,
        connection: Connection,
        *,
        publishers: Collection[str] = ("root", "admin"),
        execute: Execute | None = None,
        count_publish: Callable[[], object] = lambda: None,
        count_resume: Callable[[], object] = lambda: None,
        bounds: Bounds | None = None,
    ) -> None:
        self.connection = connection
        self._hub = hub
        self._may_publish = not connection.identity.roles.isdisjoint(publishers)
        self._execute_file = execute
        self._count_publish = count_publish
        self._subscriber = Subscriber(hub, connection, count_resume, bounds or Bounds())

    def open(self) -> None:
        """Join the hub and greet."""
        self._hub.join(self.connection)
        identity = self.connection.identity
        self._send(
            {
                "type": "welcome",
                "connection": self.connection.id,
                "user": identity.username,
                "roles": sorted(identity.roles),
                "groups": sorted(self.connection.groups),
                "expires": identity.expires_at,
            }
        )

    def receive(self, data: str | bytes) -> None:
        """Do what a request asks for, and answer it."""
        request_id: str | int | None = None
        try:
            fields = parse_fields(data)
            request_id = take_id(fields)
            kind = fields.pop("type", None)
            handle = _HANDLERS.get(kind) if type(kind) is str else None
            if handle is None:
                _refuse_type(kind)
            answer = handle(self, fields, request_id)
        except RequestError as error:
            self._fail(error.code, error.message, request_id)
        except SocketError as error:
            self._fail("failed", error.message, request_id)
        else:
            if callable(answer):
                self._answer_in_turn(answer, request_id)
            elif answer is not None:
                self._answer(answer, request_id)

    def farewell(self, reason: str, *, may_return: bool) -> bytes | None:
        """Return None: the close frame says it all."""
        return None

    def overflow(self) -> bytes | None:
        """Return None, for the same reason."""
        return None

    # The requests. Each returns its answer, or None if that comes later.

    def _subscribe(self, fields: Fields, request_id: object) -> Fields | Later:
        return self._subscriber.subscribe(fields)

    def _unsubscribe(self, fields: Fields, request_id: object) -> Fields | Later:
        return self._subscriber.unsubscribe(fields)

    def _publish(self, fields: Fields, request_id: object) -> Fields:
        self._require_publisher()
        self._count_publish()
        name = take_text(fields, "name")
        argument = take_json(fields, "args")
        audience = take_audience(fields)
        excluded = take_list(fields, "except") if "except" in fields else ()
        is_counted = take_flag(fields, "count")
        refuse_rest(fields, ("name", "args", "except", "count", *AUDIENCES))
        message = Message(name, argument, audience, excluded)
        count = self._hub.count_receivers(message) if is_counted else 0
        self._hub.publish(message)
        if is_counted:
            return {"type": "published", "connections": count}
        return {"type": "published"}

    def _execute(self, fields: Fields, request_id: str | int | None) -> None:
        if self._execute_file is None:
            raise RequestError("unsupported", "this server does not run files")
        file = take_text(fields, "file")
        argument = take_json(fields, "args")
        refuse_rest(fields, ("file", "args"))

        def done(error: str | None, result: str | None = None) -> None:
            if error is not None:
                self._fail("failed", error, request_id)
            else:
                self._answer({"type": "executed"}, request_id, result)

        self._execute_file(self.connection, file, argument, done)

    def _ping(self, fields: Fields, request_id: object) -> Fields | Later:
        return self._subscriber.ping(fields)

    def _users(self, fields: Fields, request_id: object) -> Fields:
        self._require_publisher()
        users = self._hub.users(*_take_page(fields))
        return {
            "type": "users",
            "users": [
                {"username": user.username, "connections": user.connections}
                for user in users
            ],
        }

    def _count_users(self, fields: Fields, request_id: object) -> Fields:
        self._require_publisher()
        prefix = take_text(fields, "prefix", default="")
        refuse_rest(fields, ("prefix",))
        return {
            "type": "count-users",
            "count": self._hub.count_users(prefix),
            "connections": self._hub.count_connections(prefix),
        }

    def _add_to_group(self, fields: Fields, request_id: object) -> Fields:
        persist = take_flag(fields, "persist")
        membership = self._take_membership(fields, "persist")
        self._hub.add_to_group(*membership, persist=persist)
        return {"type": "added-to-group"}

    def _remove_from_group(self, fields: Fields, request_id: object) -> Fields:
        self._hub.remove_from_group(*self._take_membership(fields))
        return {"type": "removed-from-group"}

    def _groups(self, fields: Fields, request_id: object) -> Fields:
        self._require_publisher()
        groups = self._hub.groups(*_take_page(fields))
        return {
            "type": "groups",
            "groups": [
                {"name": group.name, "connections": group.connections}
                for group in groups
            ],
        }

    def _connection_groups(self, fields: Fields, request_id: object) -> Fields:
        self._require_publisher()
        connection = take_text(fields, "connection")
        refuse_rest(fields, ("connection",))
        return {
            "type": "connection-groups",
            "groups": self._hub.groups_of(connection),
        }

    def _user_groups(self, fields: Fields, request_id: object) -> Fields:
        self._require_publisher()
        user = take_text(fields, "user")
        refuse_rest(fields, ("user",))
        return {"type": "user-groups", "groups": self._hub.lasting_groups_of(user)}

    def _disconnect(self, fields: Fields, request_id: object) -> Fields:
        self._require_publisher()
        kinds = [key for key in ("connection", "user") if key in fields]
        if len(kinds) != 1:
            raise RequestError("invalid", "say either 'connection' or 'user'")
        name = take_text(fields, kinds[0])
        reason = take_text(fields, "message", default="")
        may_return = take_flag(fields, "reconnect")
        refuse_rest(fields, ("connection", "user", "message", "reconnect"))
        disconnect = (
            self._hub.disconnect_user if kinds == ["user"] else self._hub.disconnect
        )
        disconnect(name, reason, may_return=may_return)
        return {"type": "disconnected"}

    def _take_membership(self, fields: Fields, *others: str) -> tuple[str, str]:
        self._require_publisher()
        user, group = take_text(fields, "user"), take_text(fields, "group")
        refuse_rest(fields, ("user", "group", *others))
        return user, group

    def _require_publisher(self) -> None:
        if not self._may_publish:
            raise RequestError("forbidden", "this needs a role that you do not have")

    # The answers.

    def _answer(
        self, answer: Fields, request_id: str | int | None, result: str | None = None
    ) -> None:
        self._send(_with_id(answer, request_id), result)

    def _fail(self, code: str, message: str, request_id: str | int | None) -> None:
        self._answer(_error(code, message), request_id)

    def _answer_in_turn(self, act: Later, request_id: str | int | None) -> None:
        def answer() -> int:
            try:
                fields, cost = act()
            except RequestError as error:
                fields, cost = _error(error.code, error.message), 0
            frame = _frame(_with_id(fields, request_id))
            self._hub.push(self.connection, frame)
            return cost

        self._hub.in_turn(answer)

    def _send(self, answer: Fields, result: str | None = None) -> None:
        self._hub.send(self.connection, _frame(answer, result))


def _error(code: str, message: str) -> Fields:
    return {"type": "error", "code": code, "message": message}


def _with_id(answer: Fields, request_id: str | int | None) -> Fields:
    if request_id is not None:
        answer["id"] = request_id
    return answer


def _frame(answer: Fields, result: str | None = None) -> bytes:
    # ASCII only, so that half a surrogate pair in an id can be repeated.
    text = dumps(answer, separators=(",", ":"))
    if result is not None:  # spliced in as it is: its numbers may be exact
        text = f'{text[:-1]},"result":{result}}}'
    return text_frame(text.encode())


_HANDLERS: dict[str, Callable[[PlainSession, Fields, Any], Fields | Later | None]] = {
    "subscribe": PlainSession._subscribe,
    "unsubscribe": PlainSession._unsubscribe,
    "publish": PlainSession._publish,
    "execute": PlainSession._execute,
    "ping": PlainSession._ping,
    "users": PlainSession._users,
    "count-users": PlainSession._count_users,
    "add-to-group": PlainSession._add_to_group,
    "remove-from-group": PlainSession._remove_from_group,
    "groups": PlainSession._groups,
    "connection-groups": PlainSession._connection_groups,
    "user-groups": PlainSession._user_groups,
    "disconnect": PlainSession._disconnect,
}


def _refuse_type(kind: object) -> NoReturn:
    if type(kind) is not str:
        raise RequestError("invalid", "'type' must be a text")
    near = nearest(kind, _HANDLERS)
    hint = f"; did you mean '{near}'?" if near else ""
    raise RequestError("unknown-type", f"no such type of request{hint}")


def _take_page(fields: Fields) -> tuple[str, int, int | None]:
    """Return prefix, offset and limit of a list; nothing else may be there."""
    prefix = take_text(fields, "prefix", default="")
    offset = take_integer(fields, "offset", 0)
    limit = take_limit(fields)
    refuse_rest(fields, ("prefix", "offset", "limit"))
    return prefix, offset, limit
