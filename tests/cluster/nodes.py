"""Nodes with history on the event loop of a test, which may interfere with them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from hyperlambda.server import History, Rule, SocketServer
from hyperlambda.server.redis_backplane import RedisBackplane
from hyperlambda.server.redis_client import Redis
from hyperlambda.server.redis_history import RedisHistory
from hyperlambda.sockets import Message

from ..server.clients import PATIENCE, SECRET, Client, Connect

__all__ = ["Node", "StartNode", "listening", "make_node", "numbers", "until"]

RULES = (Rule("few", 3), Rule("many.*", 100), Rule("short", 100, 1.0))

StartNode = Callable[..., Awaitable["Node"]]


class Node:
    """A server with history, and what joins it to the others."""

    def __init__(
        self, server: SocketServer, backplane: RedisBackplane, history: History
    ) -> None:
        self.server = server
        self.backplane = backplane
        self.history = history

    @property
    def hub(self) -> Any:
        return self.server.hub

    @property
    def keeper(self) -> RedisHistory:
        """What joins its history to that of the cluster."""
        assert self.backplane._history is not None
        return self.backplane._history

    def publish(self, name: str, *numbers: int, **options: Any) -> None:
        for number in numbers:
            self.server.hub.publish(Message(name, str(number), **options))

    async def has(self, offset: int) -> None:
        """Return when a message has come back."""
        await until(lambda: self.history.top >= offset)

    async def go_away(self) -> None:
        """Hear nothing of Redis any more."""
        self.backplane._task.cancel()
        await asyncio.wait([self.backplane._task])

    def come_back(self) -> None:
        self.backplane._task = asyncio.create_task(self.backplane._run())

    def since(self, offset: int) -> tuple[list[int], bool]:
        page = self.history.since(offset, ["*"], lambda message: True)
        return [int(each.argument or "") for each in page.messages], page.is_whole


def make_node(target: Redis, options: dict[str, Any], **bounds: Any) -> Node:
    """Return a node that was not started; bounds are those of its history."""
    history = History(RULES, **bounds)
    backplane = RedisBackplane(target, heartbeat=0.3, history=history)
    options = {"port": 0, **options}
    server = SocketServer(
        secret=SECRET, backplane=backplane, history=history, **options
    )
    return Node(server, backplane, history)


async def until(is_so: Callable[[], object]) -> None:
    """Return when something is so that others on this loop bring about."""
    async with asyncio.timeout(PATIENCE):
        while not is_so():
            await asyncio.sleep(0.005)


async def listening(
    join: Connect, node: Node, *names: str, user: str | None = None
) -> Client:
    """Connect a client of the role x."""
    client = await join(node.server, user, ("x",))
    answer = await client.ask(type="subscribe", names=names)
    assert answer["type"] == "subscribed"
    return client


async def numbers(listener: Client, count: int) -> list[int]:
    return [(await listener.receive())["args"] for _ in range(count)]
