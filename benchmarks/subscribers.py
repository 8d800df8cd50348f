"""
Subscribers in a process of their own: they open WebSockets and count what arrives.

A client library in each connection would be what is measured. So these are bare sockets
and one selector: after the handshake only bytes are counted, which is enough, for each
receiver gets the same frames. Commands come as JSON lines on stdin:

=======  ==============================  ==============================================
command  its fields                      answer on stdout
=======  ==============================  ==============================================
open     port, path, count, text, until  ``{}`` when so many more are open and, if there
                                         is a text, have sent it and got a frame that
                                         ends with the text `until`
check    size                            the distinct first `size` bytes, as hex
count    size, times                     ``.`` each time that `size` bytes more arrived
=======  ==============================  ==============================================
"""

from __future__ import annotations

import base64
import json
import os
import socket
import struct
import sys
from selectors import EVENT_READ, DefaultSelector

__all__ = ["main", "raise_file_limit"]

_TIMEOUT = 30.0
"""Seconds for one answer of a server."""

_FILES = 20_000

_TOGETHER = 100
"""Connections that are opened at the same time."""


def raise_file_limit() -> int:
    """Allow more open files, if the system lets us; return how many connections fit."""
    try:
        import resource  # only Unix has it, and only Unix has the limit
    except ImportError:
        return _FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(hard, _FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    # Some files are open besides.
    return (_FILES if soft == resource.RLIM_INFINITY else soft) - 200


class Group:
    """The connections to one server."""

    def __init__(self) -> None:
        self.sockets: list[socket.socket] = []
        self._selector = DefaultSelector()
        self._buffer = bytearray(1 << 16)

    def open(
        self, port: int, path: str, count: int, text: str | None, until: str | None
    ) -> None:
        """Open further connections."""
        wanted = (until or "").encode()
        for start in range(0, count, _TOGETHER):
            opened = [
                _begin(port, path, text) for _ in range(min(_TOGETHER, count - start))
            ]
            for each in opened:
                _finish(each, wanted)
                # With a timeout, each recv would be two calls to the system.
                each.settimeout(None)
                self._selector.register(each, EVENT_READ)
            self.sockets += opened

    def check(self, size: int) -> list[str]:
        """Return what arrives, as hex, each thing once however many receive it."""
        return sorted({_read(each, size).hex() for each in self.sockets})

    def count(self, size: int, times: int) -> None:
        """Say each time that so many bytes more have arrived."""
        select, buffer = self._selector.select, self._buffer
        received = 0
        while times:
            ready = select(_TIMEOUT)
            if not ready:
                raise SystemExit("nothing arrives any more")
            for key, _ in ready:
                got = key.fileobj.recv_into(buffer)  # type: ignore[union-attr] # a socket
                if not got:
                    raise SystemExit("a server has closed a connection")
                received += got
            if received >= size:
                received -= size
                times -= 1
                os.write(1, b".")


def _begin(port: int, path: str, text: str | None) -> socket.socket:
    """Ask for a WebSocket (RFC 6455 §4.1), and say the text at once."""
    opened = socket.create_connection(("127.0.0.1", port), timeout=_TIMEOUT)
    key = base64.b64encode(os.urandom(16)).decode()
    request = (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
        f"Sec-WebSocket-Version: 13\r\n\r\n"
    ).encode()
    if text is not None:
        payload = text.encode()
        # A mask of zeros leaves the payload as it is (RFC 6455 §5.3).
        request += struct.pack("!BB4x", 0x81, 0x80 | len(payload)) + payload
    opened.sendall(request)
    return opened


def _finish(opened: socket.socket, until: bytes) -> None:
    """Read the answer to the request, and frames up to the one that ends so."""
    data = b""
    while b"\r\n\r\n" not in data or not data.endswith(until):
        more = opened.recv(4096)
        if not more:
            raise SystemExit(f"the handshake failed: {data!r}")
        data += more
    if b" 101 " not in data.partition(b"\r\n")[0]:
        raise SystemExit(f"the handshake failed: {data!r}")


def _read(opened: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = opened.recv(size - len(data))
        if not more:
            raise SystemExit("a server has closed a connection")
        data += more
    return data


def main() -> None:
    """Obey the commands until stdin ends."""
    raise_file_limit()
    group = Group()
    for line in sys.stdin:
        fields = json.loads(line)
        command = fields.pop("command")
        if command == "count":
            group.count(**fields)
            continue
        answer: object = {}
        if command == "open":
            group.open(**fields)
        else:
            answer = group.check(**fields)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
