"""
SignalR's clients in a page of another origin, in Chromium (spec 05 §23, 1 and 16).

The page is not ours: it stands for any front end that has this client.
"""

from __future__ import annotations

import json
import threading
from collections.abc import AsyncIterator, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from hyperlambda import Evaluator
from hyperlambda.server import FileExecutor, SocketServer
from hyperlambda.sockets import Audience, AudienceKind, Message

from ..server.clients import SECRET, until_count
from ..server.javascript import EIGHTH, FOLDER, NEW, OLD, SIXTH, THIRD
from .page import Browser, Page, opened

HERE = Path(__file__).with_name("signalr")

OLDER = (OLD, THIRD, SIXTH, EIGHTH)

FILES = {
    f"{folder}{name}": (path, kind)
    for folder, package in [("/", NEW), *((f"/{each}/", each) for each in OLDER)]
    for name, path, kind in [
        ("", HERE / "index.html", "text/html"),
        ("client.js", HERE / "client.js", "text/javascript"),
        (
            "signalr.js",
            FOLDER / f"node_modules/{package}/dist/browser/signalr.min.js",
            "text/javascript",
        ),
    ]
}


class Site(BaseHTTPRequestHandler):
    """A web server that knows nothing of sockets."""

    def do_GET(self) -> None:
        """Send a file."""
        path, kind = FILES[self.path]
        body = path.read_bytes()
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def site(node: str) -> Iterator[str]:
    """Serve the page; return where it is."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Site) as web:
        thread = threading.Thread(target=web.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{web.server_address[1]}/"
        web.shutdown()
        thread.join()


@pytest.fixture
async def tab(browser: Browser, site: str) -> AsyncIterator[Page]:
    """Open the page; see that nothing went wrong on it."""
    async with opened(browser) as page:
        await page.do("goto", url=site)
        yield page
        assert (await page.do("problems"))["problems"] == []


async def call(tab: Page, function: str, *arguments: Any) -> Any:
    """Call a function of client.js, and return what its promise becomes."""
    given = ", ".join(json.dumps(argument) for argument in arguments)
    return await tab.do("evaluate", script=f"{function}({given})")


async def next_of(tab: Page) -> dict[str, Any]:
    """Return what happens next."""
    found: dict[str, Any] = await call(tab, "next")
    return found


async def join(
    tab: Page, server: SocketServer, client: str = "one", **options: Any
) -> str | None:
    """Connect a client, and return the connection id that it sees."""
    await call(tab, "join", client, f"{server.url}/sockets", options)
    started = await next_of(tab)
    assert (started["client"], started["event"]) == (client, "started"), started
    id: str | None = started["id"]
    return id


@pytest.mark.parametrize("skips", [False, True], ids=["negotiated", "not negotiated"])
async def test_it_connects_with_a_token_and_without(
    tab: Page, server: SocketServer, skips: bool
) -> None:
    token = server.token("ada", ["editor"])
    own = await join(tab, server, "ada", token=token, skipNegotiation=skips)
    other = await join(tab, server, "guest", skipNegotiation=skips)
    ada, guest = server.hub.connections
    assert (ada.identity.username, guest.identity.username) == ("ada", None)
    assert [own, other] == ([None, None] if skips else [ada.id, guest.id])
    server.hub.publish(Message("m", '{"message":"Zoë & \\"co\\""}'))
    server.hub.publish(Message("m"))
    got = [await next_of(tab) for _ in range(4)]
    for client in ("ada", "guest"):
        args = [event["args"] for event in got if event["client"] == client]
        assert args == [['{"message":"Zoë & \\"co\\""}'], [None]]


async def test_origins_of_other_hosts_connect_if_they_are_listed(
    tab: Page, site: str
) -> None:
    # Not on loopback, where pages of this machine may connect anyway.
    options: dict[str, Any] = {"host": "0.0.0.0", "port": 0, "secret": SECRET}
    origin = site.rstrip("/")
    async with (
        SocketServer(**options, origins=[origin]) as listed,
        SocketServer(**options) as other,
    ):
        token = {"token": listed.token("ada")}
        for package in ("", *(f"{each}/" for each in OLDER)):
            await tab.do("goto", url=site + package)
            for server, event in ((other, "failed"), (listed, "started")):
                url = f"http://127.0.0.1:{server.port}/sockets"
                await call(tab, "join", event, url, token)
                assert (await next_of(tab))["event"] == event
            listed.hub.publish(
                Message("m", "1", Audience(AudienceKind.USERS, ("ada",)))
            )
            assert (await next_of(tab))["args"] == ["1"]
            # What is kept for a reload is not meant for the next page.
            await tab.do("evaluate", script="sessionStorage.clear()")
        assert other.hub.counters.connections == 0


async def test_a_bad_token_fails_the_start(tab: Page, server: SocketServer) -> None:
    token = server.token("ada")[:-2]
    await call(tab, "join", "one", f"{server.url}/sockets", {"token": token})
    failed = await next_of(tab)
    assert failed["event"] == "failed"
    assert "401" in failed["error"]


async def test_each_audience_is_reached_and_nobody_else(
    tab: Page, server: SocketServer
) -> None:
    names = ["m", "end"]
    ada = server.token("ada", ["editor", "root"], ["g"])
    bo = server.token("bo", ["author"])
    await join(tab, server, "ada", token=ada, names=names)
    await join(tab, server, "bo", token=bo, names=names)
    guest = await join(tab, server, "guest", names=names)
    for number, (kind, to) in enumerate(
        [
            (AudienceKind.ROLES, ("editor", "root")),
            (AudienceKind.ROLES, ("author",)),
            (AudienceKind.GROUPS, ("g", "other")),
            (AudienceKind.USERS, ("ada", "bo")),
            (AudienceKind.CLIENTS, (str(guest),)),
            (AudienceKind.ROLES, ()),
            (AudienceKind.EVERYONE, ()),
        ]
    ):
        server.hub.publish(Message("m", str(number), Audience(kind, to)))
    server.hub.publish(Message("end"))
    received = {"ada": "", "bo": "", "guest": ""}
    ended = 0
    while ended < 3:
        event = await next_of(tab)
        ended += event["event"] == "end"
        received[event["client"]] += event["args"][0] or ""
    assert received == {"ada": "0236", "bo": "136", "guest": "46"}


async def test_it_runs_files_and_enters_a_group(tab: Page) -> None:
    files = Path(__file__).parents[2] / "samples" / "files"
    evaluator = Evaluator(root=files)
    with FileExecutor(evaluator) as executor:
        async with SocketServer(port=0, secret=SECRET, execute=executor) as server:
            evaluator.hub = server.hub
            token = server.token("ada", ["member"])
            await join(tab, server, "ada", token=token, names=["chat.joined"])
            room = json.dumps({"room": "a"})
            assert await call(tab, "call", "ada", "/chat/join", room) == {
                "result": "room-a"
            }
            # What the file sent came before its result.
            joined = await next_of(tab)
            assert (joined["event"], joined["args"]) == (
                "chat.joined",
                ['{"who":"ada"}'],
            )
            assert [group.name for group in server.hub.groups()] == ["room-a"]
            for args, reason in (
                (["/missing", None], "no socket file is named '/missing'"),
                (["/chat/join", '{"other":1}'], "other"),
                (["/chat/join", "{"], "JSON"),
            ):
                assert reason in (await call(tab, "call", "ada", *args))["error"]
            await join(tab, server, "guest")
            refused = await call(tab, "call", "guest", "/chat/join", room)
            assert "ccess denied" in refused["error"]


async def test_it_is_back_after_a_restart(tab: Page, server: SocketServer) -> None:
    token = server.token("ada", ["editor"])
    first = await join(tab, server, token=token)
    await server.stop()
    assert (await next_of(tab))["event"] == "reconnecting"
    async with SocketServer(port=server.port, secret=SECRET) as second:
        back = await next_of(tab)
        assert back["event"] == "reconnected"
        [connection] = second.hub.connections
        assert first != back["id"] == connection.id
        second.hub.publish(Message("m", "1", Audience(AudienceKind.ROLES, ("editor",))))
        assert await next_of(tab) == {"client": "one", "event": "m", "args": ["1"]}


async def test_a_reload_leaves_and_comes_back(tab: Page, server: SocketServer) -> None:
    first = await join(tab, server, token=server.token("ada"))
    await tab.do("reload")
    started = await next_of(tab)
    assert started["event"] == "started"
    await until_count(server, 1)
    [connection] = server.hub.connections
    assert first != started["id"] == connection.id
    assert connection.identity.username == "ada"
    server.hub.publish(Message("m", "1", Audience(AudienceKind.USERS, ("ada",))))
    assert await next_of(tab) == {"client": "one", "event": "m", "args": ["1"]}
