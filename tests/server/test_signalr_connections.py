"""SignalR connections over real sockets: timers, bounds and ends (spec 05 §10, §23)."""

from __future__ import annotations

import asyncio
import gc
import json
import threading
import weakref
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from hyperlambda.server import SocketServer, reception
from hyperlambda.server.calls import MAX_CALLS
from hyperlambda.server.hub import Connection
from hyperlambda.server.links import Link
from hyperlambda.server.protocols.plain import Done
from hyperlambda.sockets import Audience, AudienceKind, Message

from .clients import (
    PATIENCE,
    Connect,
    Raw,
    StartServer,
    masked_frame,
    message,
    until_count,
)

HANDSHAKE = '{"protocol":"json","version":1}\x1e'
PING = '{"type":6}\x1e'


@asynccontextmanager
async def opened(
    server: SocketServer, token: str | None = None
) -> AsyncIterator[ClientConnection]:
    """Open a WebSocket, and say nothing yet."""
    url = server.url.replace("http", "ws") + "/sockets"
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    async with connect(
        url, additional_headers=headers, proxy=None, ping_interval=None
    ) as socket:
        yield socket


@asynccontextmanager
async def greeted(
    server: SocketServer, token: str | None = None
) -> AsyncIterator[ClientConnection]:
    """Open a connection."""
    async with opened(server, token) as socket:
        await socket.send(HANDSHAKE)
        assert await received(socket) == "{}\x1e"
        yield socket


async def received(socket: ClientConnection) -> str:
    """Return the next frame."""
    async with asyncio.timeout(PATIENCE):
        frame = await socket.recv()
    assert isinstance(frame, str)
    return frame


async def rest(socket: ClientConnection) -> tuple[list[dict[str, Any]], int | None]:
    """Return the records that come until the connection ends, and its close code."""
    records: list[dict[str, Any]] = []
    try:
        while True:
            frame = await received(socket)
            records += [json.loads(record) for record in frame.split("\x1e")[:-1]]
    except ConnectionClosed as error:
        close = error.rcvd
    return records, None if close is None else int(close.code)


def invocation(number: int, **fields: Any) -> str:
    record = {"type": 1, "target": "execute", "arguments": [f"/{number}"], **fields}
    return json.dumps(record) + "\x1e"


# How it begins.


async def test_who_does_not_shake_hands_is_sent_away(start_server: StartServer) -> None:
    server = await start_server(handshake_timeout=0.05)
    async with opened(server) as socket, greeted(server) as other:
        records, _ = await rest(socket)
        assert records == [{"error": "the handshake took too long"}]
        server.hub.publish(Message("a"))
        assert "target" in await received(other)
        assert server.hub.connection_count == 1


async def test_nothing_reaches_who_has_not_shaken_hands(server: SocketServer) -> None:
    async with opened(server) as socket, greeted(server) as other:
        server.hub.publish(Message("early"))
        assert "early" in await received(other)
        await socket.send(HANDSHAKE)
        assert await received(socket) == "{}\x1e"
        server.hub.publish(Message("late"))
        assert "late" in await received(socket)


async def test_clients_without_handshake_count_when_the_server_is_full(
    start_server: StartServer,
) -> None:
    server = await start_server(max_connections=1)
    async with opened(server), asyncio.timeout(PATIENCE):
        while not server._seats.is_full:
            await asyncio.sleep(0)
    async with asyncio.timeout(PATIENCE):
        while server._seats.is_full:
            await asyncio.sleep(0)
    async with greeted(server):
        assert server._seats.is_full


async def test_records_are_read_however_they_are_cut(server: SocketServer) -> None:
    call = invocation(1, invocationId="é", target="none")
    async with opened(server) as socket:
        # Fragments of one message, and then a message for each character.
        await socket.send([HANDSHAKE[:5], HANDSHAKE[5:9], HANDSHAKE[9:]])
        assert await received(socket) == "{}\x1e"
        for character in call:
            await socket.send(character)
        answer = await received(socket)
        assert json.loads(answer[:-1])["invocationId"] == "é"
    async with opened(server) as socket:
        await socket.send(HANDSHAKE + PING + call + call + PING)
        text = ""
        while text.count("\x1e") < 3:
            text += await received(socket)
        assert text == "{}\x1e" + 2 * answer


# What is too large, or too much.


