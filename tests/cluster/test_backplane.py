"""Nodes on one event loop: what they promise when much or something strange happens."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from hyperlambda.server import SocketServer, redis_backplane
from hyperlambda.server.envelope import encode_item, join_batch
from hyperlambda.server.outbox import Outbox
from hyperlambda.server.redis_backplane import RedisBackplane
from hyperlambda.server.redis_client import Client, Redis, open_redis
from hyperlambda.server.redis_hub import RedisHub
from hyperlambda.sockets import Message

from ..server.clients import SECRET, Connect, message
from .nodes import until
from .redis_server import RedisServer

StartNode = Callable[..., Awaitable["Node"]]


class Node:
    """A server, and what joins it to the others."""

    def __init__(self, server: SocketServer, backplane: RedisBackplane) -> None:
        self.server = server
        self.hub = server.hub
        self.backplane = backplane


@pytest.fixture
async def start() -> AsyncIterator[StartNode]:
    """Start nodes that are stopped at the end of the test."""
    async with AsyncExitStack() as stack:

        async def start_node(target: Redis, **options: Any) -> Node:
            backplane = RedisBackplane(target, **{"heartbeat": 0.2, **options})
            server = SocketServer(port=0, secret=SECRET, backplane=backplane)
            return Node(await stack.enter_async_context(server), backplane)

        yield start_node


async def test_a_node_that_starts_knows_at_once_who_is_there(
    start: StartNode, target: Redis, join: Connect
) -> None:
    first = await start(target)
    await join(first.server, "ada", (), ("g",))
    second = await start(target)
    assert second.hub.count_users() == 1
    assert [group.name for group in second.hub.groups()] == ["g"]
    assert second.backplane.health() == {
        "status": "ok",
        "node": second.backplane.node,
        "nodes": 2,
        "redis": "connected",
    }


async def test_a_node_that_stops_says_so_and_leaves_nothing_behind(
    start: StartNode, target: Redis, join: Connect, client: Client
) -> None:
    """Long before anybody would miss its heartbeat."""
    first, second = [await start(target, heartbeat=60) for _ in range(2)]
    await join(second.server, "ada")
    await until(first.hub.count_users)
    last = await join(first.server, None, (), (), "*")
    second.hub.publish(Message("last"))
    await second.server.stop()
    assert await last.receive() == message("last")
    await until(lambda: first.backplane.health()["nodes"] == 1)
    assert first.hub.count_users() == 1
    assert await client.smembers(target.keys.nodes) == {first.backplane.node.encode()}
    assert not await client.exists(target.keys.node(second.backplane.node))


async def test_what_is_too_much_while_redis_is_away_is_dropped_and_counted(
    own_redis: RedisServer,
    start: StartNode,
    join: Connect,
    caplog: pytest.LogCaptureFixture,
) -> None:
    target = Redis(own_redis.url)
    first, second = [await start(target, max_waiting=5) for _ in range(2)]
    here = await join(first.server, None, (), (), "*")
    there = await join(second.server, "ada", (), (), "*")
    own_redis.stop()
    await until(lambda: not first.backplane.is_connected)
    for number in range(8):
        first.hub.publish(Message("foo", str(number)))
        assert await here.receive() == message("foo", number)
    assert "other nodes do not get what is published here" in caplog.text
    assert b"hyperlambda_cluster_lost_total 3\n" in first.server._write_metrics()
    # Who is to go must go, whatever else waits.
    first.hub.disconnect_user("ada", "out")
    own_redis.start()
    for number in range(5):
        assert await there.receive() == message("foo", number)
    await there.socket.wait_closed()
    assert there.socket.close_reason == "out"


async def test_a_redis_that_hangs_is_noticed_and_survived(
    own_redis: RedisServer, start: StartNode, join: Connect
) -> None:
    target = Redis(own_redis.url)
    first, second = [await start(target, heartbeat=0.1) for _ in range(2)]
    here = await join(first.server, None, (), (), "*")
    there = await join(second.server, None, (), (), "*")
    os.kill(own_redis.pid, signal.SIGSTOP)
    try:
        await until(lambda: not first.backplane.is_connected)
        await until(lambda: not second.backplane.is_connected)
        first.hub.publish(Message("foo"))
        assert await here.receive() == message("foo")
    finally:
        os.kill(own_redis.pid, signal.SIGCONT)
    assert await there.receive() == message("foo")
    await until(lambda: first.hub.count_users() == 2)


async def test_a_node_takes_no_more_than_its_hub_can_deliver(
    start: StartNode,
    target: Redis,
    join: Connect,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The rest waits in Redis; who does not listen for so long counts nobody as dead."""
    monkeypatch.setattr(redis_backplane, "_MAX_INBOX", 50)
    first, second = [await start(target, heartbeat=0.3) for _ in range(2)]
    listener = await join(second.server, None, (), (), "*")
    beats: list[object] = []
    renew = second.backplane._own.renew

    async def note_and_renew(*arguments: Any) -> None:
        beats.append(arguments)
        await renew(*arguments)

    monkeypatch.setattr(second.backplane._own, "renew", note_and_renew)
    # As if other work kept it from delivering.
    wake, second.hub.wake = second.hub.wake, lambda: None
    for number in range(3_000):
        first.hub.publish(Message("foo", str(number)))
    await until(lambda: first.backplane._outbox.sent == 3_000)
    # Longer than it takes to find that somebody is silent.
    await until(lambda: len(beats) == 5)
    # One batch has 1,000 messages at most.
    assert 50 < second.hub.inbox_size < 1_100
    assert second.backplane.health()["nodes"] == 2
    second.hub.wake = wake
    assert wake is not None
    wake()
    received = [await listener.receive() for _ in range(3_000)]
    assert received == [message("foo", number) for number in range(3_000)]
    assert second.backplane.gaps == 0


