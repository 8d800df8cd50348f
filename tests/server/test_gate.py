"""Requests before a WebSocket opens: routes, pages, origins, and where tokens are read."""

from __future__ import annotations

import asyncio
import json
import re
import time
from pathlib import Path
from typing import Any

import jwt
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

import hyperlambda.server
from hyperlambda.server import SocketServer
from hyperlambda.server.auth import issue_token, signing_key

from .clients import PATIENCE, SECRET, Connect, StartServer

PAGES = Path(hyperlambda.server.__file__).with_name("pages")
JAVASCRIPT = "text/javascript; charset=utf-8"


async def fetch(
    server: SocketServer, target: str, method: str = "GET", *headers: str
) -> tuple[int, dict[str, str], bytes]:
    """Make one HTTP request by hand; return status, headers in lower case, and body."""
    async with asyncio.timeout(PATIENCE):
        reader, writer = await asyncio.open_connection(server.host, server.port)
        lines = [f"{method} {target} HTTP/1.1", "Host: x", *headers, "", ""]
        writer.write("\r\n".join(lines).encode())
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *rest = head.decode().split("\r\n")
    fields = (line.split(": ", 1) for line in rest)
    return int(status.split()[1]), {name.lower(): value for name, value in fields}, body


@pytest.mark.parametrize(
    ("path", "file", "kind"),
    [
        ("/", "index.html", "text/html; charset=utf-8"),
        ("/?x=1", "index.html", "text/html; charset=utf-8"),
        ("/style.css", "style.css", "text/css; charset=utf-8"),
        ("/icon.svg", "icon.svg", "image/svg+xml"),
        *((f"/{path.name}", path.name, JAVASCRIPT) for path in PAGES.glob("*.js")),
    ],
)
async def test_the_page_is_served(
    server: SocketServer, path: str, file: str, kind: str
) -> None:
    status, headers, body = await fetch(server, path)
    assert (status, body) == (200, (PAGES / file).read_bytes())
    assert headers["content-type"] == kind
    assert headers["content-length"] == str(len(body))
    assert headers["x-content-type-options"] == "nosniff"
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    again = await fetch(server, path, "HEAD")
    assert again == (200, headers, b"")


def test_the_page_has_nothing_inline_and_writes_no_markup() -> None:
    page = (PAGES / "index.html").read_text()
    script = "".join(path.read_text() for path in PAGES.glob("*.js"))
    assert "style=" not in page
    assert "<style" not in page
    assert page.count("<script") == page.count("<script src=") == 1
    assert not re.search(r"\son\w+\s*=", page)
    for dangerous in ("innerHTML", "outerHTML", "insertAdjacent", "document.write"):
        assert dangerous not in script


