"""A Redis that asks who we are, and one that speaks TLS."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from hyperlambda.errors import SocketError
from hyperlambda.server import History, Rule, SocketServer
from hyperlambda.server.redis_backplane import RedisBackplane
from hyperlambda.server.redis_client import Redis
from hyperlambda.server.redis_hub import RedisHub, check_redis
from hyperlambda.sockets import Message

from ..server.clients import SECRET, Connect, message
from .redis_server import RedisServer

TLS = Path(__file__).with_name("tls")
CERTIFICATE = TLS / "certificate.pem"

# What docs/scaling.md says that a user of ours needs, and nothing besides.
RIGHTS = [
    "resetkeys",
    "~hyperlambda:*",
    "resetchannels",
    "&hyperlambda:*",
    "-@all",
    "+publish",
    "+subscribe",
    "+multi",
    "+exec",
    "+hset",
    "+hdel",
    "+hgetall",
    "+sscan",
    "+del",
    "+pexpire",
    "+sadd",
    "+srem",
    "+smembers",
    "+set",
]

# And what it says for histories.
HISTORY_RIGHTS = [
    "+hget",
    "+hmget",
    "+hsetnx",
    "+hincrby",
    "+get",
    "+time",
    "+evalsha",
    "+script|load",
    "+xadd",
    "+xdel",
    "+xlen",
    "+xrange",
    "+zadd",
    "+zcard",
    "+zrange",
    "+zrangebyscore",
    "+zrem",
    "+zscore",
]

SERVERS = {
    "password": ("--port", "{port}", "--requirepass", "let me in"),
    "user, over TLS": (
        *("--port", "0", "--tls-port", "{port}", "--tls-auth-clients", "no"),
        *("--tls-cert-file", str(CERTIFICATE), "--tls-key-file", str(TLS / "key.pem")),
        *("--tls-ca-cert-file", str(CERTIFICATE), "--requirepass", "another"),
        *("--user", "hyper", "on", ">let:me@in", *RIGHTS),
    ),
}

# At a socket of the file system, and no port.
SERVERS["socket"] = ("--port", "0", "--unixsocket", "{port}.sock")

URLS = {
    "socket": "unix://{folder}/{port}.sock?db=3",
    "password": "redis://:let%20me%20in@127.0.0.1:{port}",
    "user, over TLS": "rediss://hyper:let%3Ame%40in@127.0.0.1:{port}/0"
    f"?ssl_ca_certs={CERTIFICATE}",
}

REFUSED = {
    "password": "redis://:wrong-secret@127.0.0.1:{port}",
    "user, over TLS": "rediss://hyper:wrong-secret@127.0.0.1:{port}/0"
    f"?ssl_ca_certs={CERTIFICATE}",
}


@pytest.fixture
def guarded(kind: str, tmp_path: Path) -> Iterator[RedisServer]:
    with RedisServer(tmp_path, *SERVERS[kind]) as server:
        yield server


@pytest.mark.parametrize("kind", SERVERS)
async def test_nodes_and_programs_meet_there(
    guarded: RedisServer,
    kind: str,
    join: Connect,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    target = Redis(URLS[kind].format(port=guarded.port, folder=tmp_path))
    check_redis(target)
    async with AsyncExitStack() as stack:
        servers = [
            await stack.enter_async_context(
                SocketServer(port=0, secret=SECRET, backplane=RedisBackplane(target))
            )
            for _ in range(2)
        ]
        assert [server.hub.backplane.health()["nodes"] for server in servers] == [2, 2]
        client = await join(servers[1], "ada", (), (), "*")
        servers[0].hub.publish(Message("foo"))
        assert await client.receive() == message("foo")
        with RedisHub(target) as hub:
            hub.publish(Message("bar"))
            assert await client.receive() == message("bar")
            assert hub.count_users() == 1
            hub.add_to_group("ada", "g", persist=True)
            assert hub.lasting_groups_of("ada") == ["g"]
            servers[0].hub.remove_from_group("ada", "g")
            while hub.lasting_groups_of("ada"):
                await asyncio.sleep(0.01)
    assert not caplog.records  # which would tell of a right that is missing


async def test_histories_need_some_rights_more(tmp_path: Path, join: Connect) -> None:
    for rights, is_kept in ((RIGHTS + HISTORY_RIGHTS, True), (RIGHTS, False)):
        user = ("--port", "{port}", "--user", "hyper", "on", ">pass", *rights)
        with RedisServer(tmp_path, *user) as redis:
            target = Redis(f"redis://hyper:pass@127.0.0.1:{redis.port}")
            history = History([Rule("foo", 2)])
            backplane = RedisBackplane(target, history=history, start_timeout=2)
            async with SocketServer(
                port=0, secret=SECRET, backplane=backplane, history=history
            ) as server:
                assert backplane.is_connected is is_kept
                if not is_kept:
                    continue
                client = await join(server)
                await client.ask(type="subscribe", names=["foo"])
                server.hub.publish(Message("foo"))
                with RedisHub(target) as hub:
                    for _ in range(4):
                        hub.publish(Message("foo"))
                for _ in range(5):
                    assert "position" in await client.receive()
                assert history.count == 2


@pytest.mark.parametrize("kind", REFUSED)
def test_who_is_not_let_in_is_told_so_and_shows_no_password(
    guarded: RedisServer, kind: str
) -> None:
    target = Redis(REFUSED[kind].format(port=guarded.port))
    with pytest.raises(SocketError, match=r"cannot be used: .*invalid") as refused:
        check_redis(target)
    assert "wrong-secret" not in str(refused.value)
    assert "wrong-secret" not in repr(target)


def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    with RedisServer(tmp_path, *SERVERS["user, over TLS"]) as server:
        url = URLS["user, over TLS"].format(port=server.port).partition("?")[0]
        with pytest.raises(SocketError, match="certificate verify failed"):
            check_redis(Redis(url))
