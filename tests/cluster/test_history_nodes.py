"""Histories of nodes on one event loop: what is bounded, and that no gap stays untold."""

from __future__ import annotations

import asyncio
import random

import pytest

from hyperlambda.server import History, Rule
from hyperlambda.server.envelope import encode_item, join_batch, split_batch
from hyperlambda.server.redis_client import Client, Redis
from hyperlambda.server.redis_script import PUBLISH, HistoryKeys, prepare
from hyperlambda.sockets import Audience, AudienceKind, Message

from ..server.clients import PATIENCE, Connect, closed
from .nodes import Node, StartNode, listening, numbers


async def test_only_items_are_numbered(
    start_node: StartNode, target: Redis, client: Client
) -> None:
    """What a node tells of itself may overtake a batch, which must not be dropped then."""
    pubsub = client.pubsub()
    await pubsub.subscribe(target.keys.messages)
    node = await start_node(target)
    for number in range(3):
        node.publish("few", number)
        node.publish("other", number)
        await node.has(number + 1)
    firsts: list[int] = []
    async with asyncio.timeout(PATIENCE):
        while len([first for first in firsts if first]) < 3 or 0 not in firsts:
            heard = await pubsub.get_message(timeout=PATIENCE)
            if heard["type"] == "message":
                batch = split_batch(heard["data"])
                is_own = batch.lines[0].startswith(b'["m"')
                assert is_own == (batch.first > 0)
                firsts.append(batch.first)
    await pubsub.aclose()
    assert sorted(first for first in firsts if first)[0] == 1


async def test_a_node_that_was_cut_off_delivers_late_and_in_order(
    start_node: StartNode, target: Redis, join: Connect
) -> None:
    first, second = await start_node(target), await start_node(target)
    listener = await listening(join, second, "*", user="ada")
    await second.go_away()
    second.publish("many.a", 1)
    first.publish("many.a", 2)
    first.publish("few", 3, audience=Audience(AudienceKind.ROLES, ("y",)))
    first.publish("few", 4, audience=Audience(AudienceKind.ROLES, ("x",)))
    await first.has(3)
    second.come_back()
    assert await numbers(listener, 3) == [2, 4, 1]
    assert first.since(0) == second.since(0) == ([2, 3, 4, 1], True)


async def test_whose_node_has_missed_too_much_is_told(
    start_node: StartNode, target: Redis, join: Connect
) -> None:
    first, second = await start_node(target), await start_node(target)
    told = await listening(join, second, "few")
    other = await listening(join, second, "many.*", "other")
    first.publish("few", 1)
    frame = await told.receive()
    await second.go_away()
    first.publish("few", *range(2, 9))
    first.publish("many.a", 9)
    await first.has(9)
    second.come_back()
    assert await numbers(other, 1) == [9]
    assert await closed(told) == (3003, "messages were missed")
    back = await join(second.server)
    await back.send(type="subscribe", names=["few"], since=frame["position"])
    assert await numbers(back, 3) == [6, 7, 8]
    assert (await back.receive())["recovered"] is False


async def test_whose_redis_has_forgotten_everything_is_told(
    start_node: StartNode, target: Redis, join: Connect, client: Client
) -> None:
    nodes = [await start_node(target), await start_node(target)]
    listeners = [await listening(join, node, "few") for node in nodes]
    nodes[0].publish("few", 1)
    for listener in listeners:
        assert await numbers(listener, 1) == [1]
    old = nodes[0].history.position
    await client.delete(*[key async for key in client.scan_iter(f"{target.prefix}:h*")])
    nodes[1].publish("few", 2)
    for node, listener in zip(nodes, listeners, strict=True):
        assert await closed(listener) == (3003, "messages were missed")
        back = await join(node.server)
        await back.send(type="subscribe", names=["few"], since=old)
        assert await numbers(back, 1) == [2]
        assert (await back.receive())["recovered"] is False
    assert nodes[0].history.epoch == nodes[1].history.epoch != old.partition("-")[0]


async def test_redis_that_has_lost_its_latest_begins_anew(
    start_node: StartNode, target: Redis, client: Client
) -> None:
    """As after a failover: offsets that are given again must not look like the old ones."""
    node = await start_node(target)
    node.publish("few", 1, 2, 3)
    await node.has(3)
    epoch = node.history.epoch
    await node.go_away()
    keys = HistoryKeys(target.prefix)
    await client.hset(keys.meta, "top", 1)
    for offset in (2, 3):
        await client.xdel(f"{keys.streams}few", f"{offset}-0")
    await client.execute_command("XSETID", f"{keys.streams}few", "1-0")
    await client.zadd(keys.tables[1], {"few": 1})
    node.come_back()
    async with asyncio.timeout(PATIENCE):
        while node.history.epoch == epoch:
            await asyncio.sleep(0.005)
    node.publish("few", 4)
    await node.has(2)
    assert node.since(0) == ([1, 4], True)
    assert (await start_node(target)).since(0) == ([1, 4], True)


