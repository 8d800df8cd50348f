"""Clients that misbehave, read slowly, fall silent, or come in hundreds."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from typing import Any

import pytest

from hyperlambda.server import Connection, SocketServer
from hyperlambda.sockets import Audience, AudienceKind, Message

from .clients import (
    Client,
    Connect,
    Raw,
    RawWithToken,
    StartServer,
    closed,
    message,
    until_count,
)

ROLES, GROUPS = AudienceKind.ROLES, AudienceKind.GROUPS
USERS, CLIENTS = AudienceKind.USERS, AudienceKind.CLIENTS

# What a client does wrong.


@pytest.mark.parametrize(
    "data", ["{", "[]", "[" * 50_000, '{"type":"nope"}', b"\x00\x01", '{"a":"\\ud800"}']
)
async def test_a_bad_frame_is_answered_and_nobody_is_disturbed(
    server: SocketServer, join: Connect, data: str | bytes
) -> None:
    bad = await join(server, None, (), (), "a")
    good = await join(server, None, (), (), "a")
    await bad.socket.send(data)
    assert (await bad.receive())["type"] == "error"
    server.hub.publish(Message("a"))
    assert await bad.receive() == message("a")
    assert await good.receive() == message("a")


async def test_an_oversize_frame_ends_its_connection_only(
    start_server: StartServer, join: Connect
) -> None:
    server = await start_server(max_size=1_000)
    bad = await join(server, None, (), (), "a")
    good = await join(server, None, (), (), "a")
    fits = json.dumps({"type": "ping", "id": "x" * 200}).ljust(1_000)
    await good.socket.send(fits)
    assert (await good.receive())["type"] == "pong"
    await bad.socket.send(fits + " ")
    assert (await closed(bad))[0] == 1009
    server.hub.publish(Message("a"))
    assert await good.receive() == message("a")


async def test_text_that_is_no_unicode_ends_its_connection_only(
    server: SocketServer, join: Connect
) -> None:
    bad = await join(server)
    good = await join(server, None, (), (), "a")
    await bad.socket.send(b"\xff\xfe", text=True)
    assert (await closed(bad))[0] == 1007
    server.hub.publish(Message("a"))
    assert await good.receive() == message("a")


async def test_a_mistake_of_ours_ends_one_connection_only(
    start_server: StartServer, join: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    def execute(connection: Connection, file: str, *rest: object) -> None:
        raise ZeroDivisionError(file)

    server = await start_server(execute=execute)
    bad = await join(server, "ada", ("root",))
    good = await join(server, None, (), (), "a")
    await bad.send(type="execute", file="a.hl")
    assert await closed(bad) == (1011, "internal error")
    server.hub.publish(Message("a"))
    assert await good.receive() == message("a")
    assert "ZeroDivisionError" in caplog.text


async def test_files_are_run_off_the_loop_and_answered(
    start_server: StartServer, join: Connect
) -> None:
    def execute(connection: Connection, file: str, args: str | None, done: Any) -> None:
        def run() -> None:
            server.hub.publish(
                Message("ran", args, Audience(CLIENTS, (connection.id,)))
            )
            done(None)

        threading.Thread(target=run).start()

    server = await start_server(execute=execute)
    client = await join(server, "ada", ("root",), (), "ran")
    await client.send(type="execute", file="a", args=[1], id=1)
    assert await client.receive() == message("ran", [1])
    assert await client.receive() == {"type": "executed", "id": 1}


# Many, and much.


async def test_five_hundred_clients_at_once(
    server: SocketServer, join: Connect
) -> None:
    clients = await asyncio.gather(
        *(
            join(server, f"u{n}", ("even",) if n % 2 == 0 else (), (), "a", "marker")
            for n in range(500)
        )
    )
    assert server.hub.connection_count == 500
    assert server.hub.count_users() == 500
    for n in range(20):
        server.hub.publish(Message("a", str(n), Audience(ROLES, ("even",))))
    server.hub.publish(Message("marker"))

    async def check(n: int, client: Client) -> None:
        for wanted in range(20) if n % 2 == 0 else ():
            assert await client.receive() == message("a", wanted)
        assert await client.receive() == message("marker")

    await asyncio.gather(*(check(n, client) for n, client in enumerate(clients)))
    await asyncio.gather(*(client.socket.close() for client in clients))
    await until_count(server, 0)


async def test_many_threads_publish_and_each_keeps_its_order(
    server: SocketServer, join: Connect
) -> None:
    client = await join(server, None, (), (), "*")

    def publish(name: str) -> None:
        for n in range(200):
            server.hub.publish(Message(name, str(n)))

    await asyncio.gather(*(asyncio.to_thread(publish, f"t{n}") for n in range(8)))
    seen: dict[str, list[int]] = {}
    for _ in range(8 * 200):
        frame = await client.receive()
        seen.setdefault(frame["name"], []).append(frame["args"])
    assert seen == {f"t{n}": list(range(200)) for n in range(8)}


async def test_a_burst_larger_than_one_turn_arrives_whole(
    start_server: StartServer, join: Connect
) -> None:
    server = await start_server(queue_bytes=64 * 1024 * 1024, queue_messages=100_000)
    client = await join(server, None, (), (), "a")
    payload = '"' + "x" * 1_000 + '"'
    for _ in range(5_000):
        server.hub.publish(Message("a", payload))
    server.hub.publish(Message("a", "0"))
    for _ in range(5_000):
        assert len((await client.receive())["args"]) == 1_000
    assert await client.receive() == message("a", 0)


async def test_a_message_larger_than_the_bound_is_taken_by_an_empty_queue(
    start_server: StartServer, join: Connect
) -> None:
    server = await start_server(queue_bytes=1_000)
    client = await join(server, None, (), (), "a", max_size=None)
    server.hub.publish(Message("a", '"' + "x" * 3_000_000 + '"'))
    assert len((await client.receive())["args"]) == 3_000_000


@pytest.mark.parametrize(
    ("options", "length"),
    [({"queue_bytes": 200_000}, 50_000), ({"queue_messages": 100}, 20_000)],
)
async def test_a_slow_reader_is_dropped_and_delays_nobody(
    start_server: StartServer,
    join: Connect,
    caplog: pytest.LogCaptureFixture,
    options: dict[str, int],
    length: int,
) -> None:
    server = await start_server(**options)
    good = await join(server, None, (), (), "a", "marker")
    request = {"type": "subscribe", "names": ["a"]}
    slow = await asyncio.to_thread(Raw, server, request)
    await asyncio.to_thread(slow.read_until, b"subscribed")
    with slow.socket:
        published = 0
        while server.hub.counters.dropped == 0:
            server.hub.publish(Message("a", '"' + "x" * length + '"'))
            published += 1
            assert len((await good.receive())["args"]) == length
            assert published < 2_000, "the slow reader was never dropped"
        # It is out of the hub at once, and its socket soon after.
        assert server.hub.connection_count == 1
        rest = await asyncio.to_thread(slow.read_until, b"reading too slowly")
        assert rest.endswith(b"\x88\x14\x0f\xa8reading too slowly")
        assert len(rest) < published * length
    server.hub.publish(Message("marker"))
    assert await good.receive() == message("marker")
    assert server.hub.counters.dropped == 1
    assert "reads too slowly" in caplog.text


async def test_a_client_that_falls_silent_is_dropped(
    start_server: StartServer, join: Connect
) -> None:
    server = await start_server(ping_interval=0.05, ping_timeout=0.1)
    good = await join(server, None, (), (), "a")
    silent = await asyncio.to_thread(Raw, server)
    with silent.socket:
        frames = await asyncio.to_thread(silent.read_until, b"no answer to pings")
    assert b"\x89\x00" in frames
    assert frames.endswith(b"\x03\xf3no answer to pings")
    await until_count(server, 1)
    server.hub.publish(Message("a"))
    assert await good.receive() == message("a")


async def test_the_server_can_be_full(start_server: StartServer, join: Connect) -> None:
    server = await start_server(max_connections=1)
    first = await join(server)
    with pytest.raises(Exception, match="503"):
        await join(server)
    await first.socket.close()
    await until_count(server, 0)
    await join(server)


# Tokens on open connections.


async def test_a_connection_ends_with_its_token(
    start_server: StartServer, join: Connect
) -> None:
    server = await start_server(leeway=0)
    token = server.token("ada", ["root"], lifetime_seconds=1)
    headers = {"Authorization": f"Bearer {token}"}
    client = await join(server, None, (), (), "a", headers=headers)
    anonymous = await join(server, None, (), (), "a")
    server.hub.publish(Message("a"))
    assert await client.receive() == message("a")
    assert await closed(client) == (3005, "token expired")
    end = client.welcome["expires"]
    assert end <= time.time() < end + 1
    server.hub.publish(Message("b"))
    server.hub.publish(Message("a"))
    assert await anonymous.receive() == message("a")
    assert await anonymous.receive() == message("a")
    assert server.hub.count_users() == 1


async def test_tokens_that_end_in_another_order_end_in_their_own(
    start_server: StartServer, join: Connect
) -> None:
    server = await start_server(leeway=0)

    async def join_for(seconds: int) -> Client:
        token = server.token("ada", lifetime_seconds=seconds)
        return await join(server, headers={"Authorization": f"Bearer {token}"})

    long = await join_for(3_600)
    short = await join_for(1)
    assert await closed(short) == (3005, "token expired")
    assert await long.ask(type="ping") == {"type": "pong"}


async def test_what_is_asked_after_the_end_is_not_done(
    start_server: StartServer, join: Connect
) -> None:
    server = await start_server(leeway=0)
    listener = await join(server, None, (), (), "a", "marker")
    token = server.token("ada", ["root"], lifetime_seconds=1)
    raw = await asyncio.to_thread(RawWithToken, server, token)
    with raw.socket:
        await asyncio.to_thread(raw.read_until, b"token expired")
        raw.publish("a")
        # Answers the close frame: the server ends the connection when it has read it.
        raw.socket.sendall(b"\x88\x80\x00\x00\x00\x00")
        await asyncio.to_thread(raw.read_until, b"never sent")
    server.hub.publish(Message("marker"))
    assert await listener.receive() == message("marker")


async def test_connections_can_outlive_their_tokens(
    start_server: StartServer, join: Connect
) -> None:
    server = await start_server(leeway=0, close_on_expiry=False)
    closing = await start_server(leeway=0)
    token = server.token("ada", lifetime_seconds=1)
    headers = {"Authorization": f"Bearer {token}"}
    client = await join(server, headers=headers)
    other = await join(closing, headers=headers)
    assert (await closed(other))[0] == 3005
    assert await client.ask(type="ping") == {"type": "pong"}
