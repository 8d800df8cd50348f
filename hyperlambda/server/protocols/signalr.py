"""
The SignalR hub protocol, JSON, for front ends that have that client (spec 05 §8–10).

A record is a JSON object and the byte 0x1E; a text frame holds one or more. The client
begins with the handshake ``{"protocol":"json","version":1}``, answered with ``{}`` or
``{"error":…}``. After it:

====  ================  ==============================================================
type  record            what happens
====  ================  ==============================================================
1     Invocation        of ``execute(file, json)``: the file is run; of
                        ``resume(position, former)``: what was missed is sent. One with an
                        ``invocationId`` is answered with a Completion, one without never.
4     StreamInvocation  refused with a Completion: no method streams.
6     Ping              from then on a client that falls silent counts as gone.
7     Close             the connection is closed.
else                    ignored, as the protocol demands.
====  ================  ==============================================================

What is no such record ends the connection, with a Close record that says why. There are no
subscriptions: every message whose audience the connection is in arrives, as an Invocation
with the message's name as target and one argument, the JSON text (or null).

Records have the standard fields and no others: some clients stop at what they do not know.
So a client learns positions from further invocations, and only if it has asked for them by
``?resume=1`` in the hub's address: then there comes ``hyperlambda.position(position)``
behind each message with history, and no message at all before it has called ``resume``.
"""

from __future__ import annotations

from collections.abc import Callable
from json import dumps
from typing import Any, TypeAlias

from ...sockets import Message
from ..frames import text_frame
from ..history import write_position
from ..hub import Connection, SocketHub
from ..recovery import MAX_FORMER, Bounds, resume
from .fields import decode_json
from .plain import Execute

__all__ = ["MAX_RECORD", "SignalRSession", "encode_message", "encode_with_position"]

MAX_RECORD = 32 * 1024
"""Bytes of a client's record, its end not counted."""

_END = "\x1e"
_NEWEST_VERSION = 2
_METHOD = "execute"
_RESUME = "resume"
_POSITION = "hyperlambda.position"

# What clients of the original see, word by word (spec 05 §3.3).
_NO_METHOD = "HubException: Method does not exist."
_NULL_FILE = "An unexpected error occurred invoking 'execute' on the server."
_NO_STREAM = (
    "The client attempted to invoke the non-streaming 'execute' method with a "
    "streaming invocation."
)

# Who gets no positions has none to go on from.
_NO_POSITIONS = "to resume, connect with '?resume=1' in the address of the hub"

_Record: TypeAlias = dict[str, Any]