async def test_what_is_kept_in_redis_is_bounded(
    start_node: StartNode, target: Redis, client: Client
) -> None:
    node = await start_node(target, max_names=4, max_bytes=3_000)
    keys = HistoryKeys(target.prefix)
    _, names, ends, sizes = keys.tables
    dice = random.Random(1)
    for number in range(300):
        name = dice.choice(["few", "short", *(f"many.{each}" for each in "abcdefgh")])
        node.publish(name, number)
    await node.has(300)
    streams = [key async for key in client.scan_iter(f"{keys.streams}*")]
    assert {key.decode().removeprefix(keys.streams) for key in streams} == {
        name.decode() for name in await client.zrange(ends, 0, -1)
    }
    assert await client.zcard(names) == 4
    assert len(streams) <= 4
    held = sum([int(size) for size in (await client.hgetall(sizes)).values()])
    assert held == int(await client.hget(keys.meta, "bytes")) <= 3_000
    lines = [fields[b"m"] for key in streams for _, fields in await client.xrange(key)]
    assert sum(map(len, lines)) == held
    assert held > 1_000
    assert await client.xlen(f"{keys.streams}few") <= 3
    for key in streams:
        assert 0 < await client.pttl(key) <= 3_600_000
    # Whose time is over goes when something else is published.
    await client.delete(*streams)
    node.publish("short", 300)
    await node.has(301)
    assert await client.pttl(f"{keys.streams}short") <= 1_000
    async with asyncio.timeout(PATIENCE):
        while await client.exists(f"{keys.streams}short"):
            await asyncio.sleep(0.01)
    node.publish("few", 301)
    await node.has(302)
    assert b"short" not in await client.zrange(ends, 0, -1)
    assert await client.hget(sizes, "short") is None


async def test_a_rule_may_keep_much_less_than_the_one_before(
    start_node: StartNode, target: Redis, client: Client
) -> None:
    """As it is when servers are told so, and Redis has not forgotten."""
    keys, history = HistoryKeys(target.prefix), History([Rule("few", 10_000)])
    publish = client.register_script(PUBLISH)
    for first in range(1, 9_002, 1_000):
        messages = [Message("few", str(first + number)) for number in range(1_000)]
        batch = join_batch("before", first, [encode_item(each) for each in messages])
        kept = prepare(history, keys, target.keys.messages, batch, messages)
        assert kept is not None
        await publish(keys=kept.keys, args=kept.arguments)
    assert await client.xlen(f"{keys.streams}few") == 10_000
    node = await start_node(target)
    for number in range(10):
        node.publish("few", number)
        await node.has(10_001 + number)
    assert await client.xlen(f"{keys.streams}few") == 3
    assert node.keeper.unkept == 0
    assert node.since(10_007) == ([7, 8, 9], True)


@pytest.mark.parametrize("seed", range(3))
async def test_no_node_believes_that_it_has_everything_when_it_has_not(
    start_node: StartNode, target: Redis, seed: int
) -> None:
    """Those that followed, one that was away, and one that has just begun."""
    dice = random.Random(seed)
    bounds = {
        "max_names": dice.choice([3, 100]),
        "max_bytes": dice.choice([4_000, 10**6]),
    }
    nodes = [await start_node(target, **bounds) for _ in range(2)]
    published: list[int] = []

    async def publish(through: list[Node], count: int) -> None:
        for _ in range(count):
            published.append(len(published) + 1)
            name = dice.choice(["few", "few", "many.a", "many.b", "many.c", "many.d"])
            dice.choice(through).publish(name, published[-1])
            # One after another, so that a number is its offset.
            await through[0].has(published[-1])

    await publish(nodes, 40)
    await nodes[1].go_away()
    await publish(nodes[:1], dice.choice([2, 40]))
    nodes[1].come_back()
    await nodes[1].has(len(published))
    await publish(nodes, 5)
    await nodes[1].has(len(published))
    nodes.append(await start_node(target, **bounds))
    await nodes[2].has(len(published))
    for node in nodes:
        whole = 0
        for offset in range(len(published) + 1):
            found, is_whole = node.since(offset)
            whole += is_whole
            newer = published[offset:]
            assert found == newer if is_whole else set(found) < set(newer), offset
            assert found == sorted(found)
        assert whole > 1


async def test_a_batch_that_is_kept_twice_is_kept_once(
    start_node: StartNode, target: Redis, client: Client
) -> None:
    """As it happens when Redis has done what it was asked, and its answer is lost."""
    node = await start_node(target)
    node.publish("few", 1)
    await node.has(1)
    message = Message("few", "2")
    batch = join_batch("another", 7, [encode_item(message)])
    kept = node.backplane._history
    assert kept is not None
    for _ in range(2):
        assert await kept.publish(client, batch, [message], node.server.hub)
    node.publish("few", 3)
    await node.has(3)
    assert node.since(0) == ([1, 2, 3], True)
