"""SignalR clients for Python connect, unchanged (spec 05 §14; §23, 3)."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from hyperlambda.server import Connection, SocketServer
from hyperlambda.server.protocols.plain import Done
from hyperlambda.sockets import Audience, AudienceKind, Message

from .clients import SECRET, StartServer, until_count
from .idling import IDLE_SECONDS, idle, idle_options
from .javascript import ClientProcess, client_process

ASYNC, THREADS = "pysignalr", "signalrcore"
BOTH = pytest.mark.parametrize("package", [ASYNC, THREADS])

# How long the package `websockets`, on which pysignalr stands, waits before it tries anew.
QUICK = {
    "WEBSOCKETS_BACKOFF_INITIAL_DELAY": "0.05",
    "WEBSOCKETS_BACKOFF_MIN_DELAY": "0.05",
    "WEBSOCKETS_BACKOFF_MAX_DELAY": "0.1",
}

Start = Callable[..., Awaitable[ClientProcess]]


@pytest.fixture
async def client() -> AsyncIterator[Start]:
    """Start clients, which are closed at the end of the test."""
    async with AsyncExitStack() as stack:

        async def start(
            server: SocketServer, package: str, *names: str, **options: Any
        ) -> ClientProcess:
            url = f"{server.url}{options.pop('path', '/sockets')}"
            command = (sys.executable, "driver.py", package, url)
            one = await stack.enter_async_context(
                client_process(*command, options=options, variables=QUICK)
            )
            assert await one.start(*names) is None
            return one

        yield start


def message(name: str, argument: str | None) -> dict[str, Any]:
    return {"event": "message", "name": name, "args": [argument]}


def execute(connection: Connection, file: str, json: str | None, done: Done) -> None:
    """Run what an echo would be."""
    done(None, json) if file == "/echo" else done(f"no file '{file}'")


@BOTH
async def test_a_client_with_a_token_receives_what_is_for_it(
    server: SocketServer, client: Start, package: str
) -> None:
    token = server.token("ada", ["editor"], ["g"])
    one = await client(server, package, "m", "end", token=token)
    [user] = server.hub.users()
    assert user.username == "ada"
    for number, (kind, names) in enumerate(
        [
            (AudienceKind.EVERYONE, ()),
            (AudienceKind.ROLES, ("root", "editor")),
            (AudienceKind.ROLES, ("root",)),
            (AudienceKind.GROUPS, ("g",)),
            (AudienceKind.GROUPS, ("h",)),
            (AudienceKind.USERS, ("bo",)),
            (AudienceKind.USERS, ("ada",)),
            (AudienceKind.CLIENTS, user.connections),
        ]
    ):
        server.hub.publish(Message("m", f'"ü{number}"', Audience(kind, names)))
    server.hub.publish(Message("nobody listens to this"))
    server.hub.publish(Message("end"))
    for number in (0, 1, 3, 6, 7):
        assert await one.event() == message("m", f'"ü{number}"')
    assert await one.event() == message("end", None)


@BOTH
async def test_a_client_without_a_token_is_anonymous(
    server: SocketServer, client: Start, package: str
) -> None:
    one = await client(server, package, "m")
    [user] = server.hub.users()
    assert user.connections == (user.username,)
    to_ada = Audience(AudienceKind.USERS, ("ada",))
    server.hub.publish(Message("m", "1", to_ada))
    server.hub.publish(Message("m", "2"))
    assert await one.event() == message("m", "2")


@BOTH
async def test_a_client_calls_and_is_answered(
    start_server: StartServer, client: Start, package: str
) -> None:
    server = await start_server(execute=execute)
    one = await client(server, package, token=server.token("ada"))
    got = await one.invoke("/echo", '{"a":[1,"ü"]}')
    assert got == {"event": "result", "result": {"a": [1, "ü"]}}
    assert await one.invoke("/echo", None) == {"event": "result", "result": None}
    failed = await one.invoke("/other", "1")
    assert failed == {"event": "failed", "error": "no file '/other'"}
    missing = await one.invoke(target="other")
    assert "Method does not exist." in missing["error"]


@BOTH
@pytest.mark.timeout(IDLE_SECONDS + 120)
async def test_a_client_stays_connected_while_idle(
    start_server: StartServer, client: Start, package: str
) -> None:
    server = await start_server(**idle_options(1))
    options: dict[str, Any] = {} if IDLE_SECONDS else {"ping": 0.5}
    one = await client(server, package, "m", reconnect=1, **options)
    [before] = server.hub.connections
    await idle(server, 5)  # two and a half times the silence that would be the end
    await until_count(server, 1)
    assert server.hub.connections == [before]
    server.hub.publish(Message("m", "1"))
    assert await one.event() == message("m", "1")


async def test_signalrcore_without_reconnect_never_pings_and_is_not_dropped(
    start_server: StartServer, client: Start
) -> None:
    server = await start_server(ping_interval=0.1, ping_timeout=0.1)
    one = await client(server, THREADS, "m")
    await idle(server, 8)
    server.hub.publish(Message("m", "1"))
    assert await one.event() == message("m", "1")


async def test_signalrcore_need_not_negotiate(
    server: SocketServer, client: Start
) -> None:
    one = await client(
        server, THREADS, "m", skipNegotiation=True, token=server.token("ada")
    )
    assert [user.username for user in server.hub.users()] == ["ada"]
    server.hub.publish(Message("m", "1"))
    assert await one.event() == message("m", "1")


async def test_pysignalr_asks_its_factory_too_late_for_the_first_connection(
    server: SocketServer, client: Start
) -> None:
    # So docs/sockets.md tells to give the header.
    await client(server, ASYNC, factory=server.token("ada"))
    [user] = server.hub.users()
    assert user.connections == (user.username,)


async def test_pysignalr_is_back_after_a_restart(client: Start) -> None:
    first = SocketServer(port=0, secret=SECRET)
    await first.start()
    one = await client(first, ASYNC, "m", token=first.token("ada"), reconnect=0.05)
    await first.stop()
    assert await one.event() == {"event": "closed", "error": None}
    async with SocketServer(port=first.port, secret=SECRET, execute=execute) as second:
        assert (await one.event())["event"] == "started"
        await until_count(second, 1)
        assert [user.username for user in second.hub.users()] == ["ada"]
        second.hub.publish(Message("m", "1"))
        assert await one.event() == message("m", "1")
        assert await one.invoke("/echo", "2") == {"event": "result", "result": 2}


async def test_signalrcore_is_back_when_the_server_is_there_at_once(
    start_server: StartServer, client: Start
) -> None:
    server = await start_server(execute=execute)
    one = await client(server, THREADS, "m", token=server.token("ada"), reconnect=0.05)
    [before] = server.hub.connections
    server.hub.disconnect_user("ada", may_return=True)
    assert await one.event() == {"event": "reconnected", "id": None}
    [after] = server.hub.connections
    assert after is not before
    assert after.identity.username == "ada"
    server.hub.publish(Message("m", "1"))
    assert await one.event() == message("m", "1")
    assert await one.invoke("/echo", "2") == {"event": "result", "result": 2}


async def test_signalrcore_can_connect_anew_after_a_restart(client: Start) -> None:
    # Its own reconnecting ends with the first attempt that finds no server.
    first = SocketServer(port=0, secret=SECRET)
    await first.start()
    one = await client(first, THREADS, "m", token=first.token("ada"))
    await first.stop()
    assert await one.event() == {"event": "closed", "error": None}
    async with SocketServer(port=first.port, secret=SECRET, execute=execute) as second:
        await one.tell("renew")
        assert await one.start("m") is None
        assert [user.username for user in second.hub.users()] == ["ada"]
        second.hub.publish(Message("m", "1"))
        assert await one.event() == message("m", "1")
        assert await one.invoke("/echo", "2") == {"event": "result", "result": 2}


async def test_pysignalr_ends_with_the_reason_of_a_close(
    server: SocketServer, client: Start
) -> None:
    one = await client(server, ASYNC, token=server.token("ada"))
    server.hub.disconnect_user("ada", "bye", may_return=True)
    assert await one.event() == {"event": "ended", "error": "ServerError: bye"}
