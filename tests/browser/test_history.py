"""The Sockets page comes back, and shows what was published while it was away."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from hyperlambda.server import SocketServer
from hyperlambda.server.history import History
from hyperlambda.server.retention import Rule
from hyperlambda.sockets import Message

from ..server.clients import SECRET
from .page import Page


@pytest.fixture
async def server() -> AsyncIterator[SocketServer]:
    """Start a server that keeps messages; a page of what was missed has two of them."""
    history = History([Rule("chat.*", 6)])
    async with SocketServer(
        port=0, secret=SECRET, history=history, queue_messages=8
    ) as started:
        yield started


def lose_connection(server: SocketServer, *published: int) -> None:
    """End the page's connection, and publish before it can be back."""
    [user] = server.hub.users()
    [id] = user.connections
    server.hub.disconnect(id, "lost", may_return=True)
    server.hub.publish(Message("chat.a", '"for others"', excluded=(id,)))
    publish(server, *published)


def publish(server: SocketServer, *numbers: int) -> None:
    for number in numbers:
        server.hub.publish(Message("chat.a", str(number)))


async def shown(page: Page, last: int) -> list[str]:
    """Return the payloads in the log, the newest first, when the last one is there."""
    await page.see(
        "#log .message:first-child pre, #log .note + .message pre", str(last)
    )
    return await page.texts("#log .message pre")


async def test_the_page_gets_what_it_missed(page: Page, server: SocketServer) -> None:
    await page.connect(server.url, server.token("root", ["root"]))
    await page.subscribe("chat.*", "other")
    publish(server, 1)
    assert await shown(page, 1) == ["1"]

    lose_connection(server, 2, 3, 4)
    await page.see("#log .note", "everything published meanwhile has arrived")
    assert await shown(page, 4) == ["4", "3", "2", "1"]
    publish(server, 5)
    assert await shown(page, 5) == ["5", "4", "3", "2", "1"]
    assert await page.texts("#names li .badge") == ["5", "0"]

    lose_connection(server, *range(6, 14))
    await page.see("#log .note", "at least a part is lost")
    assert (await shown(page, 13))[:7] == ["13", "12", "11", "10", "9", "8", "5"]
    assert await page.is_enabled("Subscribe")
