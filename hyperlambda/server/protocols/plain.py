"""
The plain protocol: one JSON object in each text frame, for a bare `WebSocket`.

The server begins with ``{"type":"welcome","connection":id,"user":name or null,
"roles":[…],"groups":[…],"expires":Unix seconds or null}``. What arrives for a
subscription is ``{"type":"message","name":…,"args":JSON or null}``. A request may carry an
``id`` (text or integer), which its one answer repeats:

=================  =============================  =====================================
request            its fields                     answer
=================  =============================  =====================================
subscribe          names                          subscribed: names (those of the request)
unsubscribe        names                          unsubscribed: names
publish            name; args; one of roles,      published
                   groups, users, clients
execute            file; args                     executed: result (if there is one)
ping               –                              pong
users              prefix; offset; limit          users: users [{username, connections}]
count-users        prefix                         count-users: count
add-to-group       user; group                    added-to-group
remove-from-group  user; group                    removed-from-group
anything refused                                  error: code, message
=================  =============================  =====================================

- ``names``: names, patterns like ``foo.*`` (everything below ``foo``), or ``*``.
- ``args``: any JSON; absent, receivers see null.
- An audience: a list of texts, or one text that is split at commas. Null, two kinds of
  audience, and any field that is not listed are errors: a message never goes to everyone by
  accident. An empty list reaches nobody.
- ``limit``: null for no limit; 10 if absent.
- publish, users, and what is below them need one of the publishers' roles. A file that
  is executed says itself who may run it.

Codes of errors: ``malformed`` (no JSON object), ``invalid`` (a field is wrong),
``unknown-type``, ``forbidden``, ``unsupported``, ``too-many`` (subscriptions), ``failed``.
An error never ends the connection.

Frames that a request causes at its own connection come before its answer.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from json import dumps
from typing import Any, NoReturn, TypeAlias

from ...errors import SocketError, nearest
from ...sockets import Audience, AudienceKind, Message
from ..frames import PING, text_frame
from ..hub import Connection, SocketHub

__all__ = ["Done", "Execute", "PlainSession", "encode_message"]

Done: TypeAlias = Callable[..., None]
"""Takes how a call ended: ``done(error text or None, JSON text of the result or None)``."""

Execute: TypeAlias = Callable[[Connection, str, str | None, Done], None]
"""
Runs a file for a connection: ``execute(connection, file, JSON text or None, done)``.

