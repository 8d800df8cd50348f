"""The plain protocol, spoken with a hub and without a socket."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import pytest

from hyperlambda.server.auth import ANONYMOUS, Identity
from hyperlambda.server.frames import text_frame
from hyperlambda.server.hub import Connection, SocketHub
from hyperlambda.server.protocols.plain import (
    MAX_NAMES,
    PlainSession,
    encode_message,
)
from hyperlambda.sockets import Message

from .hubs import take


def payload(frame: bytes) -> Any:
    """Undo `text_frame`, by the book (RFC 6455 §5.2)."""
    assert frame[0] == 0x81
    length, start = frame[1], 2
    if length >= 126:
        start = 4 if length == 126 else 10
        length = int.from_bytes(frame[2:start], "big")
    assert len(frame) == start + length
    return json.loads(frame[start:])


class Talk:
    """Sessions on one hub; each exchange is complete before the next begins."""

    def __init__(self) -> None:
        self.hub = SocketHub(wake=lambda: None)
        self.count = 0
        self.arrived: defaultdict[str, list[bytes]] = defaultdict(list)

    def join(self, identity: Identity = ANONYMOUS, **options: Any) -> PlainSession:
        self.count += 1
        connection = Connection(f"c{self.count}", identity, encode_message)
        session = PlainSession(self.hub, connection, **options)
        session.open()
        return session

    def got(self, session: PlainSession) -> list[Any]:
        """Return what a session's client receives now."""
        for id, frames in take(self.hub).items():
            self.arrived[id] += frames
        return [payload(frame) for frame in self.arrived.pop(session.connection.id, ())]

    def ask(self, session: PlainSession, request: Any) -> Any:
        """Return the last frame that a request brings."""
        self.got(session)
        session.receive(request if type(request) is str else json.dumps(request))
        return self.got(session)[-1]


ROOT = Identity("ada", frozenset({"root", "x"}), frozenset({"g"}), 5_000.5)
GUEST = Identity("bo", frozenset({"guest"}), frozenset(), 9.0)


@pytest.fixture
def talk() -> Talk:
    return Talk()


@pytest.fixture
def root(talk: Talk) -> PlainSession:
    return talk.join(ROOT)


@pytest.mark.parametrize("length", [0, 1, 125, 126, 127, 65_535, 65_536, 70_000])
def test_a_frame_says_how_long_it_is(length: int) -> None:
    text = '"' + "x" * (length - 2) + '"' if length >= 2 else "1" * length
    frame = text_frame(text.encode())
    start = len(frame) - length
    assert frame[start:] == text.encode()
    assert start == (2 if length < 126 else 4 if length < 65_536 else 10)
    assert frame[1] == (length if length < 126 else 126 if length < 65_536 else 127)


def test_the_server_greets(talk: Talk) -> None:
    assert talk.got(talk.join(ROOT)) == [
        {
            "type": "welcome",
            "connection": "c1",
            "user": "ada",
            "roles": ["root", "x"],
            "groups": ["g"],
            "expires": 5_000.5,
        }
    ]
    assert talk.got(talk.join()) == [
        {
            "type": "welcome",
            "connection": "c2",
            "user": None,
            "roles": [],
            "groups": [],
            "expires": None,
        }
    ]


@pytest.mark.parametrize(
    ("argument", "args"),
    [
        (None, None),
        ("{}", {}),
        ('{"a":[1,"ü"]}', {"a": [1, "ü"]}),
        ("[]", []),
        (" 5", 5),
    ],
)
def test_a_message_is_spliced_into_its_frame(argument: str | None, args: Any) -> None:
    frame = encode_message(Message('a"ü', argument))
    assert payload(frame) == {"type": "message", "name": 'a"ü', "args": args}


