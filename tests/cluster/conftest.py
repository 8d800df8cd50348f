"""A Redis of our own, and servers that meet there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ..server.conftest import join
from .cluster import Cluster
from .redis_server import RedisServer

__all__ = ["join", "own_redis", "redis", "three"]

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