def _record(record: _Record) -> bytes:
    try:
        text = dumps(record, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:  # half a surrogate pair in what a client sent
        text = dumps(record, separators=(",", ":")).encode()
    return text + b"\x1e"


def _frame(record: _Record) -> bytes:
    return text_frame(_record(record))


_PING = _frame({"type": 6})
_GREETING = _frame({})


def encode_message(message: Message) -> bytes:
    """Return the frame of a message: its argument is a text that contains JSON."""
    return _frame(_push(message.name, message.argument))


def encode_with_position(message: Message) -> bytes:
    """Return the frame of a message, with a second record for where it stands."""
    record = _record(_push(message.name, message.argument))
    if message.position is not None:
        record += _record(_push(_POSITION, write_position(message.position)))
    return text_frame(record)


def _push(target: str, argument: str | None) -> _Record:
    return {"type": 1, "target": target, "arguments": [argument]}


class ProtocolError(Exception):
    """A client does not speak the protocol; the connection ends with this sentence."""


class SignalRSession:
    """
    Serves one connection.

    Args:
        hub: Where the connection joins once it has shaken hands.
        connection: Its `encode` is `encode_message`, its `join` `join_text_frames`.
        write: Sends a frame at once, before everything that waits in the hub.
        end: Sends a frame, if any, and closes the connection.
        execute: Runs files; without it every call fails.
        max_record: Bytes that a record may have.
        resumes: Whether no message is to come before the client has called `resume`;
            then the connection's `encode` is `encode_with_position`.
        count_resume: Called each time that it does so.
        bounds: How much it gets at once of what it has missed.
    """

    def __init__(
        self,
        hub: SocketHub,
        connection: Connection,
        *,
        write: Callable[[bytes], object],
        end: Callable[[bytes | None], object],
        execute: Execute | None = None,
        max_record: int = MAX_RECORD,
        resumes: bool = False,
        count_resume: Callable[[], object] = lambda: None,
        bounds: Bounds | None = None,
    ) -> None:
        self.connection = connection
        # Nothing may come before the answer to the handshake, a ping neither.
        self.heartbeat = b""
        # The oldest client never pings, and must not be dropped for that.
        self.answers_heartbeats = False
        self._hub = hub
        self._write = write
        self._end = end
        self._execute_file = execute
        self._max_record = max_record
        self._too_large = (
            f"a message is larger than the maximum message size of {max_record} bytes"
        )
        self._resumes = resumes
        self._count_resume = count_resume
        self._bounds = bounds or Bounds()
        self._tail = ""
        self._is_greeted = False
        self._has_ended = False

    def open(self) -> None:
        """Wait for the handshake."""

    def receive(self, data: str | bytes) -> None:
        """Take the records of a frame; an unfinished one waits for the next frame."""
        if self._has_ended:
            return
        try:
            text = data if isinstance(data, str) else data.decode()
            *records, self._tail = (self._tail + text).split(_END)
            for record in records:
                self._check_size(record)
                self._take(record)
            self._check_size(self._tail)
        except UnicodeDecodeError:
            self._fail("a record is no UTF-8 text")
        except ProtocolError as error:
            self._fail(str(error))

    def check_handshake(self) -> None:
        """End the connection if the handshake has not arrived: its time is over."""
        if not self._is_greeted and not self._has_ended:
            self._fail("the handshake took too long")

    def farewell(self, reason: str, *, may_return: bool) -> bytes | None:
        """Return a Close record; clients that may return reconnect by themselves."""
        self._has_ended = True
        if not self._is_greeted:
            return None
        record: _Record = {"type": 7}
        if reason:
            record["error"] = reason
        if may_return:
            record["allowReconnect"] = True
        return _frame(record)

    def overflow(self) -> bytes | None:
        """Return what says that a message is too large; the client is to stay away."""
        return self._last(self._too_large)

    # What arrives.

    def _check_size(self, record: str) -> None:
        # Looking at the bytes costs more than at the length, which is never more.
        if len(record) > self._max_record or (
            len(record) * 4 > self._max_record
            and len(record.encode()) > self._max_record
        ):
            raise ProtocolError(self._too_large)

    def _take(self, text: str) -> None:
        if self._has_ended:  # by a record in the same frame
            return
        record = _parse(text)
        if not self._is_greeted:
            self._greet(record)
            return
        kind = record.get("type")
        if type(kind) is not int:
            raise ProtocolError("a record needs a 'type', which is a number")
        handle = _HANDLERS.get(kind)
        if handle is not None:
            handle(self, record)

    def _greet(self, record: _Record) -> None:
        protocol, version = record.get("protocol"), record.get("version")
        if type(protocol) is not str or type(version) is not int:
            raise ProtocolError("the first record must be a handshake")
        if protocol.lower() != "json":
            raise ProtocolError(f"The protocol '{protocol}' is not supported.")
        if version > _NEWEST_VERSION:
            raise ProtocolError(
                f"The server does not support version {version} of the "
                f"'{protocol}' protocol."
            )
        self._is_greeted = True
        self.heartbeat = _PING
        # Before the answer: who has it misses nothing that is published afterwards.
        self._hub.join(self.connection)
        if not self._resumes:
            self._hub.subscribe(self.connection, "*")
        self._write(_GREETING)

    def _invoke(self, record: _Record) -> None:
        target, arguments, call = _take_call(record)
        if target.lower() == _RESUME:
            self._resume(target, arguments, call)
            return
        if target.lower() != _METHOD:
            self._complete(call, f"{_failed_call(target)} {_NO_METHOD}")
            return
        try:
            file, argument = _take_arguments(arguments)
        except (ValueError, RecursionError):
            self._complete(call, _failed_call(target))
            return
        if file is None:
            self._complete(call, _NULL_FILE)
        elif self._execute_file is None:
            self._complete(call, "this server does not run files")
        else:

            def done(error: str | None, result: str | None = None) -> None:
                self._complete(call, error, result)

            self._execute_file(self.connection, file, argument, done)

    def _resume(self, target: str, arguments: list[Any], call: str | None) -> None:
        """Send what was missed, and from then on what is published."""
        if not self._resumes:
            self._complete(call, _NO_POSITIONS)
            return
        try:
            position, former = _take_position(arguments)
        except ValueError:
            self._complete(call, _failed_call(target))
            return
        self._count_resume()

        def act() -> int:
            cost, result = self._resume_in_turn(position, former)
            if call is not None:
                frame = _completion(call, None, dumps(result, separators=(",", ":")))
                self._hub.push(self.connection, frame)
            return cost

        self._hub.in_turn(act)

    def _resume_in_turn(
        self, position: str | None, former: list[str]
    ) -> tuple[int, dict[str, Any]]:
        hub, connection, history = self._hub, self.connection, self._hub.history
        cost, is_recovered, has_more = 0, position is None, False
        if history is None or position is None:
            hub.subscribe(connection, "*")
            now = None if history is None else history.position
        else:
            outcome = resume(
                hub,
                history,
                connection,
                ["*"],
                position,
                former=former,
                encode=connection.encode,
                bounds=self._bounds,
            )
            cost, now = outcome.cost, outcome.position
            is_recovered, has_more = outcome.is_recovered, outcome.has_more
        return cost, {"position": now, "recovered": is_recovered, "more": has_more}

    def _invoke_stream(self, record: _Record) -> None:
        target, _, call = _take_call(record)
        if call is None:
            raise ProtocolError("a stream needs an 'invocationId'")
        if target.lower() in (_METHOD, _RESUME):
            self._complete(call, _NO_STREAM.replace(_METHOD, target.lower()))
        else:
            self._complete(call, f"{_failed_call(target)} {_NO_METHOD}")

    def _ping(self, record: _Record) -> None:
        self.answers_heartbeats = True

    def _close(self, record: _Record) -> None:
        self._has_ended = True
        self._end(None)

    # What is sent.

    def _complete(
        self, call: str | None, error: str | None, result: str | None = None
    ) -> None:
        if call is not None:
            self._hub.send(self.connection, _completion(call, error, result))

    def _fail(self, sentence: str) -> None:
        if self._has_ended:
            return
        self._has_ended = True
        self._end(self._last(sentence))

    def _last(self, sentence: str) -> bytes:
        return _frame(
            {"type": 7, "error": sentence} if self._is_greeted else {"error": sentence}
        )


_HANDLERS: dict[int, Callable[[SignalRSession, _Record], None]] = {
    1: SignalRSession._invoke,
    4: SignalRSession._invoke_stream,
    6: SignalRSession._ping,
    7: SignalRSession._close,
}


def _completion(call: str, error: str | None, result: str | None) -> bytes:
    if error is not None:
        return _frame({"type": 3, "invocationId": call, "error": error})
    if result is None:
        return _frame({"type": 3, "invocationId": call})
    head = dumps({"type": 3, "invocationId": call}, separators=(",", ":"))
    return text_frame(f'{head[:-1]},"result":{result}}}\x1e'.encode())


def _parse(text: str) -> _Record:
    try:
        record = decode_json(text)
    except (ValueError, RecursionError):
        raise ProtocolError("a record does not hold JSON") from None
    if type(record) is not dict:
        raise ProtocolError("a record is a JSON object")
    return record


def _take_call(record: _Record) -> tuple[str, list[Any], str | None]:
    """Return target, arguments and id of an Invocation; other fields do not matter."""
    target, arguments = record.get("target"), record.get("arguments")
    call = record.get("invocationId")
    if type(target) is not str or type(arguments) is not list:
        raise ProtocolError("an invocation needs a 'target' and a list of 'arguments'")
    if call is not None and type(call) is not str:
        raise ProtocolError("an 'invocationId' is a text")
    return target, arguments, call


def _take_arguments(arguments: list[Any]) -> tuple[str | None, str | None]:
    """
    Return the file and the JSON text, each None if it is null or, for the text, missing.

    Raises:
        ValueError: There are other arguments than these.
        RecursionError: An object that stands for the text is nested too deeply.
    """
    if not 1 <= len(arguments) <= 2:
        raise ValueError(arguments)
    file, argument = arguments if len(arguments) == 2 else (arguments[0], None)
    if file is not None and type(file) is not str:
        raise ValueError(file)
    if argument is None or type(argument) is str:
        return file, argument
    if type(argument) is dict or type(argument) is list:
        return file, dumps(argument, allow_nan=False)
    raise ValueError(argument)


def _take_position(arguments: list[Any]) -> tuple[str | None, list[str]]:
    """
    Return the position, None if it is null or missing, and ids of former connections.

    Raises:
        ValueError: There are other arguments than these.
    """
    position, former = (*arguments, None, None)[:2]
    former = [] if former is None else former
    if len(arguments) > 2 or type(former) is not list or len(former) > MAX_FORMER:
        raise ValueError(arguments)
    if position is not None and type(position) is not str:
        raise ValueError(position)
    if any(type(each) is not str for each in former):
        raise ValueError(former)
    return position, former


def _failed_call(target: str) -> str:
    return f"Failed to invoke '{target}' due to an error on the server."
