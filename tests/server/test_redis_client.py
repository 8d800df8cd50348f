"""How a Redis is named, without showing a password, and how long it may take to answer."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time

import pytest

from hyperlambda.errors import HyperlambdaError
from hyperlambda.server.redis_client import Redis, explain, patience


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://host:6380/2", "redis://host:6380/2"),
        ("redis://ada:secret@host", "redis://host"),
        ("rediss://:secret@host/0?ssl_cert_reqs=none", "rediss://host/0"),
        ("unix:///run/redis.sock?password=secret", "unix:///run/redis.sock"),
    ],
)
def test_a_redis_is_shown_without_its_password(url: str, shown: str) -> None:
    target = Redis(url)
    assert (str(target), f"{target!r}") == (shown, shown)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("http://host", "begins with redis://, rediss:// or unix://"),
        ("", "begins with redis://, rediss:// or unix://"),
        ("redis://host:port", "the URL of the Redis is wrong: "),
        ("redis://host?colour=blue", "the URL of the Redis is wrong: .*colour"),
        ("redis://host?db=first", "the URL of the Redis is wrong: .*'db'"),
        ("redis://[::1", "the URL of the Redis is wrong: Invalid IPv6 URL"),
        ("rediss://host?ssl_cert_reqs=perhaps", "the URL of the Redis is wrong: "),
        ("rediss://host?ssl_colour=blue", "the URL of the Redis is wrong: "),
        # What would make its answers other ones than we understand.
        ("redis://host?decode_responses=yes", "'decode_responses' cannot be set there"),
        ("redis://host?retry=3", "'retry' cannot be set there"),
        ("redis://host?usernam=a", "set there; did you mean 'username'"),
    ],
)
def test_what_is_no_redis_is_refused(url: str, message: str) -> None:
    with pytest.raises(HyperlambdaError, match=message):
        Redis(url)


def test_an_empty_prefix_is_refused() -> None:
    with pytest.raises(HyperlambdaError, match="the prefix of Redis' keys is empty"):
        Redis("redis://host", "")


def test_without_the_package_its_extra_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "redis.asyncio", None)
    with pytest.raises(HyperlambdaError, match=r"pip install 'pyhyperlambda\[redis\]'"):
        Redis("redis://host")


def test_an_error_is_told_in_one_line_without_a_password() -> None:
    error = OSError("cannot reach\n redis://ada:secret@host:1")
    assert explain(error) == "cannot reach redis://host:1"
    assert explain(OSError()) == "OSError"


def test_a_server_alone_does_not_load_it() -> None:
    program = "import sys, hyperlambda.server; sys.exit('redis' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


async def test_patience_ends() -> None:
    start = time.monotonic()
    with pytest.raises(TimeoutError):
        async with patience(0.1):
            await asyncio.Event().wait()
    assert time.monotonic() - start >= 0.1


async def test_a_busy_event_loop_does_not_mean_that_nobody_answers() -> None:
    """What is sent to very many clients may take longer than Redis may."""
    loop, is_over = asyncio.get_running_loop(), False

    def keep_busy() -> None:
        # The work itself, and nothing that is waited for.
        time.sleep(0.02)
        if not is_over:
            loop.call_soon(keep_busy)

    keep_busy()
    async with patience(0.01):
        # To read an answer takes a few turns.
        for _ in range(20):
            await asyncio.sleep(0)
    is_over = True


async def test_who_is_cancelled_is_not_late() -> None:
    async def wait() -> None:
        async with patience(60):
            await asyncio.Event().wait()

    task = asyncio.create_task(wait())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
