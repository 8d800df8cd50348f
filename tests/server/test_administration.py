"""Ending connections, leaving some out, and listing groups, at a real server."""

from __future__ import annotations

import asyncio
import threading

import pytest

from hyperlambda import Evaluator
from hyperlambda.errors import SocketError
from hyperlambda.server import SocketServer
from hyperlambda.server.hub import Farewell, SocketHub
from hyperlambda.sockets import Audience, AudienceKind, Message, SocketGroup

from .clients import Connect, Raw, closed, message, until_count
from .hubs import add, take, unpack


async def test_a_user_is_disconnected_after_what_was_published(
    server: SocketServer, join: Connect
) -> None:
    first = await join(server, "ada", (), (), "a")
    second = await join(server, "ada", (), (), "a")
    other = await join(server, "bo", (), (), "a")
    server.hub.publish(Message("a", "1"))
    server.hub.disconnect_user("ada", "you are banned")
    server.hub.publish(Message("a", "2"))
    for client in (first, second):
        assert await client.receive() == message("a", 1)
        assert await closed(client) == (3503, "you are banned")
    assert await other.receive() == message("a", 1)
    assert await other.receive() == message("a", 2)
    assert server.hub.connection_count == 1


async def test_a_program_disconnects_and_asks_back(
    server: SocketServer, join: Connect
) -> None:
    one = await join(server, "ada")
    two = await join(server, "ada")
    program = f"""
sockets.connection.disconnect:{one.id}
   message:"{"x" * 200}"
   reconnect:bool:true
"""
    await asyncio.to_thread(Evaluator(hub=server.hub).run, program)
    assert await closed(one) == (3003, "x" * 123)
    await until_count(server, 1)
    assert await two.ask(type="ping") == {"type": "pong"}


@pytest.mark.parametrize(
    ("may_return", "record"),
    [
        (False, b'{"type":7,"error":"logged out"}\x1e'),
        (True, b'{"type":7,"error":"logged out","allowReconnect":true}\x1e'),
    ],
)
async def test_a_signalr_client_is_told_whether_to_return(
    server: SocketServer, may_return: bool, record: bytes
) -> None:
    hello = '{"protocol":"json","version":1}\x1e'
    raw = await asyncio.to_thread(Raw, server, hello, path="/sockets")
    with raw.socket:
        await asyncio.to_thread(raw.read_until, b"{}\x1e")
        (user,) = server.hub.users()
        server.hub.disconnect_user(user.username, "logged out", may_return=may_return)
        assert record in await asyncio.to_thread(raw.read_until, record)


@pytest.fixture
def hub() -> SocketHub:
    return SocketHub(wake=lambda: None)


def test_those_who_are_excepted_get_nothing(hub: SocketHub) -> None:
    for id in "abc":
        add(hub, id, "ada" if id == "a" else None, "m", roles="r")
    hub.publish(Message("m", "1", excluded=("b", "unknown")))
    assert set(take(hub)) == {"a", "c"}
    roles = Audience(AudienceKind.ROLES, ("r",))
    hub.publish(Message("m", "2", roles, excluded=("a",)))
    assert take(hub) == {}
    hub.publish(Message("m", "3"))
    assert set(take(hub)) == {"a", "b", "c"}, "the exception was for one message only"


def test_a_change_of_groups_is_seen_at_once_and_delivered_in_turn(
    hub: SocketHub,
) -> None:
    one = add(hub, "a", "ada", "m", groups="g")
    add(hub, "b", None, "m")
    hub.add_to_group("ada", "h")
    hub.add_to_group("ada", "h")
    hub.add_to_group("b", "h")
    hub.remove_from_group("ada", "g")
    hub.remove_from_group("ada", "never")
    assert hub.groups_of("a") == ["h"]
    assert hub.groups_of("nobody") == []
    assert hub.groups() == [SocketGroup("h", 2)]
    hub.leave(one)
    assert hub.groups() == [SocketGroup("h", 1)]
    assert hub.groups_of("a") == []
    to_groups = Audience(AudienceKind.GROUPS, ("g", "h"))
    hub.publish(Message("m", None, to_groups))
    assert set(take(hub)) == {"b"}
    assert hub._by_group.keys() == {"h"}, "nothing of who has left is left over"


def test_groups_are_listed_by_page(hub: SocketHub) -> None:
    add(hub, "a", "ada", groups="xyz")
    add(hub, "b", "bo", groups="x")
    assert hub.groups(limit=2) == [SocketGroup("x", 2), SocketGroup("y", 1)]
    assert hub.groups(offset=2, limit=None) == [SocketGroup("z", 1)]
    assert hub.groups("y", -1) == [SocketGroup("y", 1)]
    assert hub.groups(limit=-1) == []


def test_nothing_is_delivered_between_a_farewell_and_the_end(hub: SocketHub) -> None:
    one = add(hub, "a", "ada", "m")
    hub.publish(Message("m", "1"))
    hub.disconnect("a", "bye")
    hub.publish(Message("m", "2"))
    assert hub.deliver() is True
    assert unpack(hub) == {"a": [b"m=1;"]}
    assert hub.leaving == [Farewell((one,), "bye", False)]


def test_a_connection_is_not_a_user_and_nobody_is_no_error(hub: SocketHub) -> None:
    add(hub, "a", "ada")
    hub.disconnect("ada")
    hub.disconnect_user("bo")
    while hub.deliver():
        pass
    assert [farewell.connections for farewell in hub.leaving] == [(), ()]


@pytest.mark.parametrize(("name", "reason"), [("", ""), ("a", "\ud800")])
def test_a_farewell_that_cannot_be_said_is_refused(
    hub: SocketHub, name: str, reason: str
) -> None:
    for disconnect in (hub.disconnect, hub.disconnect_user):
        with pytest.raises(SocketError):
            disconnect(name, reason)


def test_threads_change_groups_and_both_tables_agree(hub: SocketHub) -> None:
    one = add(hub, "a", "ada", "m")

    def change() -> None:
        for _ in range(300):
            hub.add_to_group("ada", "g")
            hub.remove_from_group("ada", "g")
            hub.add_to_group("ada", "h")

    threads = [threading.Thread(target=change) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    take(hub)
    assert one.groups == {"h"}
    assert hub._by_group == {"h": {one: None}}
    assert hub.groups() == [SocketGroup("h", 1)]
