"""A Redis of our own, and servers that meet there."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from hyperlambda.server.negotiation import new_id
from hyperlambda.server.redis_client import Client, Redis, open_redis

from ..server.conftest import join
from .cluster import Cluster
from .nodes import Node, StartNode, make_node
from .redis_server import RedisServer

__all__ = ["client", "join", "own_redis", "redis", "start_node", "target", "three"]

ENTER = """
.arguments
   room:string
sockets.users.count
   filter:x:@.arguments/*/room
sockets.connection.enter-group
   group:x:@.arguments/*/room
sockets.signal:room.entered
   groups:x:@.arguments/*/room
   args
      users:x:@sockets.users.count
"""
"""A file that clients run."""


@pytest.fixture(scope="session")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """Return a Redis that all tests share; each of their clusters has its own prefix."""
    with RedisServer(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(scope="session")
def three(
    redis: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cluster]:
    """Return three server processes, which no test may harm."""
    modules = tmp_path_factory.mktemp("root") / "modules"
    modules.mkdir()
    (modules / "enter.socket.hl").write_text(ENTER)
    with Cluster(redis, 3, "--root", str(modules.parent)) as cluster:
        yield cluster


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[RedisServer]:
    """Return a Redis that the test may stop."""
    with RedisServer(tmp_path) as server:
        yield server


@pytest.fixture
def target(redis: RedisServer) -> Redis:
    """Return the shared Redis, with a prefix of the test's own."""
    return Redis(redis.url, f"test-{new_id()}")


@pytest.fixture
async def client(target: Redis) -> AsyncIterator[Client]:
    """Return a client of Redis itself."""
    redis = open_redis(target)
    yield redis
    await redis.aclose()


@pytest.fixture
async def start_node() -> AsyncIterator[StartNode]:
    """Start nodes with history that are stopped at the end of the test."""
    async with AsyncExitStack() as stack:

        async def start(
            target: Redis, options: dict[str, Any] | None = None, **bounds: Any
        ) -> Node:
            node = make_node(target, options or {}, **bounds)
            await stack.enter_async_context(node.server)
            return node

        yield start
