"""What SignalR clients ask before they connect (spec 05 §7), and CORS for it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from websockets.asyncio.client import connect

from hyperlambda.server import SocketServer
from hyperlambda.server.negotiation import LIFETIME, Negotiator, Refusal, new_id

from .clients import SECRET, StartServer
from .test_gate import fetch, status_of

SIGNALR = [{"transport": "WebSockets", "transferFormats": ["Text"]}]


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


def token_of(negotiator: Negotiator, version: int = 1) -> tuple[str, str]:
    """Return connection id and token of a new connection."""
    answer = json.loads(negotiator.answer(f"negotiateVersion={version}"))
    return answer["connectionId"], answer.get("connectionToken", answer["connectionId"])


# The answer.


@pytest.mark.parametrize(
    ("query", "version"),
    [
        ("", 0),
        ("negotiateVersion=0", 0),
        ("negotiateVersion=1", 1),
        ("negotiateVersion=1&id=old&useStatefulReconnect=true", 1),
        ("negotiateVersion=7", 1),
        ("negotiateVersion=-3", 0),
    ],
)
def test_the_answer(query: str, version: int) -> None:
    body = Negotiator(SECRET).answer(query)
    answer = json.loads(body)
    token = answer.pop("connectionToken", None)
    id = answer.pop("connectionId")
    assert answer == {"negotiateVersion": version, "availableTransports": SIGNALR}
    assert (token is None) == (version == 0)
    for text in (id, token or id):
        assert text.replace("-", "a").replace("_", "a").isalnum()
    if version:
        assert len(id) == len(new_id()) == 22
        assert token != id


@pytest.mark.parametrize("asked", ["x", "1.0", "1e0"])
def test_a_version_that_is_none_is_an_error_in_the_answer(asked: str) -> None:
    answer = json.loads(Negotiator(SECRET).answer(f"negotiateVersion={asked}"))
    assert list(answer) == ["error"]


# Tokens.


@pytest.mark.parametrize("version", [0, 1])
def test_a_token_opens_one_connection(version: int) -> None:
    connected: set[str] = set()
    negotiator = Negotiator(SECRET, is_connected=connected.__contains__)
    id, token = token_of(negotiator, version)
    assert negotiator.claim(token) == id
    connected.add(id)
    with pytest.raises(Refusal) as refused:
        negotiator.claim(token)
    assert refused.value.status == 409
    connected.clear()
    with pytest.raises(Refusal) as refused:
        negotiator.claim(token)
    assert (refused.value.status, str(refused.value)) == (
        404,
        "No Connection with that ID",
    )


def test_any_process_with_the_secret_takes_a_token() -> None:
    id, token = token_of(Negotiator(SECRET))
    assert Negotiator(SECRET).claim(token) == id
    with pytest.raises(Refusal):
        Negotiator(SECRET[::-1]).claim(token)


def test_a_token_lasts_a_minute_and_is_forgotten_then() -> None:
    clock = Clock()
    negotiator = Negotiator(SECRET, clock=clock)
    ids = [token_of(negotiator) for _ in range(3)]
    clock.now += LIFETIME - 1
    assert negotiator.claim(ids[0][1]) == ids[0][0]
    late = token_of(negotiator)
    clock.now += 2
    for _, token in ids:
        with pytest.raises(Refusal):
            negotiator.claim(token)
    assert negotiator.claim(late[1]) == late[0]
    assert list(negotiator._used) == [late[0]]


def test_tokens_cannot_be_made_up() -> None:
    negotiator = Negotiator(SECRET)
    _, token = token_of(negotiator)
    other = "B" if token[0] == "A" else "A"
    for bad in (
        "",
        "x",
        "é",
        token[:-2],
        other + token[1:],
        token[4:],
        token * 2,
        "!!",
    ):
        with pytest.raises(Refusal) as refused:
            negotiator.claim(bad)
        assert refused.value.status == 404


# Over the wire.


async def negotiate(server: SocketServer, query: str = "", *headers: str) -> Any:
    status, found, body = await fetch(
        server, f"/sockets/negotiate{query}", "POST", "Content-Length: 0", *headers
    )
    assert (status, found["content-type"]) == (200, "application/json")
    assert found["cache-control"] == "no-store"
    return json.loads(body)


async def test_a_connection_is_negotiated_and_opened_once(server: SocketServer) -> None:
    answer = await negotiate(server, "?negotiateVersion=1")
    path = f"/sockets?id={answer['connectionToken']}"
    url = server.url.replace("http", "ws") + path
    async with connect(url, proxy=None) as socket:
        await socket.send('{"protocol":"json","version":1}\x1e')
        assert await socket.recv() == "{}\x1e"
        [user] = server.hub.users()
        assert user.connections == (answer["connectionId"],)
        assert await status_of(server, path) == 409
        assert (await fetch(server, path, "POST"))[0] == 405
    assert await status_of(server, "/sockets?id=unknown") == 404


@pytest.mark.parametrize(
    ("method", "target", "status"),
    [
        ("GET", "/sockets/negotiate", 405),
        ("DELETE", "/sockets/negotiate", 405),
        ("POST", "/sockets/negotiate/", 404),
        ("POST", "/sockets?id=x", 404),
        ("DELETE", "/sockets?id=x", 404),
        ("POST", "/sockets", 400),
        ("PUT", "/sockets?id=x", 405),
        ("GET", "/sockets", 400),
        ("GET", "/sockets?id=x", 404),
        ("GET", "/sockets?userid=x", 400),
        ("POST", "/ws/negotiate", 404),
    ],
)
async def test_what_is_not_offered_is_refused(
    server: SocketServer, method: str, target: str, status: int
) -> None:
    assert (await fetch(server, target, method))[0] == status


async def test_a_token_that_is_bad_is_refused_at_once(server: SocketServer) -> None:
    good = server.token("ada")
    for target, header, status in [
        ("/sockets/negotiate", f"Authorization: Bearer {good}", 200),
        (f"/sockets/negotiate?access_token={good}", "X: y", 200),
        ("/sockets/negotiate", f"Authorization: Bearer {good[:-2]}", 401),
        (f"/sockets/negotiate?access_token={good[:-2]}", "X: y", 401),
    ]:
        origin = f"Origin: {server.url}"
        found, headers, _ = await fetch(server, target, "POST", header, origin)
        assert found == status
        # Without it, a page could not even see the status.
        assert headers["access-control-allow-origin"] == server.url


async def test_a_full_server_says_so(start_server: StartServer) -> None:
    server = await start_server(max_connections=0)
    assert (await fetch(server, "/sockets/negotiate", "POST"))[0] == 503


@pytest.mark.parametrize(
    ("origin", "is_allowed"),
    [
        ("https://app.example", True),
        ("http://localhost:4200", True),
        ("https://evil.example", False),
        ("null", False),
    ],
)
async def test_origins_that_may_negotiate(
    start_server: StartServer, origin: str, is_allowed: bool
) -> None:
    server = await start_server(origins=["https://app.example"])
    for method, status in (("POST", 200), ("OPTIONS", 200)):
        found, headers, _ = await fetch(
            server,
            "/sockets/negotiate?negotiateVersion=1",
            method,
            f"Origin: {origin}",
            "Access-Control-Request-Method: POST",
            "Access-Control-Request-Headers: authorization, X-Requested-With,x-evil",
        )
        assert found == (status if is_allowed else 403)
        cors = {name: value for name, value in headers.items() if "-allow-" in name}
        if not is_allowed:
            assert cors == {}
            continue
        assert cors.pop("access-control-allow-origin") == origin
        assert cors.pop("access-control-allow-credentials") == "true"
        assert headers["vary"] == "Origin"
        if method == "OPTIONS":
            assert cors == {
                "access-control-allow-methods": "GET, POST, OPTIONS",
                "access-control-allow-headers": "authorization, x-requested-with",
            }
    status = 101 if is_allowed else 403
    assert await status_of(server, "/sockets", Origin=origin) == status


async def test_doubled_headers_do_no_harm(server: SocketServer) -> None:
    for path, header, status in [
        ("/sockets", "Upgrade: websocket", 426),
        ("/sockets", "Upgrade: h2c", 400),
        ("/sockets/negotiate", "Origin: http://localhost", 403),
    ]:
        method = "POST" if "negotiate" in path else "GET"
        assert (await fetch(server, path, method, header, header))[0] == status


async def test_no_origin_is_no_page(server: SocketServer) -> None:
    status, headers, _ = await fetch(server, "/sockets/negotiate", "POST")
    assert status == 200
    assert "access-control-allow-origin" not in headers
