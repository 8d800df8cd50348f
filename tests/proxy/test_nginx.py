"""docs/deploying.md: what it says comes true, with a real nginx and real servers."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import subprocess
import time
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from hyperlambda.client import SocketClient
from hyperlambda.server import SocketServer, issue_token
from hyperlambda.sockets import Message

from ..browser.page import Page
from ..cluster.cluster import Cluster, until
from ..cluster.redis_server import TIMEOUT, free_port
from ..commands.process import EXECUTABLE, SECRET, line_of, serving, started, token
from ..server.clients import PATIENCE
from ..server.javascript import give_up
from .conftest import StartClient, StartNginx, port_of
from .nginx import HOST, PAGE, PREFIX, Nginx, blocks, context, replaced


async def opened_socket(
    site: Nginx, path: str = "/ws", source: str = "127.0.0.1", **headers: str
) -> ClientConnection:
    """Open a WebSocket from one of this machine's addresses; its host is that of the site."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await connect(
        f"wss://{HOST}:{site.port}{path}",
        host="127.0.0.1",
        port=site.port,
        local_addr=(source, 0),
        ssl=context(),
        proxy=None,
        additional_headers=named,
        ping_interval=None,
    )


async def status_of(site: Nginx, **options: str) -> int:
    """Return the status with which an attempt to open a WebSocket ends."""
    try:
        socket = await opened_socket(site, **options)
    except InvalidStatus as error:
        return error.response.status_code
    await socket.close()
    return 101


# The page.


@pytest.mark.parametrize("prefix", ["", PREFIX], ids=["at the root", "under a prefix"])
async def test_the_page_connects_and_publishes(
    page: Page, site: Nginx, prefix: str
) -> None:
    # Without the slash at the end, nginx leads there.
    await page.connect(site.origin + prefix, token("root", user="ada"))
    await page.see("#user", "ada")
    await page.subscribe("foo.bar")
    await page.publish("foo.bar", '{"message":"Hello"}')
    await page.see("#log", "Hello")


def test_the_picture_and_the_modules_are_found_under_the_prefix(site: Nginx) -> None:
    for path in ("", "app.js", "style.css", "icon.svg"):
        at_root, under = site.get(f"/{path}"), site.get(f"{PREFIX}/{path}")
        assert at_root == under
        assert at_root[0] == 200
    assert site.get(PREFIX) == (301, f"{site.origin}{PREFIX}/")


# SignalR.


@pytest.mark.parametrize(
    ("path", "options"),
    [("/sockets", {}), (f"{PREFIX}/sockets", {"browser": True})],
    ids=["at the root", "under a prefix, with the token in the query"],
)
async def test_signalr_connects_with_a_token(
    site: Nginx, two: Cluster, client: StartClient, path: str, options: dict[str, Any]
) -> None:
    bo = await client(site.url + path, token=token(user="bo"), **options)
    id = await bo.start("m")
    with SocketClient(two.urls[0], token=token("root"), timeout=TIMEOUT) as admin:
        until(lambda: [user.connections for user in admin.users("bo")] == [(id,)])
        admin.publish(Message("m", '{"a":1}'))
        assert (await bo.event())["args"] == ['{"a":1}']


async def test_what_one_server_negotiated_the_other_opens(
    two: Cluster, start_nginx: StartNginx
) -> None:
    ports = [port_of(url) for url in two.urls]
    site = start_nginx(*ports)
    for count in range(1, 20):
        status, body = site.get("/sockets/negotiate?negotiateVersion=1", method="POST")
        assert status == 200
        answer = json.loads(body)
        # Nothing in it says where the server is.
        assert "url" not in answer
        socket = await opened_socket(site, f"/sockets?id={answer['connectionToken']}")
        await socket.send('{"protocol":"json","version":1}\x1e')
        assert await socket.recv() == "{}\x1e"
        await socket.close()
        until(lambda count=count: len(site.requests()) == 2 * count)
        servers = [int(line.rpartition(":")[2]) for line in site.requests()[-2:]]
        assert set(servers) <= set(ports)
        if servers[0] != servers[1]:
            return
    raise AssertionError("it was always the same server")


# Origins.


