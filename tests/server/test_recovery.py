"""Clients that come back get what they missed, over both protocols, without a socket."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

import pytest

from hyperlambda.server.auth import ANONYMOUS, Identity
from hyperlambda.server.frames import join_text_frames
from hyperlambda.server.history import History
from hyperlambda.server.hub import Connection, SocketHub
from hyperlambda.server.protocols import plain, signalr
from hyperlambda.server.protocols.plain import PlainSession
from hyperlambda.server.protocols.signalr import SignalRSession
from hyperlambda.server.protocols.subscribing import MAX_NAMES
from hyperlambda.server.recovery import MAX_FORMER, MOST_AHEAD, Bounds
from hyperlambda.server.retention import Rule
from hyperlambda.sockets import Audience, AudienceKind, Message

from .hubs import take

RS = "\x1e"


def texts(frame: bytes) -> list[str]:
    """Return the records of a frame, whose payload is all that is JSON in it."""
    return [each for each in frame[frame.index(b"{") :].decode().split(RS) if each]


class Talk:
    """Clients of one hub with history."""

    def __init__(self, *rules: str) -> None:
        kept = [Rule.parse(rule) for rule in rules]
        self.history = History(kept) if kept else None
        self.hub = SocketHub(wake=lambda: None, history=self.history)
        self.count = 0
        self.arrived: defaultdict[str, list[Any]] = defaultdict(list)

    def join(self, identity: Identity = ANONYMOUS, **options: Any) -> PlainSession:
        self.count += 1
        connection = Connection(f"c{self.count}", identity, plain.encode_message)
        session = PlainSession(self.hub, connection, **options)
        session.open()
        assert self.got(session)[0]["type"] == "welcome"
        return session

    def join_signalr(
        self, identity: Identity = ANONYMOUS, resumes: bool = True, **options: Any
    ) -> SignalRSession:
        self.count += 1
        encode = signalr.encode_with_position if resumes else signalr.encode_message
        session = SignalRSession(
            self.hub,
            Connection(f"c{self.count}", identity, encode, join_text_frames),
            write=lambda data: None,
            end=lambda data: None,
            resumes=resumes,
            **options,
        )
        session.receive('{"protocol":"json","version":1}' + RS)
        return session

    def publish(self, name: str, *numbers: int, **options: Any) -> None:
        for number in numbers:
            self.hub.publish(Message(name, str(number), **options))

    def got(self, session: PlainSession | SignalRSession) -> list[Any]:
        for id, frames in take(self.hub).items():
            for frame in frames:
                self.arrived[id] += map(json.loads, texts(frame))
        return self.arrived.pop(session.connection.id, [])

    def ask(self, session: PlainSession, kind: str, *names: str, **fields: Any) -> Any:
        session.receive(json.dumps({"type": kind, "names": names, **fields}))
        return self.got(session)

    def position(self, offset: int) -> str:
        assert self.history is not None
        return f"{self.history.epoch}-{offset}"

    def message(self, name: str, number: int, offset: int) -> dict[str, Any]:
        position = self.position(offset)
        return {"type": "message", "name": name, "args": number, "position": position}

    def answer(
        self,
        kind: str,
        names: list[str],
        offset: int,
        recovered: bool | None = None,
    ) -> dict[str, Any]:
        fields = {"type": kind, "names": names, "position": self.position(offset)}
        return fields if recovered is None else {**fields, "recovered": recovered}


def args(frames: list[Any]) -> list[Any]:
    return [frame["args"] for frame in frames if frame["type"] == "message"]


ROOT = Identity("ada", frozenset({"root"}), frozenset({"g"}))


@pytest.fixture
def talk() -> Talk:
    return Talk("chat.*=100", "news=3")


def test_only_names_with_history_have_positions(talk: Talk) -> None:
    client = talk.join()
    assert talk.ask(client, "subscribe", "other", "chat") == [
        {"type": "subscribed", "names": ["other", "chat"]}
    ]
    client.receive('{"type":"ping"}')
    assert talk.got(client) == [{"type": "pong"}]
    talk.publish("news", 1)
    assert talk.ask(client, "subscribe", "news", "other", id=7) == [
        {**talk.answer("subscribed", ["news", "other"], 1), "id": 7}
    ]
    talk.publish("news", 2)
    talk.publish("other", 3)
    assert talk.got(client) == [
        talk.message("news", 2, 2),
        {"type": "message", "name": "other", "args": 3},
    ]
    talk.publish("chat.b", 4)
    client.receive('{"type":"ping"}')
    assert talk.got(client) == [{"type": "pong", "position": talk.position(3)}]


def test_a_client_gets_what_it_missed_and_goes_on(talk: Talk) -> None:
    talk.publish("chat.a", 1, 2)
    talk.publish("news", 3)
    talk.publish("chat.b", 4)
    client = talk.join()
    # Both are published before, and after, the request is read.
    talk.publish("chat.a", 5)
    client.receive(
        json.dumps(
            {"type": "subscribe", "names": ["chat.*"], "since": talk.position(1)}
        )
    )
    talk.publish("chat.a", 6)
    assert talk.got(client) == [
        talk.message("chat.a", 2, 2),
        talk.message("chat.b", 4, 4),
        talk.message("chat.a", 5, 5),
        talk.answer("subscribed", ["chat.*"], 5, recovered=True),
        talk.message("chat.a", 6, 6),
    ]


def test_nothing_missed_is_recovered_too(talk: Talk) -> None:
    assert talk.ask(talk.join(), "subscribe", "chat.a", since=talk.position(0)) == [
        talk.answer("subscribed", ["chat.a"], 0, recovered=True)
    ]


def test_a_gap_is_told_and_what_is_left_comes(talk: Talk) -> None:
    talk.publish("news", 1, 2, 3, 4, 5)
    got = talk.ask(talk.join(), "subscribe", "news", since=talk.position(1))
    assert args(got) == [3, 4, 5]
    assert got[-1] == talk.answer("subscribed", ["news"], 5, recovered=False)
    # Of other names nothing is missing.
    got = talk.ask(talk.join(), "subscribe", "chat.*", since=talk.position(1))
    assert got == [talk.answer("subscribed", ["chat.*"], 5, recovered=True)]


@pytest.mark.parametrize("since", ["other-3", "", "rubbish", "-", "x" * 256])
def test_a_position_of_another_history_is_a_gap(talk: Talk, since: str) -> None:
    talk.publish("news", 1, 2)
    got = talk.ask(talk.join(), "subscribe", "news", since=since)
    assert args(got) == [1, 2]
    assert got[-1] == talk.answer("subscribed", ["news"], 2, recovered=False)


def test_without_history_a_client_is_told_so() -> None:
    talk = Talk()
    assert talk.ask(talk.join(), "subscribe", "news", since="x-1") == [
        {"type": "subscribed", "names": ["news"], "recovered": False}
    ]
    talk = Talk("chat=5")
    assert talk.ask(talk.join(), "subscribe", "news", since=talk.position(0)) == [
        talk.answer("subscribed", ["news"], 0, recovered=False)
    ]


@pytest.mark.parametrize(
    ("kind", "names", "whom"),
    [
        (AudienceKind.EVERYONE, (), {"root", "bo", "guest"}),
        (AudienceKind.ROLES, ("x", "root"), {"root"}),
        (AudienceKind.GROUPS, ("g",), {"root", "bo"}),
        (AudienceKind.GROUPS, ("h",), set()),
        (AudienceKind.USERS, ("bo", "cy"), {"bo"}),
        (AudienceKind.CLIENTS, ("c1", "c2", "c3"), set()),
        (AudienceKind.ROLES, (), set()),
    ],
)
def test_only_the_audience_gets_what_it_missed(
    talk: Talk, kind: AudienceKind, names: tuple[str, ...], whom: set[str]
) -> None:
    talk.publish("news", 1, audience=Audience(kind, names))
    bo = Identity("bo", frozenset({"y"}), frozenset({"g"}))
    got = {
        name: args(
            talk.ask(talk.join(identity), "subscribe", "*", since=talk.position(0))
        )
        for name, identity in (("root", ROOT), ("bo", bo), ("guest", ANONYMOUS))
    }
    assert got == {name: [1] if name in whom else [] for name in got}


def test_groups_are_those_of_the_moment_when_a_client_asks(talk: Talk) -> None:
    for group in "gh":
        to_group = Audience(AudienceKind.GROUPS, (group,))
        talk.publish("chat.a", 1, audience=to_group)
    client = talk.join(ROOT)
    talk.hub.add_to_group("ada", "h")
    talk.hub.remove_from_group("ada", "g")
    got = talk.ask(client, "subscribe", "chat.a", since=talk.position(0))
    assert [each.get("position") for each in got] == [talk.position(2)] * 2
    # What changes after the request does not matter to it.
    client = talk.join(ROOT)
    client.receive(
        json.dumps(
            {"type": "subscribe", "names": ["chat.a"], "since": talk.position(0)}
        )
    )
    talk.hub.remove_from_group("ada", "g")
    talk.hub.add_to_group("ada", "h")
    assert len(args(talk.got(client))) == 1


def test_a_client_does_not_get_what_excluded_it(talk: Talk) -> None:
    talk.publish("chat.a", 1, excluded=("c8",))
    talk.publish("chat.a", 2, excluded=("c9",))
    talk.publish("chat.a", 3, excluded=("c1",))
    since = talk.position(0)
    first = talk.ask(
        talk.join(), "subscribe", "chat.a", since=since, former=["c7", "c8"]
    )
    assert args(first) == [2]
    second = talk.ask(talk.join(), "subscribe", "chat.a", since=since, former="c9")
    assert args(second) == [1, 3]


def test_much_is_sent_in_pages_and_nothing_between(talk: Talk) -> None:
    talk.publish("chat.a", *range(1, 6))
    client = talk.join(bounds=Bounds(2))
    pages = [talk.ask(client, "subscribe", "chat.a", since=talk.position(0))]
    talk.publish("chat.a", 6)
    while pages[-1][-1]["type"] == "replayed":
        since = pages[-1][-1]["position"]
        pages.append(talk.ask(client, "subscribe", "chat.a", since=since))
    talk.publish("chat.a", 7)
    assert [args(page) for page in pages] == [[1, 2], [3, 4], [5, 6]]
    assert pages[0][-1] == talk.answer("replayed", ["chat.a"], 2, recovered=True)
    assert pages[-1][-1] == talk.answer("subscribed", ["chat.a"], 6, recovered=True)
    assert args(talk.got(client)) == [7]


def test_what_is_live_is_not_sent_again(talk: Talk) -> None:
    talk.publish("chat.a", 1)
    client = talk.join()
    talk.ask(client, "subscribe", "chat.a")
    talk.publish("chat.a", 2)
    talk.publish("chat.b", 3)
    assert args(talk.got(client)) == [2]
    got = talk.ask(client, "subscribe", "chat.*", since=talk.position(0))
    assert args(got) == [1, 3]


def test_what_another_node_has_sent_is_not_sent_again(talk: Talk) -> None:
    assert talk.history is not None
    talk.publish("chat.a", 1)
    got = talk.ask(talk.join(), "subscribe", "chat.a", since=talk.position(2))
    assert (args(got), got[-1]["recovered"]) == ([1], False)
    # With others, which may be before us, it is something else.
    talk.history.is_shared = True
    too_far = talk.position(MOST_AHEAD + 2)
    got = talk.ask(talk.join(), "subscribe", "chat.a", since=too_far)
    assert (args(got), got[-1]["recovered"]) == ([1], False)
    client = talk.join()
    got = talk.ask(client, "subscribe", "chat.a", since=talk.position(3))
    assert got == [talk.answer("subscribed", ["chat.a"], 3, recovered=True)]
    talk.ask(client, "subscribe", "chat.b")
    other = talk.join()
    talk.ask(other, "subscribe", "chat.*")
    for offset, name in enumerate(["chat.b", "chat.a", "chat.a"], 2):
        position = (talk.history.epoch, offset)
        talk.hub.accept(Message(name, str(offset), position=position))
    assert args(talk.got(client)) == [2, 4]
    assert args(talk.got(other)) == [2, 3, 4]
    assert not talk.hub._ahead


def test_requests_are_carried_out_in_order(talk: Talk) -> None:
    client = talk.join()
    for kind in ("subscribe", "unsubscribe", "subscribe", "unsubscribe"):
        client.receive(json.dumps({"type": kind, "names": ["news"]}))
    talk.publish("news", 1)
    assert args(talk.got(client)) == []
    assert client.connection.starts == {}


@pytest.mark.parametrize(
    "fields",
    [
        {"since": 5},
        {"since": None},
        {"since": "x" * 257},
        {"since": "x-1", "former": [1]},
        {"since": "x-1", "former": ["c"] * (MAX_FORMER + 1)},
        {"sinse": "x-1"},
    ],
)
def test_what_is_no_position_is_refused(talk: Talk, fields: dict[str, Any]) -> None:
    [got] = talk.ask(talk.join(), "subscribe", "news", **fields)
    assert (got["type"], got["code"]) == ("error", "invalid")


def test_there_are_not_too_many_subscriptions(talk: Talk) -> None:
    client = talk.join()
    names = [str(number) for number in range(MAX_NAMES)]
    talk.ask(client, "subscribe", *names)
    for fields in ({}, {"since": talk.position(0)}):
        [got] = talk.ask(client, "subscribe", "news", id="x", **fields)
        assert (got["type"], got["code"], got["id"]) == ("error", "too-many", "x")


def test_whoever_has_gone_gets_nothing(talk: Talk) -> None:
    client = talk.join()
    talk.publish("news", 1)
    client.receive(
        json.dumps({"type": "subscribe", "names": ["news"], "since": talk.position(0)})
    )
    talk.hub.leave(client.connection)
    assert talk.got(client) == []
    assert talk.hub.receivers("news", Audience()) == set()


def test_requests_for_what_was_missed_are_counted(talk: Talk) -> None:
    asked: list[int] = []
    client = talk.join(count_resume=lambda: asked.append(1))
    talk.ask(client, "subscribe", "news")
    assert asked == []
    talk.publish("news", *range(9))
    talk.ask(client, "subscribe", "chat.*", since=talk.position(0))
    talk.ask(talk.join(), "subscribe", "news", since="")
    assert asked == [1]
    counters = talk.hub.counters
    assert (counters.resumes, counters.gaps, counters.replayed) == (2, 1, 3)


# SignalR


def invoke(*arguments: Any, target: str = "resume", id: str | None = "1") -> str:
    record: dict[str, Any] = {"type": 1, "target": target, "arguments": arguments}
    return json.dumps(record if id is None else {**record, "invocationId": id}) + RS


def pushes(records: list[Any]) -> list[tuple[str, str]]:
    return [
        (each["target"], each["arguments"][0]) for each in records if "target" in each
    ]


def test_a_signalr_client_resumes(talk: Talk) -> None:
    session = talk.join_signalr()
    talk.publish("news", 1)
    assert talk.got(session) == []
    session.receive(invoke(None))
    talk.publish("news", 2)
    talk.publish("other", 3)
    result, *others = talk.got(session)
    assert result == {
        "type": 3,
        "invocationId": "1",
        "result": {"position": talk.position(1), "recovered": True, "more": False},
    }
    assert pushes(others) == [
        ("news", "2"),
        ("hyperlambda.position", talk.position(2)),
        ("other", "3"),
    ]
    talk.hub.leave(session.connection)
    talk.publish("chat.a", 4, 5, excluded=(session.connection.id,))
    talk.publish("chat.a", 6, 7)

    again = talk.join_signalr(bounds=Bounds(1))
    former = [session.connection.id]
    again.receive(invoke(talk.position(2), former))
    *first, result = talk.got(again)
    assert pushes(first) == [
        ("chat.a", "6"),
        ("hyperlambda.position", talk.position(5)),
    ]
    assert result["result"] == {
        "position": talk.position(5),
        "recovered": True,
        "more": True,
    }
    talk.publish("chat.a", 8)
    assert talk.got(again) == []
    for offset, number in ((6, "7"), (7, "8")):
        again.receive(invoke(result["result"]["position"], former, target="Resume"))
        *records, result = talk.got(again)
        assert pushes(records)[0] == ("chat.a", number)
        assert result["result"]["position"] == talk.position(offset)
    assert not result["result"]["more"]
    talk.publish("chat.a", 9)
    assert pushes(talk.got(again))[0] == ("chat.a", "9")


def test_other_signalr_clients_get_what_they_always_got(talk: Talk) -> None:
    session = talk.join_signalr(resumes=False)
    talk.publish("news", 1)
    assert talk.got(session) == [{"type": 1, "target": "news", "arguments": ["1"]}]
    session.receive(invoke(None))
    [refused] = talk.got(session)
    assert "resume=1" in refused["error"]


def test_a_signalr_client_is_told_of_a_gap(talk: Talk) -> None:
    talk.publish("news", *range(9))
    session = talk.join_signalr()
    session.receive(invoke("other-1"))
    *records, result = talk.got(session)
    assert [text for name, text in pushes(records) if name == "news"] == ["6", "7", "8"]
    assert result["result"]["recovered"] is False


@pytest.mark.parametrize("position", [None, "x-1"])
def test_without_history_signalr_clients_listen_all_the_same(
    position: str | None,
) -> None:
    talk = Talk()
    session = talk.join_signalr()
    session.receive(invoke(position, id=None) + invoke(position))
    talk.publish("news", 1)
    result, *others = talk.got(session)
    assert result["result"] == {
        "position": None,
        "recovered": position is None,
        "more": False,
    }
    assert pushes(others) == [("news", "1")]


@pytest.mark.parametrize(
    "arguments",
    [(5,), ("x-1", "c1"), ("x-1", [1]), ("x-1", [], 1), ("x", ["c"] * 101)],
)
def test_wrong_arguments_of_resume_are_refused(
    talk: Talk, arguments: tuple[Any, ...]
) -> None:
    session = talk.join_signalr()
    session.receive(invoke(*arguments))
    [refused] = talk.got(session)
    assert refused["error"] == (
        "Failed to invoke 'resume' due to an error on the server."
    )