@pytest.mark.parametrize(
    ("size", "code"),
    [(40, 1008), (100, 1009), (2_000, 1009)],  # KiB; from 64 on no frame is read at all
)
async def test_a_large_record_ends_its_connection_with_a_reason(
    server: SocketServer, size: int, code: int
) -> None:
    async with greeted(server) as socket, greeted(server) as other:
        await socket.send('{"type":6,"x":"' + "x" * size * 1024 + '"}\x1e')
        [record], found = await rest(socket)
        assert record.pop("error").endswith("maximum message size of 32768 bytes")
        assert record == {"type": 7}
        assert found == code
        await until_count(server, 1)
        server.hub.publish(Message("a"))
        assert "target" in await received(other)


async def test_who_floods_a_server_is_read_in_turns_with_others(
    start_server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = asyncio.get_running_loop()
    turn, turns = 0, []

    def count() -> None:
        nonlocal turn
        turn += 1
        ticking[0] = loop.call_soon(count)

    def execute(
        connection: Connection, file: str, json: str | None, done: Done
    ) -> None:
        turns.append(turn)

    ticking = [loop.call_soon(count)]
    monkeypatch.setattr(reception, "_LONGEST_TURN", -1)
    server = await start_server(execute=execute)
    flood = await asyncio.to_thread(Raw, server, HANDSHAKE, path="/sockets")
    with flood.socket:
        await asyncio.to_thread(flood.read_until, b"{}\x1e")
        flood.socket.sendall(masked_frame(invocation(1)) * 10)
        async with asyncio.timeout(PATIENCE):
            while len(turns) < 10:
                await asyncio.sleep(0)
    ticking[0].cancel()
    assert len(set(turns)) == 10


# Timers.


async def test_idle_clients_are_pinged_and_silent_ones_dropped(
    start_server: StartServer,
) -> None:
    server = await start_server(ping_interval=0.05, ping_timeout=0.1)
    async with greeted(server) as quiet, greeted(server) as silent:
        await silent.send(PING)
        records, code = await rest(silent)
        close = {"type": 7, "error": "no answer to pings", "allowReconnect": True}
        assert records[-1] == close
        assert {"type": 6} in records[:-1]
        assert code == 1011
        # One that has never pinged is an old client, which never does.
        assert await received(quiet) == PING
        await until_count(server, 1)


async def test_a_token_that_ends_lets_the_client_return(
    start_server: StartServer,
) -> None:
    server = await start_server(leeway=0)
    async with greeted(server, server.token("ada", lifetime_seconds=1)) as socket:
        assert await rest(socket) == (
            [{"type": 7, "error": "token expired", "allowReconnect": True}],
            3005,
        )


async def test_a_stop_is_no_error_and_lets_clients_return() -> None:
    server = SocketServer(port=0)
    await server.start()
    async with greeted(server) as socket, opened(server) as unready:
        server.hub.publish(Message("last", "1"))
        await server.stop()
        assert await rest(socket) == (
            [
                {"type": 1, "target": "last", "arguments": ["1"]},
                {"type": 7, "allowReconnect": True},
            ],
            1012,
        )
        assert await rest(unready) == ([], 1012)


# Messages.


async def test_messages_of_one_turn_share_a_frame_and_keep_their_order(
    server: SocketServer,
) -> None:
    async with greeted(server) as one, greeted(server) as two:
        for number in range(100):
            server.hub.publish(Message("n", str(number)))
        for socket in (one, two):
            records = (await received(socket)).split("\x1e")
            assert records.pop() == ""
            found = [json.loads(record)["arguments"] for record in records]
            assert found == [[str(number)] for number in range(100)]


async def test_who_does_not_read_is_dropped_and_delays_nobody(
    start_server: StartServer,
) -> None:
    server = await start_server(queue_bytes=100_000)
    slow = await asyncio.to_thread(Raw, server, HANDSHAKE, path="/sockets")
    with slow.socket:
        await asyncio.to_thread(slow.read_until, b"{}\x1e")
        async with greeted(server) as socket:
            argument = '"' + "x" * 50_000 + '"'
            while server.hub.connection_count == 2:
                server.hub.publish(Message("m", argument))
                assert (await received(socket)).endswith("\x1e")
            assert server.hub.counters.dropped == 1
            server.hub.publish(Message("m"))
            assert "null" in await received(socket)


async def test_a_large_message_arrives(server: SocketServer) -> None:
    argument = json.dumps("ä" * 500_000, ensure_ascii=False)
    async with greeted(server) as socket:
        server.hub.publish(Message("big", argument))
        record = json.loads((await received(socket))[:-1])
        assert record["arguments"] == [argument]


async def test_both_protocols_get_the_same_message(
    server: SocketServer, join: Connect
) -> None:
    plain = await join(server, None, (), (), "foo.*")
    everything = await join(server, None, (), (), "*")
    async with greeted(server) as socket:
        for number in range(2):
            server.hub.publish(Message("foo.bar", f'{{"a":{number}}}'))
        for client in (plain, everything):
            for number in range(2):
                assert await client.receive() == message("foo.bar", {"a": number})
        first = '{"type":1,"target":"foo.bar","arguments":["{\\"a\\":0}"]}\x1e'
        assert await received(socket) == first + first.replace("0", "1")


async def test_nothing_is_left_of_connections_that_are_gone(
    server: SocketServer,
) -> None:
    token = server.token("ada", ["editor"], ["g"])
    links = weakref.WeakSet[Link]()
    for _ in range(20):
        sockets = [
            await connect(
                f"{server.url.replace('http', 'ws')}/sockets?access_token={token}",
                proxy=None,
                ping_interval=None,
            )
            for _ in range(50)
        ]
        for socket in sockets:
            await socket.send(HANDSHAKE)
        for socket in sockets:
            await received(socket)
        [connection, *_] = server.hub.connections
        server.hub.add_to_group(connection.id, "h")
        links.update(server._reception.sockets)
        for socket in sockets:
            socket.transport.abort()
        await until_count(server, 0)
    everybody = Audience(AudienceKind.GROUPS, ("g", "h"))
    assert server.hub.receivers("m", everybody) == set()
    for table in ("_by_id", "_by_user", "_by_role", "_by_group", "_to_all_names"):
        assert not getattr(server.hub, table)
    # No timer keeps them either.
    async with asyncio.timeout(PATIENCE):
        while links:
            await asyncio.sleep(0)
            gc.collect()


# Files.


async def test_a_completion_comes_after_the_messages_that_it_caused(
    start_server: StartServer,
) -> None:
    hub: Any = None

    def execute(
        connection: Connection, file: str, json: str | None, done: Done
    ) -> None:
        def run() -> None:
            for number in range(3):
                hub.publish(Message("step", str(number)))
            done(None, '"done"')

        threading.Thread(target=run).start()

    server = await start_server(execute=execute)
    hub = server.hub
    async with greeted(server) as socket:
        await socket.send(invocation(1, invocationId="a"))
        text = ""
        while "done" not in text:
            text += await received(socket)
        kinds = [json.loads(record)["type"] for record in text.split("\x1e")[:-1]]
        assert kinds == [1, 1, 1, 3]


async def test_who_asks_for_too_much_has_to_wait(start_server: StartServer) -> None:
    waiting: list[Done] = []

    def execute(
        connection: Connection, file: str, json: str | None, done: Done
    ) -> None:
        waiting.append(done)

    server = await start_server(execute=execute, ping_interval=0.05, ping_timeout=0.05)

    async def until(count: int) -> None:
        async with asyncio.timeout(PATIENCE):
            while len(waiting) < count:
                await asyncio.sleep(0)

    async with greeted(server) as socket, greeted(server) as other:
        await socket.send(PING)
        for number in range(MAX_CALLS + 2):
            await socket.send(invocation(number, invocationId=str(number)))
        await until(MAX_CALLS)
        # Whose requests are not read cannot be said to be silent.
        for _ in range(6):
            assert await received(other) == PING
        assert len(waiting) == MAX_CALLS
        waiting[0](None)
        await until(MAX_CALLS + 1)
        waiting[1]("failed")
        await until(MAX_CALLS + 2)
        for done in waiting[2:]:
            done(None)
        found: list[str] = []
        while len(found) < MAX_CALLS + 2:
            for record in (await received(socket)).split("\x1e")[:-1]:
                fields = json.loads(record)
                if fields["type"] == 3:
                    found.append(fields["invocationId"])
        assert sorted(found, key=int) == [str(n) for n in range(MAX_CALLS + 2)]


async def test_a_connection_may_end_while_it_waits(start_server: StartServer) -> None:
    waiting: list[Done] = []

    def execute(
        connection: Connection, file: str, json: str | None, done: Done
    ) -> None:
        waiting.append(done)

    server = await start_server(execute=execute)
    async with greeted(server) as socket:
        for number in range(MAX_CALLS):
            await socket.send(invocation(number, invocationId="x"))
        async with asyncio.timeout(PATIENCE):
            while len(waiting) < MAX_CALLS:
                await asyncio.sleep(0)
        socket.transport.abort()
        await until_count(server, 0)
    for done in waiting:
        done(None)
    async with greeted(server) as socket:
        server.hub.publish(Message("a"))
        assert "target" in await received(socket)
