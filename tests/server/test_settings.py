"""What the settings of spec 05 §5.4, §6 and §10.2 change, one by one."""

from __future__ import annotations

import inspect
import json
import re
import time
from typing import Any

import jwt
import pytest
from websockets.asyncio.client import ClientConnection, connect

from hyperlambda import Evaluator, HyperlambdaError
from hyperlambda.server import FileExecutor, SocketServer
from hyperlambda.server.auth import signing_key

from .clients import SECRET, Connect, StartServer
from .test_gate import fetch, status_of

NEGOTIATE = "/sockets/negotiate?negotiateVersion=1"


def bearer(token: str) -> str:
    return f"Bearer {token}"


@pytest.mark.parametrize(
    ("options", "anonymous", "bad", "good"),
    [
        ({}, 101, 401, 101),
        ({"require_auth": True}, 401, 401, 101),
        ({"reject_invalid_token": False}, 101, 101, 101),
        ({"require_auth": True, "reject_invalid_token": False}, 401, 401, 101),
    ],
)
@pytest.mark.parametrize("path", ["/ws", "/sockets", NEGOTIATE])
async def test_tokens_may_be_needed_and_bad_ones_ignored(
    start_server: StartServer,
    options: dict[str, Any],
    anonymous: int,
    bad: int,
    good: int,
    path: str,
) -> None:
    server = await start_server(**options)
    token = server.token("ada")
    found = []
    for headers in (
        {},
        {"Authorization": bearer(token[:-2])},
        {"Authorization": bearer(token)},
    ):
        if path == NEGOTIATE:
            lines = [f"{name}: {value}" for name, value in headers.items()]
            status, _, _ = await fetch(server, path, "POST", *lines)
            found.append(101 if status == 200 else status)
        else:
            found.append(await status_of(server, path, **headers))
    assert found == [anonymous, bad, good]


async def test_a_bad_token_that_is_ignored_gives_nothing(
    start_server: StartServer, join: Connect
) -> None:
    server = await start_server(reject_invalid_token=False)
    claims = {"unique_name": "ada", "role": "root", "exp": time.time() - 999}
    old = jwt.encode(claims, signing_key(SECRET), algorithm="HS256")
    client = await join(server, headers={"Authorization": bearer(old)})
    assert (client.welcome["user"], client.welcome["roles"]) == (None, [])
    assert (await client.ask(type="publish", name="a"))["code"] == "forbidden"


async def shake_hands(server: SocketServer, path: str = "/sockets") -> ClientConnection:
    socket = await connect(server.url.replace("http", "ws") + path, proxy=None)
    await socket.send('{"protocol":"json","version":1}\x1e')
    assert await socket.recv() == "{}\x1e"
    return socket


def test_timers_and_sizes_are_those_of_signalr_by_default() -> None:
    options = inspect.signature(SocketServer).parameters
    defaults = ("ping_interval", "ping_timeout", "handshake_timeout", "max_record")
    assert [options[name].default for name in defaults] == [15, 15, 15, 32 * 1024]


@pytest.mark.parametrize(("size", "is_taken"), [(99, True), (100, True), (101, False)])
async def test_the_size_of_messages_is_a_setting(
    start_server: StartServer, size: int, is_taken: bool
) -> None:
    server = await start_server(max_record=100, max_size=200)
    socket = await shake_hands(server)
    head = '{"type":1,"target":"execute","invocationId":"0","arguments":["'
    await socket.send(f'{head}{"x" * (size - len(head) - 3)}"]}}\x1e')
    answer = json.loads(str(await socket.recv()).rstrip("\x1e"))
    if is_taken:
        assert answer["type"] == 3
    else:
        error = "a message is larger than the maximum message size of 100 bytes"
        assert (answer["type"], answer["error"]) == (7, error)
    await socket.close()


@pytest.mark.parametrize("is_silent", [False, True])
async def test_errors_of_files_can_be_silent(
    start_server: StartServer,
    join: Connect,
    tmp_path: Any,
    caplog: pytest.LogCaptureFixture,
    is_silent: bool,
) -> None:
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "bad.socket.hl").write_text("throw:secret reason")
    evaluator = Evaluator(root=tmp_path)
    with FileExecutor(evaluator, silent_errors=is_silent) as executor:
        server = await start_server(execute=executor)
        socket = await shake_hands(server)
        plain = await join(server)
        for file in ("/bad", "/missing", "/../bad"):
            call = {"type": 1, "target": "execute", "invocationId": "7"}
            call["arguments"] = [file, None]
            await socket.send(json.dumps(call) + "\x1e")
            answer = json.loads(str(await socket.recv()).rstrip("\x1e"))
            assert ("error" in answer) is not is_silent, answer
            answer = await plain.ask(type="execute", file=file)
            assert answer["type"] == ("executed" if is_silent else "error")
        await socket.close()
    assert "secret reason" in caplog.text


async def test_the_path_of_the_hub_is_a_setting(
    start_server: StartServer, join: Connect
) -> None:
    server = await start_server(signalr_path="/my/hub")
    assert (await fetch(server, "/my/hub/negotiate", "POST"))[0] == 200
    assert (await fetch(server, "/sockets/negotiate", "POST"))[0] == 404
    await (await shake_hands(server, "/my/hub")).close()
    assert (await join(server)).id


async def test_without_a_path_there_are_no_sockets(start_server: StartServer) -> None:
    server = await start_server(signalr_path="")
    for path in ("/ws", "/sockets", "/sockets/negotiate"):
        status, _, body = await fetch(server, path)
        assert status == 404
        assert body == (b"sockets are not enabled here: 'magic:sockets:url' is empty\n")
    assert (await fetch(server, "/"))[0] == (await fetch(server, "/health"))[0] == 200


@pytest.mark.parametrize(
    "path", ["sockets", "/", "/a b", "/a/", "/a?b", "/ws", "/health", "/app.js"]
)
def test_a_path_for_sockets_must_be_one(path: str) -> None:
    with pytest.raises(HyperlambdaError, match=re.escape(f"'{path}'")):
        SocketServer(signalr_path=path)
