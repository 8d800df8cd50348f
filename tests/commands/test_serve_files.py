"""`hyperlambda serve --root`: clients run the files that are there."""

from __future__ import annotations

import json
import signal
from pathlib import Path

from websockets.sync.client import connect

from .process import SECRET, TIMEOUT, line_of, serving, started


def write(root: Path, name: str, program: str) -> None:
    path = root / "modules" / f"{name}.socket.hl"
    path.parent.mkdir(exist_ok=True)
    path.write_text(program)


def call(file: str) -> str:
    record = {"type": 1, "target": "execute", "arguments": [file], "invocationId": "0"}
    return json.dumps(record) + "\x1e"


def test_files_below_the_root_are_run(tmp_path: Path) -> None:
    write(tmp_path, "hello", "sockets.signal:greeting\nreturn:hello")
    with serving("--root", str(tmp_path)) as url:
        address = url.replace("/ws", "/sockets")
        with connect(address, proxy=None, ping_interval=None) as socket:
            socket.send('{"protocol":"json","version":1}\x1e' + call("/hello"))
            text = ""
            while '"type":3' not in text:
                text += str(socket.recv(TIMEOUT))
    assert text.split("\x1e") == [
        "{}",
        '{"type":1,"target":"greeting","arguments":[null]}',
        '{"type":3,"invocationId":"0","result":"hello"}',
        "",
    ]


def test_without_a_root_no_files_are_run() -> None:
    with serving() as url:
        address = url.replace("/ws", "/sockets")
        with connect(address, proxy=None, ping_interval=None) as socket:
            socket.send('{"protocol":"json","version":1}\x1e')
            assert socket.recv(TIMEOUT) == "{}\x1e"
            socket.send(call("/hello"))
            assert "does not run files" in str(socket.recv(TIMEOUT))


def test_an_end_waits_for_what_runs(tmp_path: Path) -> None:
    program = "sockets.signal:begun\nsleep:300\nlog.info:it has ended"
    write(tmp_path, "slow", program)
    arguments = ["serve", "--port", "0", "--root", str(tmp_path)]
    with started(*arguments, HYPERLAMBDA_SECRET=SECRET) as server:
        url = line_of(server.stdout).replace("listening on http", "ws") + "/sockets"
        with connect(url, proxy=None, ping_interval=None) as socket:
            socket.send('{"protocol":"json","version":1}\x1e' + call("/slow"))
            while "begun" not in str(socket.recv(TIMEOUT)):
                pass
            server.send_signal(signal.SIGTERM)
            _, stderr = server.communicate(timeout=TIMEOUT)
    assert "it has ended" in stderr
    assert server.returncode == 0
