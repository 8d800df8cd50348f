"""
A server in a process of its own: `python -m benchmarks.peers WHOSE LOOP`.

It is "ours" or that of "picows": so both have a process to themselves, and are told alike
what to do. A server needs many open files besides, and one process may not have that many
twice. The commands come as JSON lines on stdin, as those of subscribers.py do:

=======  =========  ==========================================================
command  its field  answer on stdout
=======  =========  ==========================================================
start    text       the port; the text is what picows sends, ours has a message
ready    count      ``{}`` when so many are connected
publish             none: it is sent to each connection, one after another
bare                the same by a bare loop over our transports
time                seconds of processor time that this process has had
=======  =========  ==========================================================
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
from time import process_time
from typing import Any, Protocol

import picows

from hyperlambda.server import SocketServer

from .contests import FRAME, MESSAGE
from .loops import run_on
from .subscribers import raise_file_limit

__all__ = ["main"]


class _Server(Protocol):
    async def start(self, text: str) -> int: ...

    def count(self) -> int: ...

    def publish(self) -> None: ...

    def publish_bare(self) -> None: ...

    async def stop(self) -> None: ...


class _Ours:
    def __init__(self) -> None:
        self._server = SocketServer(port=0, ping_interval=None, max_connections=None)
        self._transports: list[asyncio.Transport] = []

    async def start(self, text: str) -> int:
        await self._server.start()
        return self._server.port

    def count(self) -> int:
        links = self._server._reception.links
        # In the order in which they came.
        self._transports = [link.transport for link in links.values()]
        return len(links)

    def publish(self) -> None:
        self._server.hub.publish(MESSAGE)

    def publish_bare(self) -> None:
        for transport in self._transports:
            transport.write(FRAME)

    async def stop(self) -> None:
        await self._server.stop()


class _Listener(picows.WSListener):
    def __init__(self, transports: list[Any]) -> None:
        self._transports = transports

    def on_ws_connected(self, transport: Any) -> None:
        self._transports.append(transport)


class _Picows:
    def __init__(self) -> None:
        self._transports: list[Any] = []
        self._payload = b""

    async def start(self, text: str) -> int:
        self._payload = text.encode()
        self._server = await picows.ws_create_server(
            lambda request: _Listener(self._transports), "127.0.0.1", 0, backlog=1024
        )
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    def count(self) -> int:
        return len(self._transports)

    def publish(self) -> None:
        text, payload = picows.WSMsgType.TEXT, self._payload
        for transport in self._transports:
            transport.send(text, payload)

    def publish_bare(self) -> None:
        self.publish()

    async def stop(self) -> None:
        self._server.close()


async def _obey(server: _Server) -> None:
    loop = asyncio.get_running_loop()
    commands = asyncio.StreamReader()
    await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(commands), sys.stdin
    )
    while line := await commands.readline():
        fields = json.loads(line)
        match fields["command"]:
            case "start":
                _answer(await server.start(fields["text"]))
            case "ready":
                while server.count() < fields["count"]:
                    await asyncio.sleep(0.01)
                # What is there already need not be looked at again each time.
                gc.collect()
                gc.freeze()
                _answer({})
            case "publish":
                server.publish()
            case "bare":
                server.publish_bare()
            case "time":
                _answer(process_time())
    await server.stop()


def _answer(value: object) -> None:
    print(json.dumps(value), flush=True)


async def _serve(whose: str) -> None:
    await _obey(_Ours() if whose == "ours" else _Picows())


def main() -> None:
    """Obey the commands until stdin ends."""
    raise_file_limit()
    _, whose, loop = sys.argv
    run_on(loop, _serve(whose))


if __name__ == "__main__":
    main()