async def test_only_the_own_pages_may_connect(site: Nginx) -> None:
    for origin, status in (
        (site.origin, 101),
        (site.origin.replace("https", "http"), 101),
        (f"https://{HOST}", 403),
        (f"https://evil.example:{site.port}", 403),
        # The servers are on loopback, and all the same not only for this machine.
        ("http://localhost:3000", 403),
        (site.url, 403),
    ):
        assert await status_of(site, Origin=origin) == status
        under = await status_of(site, path=f"{PREFIX}/sockets", Origin=origin)
        assert under == status
        expected = 200 if status == 101 else 403
        negotiate = "/sockets/negotiate?negotiateVersion=1"
        assert site.get(negotiate, method="POST", Origin=origin)[0] == expected


# Limits.


async def test_clients_are_counted_by_their_own_addresses(
    start_nginx: StartNginx,
) -> None:
    limits = ("--max-per-address", "2", "--request-rate", "1")
    with serving("--trusted-proxies", "127.0.0.1,::1", *limits) as url:
        site = start_nginx(port_of(url))
        sockets = [await opened_socket(site, source="127.0.0.2") for _ in range(2)]
        negotiate = {"target": "/sockets/negotiate", "method": "POST"}
        # Who says to be somebody else gains nothing by it.
        for lie in (
            {},
            {"X_Forwarded_For": "6.6.6.6"},
            {"X_Forwarded_For": "127.0.0.1"},
            {"X_Forwarded_For": "6.6.6.6, 127.0.0.3,"},
            {"Forwarded": "for=6.6.6.6"},
            {"X_Real_IP": "6.6.6.6"},
        ):
            assert await status_of(site, source="127.0.0.2", **lie) == 429
            assert site.get(**negotiate, source="127.0.0.2", **lie)[0] == 429
        # Nor can anybody use up what is another's.
        lie = {"X_Forwarded_For": "127.0.0.3"}
        sockets += [
            await opened_socket(site, source="127.0.0.4", **lie) for _ in range(2)
        ]
        assert await status_of(site, source="127.0.0.3") == 101
        await sockets[0].close()
        until(lambda: site.get(**negotiate, source="127.0.0.2")[0] == 200)
        for socket in sockets[1:]:
            await socket.close()

        found = [site.get("/icon.svg", source="127.0.0.5")[0] for _ in range(30)]
        assert found[:20] == [200] * 20
        assert 429 in found
        assert site.get("/icon.svg", source="127.0.0.6")[0] == 200


async def test_without_trust_all_clients_are_the_proxy(start_nginx: StartNginx) -> None:
    with serving("--max-per-address", "1") as url:
        site = start_nginx(port_of(url))
        socket = await opened_socket(site, source="127.0.0.2")
        assert await status_of(site, source="127.0.0.3") == 429
        await socket.close()


# What is for us alone.


@pytest.mark.parametrize(
    "path",
    [
        "/health",
        "/metrics",
        "//metrics",
        "/%6detrics",
        "/live/metrics",
        "/x/../health?",
    ],
)
def test_who_watches_is_inside(site: Nginx, two: Cluster, path: str) -> None:
    assert site.get(path)[0] == 404
    assert json.loads(two.get(0, "health"))["status"] == "ok"


def test_requests_are_logged_without_what_stands_in_the_query(site: Nginx) -> None:
    secret = token("root")
    assert site.get(f"/ws?access_token={secret}")[0] == 426
    assert site.get(f"/nothing?access_token={secret}")[0] == 404
    for line in ('"GET /nothing" 404', '"GET /ws" 426'):
        until(lambda line=line: any(line in each for each in site.requests()))
    # (that no log has a token is looked at when nginx has ended)


def test_long_tokens_are_refused_with_a_sentence(site: Nginx) -> None:
    status, text = site.get(f"/ws?access_token={'x' * 9_000}")
    assert status == 414
    assert "expected no more than 8192 bytes" in text
    assert site.get("/ws", Authorization=f"Bearer {'x' * 9_000}")[0] == 431


async def test_long_tokens_are_taken_where_that_is_wanted(
    start_nginx: StartNginx,
) -> None:
    [variable] = re.findall(r"`Environment=(\w+)=(\d+)`", PAGE.read_text())
    groups = [f"group-{number}" for number in range(600)]
    long = issue_token(SECRET, "ada", [], groups)
    assert len(long) > 9_000
    variables = {variable[0]: variable[1], "HYPERLAMBDA_SECRET": SECRET}
    with started("serve", "--port", "0", **variables) as server:
        site = start_nginx(port_of(line_of(server.stdout).split()[-1]))
        socket = await opened_socket(site, f"/ws?access_token={long}")
        assert json.loads(await socket.recv())["groups"] == sorted(groups)
        await socket.close()