Returns at once; ``done`` is called later, once, from any thread. Both protocols share it.
"""

MAX_NAMES = 1_000
"""How many subscriptions one connection may have."""

MAX_NAME_LENGTH = 256
"""In characters."""

_AUDIENCES = {kind.value: kind for kind in AudienceKind if kind.value != "everyone"}

_Fields: TypeAlias = dict[str, Any]


def encode_message(message: Message) -> bytes:
    """Return the frame of a message; its argument is spliced in as it is."""
    name = dumps(message.name, ensure_ascii=False)
    argument = "null" if message.argument is None else message.argument
    return text_frame(f'{{"type":"message","name":{name},"args":{argument}}}'.encode())


class RequestError(Exception):
    """A request is refused: with a code for programs and a sentence for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class PlainSession:
    """
    Serves one connection.

    Args:
        hub: Where the connection joins, and what its requests go to.
        connection: Its `encode` is `encode_message`.
        publishers: Roles of which one is needed to publish.
        execute: Runs files; without it `execute` is answered with ``unsupported``.
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
    ) -> None:
        self.connection = connection
        self._hub = hub
        self._may_publish = not connection.identity.roles.isdisjoint(publishers)
        self._execute_file = execute

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
            fields = _parse(data)
            request_id = _take_id(fields)
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
            if answer is not None:
                self._answer(answer, request_id)

    def farewell(self, reason: str, *, may_return: bool) -> bytes | None:
        """Return None: the close frame says it all."""
        return None

    # The requests. Each returns its answer, or None if that comes later.

    def _subscribe(self, fields: _Fields, request_id: object) -> _Fields:
        names = _take_names(fields)
        known = self.connection.names
        if len(known.union(names)) > MAX_NAMES:
            raise RequestError(
                "too-many", f"only {MAX_NAMES} subscriptions are allowed"
            )
        for name in names:
            self._hub.subscribe(self.connection, name)
        return {"type": "subscribed", "names": names}

    def _unsubscribe(self, fields: _Fields, request_id: object) -> _Fields:
        names = _take_names(fields)
        for name in names:
            self._hub.unsubscribe(self.connection, name)
        return {"type": "unsubscribed", "names": names}

    def _publish(self, fields: _Fields, request_id: object) -> _Fields:
        self._require_publisher()
        name = _take_text(fields, "name")
        argument = _take_json(fields, "args")
        audience = _take_audience(fields)
        _refuse_rest(fields, ("name", "args", *_AUDIENCES))
        self._hub.publish(Message(name, argument, audience))
        return {"type": "published"}

    def _execute(self, fields: _Fields, request_id: str | int | None) -> None:
        if self._execute_file is None:
            raise RequestError("unsupported", "this server does not run files")
        file = _take_text(fields, "file")
        argument = _take_json(fields, "args")
        _refuse_rest(fields, ("file", "args"))

        def done(error: str | None, result: str | None = None) -> None:
            if error is not None:
                self._fail("failed", error, request_id)
            else:
                self._answer({"type": "executed"}, request_id, result)

        self._execute_file(self.connection, file, argument, done)

    def _ping(self, fields: _Fields, request_id: object) -> _Fields:
        _refuse_rest(fields, ())
        return {"type": "pong"}

    def _users(self, fields: _Fields, request_id: object) -> _Fields:
        self._require_publisher()
        prefix = _take_text(fields, "prefix", default="")
        offset = _take_integer(fields, "offset", 0)
        has_no_limit = "limit" in fields and fields["limit"] is None
        limit = None if has_no_limit else _take_integer(fields, "limit", 10)
        fields.pop("limit", None)
        _refuse_rest(fields, ("prefix", "offset", "limit"))
        users = self._hub.users(prefix, offset, limit)
        return {
            "type": "users",
            "users": [
                {"username": user.username, "connections": user.connections}
                for user in users
            ],
        }

    def _count_users(self, fields: _Fields, request_id: object) -> _Fields:
        self._require_publisher()
        prefix = _take_text(fields, "prefix", default="")
        _refuse_rest(fields, ("prefix",))
        return {"type": "count-users", "count": self._hub.count_users(prefix)}

    def _add_to_group(self, fields: _Fields, request_id: object) -> _Fields:
        self._hub.add_to_group(*self._take_membership(fields))
        return {"type": "added-to-group"}

    def _remove_from_group(self, fields: _Fields, request_id: object) -> _Fields:
        self._hub.remove_from_group(*self._take_membership(fields))
        return {"type": "removed-from-group"}

    def _take_membership(self, fields: _Fields) -> tuple[str, str]:
        self._require_publisher()
        user, group = _take_text(fields, "user"), _take_text(fields, "group")
        _refuse_rest(fields, ("user", "group"))
        return user, group

    def _require_publisher(self) -> None:
        if not self._may_publish:
            raise RequestError("forbidden", "this needs a role that you do not have")

    # The answers.

    def _answer(
        self, answer: _Fields, request_id: str | int | None, result: str | None = None
    ) -> None:
        if request_id is not None:
            answer["id"] = request_id
        self._send(answer, result)

    def _fail(self, code: str, message: str, request_id: str | int | None) -> None:
        self._answer({"type": "error", "code": code, "message": message}, request_id)

    def _send(self, answer: _Fields, result: str | None = None) -> None:
        # ASCII only, so that half a surrogate pair in an id can be repeated.
        text = dumps(answer, separators=(",", ":"))
        if result is not None:  # spliced in as it is: its numbers may be exact
            text = f'{text[:-1]},"result":{result}}}'
        self._hub.send(self.connection, text_frame(text.encode()))


_HANDLERS: dict[str, Callable[[PlainSession, _Fields, Any], _Fields | None]] = {
    "subscribe": PlainSession._subscribe,
    "unsubscribe": PlainSession._unsubscribe,
    "publish": PlainSession._publish,
    "execute": PlainSession._execute,
    "ping": PlainSession._ping,
    "users": PlainSession._users,
    "count-users": PlainSession._count_users,
    "add-to-group": PlainSession._add_to_group,
    "remove-from-group": PlainSession._remove_from_group,
}


def _parse(data: str | bytes) -> _Fields:
    if type(data) is not str:
        raise RequestError("malformed", "a request is a text frame")
    try:
        fields = json.loads(data, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise RequestError("malformed", "the frame does not hold JSON") from None
    if type(fields) is not dict:
        raise RequestError("malformed", "a request is a JSON object")
    return fields


def _refuse_constant(name: str) -> NoReturn:
    # NaN and Infinity, which Python reads and JSON does not know.
    raise ValueError(name)


def _refuse_type(kind: object) -> NoReturn:
    if type(kind) is not str:
        raise RequestError("invalid", "'type' must be a text")
    near = nearest(kind, _HANDLERS)
    hint = f"; did you mean '{near}'?" if near else ""
    raise RequestError("unknown-type", f"no such type of request{hint}")


def _take_id(fields: _Fields) -> str | int | None:
    request_id = fields.pop("id", None)
    if request_id is None or type(request_id) is int:
        return request_id
    if type(request_id) is str and len(request_id) <= MAX_NAME_LENGTH:
        return request_id
    raise RequestError(
        "invalid", f"'id' must be an integer or a text of at most {MAX_NAME_LENGTH}"
    )


def _take_text(fields: _Fields, key: str, default: str | None = None) -> str:
    value = fields.pop(key, default)
    if type(value) is not str or (not value and default is None):
        raise RequestError("invalid", f"'{key}' must be a text that is not empty")
    if not _is_unicode(value):
        raise RequestError("invalid", f"'{key}' holds half a surrogate pair")
    return value


def _take_integer(fields: _Fields, key: str, default: int) -> int:
    value = fields.pop(key, default)
    if type(value) is not int:
        raise RequestError("invalid", f"'{key}' must be an integer")
    return value


def _take_json(fields: _Fields, key: str) -> str | None:
    if key not in fields:
        return None
    try:
        text = dumps(
            fields.pop(key), ensure_ascii=False, separators=(",", ":"), allow_nan=False
        )
    except RecursionError:
        raise RequestError("malformed", f"'{key}' is nested too deeply") from None
    except ValueError:  # 1e999, which Python reads as infinity
        raise RequestError("invalid", f"'{key}' holds a number beyond limits") from None
    if not _is_unicode(text):
        raise RequestError("invalid", f"'{key}' holds half a surrogate pair")
    return text


def _take_names(fields: _Fields) -> list[str]:
    names = fields.pop("names", None)
    if type(names) is not list or not names:
        raise RequestError("invalid", "'names' must be a list of texts, not empty")
    _refuse_rest(fields, ("names",))
    for name in names:
        _check_name(name)
    return names


def _check_name(name: object) -> None:
    if type(name) is not str or not name:
        raise RequestError("invalid", "each of 'names' must be a text, not empty")
    if len(name) > MAX_NAME_LENGTH:
        raise RequestError(
            "invalid", f"a name has at most {MAX_NAME_LENGTH} characters"
        )
    if not _is_unicode(name):
        raise RequestError("invalid", "'names' holds half a surrogate pair")
    fixed = name.removesuffix(".*")
    if name != "*" and ("*" in fixed or not fixed):
        raise RequestError("invalid", "a pattern is '*', or a name followed by '.*'")


def _take_audience(fields: _Fields) -> Audience:
    given = [key for key in _AUDIENCES if key in fields]
    if not given:
        return Audience()
    if len(given) > 1:
        kinds = " and ".join(f"'{key}'" for key in given)
        raise RequestError("invalid", f"a message has one audience, not {kinds}")
    key = given[0]
    value = fields.pop(key)
    if type(value) is str:
        return Audience(
            _AUDIENCES[key], tuple(name.strip() for name in value.split(","))
        )
    if type(value) is not list or any(type(name) is not str for name in value):
        raise RequestError("invalid", f"'{key}' must be a list of texts, or one text")
    return Audience(_AUDIENCES[key], tuple(value))


def _refuse_rest(fields: _Fields, known: tuple[str, ...]) -> None:
    for key in fields:
        near = nearest(key, known)
        hint = f"; did you mean '{near}'?" if near else ""
        shown = key if len(key) <= 40 else key[:40] + "…"
        raise RequestError("invalid", f"no field is named '{shown}' here{hint}")


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
