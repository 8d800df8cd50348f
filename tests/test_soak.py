"""The long trial, in short; and that it would notice what is wrong."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.soak import _Client

ROOT = Path(__file__).parent.parent


def test_clients_come_and_go_while_messages_flow() -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-W", "error", "-m", "benchmarks.soak"),
            *("--seconds", "5", "--clients", "60"),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["messages"] == 100
    assert told["connections"] > 60
    assert told["received"] > 0


class FakeSocket:
    """Says what it was given."""

    def __init__(self, *told: dict[str, Any]) -> None:
        self.frames = [json.dumps({"type": "message", "args": args}) for args in told]

    async def send(self, text: str) -> None:
        pass

    async def __aiter__(self) -> AsyncIterator[str]:
        for frame in self.frames:
            yield frame


def args(turn: int, number: int, name: str = "users-1") -> dict[str, Any]:
    return {"turn": turn, "kind": "users", "name": name, "number": number}


@pytest.mark.parametrize(
    ("told", "complaint"),
    [
        ([args(5, 3), args(6, 4)], None),
        ([args(5, 3), args(6, 1, "")], None),
        ([args(5, 3, "users-2")], "may have"),
        ([args(5, 3), args(6, 5)], "after number 3"),
        ([args(5, 3), args(6, 3)], "after number 3"),
        ([args(5, 3), args(4, 1, "")], "after 5"),
    ],
)
async def test_a_client_complains_of_what_is_wrong(
    told: list[dict[str, Any]], complaint: str | None
) -> None:
    found: dict[str, Any] = {"received": 0, "wrong": []}
    client = _Client(1, 8, found)
    socket: Any = FakeSocket(*told)
    await client._listen(socket, time.monotonic() + 10, {"", "users-1"})
    assert found["received"] == len(told)
    assert bool(found["wrong"]) == (complaint is not None)
    assert (complaint or "") in "".join(found["wrong"])
