"""SignalR's own clients connect, unchanged (spec 05 §23, 1 and 2)."""

from __future__ import annotations

import asyncio
import threading
from contextlib import AbstractContextManager
from signal import SIGKILL, SIGTERM, Signals
from subprocess import Popen
from typing import Any

import pytest

from hyperlambda.server import SocketServer
from hyperlambda.server.hub import Connection
from hyperlambda.server.protocols.plain import Done
from hyperlambda.sockets import Audience, AudienceKind, Message

from ..commands.process import line_of, started
from .clients import StartServer, until_count
from .idling import IDLE_SECONDS, idle, idle_options
from .javascript import EIGHTH, NEW, OLD, SIXTH, THIRD, ClientProcess, Start


def message(name: str, argument: str | None) -> dict[str, Any]:
    return {"event": "message", "name": name, "args": [argument]}


WAYS: list[Any] = [
    pytest.param(NEW, {}, id="negotiated"),
    pytest.param(NEW, {"skipNegotiation": True}, id="not negotiated"),
    pytest.param(OLD, {"skipNegotiation": True}, id="old"),
    pytest.param(THIRD, {}, id="3.1"),
    # Magic's chat widget.
    pytest.param(SIXTH, {"defaults": True, "reconnect": [50]}, id="6.0"),
    pytest.param(EIGHTH, {"stateful": True}, id="8.0"),
    pytest.param(NEW, {"defaults": True, "stateful": True}, id="stateful"),
]


@pytest.mark.parametrize(("package", "options"), WAYS)
@pytest.mark.parametrize("username", [None, "ada"])
async def test_a_client_connects_and_receives(
    server: SocketServer,
    client: Start,
    package: str,
    options: dict[str, Any],
    username: str | None,
) -> None:
    if username is not None:
        options = {**options, "token": server.token(username, ["editor"])}
    one = await client(server, package, **options)
    id = await one.start("foo.bar")
    # The moment `start` has resolved, nothing is missed (spec 05 §22, row 22).
    server.hub.publish(Message("foo.bar", '{"message":"Zoë & \\"co\\""}'))
    server.hub.publish(Message("foo.bar"))
    assert await one.event() == message("foo.bar", '{"message":"Zoë & \\"co\\""}')
    assert await one.event() == message("foo.bar", None)
    [user] = server.hub.users()
    assert user.username == (username or user.connections[0])
    assert id in (None, user.connections[0])
    assert (id is None) == bool(options.get("skipNegotiation"))
    await one.tell("stop")
    # The old client reports its own end as an error.
    error = "Websocket closed with status code: 1005 ()" if package == OLD else None
    assert await one.event() == {"event": "closed", "error": error}
    await until_count(server, 0)


async def test_each_audience_is_reached_and_nobody_else(
    server: SocketServer, client: Start
) -> None:
    ada = await client(server, token=server.token("ada", ["editor", "root"], ["g"]))
    bo = await client(server, token=server.token("bo", ["author"]))
    guest = await client(server)
    ids = [await each.start("m", "end") for each in (ada, bo, guest)]
    hub = server.hub
    for number, (kind, names) in enumerate(
        [
            (AudienceKind.ROLES, ("editor", "root")),
            (AudienceKind.ROLES, ("author",)),
            (AudienceKind.GROUPS, ("g", "other")),
            (AudienceKind.USERS, ("ada", "bo")),
            (AudienceKind.CLIENTS, (str(ids[2]),)),
            (AudienceKind.ROLES, ()),
            (AudienceKind.EVERYONE, ()),
        ]
    ):
        hub.publish(Message("m", str(number), Audience(kind, names)))
    hub.publish(Message("end"))

    async def received(each: ClientProcess) -> str:
        found = ""
        while (event := await each.event())["name"] != "end":
            found += event["args"][0]
        return found

    assert [await received(each) for each in (ada, bo, guest)] == ["0236", "136", "46"]


async def test_a_client_calls_and_is_answered(
    start_server: StartServer, client: Start
) -> None:
    called: list[str] = []

    def execute(
        connection: Connection, file: str, json: str | None, done: Done
    ) -> None:
        called.append(file)
        outcome = (None, json) if file == "/echo" else ("no such file", None)
        threading.Thread(target=done, args=outcome).start()

    server = await start_server(execute=execute)
    for package, options in (way.values for way in WAYS):
        called.clear()
        one = await client(server, package, **options)
        await one.start()
        assert await one.invoke("/echo", '{"a":[1,"ü"]}') == {
            "event": "result",
            "result": {"a": [1, "ü"]},
        }
        assert await one.invoke("/echo", None) == {"event": "result", "result": None}
        refused = await one.invoke("/other", "1")
        assert refused["event"] == "failed"
        assert refused["error"].endswith("no such file")
        # An object may stand for its text.
        assert (await one.invoke("/echo", {"a": ["ü"]}))["result"] == {"a": ["ü"]}
        missing = await one.invoke(target="other")
        assert "Method does not exist." in missing["error"]
        await one.tell("send", args=["/other", None])  # is never answered
        streamed = await one.ask("stream", args=["/echo", "1"])
        assert streamed["event"] == "failed"
        assert "non-streaming 'execute' method" in streamed["error"]
        assert called.count("/other") == 2


