"""Server processes that meet in a Redis, and clients spread over them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import ExitStack
from subprocess import Popen
from typing import Any, Self
from urllib.request import urlopen

from hyperlambda.client import ReceivedMessage, SocketClient
from hyperlambda.server import issue_token
from hyperlambda.server.negotiation import new_id
from hyperlambda.sockets import Message

from ..commands.process import SECRET, line_of, started
from .redis_server import TIMEOUT, RedisServer

SHORT_HEARTBEAT = ("--redis-heartbeat", "0.5")
"""For nodes that die: they are forgotten after three."""

MARKER = "everything before this has arrived"


class Cluster:
    """
    Server processes, while a ``with`` block is active.

    Attributes:
        processes: They.
        urls: Where their clients connect.
        prefix: Of their names in Redis.
        others: Processes with the same prefix that run already.
    """

    def __init__(self, redis: RedisServer, count: int, *arguments: str) -> None:
        self.prefix = f"test-{new_id()}"
        self.redis = redis
        self.processes: list[Popen[str]] = []
        self.urls: list[str] = []
        self.others = 0
        self._count = count
        self._arguments = arguments
        self._stack = ExitStack()

    @property
    def redis_arguments(self) -> tuple[str, ...]:
        return ("--redis", self.redis.url, "--redis-prefix", self.prefix)

    def __enter__(self) -> Self:
        for _ in range(self._count):
            process = started(
                *("serve", "--port", "0"),
                *self.redis_arguments,
                *self._arguments,
                HYPERLAMBDA_SECRET=SECRET,
            )
            self.processes.append(self._stack.enter_context(process))
        # All start at one time.
        for process in self.processes:
            line = line_of(process.stdout)
            assert line.startswith("listening on http"), process.communicate()
            self.urls.append(line.replace("listening on http", "ws") + "/ws")
        all_nodes = self.others + self._count
        for index in range(self._count):
            until(lambda index=index: self.health(index)["nodes"] == all_nodes)
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def health(self, index: int) -> dict[str, Any]:
        """Return what a node tells about itself."""
        found: dict[str, Any] = json.loads(self.get(index, "health"))
        return found

    def get(self, index: int, path: str) -> str:
        """Return a page of a node."""
        url = self.urls[index].replace("ws", "http", 1).removesuffix("ws") + path
        with urlopen(url, timeout=TIMEOUT) as answer:
            text: str = answer.read().decode()
        return text


class Audience:
    """Clients that listen to everything; closed at the end of a ``with`` block."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._stack = ExitStack()
        self.clients: dict[str, SocketClient] = {}

    def add(
        self,
        label: str,
        node: int,
        user: str | None = None,
        roles: tuple[str, ...] = (),
        groups: tuple[str, ...] = (),
    ) -> SocketClient:
        """Connect a client to a node."""
        token = None if user is None else issue_token(SECRET, user, roles, groups)
        client = SocketClient(self._cluster.urls[node], token=token, timeout=TIMEOUT)
        self.clients[label] = self._stack.enter_context(client)
        client.subscribe("*")
        return client

    def hear(self, publisher: Any) -> dict[str, list[ReceivedMessage]]:
        """
        Return what each client has got.

        The publisher, who has published in order, publishes a marker. What a client has
        not got before that, it will not get any more.
        """
        publisher.publish(Message(MARKER))
        return {
            label: until_marker(client)
            for label, client in self.clients.items()
            if client is not publisher
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()


def until_marker(client: SocketClient) -> list[ReceivedMessage]:
    """Return what a client has got before the next marker."""
    found = []
    for message in client.messages(timeout=TIMEOUT):
        if message.name == MARKER:
            return found
        found.append(message)
    raise AssertionError("the marker did not arrive")


def until(is_so: Callable[[], bool]) -> None:
    """Return when something is so that other processes bring about."""
    end = time.monotonic() + TIMEOUT
    while not is_so():
        assert time.monotonic() < end, "it does not come about"
        time.sleep(0.01)
