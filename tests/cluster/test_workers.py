"""`hyperlambda serve --workers N`: several processes, one address."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import cast
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest
from click.testing import CliRunner

from hyperlambda.client import SocketClient
from hyperlambda.commands.group import group
from hyperlambda.errors import SocketError
from hyperlambda.server import SocketServer
from hyperlambda.server.negotiation import new_id
from hyperlambda.sockets import Message

from ..commands.process import hyperlambda, line_of, started
from ..server.clients import Raw
from ..server.javascript import give_up
from .cluster import MARKER, until, until_marker
from .redis_server import TIMEOUT, RedisServer, free_port


@pytest.fixture(autouse=True)
def shared_ports() -> None:
    if not hasattr(socket, "SO_REUSEPORT"):
        give_up("this system cannot share a port")


@pytest.fixture
def arguments(redis: RedisServer) -> tuple[str, ...]:
    options = ("--redis", redis.url, "--redis-prefix", f"test-{new_id()}")
    return ("serve", *options, "--redis-heartbeat", "0.3", "--workers", "2")


def children(pid: int) -> list[int]:
    """Return the processes that a process has started (Linux)."""
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(word) for word in text.split()]


@pytest.fixture
def clients() -> Iterator[list[SocketClient]]:
    """Return a list whose members are closed at the end."""
    found: list[SocketClient] = []
    yield found
    for client in found:
        client.close()


def test_workers_behave_as_one_server_and_are_replaced_and_drained(
    arguments: tuple[str, ...], clients: list[SocketClient]
) -> None:
    with started(*arguments, "--port", "0") as parent:
        line = line_of(parent.stdout)
        assert line.startswith("listening on http://127.0.0.1:")
        url = line.replace("listening on http", "ws") + "/ws"
        assert line_of(parent.stderr).startswith("there is no secret")
        # An ephemeral secret, which all of them share.
        token = line_of(parent.stderr)

        def connect() -> SocketClient:
            client = SocketClient(url, token=token, timeout=TIMEOUT)
            clients.append(client)
            client.subscribe("*")
            return client

        workers = children(parent.pid)
        assert len(workers) == 2
        for _ in range(12):
            connect()
        until(lambda: len(clients[0].users()[0].connections) == 12)
        clients[0].publish(Message("foo"))
        clients[0].publish(Message(MARKER))
        for client in clients:
            assert [each.name for each in until_marker(client)] == ["foo"]

        os.kill(workers[0], signal.SIGKILL)
        assert f"worker {workers[0]} has ended (-9)" in line_of(parent.stderr)
        until(lambda: len(children(parent.pid)) == 2)
        assert workers[1] in children(parent.pid)
        # The kernel may have spread all over one worker, which is unlikely but allowed.
        until(lambda: health(url)["nodes"] == 2)
        fresh = connect()
        fresh.publish(Message(MARKER))
        assert until_marker(fresh) == []

        parent.terminate()
        stdout, _ = parent.communicate(timeout=TIMEOUT)
        assert (stdout, parent.returncode) == ("", 0)
        with pytest.raises(Exception, match="closed the connection: the server stops"):
            next(fresh.messages())


def page_of(url: str, path: str) -> bytes:
    http = url.replace("ws", "http", 1).removesuffix("/ws")
    with urlopen(f"{http}/{path}", timeout=TIMEOUT) as answer:
        body: bytes = answer.read()
    return body


def health(url: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(page_of(url, "health"))
    return found


def test_workers_tell_who_they_are_and_count_clients_together(
    arguments: tuple[str, ...], clients: list[SocketClient]
) -> None:
    limit = ("--max-connections", "5")
    with started(*arguments, "--port", "0", *limit) as parent:
        url = line_of(parent.stdout).replace("listening on http", "ws") + "/ws"
        line_of(parent.stderr)
        token = line_of(parent.stderr)
        clients.extend(
            SocketClient(url, token=token, timeout=TIMEOUT) for _ in range(5)
        )
        # Whichever worker is asked.
        for _ in range(10):
            with pytest.raises(SocketError, match="takes no more connections now"):
                SocketClient(url, token=token, timeout=TIMEOUT)
        numbers: set[object] = set()
        until(lambda: numbers.add(health(url)["worker"]) or len(numbers) == 2)
        assert numbers == {1, 2}
        lines = page_of(url, "metrics").decode().splitlines()
        assert all(line[0] == "#" or '{worker="' in line for line in lines)
        # Who takes the place of one that was killed has its number, and nobody's seats.
        killed = children(parent.pid)[0]
        os.kill(killed, signal.SIGKILL)
        until(lambda: len(set(children(parent.pid)) - {killed}) == 2)
        numbers.clear()
        until(lambda: numbers.add(health(url)["worker"]) or len(numbers) == 2)
        assert numbers == {1, 2}


def test_workers_end_when_their_parent_is_killed(arguments: tuple[str, ...]) -> None:
    with started(*arguments, "--port", "0") as parent:
        line_of(parent.stdout)
        workers = children(parent.pid)
        parent.kill()
        parent.wait(TIMEOUT)
        for pid in workers:
            until(lambda pid=pid: has_ended(pid))


def test_a_worker_that_is_told_twice_ends_in_good_order(
    arguments: tuple[str, ...],
) -> None:
    """Who stops services may tell all processes, and the parent tells its workers too."""
    with started(*arguments, "--port", "0") as parent:
        url = line_of(parent.stdout).replace("listening on http", "ws") + "/ws"
        for _ in range(2):
            line_of(parent.stderr)
        workers = set(children(parent.pid))
        slow = impolite(url)
        slow.read_until(b"welcome")
        for worker in workers:
            os.kill(worker, signal.SIGTERM)
        assert b"the server stops" in slow.read_until(b"the server stops")
        # One of them had nobody to wait for.
        [idle] = re.findall(r"worker (\d+) has ended \(0\)", line_of(parent.stderr))
        [busy] = workers - {int(idle)}
        os.kill(busy, signal.SIGTERM)
        slow.socket.close()
        assert f"worker {busy} has ended (0)" in line_of(parent.stderr)


def impolite(url: str) -> Raw:
    """Connect a client that does not take its leave."""
    found = urlsplit(url)
    server = SimpleNamespace(host=found.hostname, port=found.port)
    return Raw(cast("SocketServer", server))


def has_ended(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return True
    return state == "Z"


def test_a_port_that_is_taken_is_told_once(arguments: tuple[str, ...]) -> None:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        outcome = hyperlambda(*arguments, "--port", str(port))
    assert (outcome.stdout, outcome.returncode) == (b"", 1)
    assert outcome.stderr.decode() == (
        f"error: cannot listen on port {port} of '127.0.0.1': Address already in use\n"
    )


def test_several_workers_need_a_redis() -> None:
    outcome = CliRunner().invoke(
        group, ["serve", "--workers", "2", "--port", str(free_port())]
    )
    assert outcome.exit_code == 2
    assert outcome.stderr == (
        "error: 2 workers need --redis, where they meet: without it, a message would "
        "reach only the clients of one of them\n"
    )


def test_the_options_may_stand_in_a_configuration_file(
    redis: RedisServer, tmp_path: Path
) -> None:
    (tmp_path / "server.toml").write_text(
        f'[server]\nport = 0\nworkers = 2\nredis = "{redis.url}"\n'
        f'redis-prefix = "test-{new_id()}"\nredis-heartbeat = 0.5\n'
    )
    with started("serve", "--config", str(tmp_path / "server.toml")) as parent:
        url = line_of(parent.stdout).replace("listening on http", "ws") + "/ws"
        until(lambda: health(url)["nodes"] == 2)
        parent.terminate()
        parent.communicate(timeout=TIMEOUT)
    assert parent.returncode == 0
