"""
Waiting beside a client that does nothing (spec 05 §23, 2 and 3).

By default the server's intervals are so short that a few of them are over soon; with the
variable IDLE_SECONDS they are the real ones, and the wait is as long as that (`make idle`).
"""

from __future__ import annotations

import asyncio
import os
from typing import Any

from websockets.asyncio.client import connect

from hyperlambda.server import SocketServer

__all__ = ["IDLE_SECONDS", "idle", "idle_options"]

IDLE_SECONDS = float(os.environ.get("IDLE_SECONDS", "0"))


def idle_options(interval: float) -> dict[str, Any]:
    """Return options of a server that drops who is silent for two such intervals."""
    return {} if IDLE_SECONDS else {"ping_interval": interval, "ping_timeout": interval}


async def idle(server: SocketServer, pings: int) -> None:
    """
    Return when an idle connection has got so many pings.

    With the real intervals these come about every 15 seconds, which is seen here too.
    """
    loop = asyncio.get_running_loop()
    end = loop.time() + IDLE_SECONDS
    url = f"{server.url.replace('http', 'ws')}/sockets"
    async with connect(url, proxy=None, ping_interval=None) as socket:
        await socket.send('{"protocol":"json","version":1}\x1e')
        assert await socket.recv() == "{}\x1e"
        while pings > 0 or loop.time() < end:
            last = loop.time()
            assert await socket.recv() == '{"type":6}\x1e'
            if IDLE_SECONDS:
                # The server looks after its connections every five seconds.
                assert 14 < loop.time() - last < 25
            pings -= 1
