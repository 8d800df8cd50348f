"""
A server of picows, in a process of its own: `python -m benchmarks.peers LOOP`.

It needs as many open files as ours, and one process may not have that many twice. Its
commands come as JSON lines on stdin, as those of subscribers.py do:

=======  =========  ==========================================================
command  its field  answer on stdout
=======  =========  ==========================================================
start    text       the port
ready    count      ``{}`` when so many are connected
publish             none: the text is sent to each connection, one after another
time                seconds of processor time that this process has had
=======  =========  ==========================================================
"""

from __future__ import annotations

import asyncio
import json
import sys
from time import process_time
from typing import Any

import picows

from .loops import run_on
from .subscribers import raise_file_limit

__all__ = ["main"]


class _Listener(picows.WSListener):
    def __init__(self, transports: list[Any]) -> None:
        self._transports = transports

    def on_ws_connected(self, transport: Any) -> None:
        self._transports.append(transport)


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    commands = asyncio.StreamReader()
    await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(commands), sys.stdin
    )
    transports: list[Any] = []
    server: asyncio.Server | None = None
    payload = b""
    while line := await commands.readline():
        fields = json.loads(line)
        match fields["command"]:
            case "start":
                payload = fields["text"].encode()
                server = await picows.ws_create_server(
                    lambda request: _Listener(transports),
                    "127.0.0.1",
                    0,
                    backlog=1024,
                )
                _answer(server.sockets[0].getsockname()[1])
            case "ready":
                while len(transports) < fields["count"]:
                    await asyncio.sleep(0.01)
                _answer({})
            case "publish":
                text = picows.WSMsgType.TEXT
                for transport in transports:
                    transport.send(text, payload)
            case "time":
                _answer(process_time())
    if server is not None:
        server.close()


def _answer(value: object) -> None:
    print(json.dumps(value), flush=True)


def main() -> None:
    """Obey the commands until stdin ends."""
    raise_file_limit()
    run_on(sys.argv[1], _serve())


if __name__ == "__main__":
    main()
