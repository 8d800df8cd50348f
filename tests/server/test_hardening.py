"""How much one client, and one address, may have and do."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hyperlambda.server import Connection, pace
from hyperlambda.server.pace import Addresses, Pace

from .clients import PATIENCE, Connect, Raw, StartServer, message, until_count
from .test_gate import fetch

# Rates.


def test_a_pace_allows_a_burst_and_then_makes_wait() -> None:
    pace = Pace(8, burst=3)
    assert [pace.take(100.0) for _ in range(5)] == pytest.approx([0, 0, 0, 0.125, 0.25])
    assert pace.take(100.375) == 0, "the debt is paid, and one more is there"
    assert pace.take(100.375) == 0.125
    assert [pace.take(999.0) for _ in range(4)] == [0, 0, 0, 0.125]


def test_no_rate_is_no_limit() -> None:
    pace = Pace(None)
    assert {pace.take(1.0) for _ in range(1_000)} == {0.0}


@given(
    rate=st.floats(0.1, 1_000),
    burst=st.floats(1, 100),
    rests=st.lists(st.floats(0, 10), min_size=1, max_size=60),
)
def test_who_waits_as_told_never_exceeds_the_rate(
    rate: float, burst: float, rests: list[float]
) -> None:
    pace = Pace(rate, burst)
    start = now = 1_000.0
    for count, rest in enumerate(rests, 1):
        now += rest
        now += pace.take(now)
        assert count <= burst + (now - start) * rate + 1e-3


async def test_who_publishes_too_fast_is_slowed_down_and_loses_nothing(
    start_server: StartServer, join: Connect
) -> None:
    server = await start_server(publish_rate=50)
    fast = await join(server, "ada", ("root",), (), "a")
    start = time.monotonic()
    for number in range(80):
        await fast.send(type="publish", name="a", args=number, id=number)
    other = await join(server, "bo", ("root",))
    assert (await other.ask(type="publish", name="b"))["type"] == "published"
    for number in range(80):
        assert await fast.receive() == message("a", number)
        assert await fast.receive() == {"type": "published", "id": number}
    # 50 at once, and 30 at 50 a second; the last one is answered before its wait.
    assert time.monotonic() - start > 0.5


@pytest.mark.parametrize("path", ["/ws", "/sockets"])
async def test_who_runs_files_too_fast_is_slowed_down(
    start_server: StartServer, path: str
) -> None:
    ran: list[float] = []

    def execute(connection: Connection, file: str, args: str | None, done: Any) -> None:
        ran.append(time.monotonic())
        done(None)

    server = await start_server(execute=execute, execute_rate=20)
    if path == "/ws":
        requests = [json.dumps({"type": "execute", "file": "a"})] * 30
    else:
        call = {"type": 1, "target": "execute", "arguments": ["a"]}
        requests = ['{"protocol":"json","version":1}\x1e']
        requests += [json.dumps(call) + "\x1e"] * 30
    raw = await asyncio.to_thread(Raw, server, *requests, path=path)
    with raw.socket:
        async with asyncio.timeout(PATIENCE):
            while len(ran) < 30:
                await asyncio.sleep(0.01)
    assert ran[-1] - ran[0] > 0.4


async def test_who_is_slowed_down_is_not_taken_for_silent(
    start_server: StartServer, join: Connect
) -> None:
    server = await start_server(publish_rate=2, ping_interval=0.1, ping_timeout=0.1)
    client = await join(server, "ada", ("root",))
    for number in range(5):
        await client.send(type="publish", name="a", id=number)
    for number in range(5):
        assert (await client.receive())["id"] == number
    assert (await client.ask(type="ping")) == {"type": "pong"}


async def test_who_connects_and_says_nothing_is_dropped(
    start_server: StartServer,
) -> None:
    server = await start_server(open_timeout=0.2)
    reader, writer = await asyncio.open_connection(server.host, server.port)
    async with asyncio.timeout(PATIENCE):
        writer.write(b"GET /ws HTTP/1.1\r\nHost: x\r\n")
        await reader.read()
    writer.close()
    assert server._reception.sockets == set()


# Addresses.


async def test_an_address_may_have_so_many(
    start_server: StartServer, join: Connect
) -> None:
    server = await start_server(max_per_address=2)
    first = await join(server)
    await join(server)
    with pytest.raises(Exception, match="429"):
        await join(server)
    _, _, page = await fetch(server, "/metrics")
    assert b'refused_total{reason="address"} 1\n' in page
    await first.socket.close()
    await until_count(server, 1)
    await join(server)


async def test_nothing_is_kept_of_addresses_that_are_gone(
    start_server: StartServer, join: Connect
) -> None:
    server = await start_server(max_per_address=5)
    client = await join(server)
    assert len(server._reception._addresses) == 1
    await client.socket.close()
    async with asyncio.timeout(PATIENCE):
        while len(server._reception._addresses):
            await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("first", "second", "is_same"),
    [
        ("192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("fe80::1%eth0", "fe80::2", True),
        ("", "", True),
    ],
)
def test_a_network_of_ipv6_counts_as_one(
    first: str, second: str, is_same: bool
) -> None:
    addresses = Addresses(1)
    addresses.add(first)
    assert not addresses.is_over(first)
    addresses.add(second)
    assert addresses.is_over(first) is addresses.is_over(second) is is_same
    addresses.discard(first)
    addresses.discard(second)
    addresses.discard(second)
    assert len(addresses) == 0


async def test_an_address_may_make_so_many_requests(
    start_server: StartServer, join: Connect
) -> None:
    # Twenty at once, and then none for a long time.
    server = await start_server(request_rate=1e-6)
    negotiate = ("/sockets/negotiate?negotiateVersion=1", "POST")
    assert (await fetch(server, "/"))[0] == 200
    assert (await fetch(server, "/app.js"))[0] == 200
    assert (await fetch(server, *negotiate))[0] == 200
    assert (await fetch(server, "/sockets"))[0] == 400
    await join(server)
    for _ in range(15):
        assert (await fetch(server, "/"))[0] == 200
    for request in (("/",), negotiate, ("/sockets",), ("/ws",)):
        status, headers, body = await fetch(server, *request)
        assert (status, headers["retry-after"]) == (429, "1")
        assert body == b"this address makes too many requests\n"
    # Who watches the server can do so all the same.
    assert (await fetch(server, "/health"))[0] == 200
    _, _, page = await fetch(server, "/metrics")
    assert b'refused_total{reason="rate"} 4\n' in page


async def test_an_address_with_too_many_connections_cannot_negotiate(
    start_server: StartServer, join: Connect
) -> None:
    server = await start_server(max_per_address=1)
    assert (await fetch(server, "/sockets/negotiate", "POST"))[0] == 200
    client = await join(server)
    assert (await fetch(server, "/sockets/negotiate", "POST"))[0] == 429
    assert (await fetch(server, "/"))[0] == 200, "the page can say why"
    _, _, page = await fetch(server, "/metrics")
    assert b'refused_total{reason="address"} 1\n' in page
    await client.socket.close()
    await until_count(server, 0)
    assert (await fetch(server, "/sockets/negotiate", "POST"))[0] == 200


def test_requests_of_an_address_are_counted_by_its_rate() -> None:
    addresses = Addresses(None, 2)
    for now in (100.0, 999.0):
        asked = [addresses.is_too_fast("192.0.2.1", now) for _ in range(22)]
        assert asked == [False] * 20 + [True] * 2
        assert not addresses.is_too_fast("192.0.2.2", now)
        later = [addresses.is_too_fast("192.0.2.1", now + 0.5) for _ in range(2)]
        assert later == [False, True], "what was refused costs nothing"
    assert not any(Addresses(None).is_too_fast("192.0.2.1", 1.0) for _ in range(99))


def test_addresses_that_have_rested_are_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pace, "_MOST_ADDRESSES", 10)
    addresses = Addresses(None, 1)
    for number in range(1_000):
        assert not addresses.is_too_fast(f"192.0.2.{number % 250}", float(number))
    assert len(addresses) <= 10
