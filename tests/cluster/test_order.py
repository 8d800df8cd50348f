"""
What is caused behind a message with history, which takes effect when it comes back from
Redis: nothing overtakes it at its own node, and nothing waits for ever.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Sequence
from typing import Any

import pytest

from hyperlambda.server import line, redis_history
from hyperlambda.server.backplane import Item, Receiver
from hyperlambda.server.envelope import Batch
from hyperlambda.server.parting import SENT_AWAY
from hyperlambda.server.redis_client import Client as RedisClient
from hyperlambda.server.redis_client import Redis
from hyperlambda.sockets import Audience, AudienceKind, Message

from ..server.clients import Connect, closed
from .nodes import Node, StartNode, listening, numbers, until
from .redis_server import RedisServer

GROUP = Audience(AudienceKind.GROUPS, ("g",))


async def start_two(start_node: StartNode, target: Redis) -> list[Node]:
    return [await start_node(target), await start_node(target)]


async def test_nothing_overtakes_what_has_just_come_back(
    start_node: StartNode,
    target: Redis,
    join: Connect,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A message comes back behind others that were published after it and need not wait."""
    node = await start_node(target)
    listener = await listening(join, node, "*")
    ids = (next(iter(node.hub.connections)).id,)
    take_back = node.keeper.take_back

    def publish_and_take_back(batch: Batch, hub: Receiver) -> None:
        is_first = batch.lines[0].startswith(b'["m","few","1"')
        if is_first:
            node.publish("few", 2, audience=Audience(AudienceKind.CLIENTS, ids))
            node.publish("other", 3)
        take_back(batch, hub)
        if is_first:
            node.publish("other", 4)
            node.publish("few", 5)

    monkeypatch.setattr(node.keeper, "take_back", publish_and_take_back)
    node.publish("few", 1)
    assert await numbers(listener, 5) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("is_by_id", [False, True])
async def test_a_message_goes_to_who_was_in_the_group_when_it_was_published(
    start_node: StartNode, target: Redis, join: Connect, is_by_id: bool
) -> None:
    """On its own node, where messages wait, and on the others."""
    nodes = await start_two(start_node, target)
    listeners = [await listening(join, node, "*", user="ada") for node in nodes]
    await until(lambda: all(node.hub.count_connections() == 2 for node in nodes))
    hub = nodes[0].hub
    whom = [each.id for each in listeners] if is_by_id else ["ada"]
    nodes[0].publish("few", 0, audience=GROUP)
    for one in whom:
        hub.add_to_group(one, "g")
    nodes[0].publish("few", 1, audience=GROUP)
    nodes[0].publish("other", 2, audience=GROUP)
    for one in whom:
        hub.remove_from_group(one, "g")
    nodes[0].publish("few", 3, audience=GROUP)
    nodes[0].publish("other", 4, audience=GROUP)
    nodes[0].publish("few", 5)
    for listener in listeners:
        assert await numbers(listener, 3) == [1, 2, 5]


@pytest.mark.parametrize("is_by_id", [False, True])
async def test_who_is_disconnected_gets_what_was_published_before(
    start_node: StartNode, target: Redis, join: Connect, is_by_id: bool
) -> None:
    nodes = await start_two(start_node, target)
    listeners = [await listening(join, node, "*", user="ada") for node in nodes]
    other = await listening(join, nodes[0], "*", user="bo")
    await until(lambda: all(node.hub.count_connections() == 3 for node in nodes))
    nodes[0].publish("few", 1)
    nodes[0].publish("other", 2)
    if is_by_id:
        for listener in listeners:
            nodes[0].hub.disconnect(listener.id, "out")
    else:
        nodes[0].hub.disconnect_user("ada", "out")
    nodes[0].publish("few", 3)
    for listener in listeners:
        assert await numbers(listener, 2) == [1, 2]
        assert await closed(listener) == (SENT_AWAY, "out")
    assert await numbers(other, 3) == [1, 2, 3]


