"""What the log never shows: tokens, and what clients send and get."""

from __future__ import annotations

import asyncio
import json
import logging
from pathlib import Path

import pytest

from hyperlambda import Evaluator
from hyperlambda.server import FileExecutor, SocketServer
from hyperlambda.sockets import Message

from .clients import Connect, Raw, RawWithToken, closed, until_count
from .test_gate import fetch, status_of

SECRET_WORD = "xylophone"


async def test_neither_tokens_nor_frames_are_ever_logged(
    tmp_path: Path, join: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for name in ("websockets.client", "asyncio"):  # those of the test's own clients
        logging.getLogger(name).setLevel(logging.WARNING)
    modules = tmp_path / "modules"
    modules.mkdir()
    (modules / "fail.socket.hl").write_text(".arguments:*\nthrow:out of order\n")
    evaluator = Evaluator(root=tmp_path)
    with FileExecutor(evaluator) as executor:
        async with SocketServer(port=0, execute=executor) as server:
            evaluator.hub = server.hub
            good = server.token("ada", ["root"])
            tokens = [
                good,
                server.token("bo", lifetime_seconds=-3600),
                f"{good[:-4]}AAAA",
            ]
            await _talk_at_length(server, join, tokens)
            await until_count(server, 0)
    assert "fail" in caplog.text, "the log was listened to"
    shown = caplog.text + "".join(str(vars(record)) for record in caplog.records)
    for token in tokens:
        for part in token.split("."):
            assert part not in shown
    assert SECRET_WORD not in shown
    assert "access_token" not in shown
    assert "Bearer" not in shown
    lines = caplog.messages
    for told in (
        "of 'ada', from 127.0.0.1 is open at /ws",
        "of 'ada', from 127.0.0.1 has ended: 3503",
        "refused 127.0.0.1 a request for '/ws' with 401: 'the token has expired'",
        "refused 127.0.0.1 a request for '/nothing' with 404: 'there is nothing here'",
    ):
        assert any(line.endswith(told) for line in lines), told


async def _talk_at_length(
    server: SocketServer, join: Connect, tokens: list[str]
) -> None:
    """Do what goes well and what goes wrong, always with the word and the tokens."""
    for token in tokens:
        target = f"/ws?access_token={token}&x={SECRET_WORD}"
        await status_of(server, target)
        await status_of(server, Authorization=f"Bearer {token}")
        await status_of(server, Cookie=f"ticket={token}", Origin="http://127.0.0.1")
        await status_of(server, "/sockets" + target[3:])
        await fetch(server, f"/sockets/negotiate?access_token={token}", "POST")
        await fetch(server, f"/nothing?access_token={token}")
        raw = await asyncio.to_thread(RawWithToken, server, token)
        raw.socket.close()
    client = await join(server, "ada", ("root",), (), "*")
    args = {"word": SECRET_WORD}
    assert (await client.ask(type="execute", file="fail", args=args))["type"] == "error"
    await client.send(type="publish", name="a", args=args)
    assert (await client.receive())["args"] == args
    await client.receive()
    for text in (f"{{{SECRET_WORD}", json.dumps({"type": SECRET_WORD}), "[]"):
        await client.socket.send(text)
        assert (await client.receive())["type"] == "error"
    server.hub.publish(Message("a", json.dumps(args)))
    server.hub.disconnect_user("ada", SECRET_WORD)
    await closed(client)
    hello = '{"protocol":"json","version":1}\x1e'
    raw = await asyncio.to_thread(
        Raw, server, hello, f"{SECRET_WORD}\x1e", path="/sockets"
    )
    with raw.socket:
        await asyncio.to_thread(raw.read_until, b"does not hold JSON")
