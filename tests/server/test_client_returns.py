"""A synchronous client that comes back, and catches up."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from hyperlambda.client import SocketClient
from hyperlambda.errors import SocketError
from hyperlambda.server import BackgroundServer
from hyperlambda.server.history import History
from hyperlambda.server.retention import Rule
from hyperlambda.sockets import Message

from .clients import PATIENCE, SECRET

RULES = [Rule("chat.*", 3)]


@pytest.fixture
def server() -> Iterator[BackgroundServer]:
    with BackgroundServer(secret=SECRET, history=History(RULES)) as background:
        yield background


class Guest:
    """A client that comes back when the test lets it."""

    def __init__(self, server: BackgroundServer, *names: str, **options: Any) -> None:
        self.server = server
        self.returns: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self.gate = threading.Semaphore(1)
        self.client = SocketClient(
            server.socket_url,
            token=self.token,
            reconnect=True,
            on_return=self.returns.put,
            **options,
        )
        self.client.subscribe(*names)

    def token(self) -> str:
        """Wait: the client asks for it before it connects."""
        assert self.gate.acquire(timeout=PATIENCE)
        return self.server.token("ada")

    def leave(self) -> None:
        """Lose the connection, and know that the server has forgotten it."""
        self.server.hub.disconnect(self.client.connection_id, may_return=True)
        with pytest.raises(SocketError, match="closed the connection"):
            self.until_lost()

    def until_lost(self) -> None:
        while True:
            self.client.unsubscribe("no name")

    def come_back(self) -> bool:
        """Return whether nothing is missing."""
        self.gate.release()
        return self.returns.get(timeout=PATIENCE)

    def take(self, count: int) -> list[Any]:
        got = self.client.messages(PATIENCE)
        return [next(got).args for _ in range(count)]


@pytest.fixture
def guest(server: BackgroundServer) -> Iterator[Guest]:
    one = Guest(server, "chat.*", "news")
    with one.client:
        yield one
        one.gate.release(9)


def publish(server: BackgroundServer, name: str, *numbers: int) -> None:
    for number in numbers:
        server.hub.publish(Message(name, str(number)))


def test_it_gets_what_it_missed(server: BackgroundServer, guest: Guest) -> None:
    publish(server, "chat.a", 1)
    publish(server, "news", 2)
    assert guest.take(2) == [1, 2]
    first = guest.client.connection_id
    guest.leave()
    publish(server, "chat.b", 3)
    publish(server, "news", 4)
    server.hub.publish(Message("chat.b", "5", excluded=(first,)))
    publish(server, "chat.b", 6)
    assert guest.come_back()
    assert guest.client.connection_id != first
    publish(server, "news", 7)
    publish(server, "chat.a", 8)
    assert guest.take(4) == [3, 6, 7, 8]
    guest.leave()
    assert guest.come_back()
    publish(server, "chat.a", 9)
    assert guest.take(1) == [9]


def test_it_is_told_of_a_gap(server: BackgroundServer, guest: Guest) -> None:
    guest.leave()
    publish(server, "chat.a", 1, 2, 3, 4, 5)
    assert not guest.come_back()
    assert guest.take(3) == [3, 4, 5]


def test_names_without_history_are_a_gap(server: BackgroundServer) -> None:
    guest = Guest(server, "news")
    with guest.client:
        guest.leave()
        assert not guest.come_back()
        publish(server, "news", 1)
        assert guest.take(1) == [1]
        assert guest.client.position is None


def test_a_restarted_server_is_found_again() -> None:
    with BackgroundServer(secret=SECRET, history=History(RULES)) as server:
        guest = Guest(server, "chat.*")
        publish(server, "chat.a", 1)
        assert guest.take(1) == [1]
        old = guest.client.position
    with (
        guest.client,
        BackgroundServer(
            port=server.server.port, secret=SECRET, history=History(RULES)
        ) as second,
    ):
        publish(second, "chat.a", 2)
        # It may have tried already, while there was no server.
        guest.gate.release(9)
        assert not guest.come_back()
        assert guest.take(1) == [2]
        assert guest.client.position != old


def test_a_position_outlives_a_client(server: BackgroundServer) -> None:
    with SocketClient(server.socket_url) as client:
        client.subscribe("chat.a", "news")
        publish(server, "chat.a", 1)
        assert next(client.messages(PATIENCE)).args == 1
        position = client.position
    assert position is not None
    publish(server, "chat.a", 2, 3)
    with SocketClient(server.socket_url) as client:
        assert client.subscribe("chat.a", since=position)
        got = client.messages(PATIENCE)
        assert [next(got).args, next(got).args] == [2, 3]
    publish(server, "chat.a", 4, 5)
    with SocketClient(server.socket_url) as client:
        assert not client.subscribe("chat.a", since=position)


def test_pages_follow_one_another() -> None:
    with (
        # A page is a quarter of what may wait.
        BackgroundServer(history=History([Rule("a", 50)]), queue_messages=8) as server,
        SocketClient(server.socket_url) as client,
    ):
        assert server.hub.history is not None
        since = f"{server.hub.history.epoch}-0"
        publish(server, "a", *range(11))
        assert client.subscribe("a", since=since)
        got = client.messages(PATIENCE)
        assert [next(got).args for _ in range(11)] == list(range(11))


def test_whoever_is_sent_away_stays_away(
    server: BackgroundServer, guest: Guest
) -> None:
    server.hub.disconnect(guest.client.connection_id, "enough")
    with pytest.raises(SocketError, match="enough"):
        next(guest.client.messages(PATIENCE))


def test_a_refused_token_is_final(server: BackgroundServer) -> None:
    tokens = [server.token("ada"), "rubbish"]
    with SocketClient(
        server.socket_url, token=lambda: tokens.pop(0), reconnect=True
    ) as client:
        server.hub.disconnect(client.connection_id, may_return=True)
        with pytest.raises(SocketError, match="refused the token"):
            next(client.messages(PATIENCE))


def test_a_client_can_be_closed_while_it_is_away() -> None:
    with BackgroundServer() as server:
        client = SocketClient(server.socket_url, reconnect=True)
    client.close()
    assert list(client.messages(PATIENCE)) == []


def test_a_mistake_of_ours_costs_no_messages(
    server: BackgroundServer, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(is_whole: bool) -> None:
        raise ZeroDivisionError

    with SocketClient(server.socket_url, reconnect=True, on_return=fail) as client:
        client.subscribe("chat.*")
        server.hub.disconnect(client.connection_id, may_return=True)
        publish(server, "chat.a", 1)
        assert next(client.messages(PATIENCE)).args == 1
        publish(server, "chat.a", 2)
        assert next(client.messages(PATIENCE)).args == 2
    assert "after a return has failed" in caplog.text
