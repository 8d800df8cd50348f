"""
One node of a cluster, in a process of its own: `python -m benchmarks.node URL PREFIX [NAME]`.

Messages of the name have history. It prints its port when it is ready, and ends with its stdin. Subscribers here answer no
heartbeats and publishers are not slowed down, which `hyperlambda serve` would insist on.
"""

from __future__ import annotations

import asyncio
import sys

from hyperlambda.server import History, Rule, SocketServer
from hyperlambda.server.loops import run
from hyperlambda.server.redis_backplane import RedisBackplane
from hyperlambda.server.redis_client import Redis

__all__ = ["SECRET", "main"]

SECRET = "a-secret-of-the-benchmarks-that-is-longer-than-fifty-characters"


async def _serve(url: str, prefix: str, kept: str = "") -> None:
    history = History([Rule(kept, 1_000)]) if kept else None
    # Signs of life would be measured too.
    backplane = RedisBackplane(Redis(url, prefix), heartbeat=60, history=history)
    server = SocketServer(
        port=0,
        secret=SECRET,
        ping_interval=None,
        publish_rate=None,
        backplane=backplane,
        history=history,
    )
    async with server:
        print(server.port, flush=True)
        await asyncio.to_thread(sys.stdin.read)


def main() -> None:
    """Serve until stdin ends."""
    run(_serve(*sys.argv[1:]))


if __name__ == "__main__":
    main()
