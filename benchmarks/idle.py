"""
A server whose clients do nothing: `python -m benchmarks.idle LOOP`.

It says its port, waits for a line on stdin, and says how many bytes of memory it has per
connection then. It is a process of its own, for in an old one memory is used again that
was asked of the system before.
"""

from __future__ import annotations

import asyncio
import gc
import sys

from hyperlambda.server import SocketServer

from .loops import run_on
from .soak import memory
from .subscribers import raise_file_limit

__all__ = ["main"]


async def _serve() -> None:
    async with SocketServer(port=0, ping_interval=None, max_connections=None) as server:
        gc.collect()
        before = memory()
        print(server.port, flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        gc.collect()
        grown = memory() - before
        print(grown // max(1, server.hub.connection_count), flush=True)
        # Whoever wants to know is gone now, and with it the connections.
        await asyncio.to_thread(sys.stdin.readline)


def main() -> None:
    """Serve until stdin ends."""
    raise_file_limit()
    run_on(sys.argv[1], _serve())


if __name__ == "__main__":
    main()