ANSWERS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"type": "ping"}, {"type": "pong"}),
    (
        {"type": "subscribe", "names": ["a", "a.*", "*"]},
        {"type": "subscribed", "names": ["a", "a.*", "*"]},
    ),
    ({"type": "unsubscribe", "names": ["a"]}, {"type": "unsubscribed", "names": ["a"]}),
    ({"type": "publish", "name": "a"}, {"type": "published"}),
    ({"type": "publish", "name": "a", "roles": "x, y"}, {"type": "published"}),
    ({"type": "publish", "name": "a", "clients": []}, {"type": "published"}),
    (
        {"type": "users"},
        {"type": "users", "users": [{"username": "ada", "connections": ["c1"]}]},
    ),
    ({"type": "users", "prefix": "b"}, {"type": "users", "users": []}),
    (
        {"type": "users", "offset": 1, "limit": None},
        {"type": "users", "users": []},
    ),
    (
        {"type": "count-users"},
        {"type": "count-users", "count": 1, "connections": 1},
    ),
    (
        {"type": "count-users", "prefix": "b"},
        {"type": "count-users", "count": 0, "connections": 0},
    ),
    ({"type": "add-to-group", "user": "ada", "group": "h"}, {"type": "added-to-group"}),
    (
        {"type": "remove-from-group", "user": "ada", "group": "h"},
        {"type": "removed-from-group"},
    ),
    (
        {"type": "groups"},
        {"type": "groups", "groups": [{"name": "g", "connections": 1}]},
    ),
    ({"type": "groups", "prefix": "h"}, {"type": "groups", "groups": []}),
    (
        {"type": "connection-groups", "connection": "c1"},
        {"type": "connection-groups", "groups": ["g"]},
    ),
    (
        {"type": "connection-groups", "connection": "nobody"},
        {"type": "connection-groups", "groups": []},
    ),
    ({"type": "disconnect", "connection": "nobody"}, {"type": "disconnected"}),
    (
        {"type": "disconnect", "user": "no", "message": "x", "reconnect": True},
        {"type": "disconnected"},
    ),
    ({"type": "publish", "name": "a", "except": ["c1"]}, {"type": "published"}),
    (
        {"type": "publish", "name": "a", "count": True},
        {"type": "published", "connections": 0},
    ),
    ({"type": "publish", "name": "a", "count": False}, {"type": "published"}),
]


@pytest.mark.parametrize(("request_", "answer"), ANSWERS)
def test_a_request_has_one_answer(
    talk: Talk, root: PlainSession, request_: dict[str, Any], answer: dict[str, Any]
) -> None:
    assert talk.ask(root, request_) == answer
    for request_id in (7, "x", "\ud800", 0, ""):
        asked = {**request_, "id": request_id}
        assert talk.ask(root, asked) == {**answer, "id": request_id}


MALFORMED: list[str | bytes] = [
    "",
    "{",
    "hello",
    "[]",
    "null",
    '"text"',
    '{"type":"ping","id":NaN}',
    "[" * 60_000,
    '{"a":' * 20_000,
    '{"id":' + "9" * 5_000 + "}",
    b'{"type":"ping"}',
    b"",
]


@pytest.mark.parametrize("data", MALFORMED)
def test_what_is_no_request_is_answered(
    talk: Talk, root: PlainSession, data: str | bytes
) -> None:
    talk.got(root)
    root.receive(data)
    [answer] = talk.got(root)
    assert (answer["type"], answer["code"]) == ("error", "malformed")
    assert talk.ask(root, {"type": "ping"}) == {"type": "pong"}


INVALID: list[tuple[dict[str, Any], str, str]] = [
    ({}, "invalid", "'type' must be a text"),
    ({"type": 5}, "invalid", "'type' must be a text"),
    ({"type": ["ping"]}, "invalid", "'type' must be a text"),
    ({"type": "pin"}, "unknown-type", "did you mean 'ping'"),
    ({"type": "qqq"}, "unknown-type", "no such type of request"),
    ({"type": "ping", "id": 1.5}, "invalid", "'id' must be"),
    ({"type": "ping", "id": True}, "invalid", "'id' must be"),
    ({"type": "ping", "id": {}}, "invalid", "'id' must be"),
    ({"type": "ping", "id": "x" * 257}, "invalid", "'id' must be"),
    ({"type": "ping", "pong": 1}, "invalid", "no field is named 'pong'"),
    ({"type": "subscribe"}, "invalid", "'names' must be a list"),
    ({"type": "subscribe", "names": []}, "invalid", "'names' must be a list"),
    ({"type": "subscribe", "names": "a"}, "invalid", "'names' must be a list"),
    ({"type": "subscribe", "name": "a"}, "invalid", "'names' must be a list"),
    ({"type": "subscribe", "names": ["a"], "x": 1}, "invalid", "no field is named"),
    ({"type": "subscribe", "names": [""]}, "invalid", "each of 'names'"),
    ({"type": "subscribe", "names": ["a", 5]}, "invalid", "each of 'names'"),
    ({"type": "subscribe", "names": [None]}, "invalid", "each of 'names'"),
    ({"type": "subscribe", "names": ["x" * 257]}, "invalid", "at most 256"),
    ({"type": "subscribe", "names": ["\udc00"]}, "invalid", "surrogate"),
    ({"type": "subscribe", "names": ["a*"]}, "invalid", "a pattern is"),
    ({"type": "subscribe", "names": ["*.a"]}, "invalid", "a pattern is"),
    ({"type": "subscribe", "names": ["*.*"]}, "invalid", "a pattern is"),
    ({"type": "subscribe", "names": [".*"]}, "invalid", "a pattern is"),
    ({"type": "publish"}, "invalid", "'name' must be a text"),
    ({"type": "publish", "name": ""}, "invalid", "'name' must be a text"),
    ({"type": "publish", "name": None}, "invalid", "'name' must be a text"),
    ({"type": "publish", "name": 5}, "invalid", "'name' must be a text"),
    ({"type": "publish", "name": "\ud800"}, "invalid", "'name' holds half"),
    ({"type": "publish", "name": "a", "args": ["\ud800"]}, "invalid", "'args' holds"),
    ({"type": "publish", "name": "a", "role": "x"}, "invalid", "did you mean 'roles'"),
    (
        {"type": "publish", "name": "a", "group": "x"},
        "invalid",
        "did you mean 'groups'",
    ),
    ({"type": "publish", "name": "a", "user": "x"}, "invalid", "did you mean 'users'"),
    ({"type": "publish", "name": "a", "client": "x"}, "invalid", "'clients'"),
    ({"type": "publish", "name": "a", "Roles": ["x"]}, "invalid", "'Roles'"),
    ({"type": "publish", "name": "a", "to": "x"}, "invalid", "'to'"),
    ({"type": "publish", "name": "a", "roles": None}, "invalid", "'roles' must be"),
    ({"type": "publish", "name": "a", "users": 5}, "invalid", "'users' must be"),
    ({"type": "publish", "name": "a", "users": ["x", 5]}, "invalid", "'users' must be"),
    (
        {"type": "publish", "name": "a", "users": [], "roles": []},
        "invalid",
        "one audience, not 'roles' and 'users'",
    ),
    ({"type": "execute", "file": "a"}, "unsupported", "does not run files"),
    ({"type": "users", "prefix": 5}, "invalid", "'prefix' must be"),
    ({"type": "users", "limit": "5"}, "invalid", "'limit' must be"),
    ({"type": "users", "offset": True}, "invalid", "'offset' must be"),
    ({"type": "users", "filter": "a"}, "invalid", "no field is named 'filter'"),
    ({"type": "add-to-group", "user": "ada"}, "invalid", "'group' must be"),
    ({"type": "add-to-group", "user": "", "group": "g"}, "invalid", "'user' must be"),
    ({"type": "remove-from-group", "group": "g"}, "invalid", "'user' must be"),
]