async def test_health_is_told(server: SocketServer, join: Connect) -> None:
    await join(server)
    status, headers, body = await fetch(server, "/health")
    assert (status, headers["content-type"]) == (200, "application/json")
    assert json.loads(body) == {"status": "ok", "connections": 1}


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"POST /sockets/negotiate HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}",
        b"POST /sockets/negotiate HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
        b"GET /\xc3\xa9 HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nno header\r\n\r\n",
        b"GET /health\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\n",
        b"\r\n",
        b"GET /health HTTP/1.1\r\n\r\nGET /health HTTP/1.1\r\n\r\n",
        b"GET /ws HTTP/1.1\r\n\r\n\r\n\r\n",
    ],
)
async def test_what_is_no_request_is_told(
    server: SocketServer, request_bytes: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """Who only hangs up looks to a proxy like a server that fails."""
    async with asyncio.timeout(PATIENCE):
        reader, writer = await asyncio.open_connection(server.host, server.port)
        writer.write(request_bytes)
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        writer.write(b"more")
        writer.close()
    assert head.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert body == b"this is no request, or one with a body, which none may have\n"
    assert caplog.text == ""


async def test_who_leaves_in_the_middle_of_a_request_gets_no_answer(
    server: SocketServer,
) -> None:
    async with asyncio.timeout(PATIENCE):
        reader, writer = await asyncio.open_connection(server.host, server.port)
        writer.write(b"GET / HTTP/1.1\r\n")
        writer.write_eof()
        assert await reader.read() == b""
        writer.close()


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("version", ["1.0", "1.1"])
async def test_proxies_may_ask_how_the_server_is(
    server: SocketServer, method: str, version: str
) -> None:
    """They do so with little, and see that the connection ends."""
    async with asyncio.timeout(PATIENCE):
        reader, writer = await asyncio.open_connection(server.host, server.port)
        writer.write(
            f"{method} /health HTTP/{version}\r\nConnection: keep-alive\r\n\r\n".encode()
        )
        head, _, body = (await reader.read()).decode().partition("\r\n\r\n")
        writer.close()
    assert head.startswith("HTTP/1.1 200 OK\r\n")
    assert "Connection: close" in head
    shown = '{"status": "ok", "connections": 0}'
    assert f"Content-Length: {len(shown)}" in head
    assert body == ("" if method == "HEAD" else shown)


@pytest.mark.parametrize(
    ("method", "target", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/ws/", 404),
        ("GET", "/WS", 404),
        ("GET", "/../app.js", 404),
        ("GET", "/index.html", 404),
        ("GET", "//[", 400),
        ("POST", "/", 405),
        ("DELETE", "/health", 405),
        ("POST", "/ws", 405),
        ("OPTIONS", "/ws", 405),
        ("GET", "/ws", 426),
    ],
)
async def test_what_is_not_there_is_refused(
    server: SocketServer, method: str, target: str, status: int
) -> None:
    found, headers, _ = await fetch(server, target, method)
    assert found == status
    assert ("allow" in headers) == (status == 405)


# Origins.


async def status_of(server: SocketServer, path: str = "/ws", **headers: str) -> int:
    """Return the status with which an attempt to open a WebSocket ends."""
    try:
        async with connect(
            server.url.replace("http", "ws") + path,
            additional_headers=headers,
            proxy=None,
        ):
            return 101
    except InvalidStatus as error:
        return error.response.status_code


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://{host}:{port}", 101),
        ("https://{host}:{port}", 101),
        ("http://listed.example", 101),
        ("https://other.example", 101),
        ("http://other.example:8080", 101),
        ("capacitor://localhost", 101),
        ("http://other.example", 403),
        ("http://localhost:3000", 101),
        ("http://[::1]:9", 101),
        ("http://listed.example:81", 403),
        ("https://listed.example", 403),
        ("http://evil.example", 403),
        ("http://evil.example:{port}", 403),
        ("http://localhost.evil.example", 403),
        ("http://127.0.0.1.evil.example", 403),
        ("ftp://{host}:{port}", 403),
        ("null", 403),
        ("", 403),
        ("http://[", 403),
        ("http://{host}:99999", 403),
    ],
)
async def test_only_known_pages_may_connect(
    start_server: StartServer, origin: str, status: int
) -> None:
    server = await start_server(
        origins=[
            "http://listed.example",
            # As people write them.
            " HTTPS://Other.example:443/",
            "http://other.example:8080/",
            "capacitor://localhost",
        ]
    )
    shown = origin.format(host=server.host, port=server.port)
    assert await status_of(server, Origin=shown) == status


async def test_a_public_server_does_not_trust_local_pages(
    start_server: StartServer,
) -> None:
    server = await start_server(host="0.0.0.0")
    assert await status_of(server, Origin="http://localhost:3000") == 403
    assert await status_of(server, Origin=f"http://0.0.0.0:{server.port}") == 101


async def test_every_page_may_connect_where_that_is_wanted(
    start_server: StartServer,
) -> None:
    server = await start_server(origins=["*"])
    assert await status_of(server, Origin="http://any.example") == 101


# Tokens.


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