def test_who_comes_without_tls_is_led_to_it(site: Nginx) -> None:
    connection = HTTPConnection("127.0.0.1", site.plain_port, timeout=TIMEOUT)
    connection.request("GET", f"/live/?a={token()}", headers={"Host": f"{HOST}:80"})
    answer = connection.getresponse()
    connection.close()
    assert answer.status == 301
    assert answer.headers["Location"] == f"https://{HOST}/live/?a={token()}"


def test_whoever_asks_for_the_impossible_takes_no_server_away(site: Nginx) -> None:
    """To nginx, a server that hangs up is one that fails, and is left alone for a while."""
    for _ in range(3):
        for method in ("GET", "POST"):
            assert site.get("/sockets/negotiate", method=method, body="x")[0] == 400
    assert site.get("/")[0] == 200


# Time.


async def test_who_is_idle_stays_only_because_of_pings(start_nginx: StartNginx) -> None:
    pinging = SocketServer(port=0, secret=SECRET, ping_interval=0.25)
    silent = SocketServer(port=0, secret=SECRET, ping_interval=None)
    async with pinging, silent:
        short = (("proxy_read_timeout 120s", "proxy_read_timeout 1500ms"),)
        with_pings, without = (
            start_nginx(each.port, changes=short) for each in (pinging, silent)
        )
        idle = [await idling(with_pings, path) for path in ("/ws", "/sockets")]
        # Before they connect: a test that is held up must not count too little.
        start = time.monotonic()
        cut = [await idling(without, path) for path in ("/ws", "/sockets")]
        await asyncio.gather(*(until_closed(each) for each in cut))
        assert time.monotonic() - start > 1.4
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(2):
                await asyncio.gather(*(until_closed(each) for each in idle))
        pinging.hub.publish(Message("m", '"still here"'))
        for each in idle:
            async with asyncio.timeout(PATIENCE):
                while "still here" not in str(await each.recv()):
                    pass
            await each.close()


async def idling(site: Nginx, path: str) -> ClientConnection:
    """Connect, and then say nothing."""
    socket = await opened_socket(site, path)
    if path == "/ws":
        await socket.send('{"type":"subscribe","names":["m"]}')
        await socket.recv()
    else:
        await socket.send('{"protocol":"json","version":1}\x1e')
    await socket.recv()
    return socket


async def until_closed(socket: ClientConnection) -> None:
    try:
        while True:
            await socket.recv()
    except ConnectionClosed:
        pass


# The service.


def command(port: int, folder: Path) -> list[str]:
    """Return the arguments with which the unit starts a server, on another port."""
    [unit] = blocks("ini")
    [line] = re.findall(r"^ExecStart=\S+/hyperlambda (.*)$", unit, re.MULTILINE)
    (folder / "secret").write_text(SECRET)
    return replaced(line, ("%i", str(port)), ("%d/", f"{folder}/")).split()


def test_the_unit_is_one(tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        give_up("systemd-analyze is not installed")
    unit = tmp_path / "hyperlambda@.service"
    [text] = blocks("ini")
    unit.write_text(replaced(text, ("/opt/hyperlambda/bin/hyperlambda", EXECUTABLE)))
    outcome = subprocess.run(
        [str(program), "verify", str(unit)], capture_output=True, text=True, check=False
    )
    assert (outcome.stdout, outcome.stderr, outcome.returncode) == ("", "", 0)


async def test_clients_return_when_the_service_is_restarted(
    start_nginx: StartNginx, client: StartClient, tmp_path: Path
) -> None:
    port = free_port()
    arguments = command(port, tmp_path)
    site = start_nginx(port)
    with started(*arguments) as server:
        assert line_of(server.stdout) == f"listening on http://127.0.0.1:{port}"
        delays = [50] * 600
        ada = await client(
            f"{site.url}/sockets", token=token(), browser=True, reconnect=delays
        )
        await ada.start("m")
        server.terminate()
        assert (await ada.event())["event"] == "reconnecting"
        assert server.communicate(timeout=TIMEOUT) == ("", "")
    # It asks until somebody answers.
    until(lambda: '"POST /sockets/negotiate" 502' in site.requests()[-1])
    # What fails with a token in the query is in no log either.
    assert site.get(f"/ws?access_token={token()}")[0] == 502
    with started(*arguments) as server:
        line_of(server.stdout)
        assert (await ada.event())["event"] == "reconnected"
        url = f"ws://127.0.0.1:{port}/ws"
        with SocketClient(url, token=token("root"), timeout=TIMEOUT) as admin:
            admin.publish(Message("m", "1"))
        assert (await ada.event())["args"] == ["1"]
