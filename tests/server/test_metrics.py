"""What /metrics tells, read as Prometheus does."""

from __future__ import annotations

import asyncio
import json
import re

from websockets.asyncio.client import connect

from hyperlambda.server import Connection, SocketServer
from hyperlambda.server.history import History
from hyperlambda.server.hub import SocketHub
from hyperlambda.server.metrics import CallTimes, Refusals, write_metrics
from hyperlambda.server.protocols.plain import Done
from hyperlambda.server.retention import Rule
from hyperlambda.sockets import Message

from .clients import PATIENCE, Connect, StartServer, message
from .test_gate import fetch, status_of

_SAMPLE = re.compile(
    r'(hyperlambda_[a-z_]+(?:\{[a-z]+="[^"]+"(?:,[a-z]+="[^"]+")?\})?) (\S+)'
)


def samples(page: bytes) -> dict[str, float]:
    """Return the values by name and label; every line must be one the format knows."""
    found: dict[str, float] = {}
    typed: set[str] = set()
    for line in page.decode().removesuffix("\n").split("\n"):
        if line.startswith("# TYPE "):
            typed.add(line.split()[2])
        elif not line.startswith("# HELP "):
            match = _SAMPLE.fullmatch(line)
            assert match, line
            assert match[1] not in found
            assert any(match[1].startswith(name) for name in typed)
            found[match[1]] = float(match[2])
    return found


async def scrape(server: SocketServer) -> dict[str, float]:
    """Return what the server tells."""
    status, headers, body = await fetch(server, "/metrics")
    assert status == 200
    assert headers["content-type"].startswith("text/plain; version=0.0.4")
    return samples(body)


async def test_metrics_count_what_happens(
    start_server: StartServer, join: Connect
) -> None:
    def execute(
        connection: Connection, file: str, json: str | None, done: Done
    ) -> None:
        done("no" if file == "bad" else None)

    server = await start_server(execute=execute)
    ada = await join(server, "ada", ("root",), ("g",), "a")
    await join(server, "ada", (), (), "a")
    await join(server)
    await ada.send(type="publish", name="a")
    assert await ada.receive() == message("a")
    assert await ada.receive() == {"type": "published"}
    assert (await ada.ask(type="execute", file="good"))["type"] == "executed"
    assert (await ada.ask(type="execute", file="bad"))["type"] == "error"
    assert await status_of(server, Authorization="Bearer nonsense") == 401
    assert await status_of(server, Origin="https://other.example") == 403

    found = await scrape(server)
    expected = {
        "connections": 3,
        "users": 2,
        "groups": 1,
        "connections_total": 3,
        "messages_total": 1,
        "deliveries_total": 2,
        "dropped_total": 0,
        'refused_total{reason="token"}': 1,
        'refused_total{reason="origin"}': 1,
        'refused_total{reason="full"}': 0,
        "inbox_messages": 0,
        "send_buffer_bytes": 0,
        "executes_running": 0,
        "executes_failed_total": 1,
        "execute_seconds_count": 2,
        'execute_seconds_bucket{le="+Inf"}': 2,
    }
    told = {name: found[f"hyperlambda_{name}"] for name in expected}
    assert told == expected


async def test_refused_negotiations_count(start_server: StartServer) -> None:
    server = await start_server(max_connections=1)
    bad = "Authorization: Bearer nonsense"
    other = "Origin: https://other.example"
    path = "/sockets/negotiate?negotiateVersion=1"
    for header, status in ((bad, 401), (other, 403)):
        assert (await fetch(server, path, "POST", header))[0] == status
    _, _, body = await fetch(server, path, "POST")
    token = json.loads(body)["connectionToken"]
    async with connect(
        f"{server.url.replace('http', 'ws')}/sockets?id={token}", proxy=None
    ):
        assert (await fetch(server, path, "POST"))[0] == 503
    async with asyncio.timeout(PATIENCE):
        while server._reception.sockets:
            await asyncio.sleep(0)
    upgrade = ("Upgrade: websocket", "Connection: Upgrade")
    assert (await fetch(server, f"/sockets?id={token}", "GET", *upgrade))[0] == 404
    found = await scrape(server)
    reasons = ("token", "origin", "full", "negotiation", "address", "rate")
    assert [
        found[f'hyperlambda_refused_total{{reason="{reason}"}}'] for reason in reasons
    ] == [1, 1, 1, 1, 0, 0]


def test_execute_times_are_sorted_into_classes_that_add_up() -> None:
    calls = CallTimes()
    for seconds in (0.0005, 0.001, 0.002, 0.2, 100):
        calls.begin()
        calls.end(seconds, has_failed=False)
    calls.begin()
    page = write_metrics(SocketHub(), calls, Refusals(), [3, 7])
    found = samples(page)
    bucket = 'hyperlambda_execute_seconds_bucket{le="%s"}'
    assert [found[bucket % end] for end in ("0.001", "0.005", "0.5", "30.0")] == [
        2,
        3,
        4,
        4,
    ]
    assert found[bucket % "+Inf"] == found["hyperlambda_execute_seconds_count"] == 5
    assert found["hyperlambda_execute_seconds_sum"] == 100.2035
    assert found["hyperlambda_executes_running"] == 1
    assert found["hyperlambda_send_buffer_bytes"] == 10
    assert found["hyperlambda_send_buffer_max_bytes"] == 7


def test_what_waits_is_told() -> None:
    hub = SocketHub(wake=lambda: None)
    hub.publish(Message("a"))
    page = write_metrics(hub, CallTimes(), Refusals(), [])
    assert samples(page)["hyperlambda_inbox_messages"] == 1


async def test_metrics_of_histories(start_server: StartServer, join: Connect) -> None:
    assert "hyperlambda_resumes_total" not in await scrape(await start_server())
    history = History([Rule("a", 2)])
    server = await start_server(history=history)
    for _ in range(3):
        server.hub.publish(Message("a"))
    client = await join(server)
    await client.send(type="subscribe", names=["a"], since=f"{history.epoch}-0")
    for _ in range(3):
        await client.receive()
    found = await scrape(server)
    assert found["hyperlambda_history_bytes"] == history.size > 0
    assert [
        found[f"hyperlambda_{name}"]
        for name in (
            "history_messages",
            "resumes_total",
            "resume_gaps_total",
            "replayed_total",
        )
    ] == [2, 1, 1, 2]


def test_each_figure_tells_which_worker_it_is_of() -> None:
    """One scrape after another is answered by whichever has the port at that moment."""
    alone = samples(write_metrics(SocketHub(), CallTimes(), Refusals(), []))
    page = samples(write_metrics(SocketHub(), CallTimes(), Refusals(), [], worker=2))
    assert page['hyperlambda_connections{worker="2"}'] == 0
    assert 'hyperlambda_refused_total{worker="2",reason="full"}' in page
    assert 'hyperlambda_execute_seconds_bucket{worker="2",le="+Inf"}' in page
    without = {
        key.replace('worker="2",', "").replace('{worker="2"}', "") for key in page
    }
    assert without == alone.keys()
