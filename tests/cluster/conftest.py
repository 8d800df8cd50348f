"""A Redis of our own, and servers that meet there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ..server.conftest import join
from .cluster import Cluster
from .redis_server import RedisServer

__all__ = ["join", "own_redis", "redis", "three"]


@pytest.fixture(scope="session")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """Return a Redis that all tests share; each of their clusters has its own prefix."""
    with RedisServer(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(scope="session")
def three(redis: RedisServer) -> Iterator[Cluster]:
    """Return three server processes, which no test may harm."""
    with Cluster(redis, 3) as cluster:
        yield cluster


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[RedisServer]:
    """Return a Redis that the test may stop."""
    with RedisServer(tmp_path) as server:
        yield server