@pytest.mark.parametrize(("request_", "code", "message"), INVALID)
def test_a_wrong_request_is_refused_and_says_why(
    talk: Talk,
    root: PlainSession,
    request_: dict[str, Any],
    code: str,
    message: str,
) -> None:
    listener = talk.join()
    talk.ask(listener, {"type": "subscribe", "names": ["*"]})
    answer = talk.ask(root, request_)
    assert (answer["type"], answer["code"]) == ("error", code)
    assert message in answer["message"]
    assert "id" not in answer
    if type(request_.get("id")) is not str and "id" not in request_:
        assert talk.ask(root, {**request_, "id": 9})["id"] == 9
    assert talk.got(listener) == []
    assert root.connection.names == set()


def test_a_number_beyond_floats_is_refused(talk: Talk, root: PlainSession) -> None:
    answer = talk.ask(root, '{"type":"publish","name":"a","args":[1e999]}')
    assert (answer["code"], answer["message"]) == (
        "invalid",
        "'args' holds a number beyond limits",
    )


NEEDS_A_PUBLISHER: list[dict[str, Any]] = [
    {"type": "publish", "name": "a"},
    {"type": "users"},
    {"type": "count-users"},
    {"type": "add-to-group", "user": "bo", "group": "g"},
    {"type": "remove-from-group", "user": "bo", "group": "g"},
    {"type": "groups"},
    {"type": "connection-groups", "connection": "c1"},
    {"type": "disconnect", "user": "bo"},
]


@pytest.mark.parametrize("identity", [ANONYMOUS, GUEST])
@pytest.mark.parametrize("request_", NEEDS_A_PUBLISHER)
def test_others_may_only_listen(
    talk: Talk, identity: Identity, request_: dict[str, Any]
) -> None:
    session = talk.join(identity)
    talk.ask(session, {"type": "subscribe", "names": ["*"]})
    answer = talk.ask(session, request_)
    assert (answer["type"], answer["code"]) == ("error", "forbidden")
    assert talk.hub.counters.messages == 0
    assert session.connection.groups == set()


def test_publishers_can_be_other_roles(talk: Talk) -> None:
    request = {"type": "publish", "name": "a"}
    guest = talk.join(GUEST, publishers=["guest"])
    assert talk.ask(guest, request) == {"type": "published"}
    root = talk.join(ROOT, publishers=["guest"])
    assert talk.ask(root, request)["code"] == "forbidden"
    assert talk.ask(talk.join(ROOT, publishers=[]), request)["code"] == "forbidden"


