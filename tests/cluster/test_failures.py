"""Nodes that die, and a Redis that goes away: what is left goes on, and it all comes back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hyperlambda.client import SocketClient
from hyperlambda.server import issue_token
from hyperlambda.sockets import (
    Audience,
    AudienceKind,
    Message,
    SocketGroup,
    SocketUser,
)

from ..commands.process import SECRET, hyperlambda
from . import cluster as helpers
from .cluster import SHORT_HEARTBEAT, Cluster, until
from .redis_server import TIMEOUT, RedisServer


def test_nodes_that_die_or_stop_disappear(redis: RedisServer) -> None:
    """Who is killed is missed; who stops says so, and nobody waits for heartbeats."""
    with Cluster(redis, 3, *SHORT_HEARTBEAT) as own, helpers.Audience(own) as people:
        watcher = people.add("watcher", 0, "w", ("root",), ("g",))
        token = issue_token(SECRET, "ada", [], ["g"])
        with SocketClient(own.urls[1], token=token, timeout=TIMEOUT):
            until(lambda: watcher.count_users() == 2)
            own.processes[1].kill()
            until(lambda: watcher.count_users() == 1)
        until(lambda: watcher.groups() == [SocketGroup("g", 1)])
        until(lambda: own.health(0)["nodes"] == 2)
        own.processes[2].terminate()
        assert own.processes[2].wait(TIMEOUT) == 0
        until(lambda: own.health(0)["nodes"] == 1)
        # Who is left is served as before.
        people.add("bo", 0, "bo")
        watcher.publish(Message("foo"))
        assert [m.name for m in people.hear(watcher)["bo"]] == ["foo"]


@pytest.fixture
def own(own_redis: RedisServer) -> Iterator[Cluster]:
    """Return two nodes whose Redis may be stopped."""
    with Cluster(own_redis, 2, *SHORT_HEARTBEAT) as cluster:
        yield cluster


def test_a_redis_that_goes_away_and_returns_is_survived(own: Cluster) -> None:
    with helpers.Audience(own) as people:
        here = people.add("here", 0, "w", ("root",), ("g",))
        pat = people.add("pat", 0, "pat", ("root",))
        people.add("there", 1, "ada", (), ("g",))
        until(lambda: here.count_users() == 3)

        own.redis.stop()
        until(lambda: own.health(0)["redis"] == own.health(1)["redis"] == "away")
        assert own.health(0)["status"] == "degraded"
        assert "hyperlambda_cluster_connected 0" in own.get(0, "metrics")
        # Local delivery goes on, and nobody waits for Redis.
        pat.publish(Message("while away"))
        assert names(here, pat) == ["while away"]
        # Who cannot be heard any more is not shown as present.
        until(lambda: here.count_users() == 2)
        newcomer = people.add("newcomer", 1, "bo", (), ("g",))
        newcomer_id = newcomer.connection_id

        own.redis.start()
        until(lambda: own.health(0)["redis"] == own.health(1)["redis"] == "connected")
        until(lambda: own.health(0)["status"] == "ok")
        until(lambda: here.count_users() == 4)
        until(lambda: here.groups() == [SocketGroup("g", 3)])
        until(lambda: here.users("bo") == [SocketUser("bo", (newcomer_id,))])
        until(lambda: "hyperlambda_cluster_waiting 0" in own.get(0, "metrics"))
        assert "hyperlambda_cluster_gaps_total 0" not in own.get(0, "metrics")
        pat.publish(Message("back", None, Audience(AudienceKind.GROUPS, ("g",))))
        got = people.hear(pat)
        for label in ("there", "newcomer"):
            # What was published meanwhile has come too, in order, with its marker.
            heard = [message.name for message in got[label]]
            assert heard == ["while away"]
            assert [m.name for m in helpers.until_marker(people.clients[label])] == [
                "back"
            ]
        assert [message.name for message in got["here"]] == ["back"]


def names(client: SocketClient, publisher: SocketClient) -> list[str]:
    """Return what one client has got so far."""
    publisher.publish(Message(helpers.MARKER))
    return [message.name for message in helpers.until_marker(client)]


def test_a_server_needs_its_redis_to_start(own_redis: RedisServer) -> None:
    url = own_redis.url
    own_redis.stop()
    outcome = hyperlambda("serve", "--port", "0", "--redis", url)
    assert outcome.returncode == 1
    assert outcome.stdout == b""
    (line,) = outcome.stderr.decode().splitlines()
    assert line.startswith(f"error: {url} cannot be used: ")