NOW = time.time()
GOOD = issue_token(SECRET, "ada", ["root"])
BAD = {
    "expired": issue_token(SECRET, "ada", lifetime_seconds=60, now=NOW - 120),
    "wrong key": issue_token(SECRET + "x", "ada"),
    "not yet valid": issue_token(SECRET, "ada", now=NOW + 600),
    "no end": jwt.encode({"sub": "ada"}, signing_key(SECRET), algorithm="HS256"),
    "alg none": jwt.encode({"sub": "ada", "exp": NOW + 60}, None, algorithm="none"),
    "rubbish": "rubbish",
    "empty": "",
}


@pytest.mark.parametrize("case", BAD)
async def test_a_bad_token_is_refused_and_never_anonymous(
    server: SocketServer, case: str
) -> None:
    assert await status_of(server, **bearer(BAD[case])) == 401
    assert await status_of(server, f"/ws?access_token={BAD[case]}") == 401
    status, headers, body = await fetch(server, f"/ws?access_token={BAD[case]}")
    assert status == 401
    assert headers["www-authenticate"] == 'Bearer error="invalid_token"'
    assert b"token" in body


@pytest.mark.parametrize(
    ("query", "headers", "user"),
    [
        ("", {}, None),
        ("", bearer(GOOD), "ada"),
        ("", {"Authorization": f"bearer  {GOOD} "}, "ada"),
        (f"?access_token={GOOD}", {}, "ada"),
        (f"?x=1&access_token={GOOD}&y", {}, "ada"),
        (f"?access_token={BAD['expired']}", bearer(GOOD), "ada"),
        (f"?access_token={GOOD}", {"Authorization": "Basic eDp5"}, "ada"),
        ("", {"Authorization": "Basic eDp5"}, None),
        ("?token=x", {}, None),
    ],
)
async def test_a_token_is_read_from_header_then_query(
    server: SocketServer, query: str, headers: dict[str, str], user: str | None
) -> None:
    assert await user_of(server, query, headers) == user


async def user_of(
    server: SocketServer, query: str, headers: dict[str, str]
) -> str | None:
    async with connect(
        server.socket_url + query, additional_headers=headers, proxy=None
    ) as socket:
        welcome: dict[str, Any] = json.loads(await socket.recv())
        user: str | None = welcome["user"]
        return user


async def test_two_tokens_are_one_too_many(server: SocketServer) -> None:
    twice = f"/ws?access_token={GOOD}&access_token={GOOD}"
    assert await status_of(server, twice) == 401
    own = f"Authorization: Bearer {GOOD}"
    assert (await fetch(server, "/ws", "GET", own, own))[0] == 401


@pytest.mark.parametrize(
    ("cookie", "origin", "user"),
    [
        (f"ticket={GOOD}", "own", "ada"),
        (f"a=b; ticket={GOOD}", "own", "ada"),
        (f"ticket={GOOD}", "http://listed.example", "ada"),
        (f"ticket={GOOD}", "http://localhost:3000", None),
        (f"ticket={GOOD}", None, None),
        (f"ticket={BAD['expired']}", "own", None),
        (f"ticket={BAD['wrong key']}", "own", None),
        ("ticket=", "own", None),
        ("\x01=;;", "own", None),
        ("a=b", "own", None),
    ],
)
async def test_a_cookie_counts_for_trusted_pages_only(
    start_server: StartServer, cookie: str, origin: str | None, user: str | None
) -> None:
    server = await start_server(origins=["http://listed.example"])
    headers = {"Cookie": cookie.replace("\x01", "é")}
    if origin is not None:
        headers["Origin"] = server.url if origin == "own" else origin
    assert await user_of(server, "", headers) == user


async def test_a_cookie_does_not_count_where_every_page_may_connect(
    start_server: StartServer,
) -> None:
    server = await start_server(origins=["*"])
    headers = {"Cookie": f"ticket={GOOD}", "Origin": "http://any.example"}
    assert await user_of(server, "", headers) is None


async def test_a_token_of_a_page_is_not_looked_at(server: SocketServer) -> None:
    assert (await fetch(server, f"/?access_token={BAD['rubbish']}"))[0] == 200