def test_what_is_published_arrives_before_the_answer(
    talk: Talk, root: PlainSession
) -> None:
    talk.ask(root, {"type": "subscribe", "names": ["a"]})
    root.receive('{"type":"publish","name":"a","args":{"b":[1.50,"ü",null]},"id":1}')
    assert talk.got(root) == [
        {"type": "message", "name": "a", "args": {"b": [1.5, "ü", None]}},
        {"type": "published", "id": 1},
    ]


@pytest.mark.parametrize(
    ("fields", "count"),
    [
        ({}, 3),
        ({"name": "b"}, 1),
        ({"name": "c"}, 0),
        ({"roles": ["root", "guest"]}, 2),
        ({"roles": []}, 0),
        ({"except": ["c1"]}, 2),
    ],
)
def test_the_answer_may_tell_how_many_got_the_message(
    talk: Talk, root: PlainSession, fields: dict[str, Any], count: int
) -> None:
    others = [talk.join(GUEST), talk.join()]
    for session in (root, *others):
        talk.ask(session, {"type": "subscribe", "names": ["a"]})
    talk.ask(others[0], {"type": "subscribe", "names": ["b"]})
    request = {"type": "publish", "name": "a", "count": True, "id": 1, **fields}
    root.receive(json.dumps(request))
    got = talk.got(root)
    assert got[-1] == {"type": "published", "connections": count, "id": 1}
    got += [frame for session in others for frame in talk.got(session)]
    assert sum(frame["type"] == "message" for frame in got) == count


@pytest.mark.parametrize("given", ["root, guest", ["root", "guest"], " guest ,root"])
def test_an_audience_is_a_list_or_a_text(
    talk: Talk, root: PlainSession, given: str | list[str]
) -> None:
    others = [talk.join(GUEST), talk.join()]
    for session in (root, *others):
        talk.ask(session, {"type": "subscribe", "names": ["a"]})
    root.receive(json.dumps({"type": "publish", "name": "a", "roles": given}))
    message = {"type": "message", "name": "a", "args": None}
    assert talk.got(root)[0] == message
    assert talk.got(others[0]) == [message]
    assert talk.got(others[1]) == []


def test_unsubscribing_ends_the_messages(talk: Talk, root: PlainSession) -> None:
    talk.ask(root, {"type": "subscribe", "names": ["a", "b"]})
    talk.ask(root, {"type": "unsubscribe", "names": ["a", "never"]})
    root.receive('{"type":"publish","name":"a"}')
    root.receive('{"type":"publish","name":"b"}')
    assert [frame.get("name") for frame in talk.got(root)] == [None, "b", None]


def test_subscriptions_are_bounded(talk: Talk, root: PlainSession) -> None:
    names = [f"n{number}" for number in range(MAX_NAMES)]
    assert talk.ask(root, {"type": "subscribe", "names": names})["type"] == "subscribed"
    again = talk.ask(root, {"type": "subscribe", "names": names[:5]})
    assert again["type"] == "subscribed"
    answer = talk.ask(root, {"type": "subscribe", "names": ["one more"]})
    assert answer["code"] == "too-many"
    assert len(root.connection.names) == MAX_NAMES


def test_a_hub_that_refuses_is_answered(talk: Talk, root: PlainSession) -> None:
    talk.hub.max_inbox = 0
    answer = talk.ask(root, {"type": "publish", "name": "a"})
    assert answer["code"] == "failed"


def test_files_are_run_by_whom_the_server_names(talk: Talk) -> None:
    runs: list[tuple[str, str, str | None]] = []
    answers: list[Callable[[str | None], None]] = []

    def execute(
        connection: Connection,
        file: str,
        argument: str | None,
        done: Callable[[str | None], None],
    ) -> None:
        runs.append((connection.id, file, argument))
        answers.append(done)

    session = talk.join(ROOT, execute=execute)
    request = {"type": "execute", "file": "/a/b", "args": {"x": 1}, "id": 4}
    talk.got(session)
    session.receive(json.dumps(request))
    session.receive(json.dumps({"type": "execute", "file": "/c"}))
    assert runs == [("c1", "/a/b", '{"x":1}'), ("c1", "/c", None)]
    assert talk.got(session) == []
    answers[1]("no such file")
    answers[0](None)
    assert talk.got(session) == [
        {"type": "error", "code": "failed", "message": "no such file"},
        {"type": "executed", "id": 4},
    ]
    assert talk.ask(session, {"type": "execute", "file": ""})["code"] == "invalid"
    assert len(runs) == 2
    # The file itself says who may run it.
    guest = talk.join(GUEST, execute=execute)
    talk.got(guest)
    guest.receive(json.dumps(request))
    answers[2](None, '{"b":[1.0,"\u00fc"]}')
    result = {"b": [1.0, "ü"]}
    assert talk.got(guest) == [{"type": "executed", "id": 4, "result": result}]