async def test_one_message_may_be_published_twice(
    start_node: StartNode, target: Redis, join: Connect
) -> None:
    """The same object: each time counts."""
    node = await start_node(target)
    listener = await listening(join, node, "*")
    message = Message("few", "1")
    for _ in range(3):
        node.hub.publish(message)
    node.publish("other", 2)
    assert await numbers(listener, 4) == [1, 1, 1, 2]


async def test_answers_come_behind_what_was_published_before_them(
    start_node: StartNode, target: Redis, join: Connect
) -> None:
    """What a client publishes it gets itself too, although it then wants no more."""
    node = await start_node(target)
    client = await join(node.server, "root", ("root",))
    await client.ask(type="subscribe", names=["few", "other"])
    await client.send(type="publish", name="few", args=1)
    await client.send(type="publish", name="other", args=2)
    await client.send(type="unsubscribe", names=["few"])
    await client.send(type="publish", name="few", args=3)
    await client.send(type="ping")
    frames = [await client.receive() for _ in range(7)]
    assert [frame.get("args", frame["type"]) for frame in frames] == [
        *(1, "published", 2, "published", "unsubscribed", "published", "pong")
    ]


async def test_what_another_node_causes_does_not_wait(
    start_node: StartNode,
    target: Redis,
    join: Connect,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, second = await start_two(start_node, target)
    listener = await listening(join, first, "*", user="ada")
    await until(second.hub.count_connections)
    hold = Held(first, monkeypatch)
    first.publish("few", 1)
    await hold.begun.wait()
    first.publish("other", 2)
    second.publish("other", 3)
    second.hub.add_to_group("ada", "g")
    second.publish("other", 4, audience=GROUP)
    assert await numbers(listener, 2) == [3, 4]
    hold.go_on.set()
    assert await numbers(listener, 2) == [1, 2]


class Held:
    """Keeps a node from sending messages, until it may go on."""

    def __init__(self, node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begun, self.go_on = asyncio.Event(), asyncio.Event()
        publish = node.keeper.publish

        async def wait_and_publish(*arguments: Any) -> bool:
            self.begun.set()
            await self.go_on.wait()
            return await publish(*arguments)

        monkeypatch.setattr(node.keeper, "publish", wait_and_publish)


async def test_when_redis_hangs_what_stands_behind_goes_on(
    own_redis: RedisServer, start_node: StartNode, join: Connect
) -> None:
    """When that is noticed, in its order; messages with history come when it is back."""
    node = await start_node(Redis(own_redis.url))
    listener = await listening(join, node, "*", user="ada")
    leaver = await listening(join, node, "*", user="bo")
    os.kill(own_redis.pid, signal.SIGSTOP)
    node.publish("few", 1)
    node.publish("other", 2)
    node.hub.add_to_group("ada", "g")
    node.publish("other", 3, audience=GROUP)
    node.hub.disconnect_user("bo", "out")
    await listener.send(type="ping")
    assert await numbers(listener, 2) == [2, 3]
    assert (await listener.receive())["type"] == "pong"
    assert (await closed(leaver))[1] == "out"
    node.publish("other", 4)
    assert await numbers(listener, 1) == [4]
    os.kill(own_redis.pid, signal.SIGCONT)
    assert await numbers(listener, 1) == [1]
    node.publish("few", 5)
    node.publish("other", 6)
    assert await numbers(listener, 2) == [5, 6]


@pytest.mark.parametrize("is_kept", [True, False])
async def test_a_batch_whose_answer_was_lost_holds_up_nothing(
    start_node: StartNode,
    target: Redis,
    join: Connect,
    monkeypatch: pytest.MonkeyPatch,
    is_kept: bool,
) -> None:
    """Redis has kept it, so that it does not come a second time; or it has not."""
    node = await start_node(target)
    listener = await listening(join, node, "*")
    publish = node.keeper.publish
    batches: list[bytes] = []

    async def lose_the_answer(
        redis: RedisClient, batch: bytes, items: Sequence[Item], hub: Receiver
    ) -> bool:
        batches.append(batch)
        if len(batches) > 1:
            return await publish(redis, batch, items, hub)
        # So that it is not heard before the connection is given up.
        node.backplane._heard_itself = 0
        monkeypatch.setattr(node.keeper, "take_back", lambda batch, hub: None)
        if is_kept:
            await publish(redis, batch, items, hub)
        monkeypatch.undo()
        monkeypatch.setattr(node.keeper, "publish", lose_the_answer)
        raise ConnectionError("the answer is lost")

    monkeypatch.setattr(node.keeper, "publish", lose_the_answer)
    node.publish("few", 1)
    await until(lambda: not node.backplane.is_connected)
    await until(lambda: len(batches) == 2)
    assert batches[0] == batches[1]
    node.publish("other", 2)
    node.publish("few", 3)
    node.publish("other", 4)
    assert await numbers(listener, 4) == [1, 2, 3, 4]
    assert not node.hub.line.places
    assert not node.keeper._awaited


async def test_a_batch_that_was_kept_and_not_heard_holds_up_nothing(
    start_node: StartNode,
    target: Redis,
    join: Connect,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Redis has answered, and what we listen with ends before the message has come."""
    node = await start_node(target)
    listener = await listening(join, node, "*")
    with monkeypatch.context() as patch:
        patch.setattr(node.keeper, "take_back", lambda batch, hub: None)
        node.publish("few", 1)
        await until(lambda: node.backplane._outbox.sent == 1)
        await node.go_away()
    node.publish("other", 2)
    node.come_back()
    assert await numbers(listener, 2) == [1, 2]
    node.publish("few", 3)
    node.publish("other", 4)
    assert await numbers(listener, 2) == [3, 4]
    assert not node.hub.line.places
    assert not node.keeper._awaited


async def test_a_message_that_does_not_come_back_is_noticed(
    start_node: StartNode,
    target: Redis,
    join: Connect,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whatever has become of it: the node looks anew for what was kept."""
    node = await start_node(target)
    listener = await listening(join, node, "*")
    monkeypatch.setattr(node.keeper, "take_back", lambda batch, hub: None)
    node.publish("few", 1)
    node.publish("other", 2)
    # When the connection is given up, what waits goes on; then the message is read.
    assert await numbers(listener, 2) == [2, 1]
    assert node.backplane.gaps == 1
    await until(lambda: not node.hub.line.places)


async def test_what_stands_in_line_is_bounded(
    start_node: StartNode,
    target: Redis,
    join: Connect,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(line, "MOST_WAITING", 20)
    node = await start_node(target)
    listener = await listening(join, node, "*")
    hold = Held(node, monkeypatch)
    node.publish("few", 100)
    await hold.begun.wait()
    node.publish("other", *range(30))
    assert await numbers(listener, 21) == list(range(21))
    await until(lambda: node.hub.line.waiting == 9)
    hold.go_on.set()
    assert await numbers(listener, 10) == [100, *range(21, 30)]


async def test_who_stops_lets_its_clients_have_what_stands_in_line(
    start_node: StartNode,
    target: Redis,
    join: Connect,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    node = await start_node(target)
    listener = await listening(join, node, "*")
    hold = Held(node, monkeypatch)
    node.publish("few", 1)
    await hold.begun.wait()
    node.publish("other", 2)
    await until(lambda: len(node.hub.line.places) == 2)
    hold.go_on.set()
    stopping = asyncio.create_task(node.server.stop())
    assert 2 in await numbers(listener, 1)
    await stopping


async def test_what_was_missed_takes_effect_in_portions(
    start_node: StartNode,
    target: Redis,
    join: Connect,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A node that was away for long makes none of its clients too slow at one blow."""
    monkeypatch.setattr(redis_history, "_PORTION", 4)
    first, second = await start_two(start_node, target)
    listener = await listening(join, second, "*")
    await second.go_away()
    first.publish("many.a", *range(10))
    await first.has(10)
    turns: list[int] = []
    deliver = second.hub.deliver

    def count(*bounds: int) -> bool:
        more = bool(deliver(*bounds))
        turns.extend(len(parcel.frames) for parcel in second.hub.parcels)
        return more

    monkeypatch.setattr(second.hub, "deliver", count)
    second.publish("many.a", 10)
    second.come_back()
    assert await numbers(listener, 11) == list(range(11))
    assert turns == [4, 4, 2, 1]
    assert second.since(0) == (list(range(11)), True)