@pytest.mark.parametrize("heartbeat", [0.2, 60])
async def test_a_redis_that_forgets_is_told_again(
    own_redis: RedisServer, start: StartNode, join: Connect, heartbeat: float
) -> None:
    """With the next sign of life, or the next change, whichever comes first."""
    target = Redis(own_redis.url)
    node = await start(target, heartbeat=heartbeat)
    await join(node.server, "ada")
    redis = open_redis(target)
    await until(lambda: not node.backplane._own.has_changes)
    await redis.flushall()
    if heartbeat == 60:
        await join(node.server, "bo")
    with RedisHub(target) as hub:
        await until(lambda: hub.count_users() == node.hub.count_users())
    assert await redis.pttl(target.keys.node(node.backplane.node)) > 0
    await redis.aclose()


async def test_a_batch_that_is_sent_twice_is_delivered_once(
    start: StartNode, target: Redis, join: Connect, client: Client
) -> None:
    node = await start(target)
    listener = await join(node.server, None, (), (), "*")
    lines = [encode_item(Message("foo", str(number))) for number in range(3)]
    batch = join_batch("another", 1, lines[:2])
    for data in (batch, batch, join_batch("another", 2, lines[1:])):
        await client.publish(target.keys.messages, data)
    # Another node's numbers are its own.
    await client.publish(
        target.keys.messages, join_batch("third", 1, [encode_item(Message("end"))])
    )
    for number in range(3):
        assert await listener.receive() == message("foo", number)
    assert await listener.receive() == message("end")


async def test_a_sign_of_life_that_overtakes_a_batch_does_not_hide_it(
    start: StartNode, target: Redis, join: Connect, client: Client
) -> None:
    node = await start(target)
    listener = await join(node.server, None, (), (), "*")
    outbox = Outbox("another", max_items=10, max_bytes=1_000)
    outbox.put(Message("foo"))
    sending = outbox.take()
    assert sending is not None
    for batch in (outbox.batch_of(["a", 1]), sending.batch, outbox.batch_of(["a", 1])):
        await client.publish(target.keys.messages, batch)
    assert await listener.receive() == message("foo")


async def test_what_is_no_batch_of_ours_harms_nobody(
    start: StartNode,
    target: Redis,
    join: Connect,
    client: Client,
    caplog: pytest.LogCaptureFixture,
) -> None:
    node = await start(target)
    listener = await join(node.server, None, (), (), "*")
    channel = target.keys.messages
    strange = [b'["p"]', b'["p",1]', b'["a"]', b'["x"]', b'["g","",""]', b"3", b""]
    strange += [b'["p",1,[["id",["name"]]]]', b'["a","b"]', b'["p",1,7]']
    await client.publish(channel, b"hello")
    for number, line in enumerate(strange):
        await client.publish(channel, join_batch(f"n{number}", 1, [line]))
    await client.publish(
        channel, join_batch("another", 1, [encode_item(Message("foo"))])
    )
    assert await listener.receive() == message("foo")
    assert node.backplane.is_connected
    assert "something else was published on our channel" in caplog.text
    assert "was not understood" in caplog.text


async def test_many_threads_publish_and_each_keeps_its_order(
    start: StartNode, target: Redis, join: Connect
) -> None:
    first, second = [await start(target) for _ in range(2)]
    listener = await join(second.server, None, (), (), "*")

    def publish(name: str) -> None:
        for number in range(200):
            first.hub.publish(Message(name, str(number)))

    names = ["a", "b", "c", "d"]
    await asyncio.gather(*(asyncio.to_thread(publish, name) for name in names))
    got: dict[str, list[int]] = {name: [] for name in names}
    for _ in range(200 * len(names)):
        received = await listener.receive()
        got[received["name"]].append(received["args"])
    assert all(numbers == list(range(200)) for numbers in got.values())
    assert b"hyperlambda_cluster_sent_total 800\n" in first.server._write_metrics()
