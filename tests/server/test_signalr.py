"""The SignalR protocol, spoken with a hub and without a socket (spec 05 §9, §15)."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hyperlambda.server.auth import ANONYMOUS, Identity
from hyperlambda.server.frames import join_text_frames, text_frame
from hyperlambda.server.hub import Connection, SocketHub
from hyperlambda.server.protocols.plain import Done
from hyperlambda.server.protocols.signalr import SignalRSession, encode_message
from hyperlambda.sockets import Audience, AudienceKind, Message

from .hubs import take

RS = "\x1e"
HANDSHAKE = '{"protocol":"json","version":1}' + RS
PING = '{"type":6}' + RS


def payload(frame: bytes) -> str:
    """Undo `text_frame`, by the book (RFC 6455 §5.2)."""
    assert frame[0] == 0x81
    length, start = frame[1], 2
    if length >= 126:
        start = 4 if length == 126 else 10
        length = int.from_bytes(frame[2:start], "big")
    assert len(frame) == start + length
    return frame[start:].decode()


class Talk:
    """One session, what it sent, and the calls that it made."""

    def __init__(
        self, identity: Identity = ANONYMOUS, *, executes: bool = True, **options: Any
    ) -> None:
        self.hub = SocketHub(wake=lambda: None)
        self.connection = Connection("c1", identity, encode_message, join_text_frames)
        self.sent: list[str] = []
        self.has_ended = False
        self.calls: list[tuple[str, str | None]] = []
        self.done: list[Done] = []
        self.session = SignalRSession(
            self.hub,
            self.connection,
            write=self._write,
            end=self._end,
            execute=self._execute if executes else None,
            **options,
        )
        self.session.open()

    def _write(self, frame: bytes) -> None:
        self.sent.append(payload(frame))

    def _end(self, frame: bytes | None) -> None:
        assert not self.has_ended
        self.has_ended = True
        if frame is not None:
            self.sent.append(payload(frame))

    def _execute(
        self, connection: Connection, file: str, argument: str | None, done: Done
    ) -> None:
        assert connection is self.connection
        self.calls.append((file, argument))
        self.done.append(done)

    def say(self, *frames: str | bytes) -> str:
        """Return what the client receives for some frames, in this order."""
        for frame in frames:
            self.session.receive(frame)
        frames = take(self.hub).get(self.connection.id)
        if frames:
            self.sent.append(payload(self.connection.join(frames)))
        sent, self.sent = self.sent, []
        return "".join(sent)


@pytest.fixture
def talk() -> Talk:
    """Return a session that has shaken hands."""
    talk = Talk()
    assert talk.say(HANDSHAKE) == "{}" + RS
    return talk


def invocation(*arguments: Any, **fields: Any) -> str:
    record = {"type": 1, "target": "execute", "arguments": arguments, **fields}
    return json.dumps(record) + RS


# The transcripts of the specification, byte by byte.


def test_the_first_transcript() -> None:
    talk = Talk()
    assert talk.say('{"protocol":"json","version":1}\x1e') == "{}\x1e"
    assert talk.say('{"type":6}\x1e') == ""
    assert payload(talk.session.heartbeat) == '{"type":6}\x1e'
    hello = (
        '{"target":"execute","arguments":["/modules/demo/hello",'
        '"{\\"name\\":\\"Ada\\"}"],"invocationId":"0","type":1}\x1e'
    )
    assert len(hello) == 106
    assert talk.say(hello) == ""
    assert talk.calls == [("/modules/demo/hello", '{"name":"Ada"}')]
    talk.hub.publish(Message("demo.greeting", '{"text":"Hi Ada"}'))
    talk.done[0](None)
    assert talk.say() == (
        '{"type":1,"target":"demo.greeting","arguments":["{\\"text\\":\\"Hi Ada\\"}"]}'
        '\x1e{"type":3,"invocationId":"0"}\x1e'
    )
    talk.say(
        '{"target":"execute","arguments":["/modules/demo/missing",null],'
        '"invocationId":"1","type":1}\x1e'
    )
    talk.done[1]("No such socket file")
    assert talk.say() == (
        '{"type":3,"invocationId":"1","error":"No such socket file"}\x1e'
    )
    talk.say(
        '{"target":"execute","arguments":["/modules/demo/hello",'
        '"{\\"name\\":\\"Bo\\"}"],"type":1}\x1e'
    )
    talk.done[2](None)
    assert talk.say('{"type":6}\x1e') == ""
    assert not talk.has_ended
    assert talk.say('{"type":7}\x1e') == ""
    assert talk.has_ended


def test_text_outside_ascii_and_a_restart() -> None:
    talk = Talk(Identity("ada", frozenset({"root", "editor"})))
    talk.say(HANDSHAKE)
    talk.say(
        '{"target":"execute","arguments":["/modules/demo/hello",'
        '"{\\"name\\":\\"Zoë & \\\\\\"co\\\\\\"\\"}"],"invocationId":"0","type":1}\x1e'
    )
    assert json.loads(talk.calls[0][1] or "") == {"name": 'Zoë & "co"'}
    talk.hub.publish(Message("demo.greeting", '{"text":"Hi Zoë & \\"co\\""}'))
    got = talk.say()
    assert len(got.encode()) == 88
    assert got == (
        '{"type":1,"target":"demo.greeting",'
        '"arguments":["{\\"text\\":\\"Hi Zoë & \\\\\\"co\\\\\\"\\"}"]}\x1e'
    )
    frame = talk.session.farewell("Server is restarting", may_return=True)
    assert frame is not None
    assert payload(frame) == (
        '{"type":7,"error":"Server is restarting","allowReconnect":true}\x1e'
    )
    assert talk.say(PING, invocation("/x")) == ""
    assert len(talk.calls) == 1


@pytest.mark.parametrize(
    "record",
    [
        '{"arguments":["/push","{\\"a\\":1}"],"invocationId":"0","target":"execute","type":1}',
        '{"target": "execute", "arguments": ["/push", "{\\"a\\":1}"], "type": 1, '
        '"invocationId": "0", "headers": {"Authorization": "Bearer x"}}',
        '{"type":1,"target":"Execute","arguments":["/push","{\\"a\\":1}"],'
        '"invocationId":"0","streamIds":[]}',
    ],
)
def test_the_forms_of_other_clients(talk: Talk, record: str) -> None:
    talk.say(record + RS)
    assert talk.calls == [("/push", '{"a":1}')]
    talk.done[0](None, '{"b":[2]}')
    assert talk.say() == '{"type":3,"invocationId":"0","result":{"b":[2]}}' + RS


# The handshake.


@pytest.mark.parametrize(
    "record",
    [
        '{"protocol":"json","version":1}',
        '{"version": 0, "protocol": "JSON"}',
        '{"protocol":"json","version":2,"more":1}',
    ],
)
def test_handshakes_that_are_taken(record: str) -> None:
    talk = Talk()
    assert talk.hub.connection_count == 0
    assert talk.say(record + RS) == "{}" + RS
    assert talk.hub.connection_count == 1


@pytest.mark.parametrize(
    ("record", "error"),
    [
        ('{"protocol":"foo","version":1}', "The protocol 'foo' is not supported."),
        (
            '{"protocol":"json","version":3}',
            "The server does not support version 3 of the 'json' protocol.",
        ),
        ('{"protocol":"json"}', "the first record must be a handshake"),
        ('{"protocol":"json","version":true}', "the first record must be a handshake"),
        ('{"type":6}', "the first record must be a handshake"),
        ("[]", "a record is a JSON object"),
        ("GET / HTTP/1.1", "a record does not hold JSON"),
        ("x" * 40_000, "a message is larger than the maximum message size of 32768"),
    ],
)
def test_handshakes_that_are_refused(record: str, error: str) -> None:
    talk = Talk()
    answer = talk.say(record + RS + PING)
    assert answer.endswith(RS)
    found = json.loads(answer[:-1])
    assert list(found) == ["error"]
    assert found["error"].startswith(error)
    assert talk.has_ended
    assert talk.hub.connection_count == 0
    assert talk.session.heartbeat == b""


def test_nothing_comes_before_the_answer_to_the_handshake() -> None:
    talk = Talk()
    talk.hub.publish(Message("a"))
    assert talk.session.farewell("x", may_return=True) is None
    talk = Talk()
    talk.hub.publish(Message("before"))
    got = talk.say(HANDSHAKE + PING)
    assert got.startswith("{}" + RS)


def test_a_handshake_may_be_late_for_once() -> None:
    late, early = Talk(), Talk()
    early.say(HANDSHAKE)
    for talk in (late, early):
        talk.session.check_handshake()
    assert late.has_ended
    assert late.say() == '{"error":"the handshake took too long"}' + RS
    assert not early.has_ended
    late.session.check_handshake()


def test_handshake_and_records_in_one_frame_and_over_many() -> None:
    talk = Talk()
    whole = HANDSHAKE + PING + invocation("/ä", invocationId="é")
    data = whole.encode()
    assert talk.say(*(bytes([byte]) for byte in HANDSHAKE.encode())) == "{}" + RS
    other = Talk()
    assert other.say(*whole) == "{}" + RS
    one = Talk()
    assert one.say(data) == "{}" + RS
    for each in (one, other):
        assert each.calls == [("/ä", None)]
        assert each.session.answers_heartbeats
        each.done[0](None)
        assert each.say() == '{"type":3,"invocationId":"é"}' + RS


def test_who_has_the_answer_misses_nothing() -> None:
    class Eager(Talk):
        def _write(self, frame: bytes) -> None:
            super()._write(frame)
            to_editors = Audience(AudienceKind.ROLES, ("editor",))
            self.hub.publish(Message("m", "1", to_editors))

    talk = Eager(Identity("ada", frozenset({"editor"})))
    assert talk.say(HANDSHAKE) == (
        '{}\x1e{"type":1,"target":"m","arguments":["1"]}\x1e'
    )


# Calls.


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        (
            {"target": "Other"},
            "Failed to invoke 'Other' due to an error on the server. "
            "HubException: Method does not exist.",
        ),
        (
            {"arguments": [None]},
            "An unexpected error occurred invoking 'execute' on the server.",
        ),
        *(
            (
                {"arguments": arguments},
                "Failed to invoke 'execute' due to an error on the server.",
            )
            for arguments in ([], [1], ["a", 1], ["a", True], ["a", "b", "c"])
        ),
        (
            {"type": 4},
            "The client attempted to invoke the non-streaming 'execute' method with a "
            "streaming invocation.",
        ),
        (
            {"type": 4, "target": "other"},
            "Failed to invoke 'other' due to an error on the server. "
            "HubException: Method does not exist.",
        ),
    ],
)
def test_calls_that_fail(talk: Talk, fields: dict[str, Any], error: str) -> None:
    answer = talk.say(invocation("/a", **{"invocationId": "7", **fields}))
    assert json.loads(answer[:-1]) == {"type": 3, "invocationId": "7", "error": error}
    assert talk.calls == []
    assert not talk.has_ended
    if fields.get("type") != 4:
        assert talk.say(invocation("/a", **fields)) == ""


@pytest.mark.parametrize(
    ("arguments", "json_text"),
    [
        (["f"], None),
        (["f", None], None),
        (["f", ""], ""),
        (["f", "{}"], "{}"),
        (["f", {"a": [1]}], '{"a": [1]}'),
        (["f", [1]], "[1]"),
    ],
)
def test_what_a_call_may_bring(
    talk: Talk, arguments: list[Any], json_text: str | None
) -> None:
    assert talk.say(invocation(*arguments)) == ""
    assert talk.calls == [("f", json_text)]


def test_a_call_without_id_is_never_answered(talk: Talk) -> None:
    talk.say(invocation("/a"), invocation("/b", invocationId=None))
    talk.done[0](None, "1")
    talk.done[1]("failed")
    assert talk.say() == ""


def test_a_server_without_files_says_so() -> None:
    talk = Talk(executes=False)
    talk.say(HANDSHAKE)
    answer = json.loads(talk.say(invocation("/a", invocationId="1"))[:-1])
    assert answer["error"] == "this server does not run files"


def test_an_id_is_repeated_whatever_it_is(talk: Talk) -> None:
    for id in ("", "é\u2028", "\ud800", '"\\', "x" * 1000):
        talk.say(invocation("/a", invocationId=id))
        talk.done[-1](None)
        assert json.loads(talk.say()[:-1]) == {"type": 3, "invocationId": id}
        talk.say(invocation("/a", invocationId=id))
        talk.done[-1](None, "[]")
        assert json.loads(talk.say()[:-1])["invocationId"] == id


# What ends the connection, and what does not.


@pytest.mark.parametrize(
    "record",
    [
        '{"type":2,"invocationId":"9","item":null}',
        '{"type":3,"invocationId":"9","result":1}',
        '{"type":5,"invocationId":"9"}',
        '{"type":8,"sequenceId":1}',
        '{"type":9,"sequenceId":1}',
        '{"type":99}',
        '{"type":-1,"target":5}',
    ],
)
def test_records_that_mean_nothing_are_ignored(talk: Talk, record: str) -> None:
    assert talk.say(record + RS) == ""
    assert not talk.has_ended


@pytest.mark.parametrize(
    "frame",
    [
        "hello" + RS,
        RS,
        "[]" + RS,
        "{}" + RS,
        '{"type":"1"}' + RS,
        '{"type":true}' + RS,
        '{"type":1}' + RS,
        '{"type":1,"target":"execute"}' + RS,
        '{"type":1,"target":5,"arguments":[]}' + RS,
        '{"type":1,"target":"execute","arguments":{}}' + RS,
        '{"type":1,"target":"execute","arguments":[],"invocationId":0}' + RS,
        '{"type":4,"target":"execute","arguments":[]}' + RS,
        '{"type":6,"x":NaN}' + RS,
        '{"type":6,"x":' + "[" * 20_000 + RS,
        '{"type":6,"x":' + "1" * 9_000 + "}" + RS,
        b'{"type":6,"x":"\xff"}\x1e',
        '{"type":6,"x":"' + "x" * 40_000 + '"}' + RS,
        '{"type":6,"x":"' + "é" * 20_000 + '"}' + RS,
        "x" * 40_000,
    ],
)
def test_garbage_ends_the_connection_with_a_reason(
    talk: Talk, frame: str | bytes
) -> None:
    answer = talk.say(frame, PING, invocation("/a", invocationId="1"))
    assert answer.endswith(RS)
    assert answer.count(RS) == 1
    close = json.loads(answer[:-1])
    assert close.pop("error")
    assert close == {"type": 7}
    assert talk.has_ended
    assert talk.calls == []


def test_a_record_of_the_largest_size_is_taken() -> None:
    talk = Talk(max_record=200)
    talk.say(HANDSHAKE)
    ping = '{"type":6,"x":"é"}'
    fits = ping.replace("é", "é" + "x" * (200 - len(ping.encode())))
    assert talk.say(fits + RS, fits[:150], fits[150:] + RS) == ""
    assert not talk.has_ended
    answer = talk.say(fits.replace("é", "éx") + RS)
    assert "maximum message size of 200 bytes" in answer


RECORDS = st.lists(
    st.one_of(
        st.just('{"type":6}'),
        st.just('{"type":1,"target":"execute","arguments":["é"],"invocationId":"1"}'),
        st.just('{"type":1,"target":"no","arguments":[],"invocationId":"ü"}'),
        st.just('{"type":7}'),
        st.text(max_size=5),
        st.recursive(
            st.none() | st.booleans() | st.integers(-1, 9) | st.text(max_size=3),
            lambda inner: st.dictionaries(
                st.sampled_from(["type", "target", "arguments", "invocationId"]), inner
            ),
        ).map(json.dumps),
    ),
    max_size=8,
)


@given(RECORDS, st.lists(st.integers(0, 200)), st.booleans())
def test_however_a_stream_is_cut_the_answers_are_the_same(
    records: list[str], cuts: list[int], shakes_hands: bool
) -> None:
    stream = ([HANDSHAKE] if shakes_hands else []) + [each + RS for each in records]
    text = "".join(stream)
    whole, parts = Talk(), Talk()
    places = sorted({0, *(cut for cut in cuts if cut < len(text)), len(text)})
    pieces = [text[a:b] for a, b in pairwise(places)]
    assert whole.say(text) == parts.say(*pieces)
    assert whole.has_ended == parts.has_ended
    assert whole.calls == parts.calls


# Messages.


def test_records_due_in_one_turn_share_a_frame(talk: Talk) -> None:
    for number in range(3):
        talk.hub.publish(Message("n", str(number)))
    while talk.hub.deliver():
        pass
    (parcel,) = talk.hub.parcels
    assert len(parcel.frames) == 3
    assert payload(parcel.data()).count(RS) == 3


@pytest.mark.parametrize("size", [1, 40, 125, 126, 127, 65_535, 65_536, 70_000])
def test_frames_of_all_sizes_are_joined(size: int) -> None:
    texts = [b"x" * size, b"", b"y" * size]
    assert join_text_frames([text_frame(text) for text in texts]) == text_frame(
        b"".join(texts)
    )


@pytest.mark.parametrize("argument", [None, "null", "{}", '[1,"ä\u2028"]', '"\\u001e"'])
def test_the_argument_is_a_text_that_holds_json(
    talk: Talk, argument: str | None
) -> None:
    talk.hub.publish(Message("Foo.Bar", argument))
    got = talk.say()
    assert got.count(RS) == 1
    assert json.loads(got[:-1]) == {
        "type": 1,
        "target": "Foo.Bar",
        "arguments": [argument],
    }


def test_audiences_count_and_names_do_not() -> None:
    talk = Talk(Identity("ada", frozenset({"editor"}), frozenset({"g"})))
    talk.say(HANDSHAKE)
    for kind, names in [
        (AudienceKind.EVERYONE, ()),
        (AudienceKind.ROLES, ("editor", "root")),
        (AudienceKind.ROLES, ("root",)),
        (AudienceKind.GROUPS, ("g",)),
        (AudienceKind.USERS, ("ada",)),
        (AudienceKind.USERS, ("bo",)),
        (AudienceKind.CLIENTS, ("c1",)),
    ]:
        talk.hub.publish(
            Message(f"{kind.value}-{len(names)}", None, Audience(kind, names))
        )
    targets = [json.loads(record)["target"] for record in talk.say().split(RS)[:-1]]
    assert targets == ["everyone-0", "roles-2", "groups-1", "users-1", "clients-1"]