async def test_a_client_in_a_browser_has_its_token_in_the_query(
    server: SocketServer, client: Start
) -> None:
    one = await client(server, browser=True, token=server.token("ada"))
    await one.start()
    assert [user.username for user in server.hub.users()] == ["ada"]


async def test_a_bad_token_fails_the_start(server: SocketServer, client: Start) -> None:
    one = await client(server, token=server.token("ada")[:-2])
    failed = await one.ask("start")
    assert failed["event"] == "failed"
    assert "401" in failed["error"]


async def test_a_client_is_back_after_a_restart(client: Start) -> None:
    secret = "x" * 60
    first = SocketServer(port=0, secret=secret)
    await first.start()
    options: dict[str, Any] = {"token": first.token("ada"), "reconnect": [50] * 100}
    ways: list[tuple[str, dict[str, Any]]] = [
        (NEW, {}),
        (NEW, {"skipNegotiation": True}),
        (NEW, {"stateful": True}),
        (SIXTH, {"defaults": True}),
    ]
    clients = [await client(first, name, **options, **way) for name, way in ways]
    before = [await each.start("m") for each in clients]
    deaf = [await client(first, name, skipNegotiation=True) for name in (NEW, OLD)]
    for each in deaf:
        await each.start("m")
    await first.stop()
    for each in clients:
        assert (await each.event())["event"] == "reconnecting"
    # The old client does not know what the server tells it, and sees the close frame.
    restart = "Websocket closed with status code: 1012 (the server stops)"
    for each, error in zip(deaf, (None, restart), strict=True):
        assert await each.event() == {"event": "closed", "error": error}
    # Nobody has come back to the server that was about to end.
    assert first.hub.counters.connections == len(ways) + len(deaf)
    async with SocketServer(port=first.port, secret=secret) as second:
        for each, id in zip(clients, before, strict=True):
            back = await each.event()
            assert back["event"] == "reconnected"
            assert back["id"] is None or back["id"] != id
        second.hub.publish(Message("m", "1"))
        for each in clients:
            assert await each.event() == message("m", "1")


@pytest.mark.parametrize("end", [SIGKILL, SIGTERM])
async def test_a_client_is_back_when_another_process_serves(
    client: Start, end: Signals
) -> None:
    def serve(port: str) -> AbstractContextManager[Popen[str]]:
        return started("serve", "--port", port, HYPERLAMBDA_SECRET="x" * 60)

    with serve("0") as first:
        url = (await asyncio.to_thread(line_of, first.stdout)).split()[-1]
        one = await client(url, reconnect=[50] * 400)
        await one.start()
        first.send_signal(end)
        assert (await one.event())["event"] == "reconnecting"
        await asyncio.to_thread(first.wait)
    with serve(url.rpartition(":")[2]) as second:
        assert await asyncio.to_thread(line_of, second.stdout)
        assert (await one.event())["event"] == "reconnected"
        assert (await one.invoke("x", None))["error"].endswith("does not run files")


@pytest.mark.timeout(IDLE_SECONDS + 120)
async def test_the_old_client_never_pings_and_is_not_dropped_while_idle(
    start_server: StartServer, client: Start
) -> None:
    server = await start_server(**idle_options(0.05))
    old = await client(server, OLD, skipNegotiation=True)
    await old.start("m")
    await idle(server, 8)  # four times the silence that would be the end
    await until_count(server, 1)
    server.hub.publish(Message("m", "1"))
    assert await old.event() == message("m", "1")


async def test_a_client_may_ping_often_and_expect_to_be_pinged(
    start_server: StartServer, client: Start
) -> None:
    server = await start_server(ping_interval=0.2, ping_timeout=5)
    one = await client(server, keepAlive=50, serverTimeout=2_000)
    await one.start("m")
    await idle(server, 12)  # longer than the client bears silence
    server.hub.publish(Message("m", "1"))
    assert await one.event() == message("m", "1")


async def test_who_sends_too_much_is_told_so_and_stays_away(
    server: SocketServer, client: Start
) -> None:
    for size in (40_000, 1_000_000):
        one = await client(server, reconnect=[0] * 100)
        await one.start()
        await one.tell("send", args=["/x", "x" * size])
        closed = await one.event()
        assert closed["event"] == "closed"
        assert closed["error"].endswith("maximum message size of 32768 bytes")
