"""
A storm of messages over several servers, whose clients drop and come back all the time;
and the servers lose their Redis for a moment, now and then.

Each client knows which messages are for it, and must get exactly these, in order: none lost,
none twice, none that is for others. STORM_MESSAGES=100000 makes it the long trial that it
was made for; the tests run a short form.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect

from hyperlambda.server import issue_token

from ..commands.process import SECRET
from .cluster import Cluster
from .redis_server import RedisServer

MESSAGES = int(os.environ.get("STORM_MESSAGES", "12000"))
"""Of all publishers together."""

NODES = 3
NAMES = 7
IN_FLIGHT = 300
"""Requests of a publisher that have no answer yet."""

PATIENCE = 60 + MESSAGES / 100
"""Seconds for the whole; slow machines get what they need."""

AUDIENCES: list[dict[str, Any]] = [
    {},
    {"roles": ["red"]},
    {"roles": ["red", "blue"]},
    {"users": ["user-2"]},
    {"groups": ["g"]},
    {"users": ["nobody"]},
]


def is_for(number: int, user: str, roles: list[str], groups: list[str]) -> bool:
    """Return whether a message is for somebody: by its number we know its audience."""
    audience = AUDIENCES[number % len(AUDIENCES)]
    return (
        not audience
        or user in audience.get("users", ())
        or not set(roles).isdisjoint(audience.get("roles", ()))
        or not set(groups).isdisjoint(audience.get("groups", ()))
    )


@dataclass
class Client:
    """
    Somebody who listens, on one node after another.

    Attributes:
        seen: Numbers of each publisher's messages, in the order in which they came.
        drops: How often it was away.
        gaps: How often it was told that something is missing.
    """

    urls: list[str]
    user: str
    roles: list[str]
    groups: list[str]
    dice: random.Random
    position: str = ""
    offset: int = 0
    seen: dict[int, list[int]] = field(default_factory=dict)
    drops: int = 0
    gaps: int = 0
    ended: int = 0

    async def listen(self) -> None:
        token = issue_token(SECRET, self.user, self.roles, self.groups)
        while self.ended < NODES:
            # Never over the same connection for long, and perhaps not even subscribed.
            patience = self.dice.choice([1, 5, 50, 300, MESSAGES // 60])
            async with connect(
                self.dice.choice(self.urls),
                additional_headers={"Authorization": f"Bearer {token}"},
                compression=None,
                ping_interval=None,
                max_queue=None,
                proxy=None,
            ) as socket:
                await self.follow(socket, patience)
                # Whatever is on its way is lost.
                socket.transport.abort()
            self.drops += 1

    async def follow(self, socket: ClientConnection, patience: int) -> None:
        await socket.recv()
        await self.ask(socket, self.position)
        async for text in socket:
            frame = json.loads(text)
            if frame["type"] == "message":
                self.take(frame)
                patience -= 1
                if not patience or self.ended == NODES:
                    return
            else:
                self.gaps += frame["recovered"] is not True
                self.position = frame["position"]
                if frame["type"] == "replayed":
                    await self.ask(socket, frame["position"])

    async def ask(self, socket: ClientConnection, since: str) -> None:
        request = {"type": "subscribe", "names": ["storm.*"], "since": since}
        await socket.send(json.dumps(request))

    def take(self, frame: dict[str, Any]) -> None:
        offset = int(frame["position"].rpartition("-")[2])
        assert offset > self.offset, "twice, or not in order"
        self.offset, self.position = offset, frame["position"]
        publisher, number = frame["args"]
        if number is None:
            self.ended += 1
        else:
            assert frame["name"] == f"storm.{number % NAMES}"
            self.seen.setdefault(publisher, []).append(number)


async def publish(url: str, publisher: int, count: int) -> None:
    """Publish numbered messages as fast as they are taken."""
    token = issue_token(SECRET, f"publisher-{publisher}", ["root"])
    room = asyncio.Semaphore(IN_FLIGHT)

    async def read(socket: ClientConnection) -> None:
        async for text in socket:
            assert json.loads(text)["type"] == "published"
            room.release()
        raise AssertionError("the server has ended the connection")

    async with connect(
        url,
        additional_headers={"Authorization": f"Bearer {token}"},
        compression=None,
        ping_interval=None,
        proxy=None,
    ) as socket:
        await socket.recv()
        # In a group, so that a refusal is a failure and no wait for ever.
        async with asyncio.TaskGroup() as group:
            reader = group.create_task(read(socket))
            for number in [*range(count), None]:
                await room.acquire()
                fields = {} if number is None else AUDIENCES[number % len(AUDIENCES)]
                name = "storm.end" if number is None else f"storm.{number % NAMES}"
                request = {"type": "publish", "name": name, "args": [publisher, number]}
                await socket.send(json.dumps({**request, **fields}))
            for _ in range(IN_FLIGHT):
                await room.acquire()
            reader.cancel()


@pytest.fixture
def nodes(own_redis: RedisServer) -> Iterator[Cluster]:
    arguments = ("--history", f"storm.*={MESSAGES + 10},1h", "--redis-heartbeat", "3")
    rate = ("--publish-rate", "1000000", "--history-bytes", str(1 << 30))
    with Cluster(own_redis, NODES, *arguments, *rate) as cluster:
        yield cluster


@pytest.mark.timeout(PATIENCE + 60)
async def test_nothing_is_lost_nor_doubled_nor_leaked(nodes: Cluster) -> None:
    people = [
        ("user-1", ["red"], []),
        ("user-2", ["blue"], []),
        ("user-2", [], ["g"]),
        ("user-3", [], []),
        ("user-4", ["red", "blue"], ["g", "h"]),
    ]
    seed = random.randrange(1_000_000)
    clients = [
        Client(nodes.urls, *who, random.Random(seed + index))
        for index, who in enumerate(people)
    ]
    each = MESSAGES // NODES
    async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as group:
        first = await connect_to_learn_the_epoch(nodes.urls[0])
        for client in clients:
            client.position = first
            group.create_task(client.listen())
        for publisher, url in enumerate(nodes.urls):
            group.create_task(publish(url, publisher, each))
        for part in (0.2, 0.5):
            # The last one gets two of three messages.
            await until_seen(clients[-1], int(each * 2 / 3 * part))
            cut_off(nodes)
    for client in clients:
        who = client.user, client.roles, client.groups
        wanted = [number for number in range(each) if is_for(number, *who)]
        for publisher in range(NODES):
            seen = client.seen[publisher]
            wrong = sorted(set(wanted) ^ set(seen))
            assert not wrong, (seed, who, publisher, client.gaps, wrong)
            assert seen == wanted, (seed, who, publisher)
        assert client.gaps == 0
    assert sum(client.drops for client in clients) > 2 * len(clients)
    assert all(
        "hyperlambda_cluster_gaps_total 0" not in nodes.get(node, "metrics")
        for node in range(NODES)
    )


async def until_seen(client: Client, count: int) -> None:
    """Return when a client has got so many messages of one publisher."""
    while len(client.seen.get(0, ())) < count:
        await asyncio.sleep(0.01)


def cut_off(nodes: Cluster) -> None:
    """End what the servers listen with; Redis itself goes on."""
    from redis import Redis

    with Redis.from_url(nodes.redis.url) as redis:
        redis.client_kill_filter(_type="pubsub")


async def connect_to_learn_the_epoch(url: str) -> str:
    """Return the position before the first message."""
    async with connect(url, proxy=None) as socket:
        await socket.recv()
        await socket.send('{"type":"subscribe","names":["storm.*"]}')
        position: str = json.loads(await socket.recv())["position"]
    return position
