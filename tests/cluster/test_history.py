"""Clients of a cluster that come back to any of its nodes get what they missed."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from typing import Any

import pytest

from hyperlambda.client import SocketClient
from hyperlambda.server import issue_token
from hyperlambda.server.redis_client import Redis
from hyperlambda.server.redis_hub import RedisHub
from hyperlambda.sockets import Audience, AudienceKind, Message

from ..commands.process import SECRET
from .cluster import Cluster, until
from .redis_server import TIMEOUT, RedisServer

HISTORY = (
    *("--history", "chat.*=5,1m", "--history", "news=100"),
    # A machine that is busy must not look like a Redis that is away.
    *("--redis-heartbeat", "3"),
)


@pytest.fixture(scope="module")
def nodes(redis: RedisServer) -> Iterator[Cluster]:
    with Cluster(redis, 3, *HISTORY) as cluster:
        yield cluster


def client(
    cluster: Cluster,
    node: int,
    user: str = "ada",
    roles: tuple[str, ...] = ("root",),
    **options: Any,
) -> SocketClient:
    token = issue_token(SECRET, user, roles, [])
    return SocketClient(cluster.urls[node], token=token, timeout=TIMEOUT, **options)


def publish(through: SocketClient, name: str, *numbers: int, **options: Any) -> None:
    for number in numbers:
        through.publish(Message(name, str(number), **options))


def take(one: SocketClient, count: int) -> list[Any]:
    got = one.messages(TIMEOUT)
    return [next(got).args for _ in range(count)]


def test_what_was_missed_comes_from_any_node(nodes: Cluster) -> None:
    with client(nodes, 0) as here, client(nodes, 1) as there:
        here.subscribe("chat.*")
        there.subscribe("chat.*")
        publish(here, "chat.a", 1)
        assert take(here, 1) == take(there, 1) == [1]
        position = there.position
        assert position == here.position
        # Both, and in one order for all.
        publish(here, "chat.a", 2)
        assert take(there, 1) == [2]
        publish(there, "chat.b", 3)
        assert take(here, 2) == [2, 3]
        assert position is not None
        for node in range(3):
            with client(nodes, node) as back:
                assert back.subscribe("chat.*", since=position)
                publish(back, "chat.c", 4)
                assert take(back, 3) == [2, 3, 4]


def test_only_the_audience_gets_what_it_missed(nodes: Cluster) -> None:
    with client(nodes, 0) as root:
        root.subscribe("news")
        publish(root, "news", 0)
        take(root, 1)
        position = root.position
        for number, audience in enumerate(
            [
                Audience(AudienceKind.ROLES, ("root",)),
                Audience(AudienceKind.USERS, ("bo",)),
                Audience(),
                Audience(AudienceKind.CLIENTS, (root.connection_id,)),
            ],
            1,
        ):
            publish(root, "news", number, audience=audience)
        assert take(root, 3) == [1, 3, 4]
        with (
            client(nodes, 1, "bo", ("x",)) as bo,
            client(nodes, 2) as second,
        ):
            assert bo.subscribe("news", since=position)
            assert second.subscribe("news", since=position)
            publish(root, "news", 9)
            assert take(bo, 3) == [2, 3, 9]
            assert take(second, 3) == [1, 3, 9]


def test_what_programs_publish_is_kept_too(nodes: Cluster) -> None:
    with client(nodes, 0) as root, RedisHub(Redis(*nodes.redis_arguments[1::2])) as hub:
        root.subscribe("*")
        hub.publish(Message("news", "1"))
        hub.publish(Message("other", "2"))
        assert take(root, 2) == [1, 2]
        position = root.position
        hub.publish(Message("news", "3"))
        take(root, 1)
        assert position != root.position
        with client(nodes, 1) as back:
            assert back.subscribe("news", since=position)
            assert take(back, 1) == [3]


def test_a_gap_is_told_on_any_node(nodes: Cluster) -> None:
    with client(nodes, 0) as root:
        root.subscribe("chat.gap")
        publish(root, "chat.gap", 0)
        take(root, 1)
        position = root.position
        publish(root, "chat.gap", *range(1, 9))
        take(root, 8)
        with client(nodes, 1) as there:
            assert not there.subscribe("chat.gap", since=position)
            assert take(there, 5) == [4, 5, 6, 7, 8]


def test_a_node_that_begins_knows_what_there_was(redis: RedisServer) -> None:
    with Cluster(redis, 1, *HISTORY) as old, client(old, 0) as root:
        # A node that is slow to find its Redis begins alone, and keeps no order then.
        until(lambda: old.health(0)["redis"] == "connected")
        root.subscribe("*")
        publish(root, "chat.a", 1)
        publish(root, "other", 2)
        assert take(root, 2) == [1, 2]
        position = root.position
        publish(root, "chat.b", *range(10, 17))
        publish(root, "news", 3)
        publish(root, "chat.a", 4)
        take(root, 9)
        # Another cluster knows nothing of it.
        with Cluster(redis, 1, *HISTORY) as new, client(new, 0) as there:
            assert not there.subscribe("news", since=position)
        with beside(old, redis) as second, client(second, 0) as there:
            until(lambda: second.health(0)["redis"] == "connected")
            assert there.subscribe("news", "chat.a", since=position)
            assert take(there, 2) == [3, 4]
            assert not there.subscribe("chat.b", since=position)
            assert take(there, 5) == [12, 13, 14, 15, 16]
            publish(root, "chat.b", 17)
            assert take(there, 1) == [17]


def beside(cluster: Cluster, redis: RedisServer) -> Cluster:
    """Return a node that joins a cluster, whose own count is another."""
    second = Cluster(redis, 1, *HISTORY)
    second.prefix = cluster.prefix
    second.others = len(cluster.processes)
    return second


def test_what_is_published_while_redis_is_away_comes_later(
    own_redis: RedisServer,
) -> None:
    returns: queue.SimpleQueue[bool] = queue.SimpleQueue()
    options = {"reconnect": True, "on_return": returns.put}
    with (
        Cluster(own_redis, 2, *HISTORY) as own,
        client(own, 0, **options) as here,
        client(own, 1, **options) as there,
    ):
        here.subscribe("*")
        there.subscribe("*")
        publish(here, "news", 1)
        assert take(here, 1) == take(there, 1) == [1]
        old = here.position
        own.redis.stop()
        until(lambda: own.health(0)["redis"] == own.health(1)["redis"] == "away")
        publish(here, "news", 2)
        # Others have nobody to wait for.
        publish(here, "other", 3)
        assert take(here, 1) == [3]
        own.redis.start()
        # That Redis has forgotten everything: nobody may believe that nothing is missing.
        assert [returns.get(timeout=TIMEOUT) for _ in range(2)] == [False, False]
        assert take(here, 1) == [2]
        until(lambda: there.position == here.position)
        assert here.position != old
        assert 2 in [message.args for message in there.messages(0)]


def test_a_redis_that_is_full_keeps_nothing_and_says_so(own_redis: RedisServer) -> None:
    import redis

    returns: queue.SimpleQueue[bool] = queue.SimpleQueue()
    options = {"reconnect": True, "on_return": returns.put}
    with (
        Cluster(own_redis, 2, *HISTORY) as own,
        client(own, 0) as publisher,
        client(own, 0, **options) as here,
        client(own, 1, **options) as there,
        redis.Redis.from_url(own_redis.url) as admin,
    ):
        here.subscribe("*")
        there.subscribe("*")
        publish(publisher, "news", 1)
        assert take(here, 1) == take(there, 1) == [1]
        old = here.position
        admin.config_set("maxmemory-policy", "noeviction")
        admin.config_set("maxmemory", "1")
        publish(publisher, "news", 2)
        assert take(here, 1) == take(there, 1) == [2]
        assert here.position == there.position == old
        admin.config_set("maxmemory", "0")
        publish(publisher, "news", 3)
        # Whether the second one was all that was lost, nobody knows.
        assert [returns.get(timeout=TIMEOUT) for _ in range(2)] == [False, False]
        assert take(here, 1) == take(there, 1) == [3]
