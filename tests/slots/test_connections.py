"""The slots of sockets.connection.* (spec 05 §2.3, 22 row 16)."""

from __future__ import annotations

from typing import Any

import pytest

from hyperlambda import ArgumentError, Evaluator, Node, generate, parse
from hyperlambda.errors import SocketError
from hyperlambda.sockets import CONNECTION

from .test_sockets import RecordingHub

SLOTS = [
    ("sockets.connection.enter-group", "add"),
    ("sockets.connection.leave-group", "remove"),
]
each_slot = pytest.mark.parametrize(("name", "change"), SLOTS)


def calls(program: str, connection: str | None = "c1") -> list[tuple[Any, ...]]:
    """Return what a hub is told by a program that a connection runs."""
    hub = RecordingHub()
    evaluator = Evaluator(hub=hub)

    @evaluator.slot("as-connection")
    def as_connection(evaluator: Evaluator, node: Node) -> None:
        with evaluator.scope(CONNECTION, connection):
            evaluator.run_children(node)

    root = parse(f"as-connection\n   {program.replace(chr(10), chr(10) + '   ')}")
    before = generate(root)
    evaluator.evaluate(root)
    assert generate(root) == before
    return hub.calls


@each_slot
def test_the_connection_that_runs_the_program(name: str, change: str) -> None:
    assert calls(f"{name}\n   group:g") == [(change, "c1", "g")]
    assert calls(f"{name}\n   group:int:5") == [(change, "c1", "5")]


@each_slot
def test_another_connection(name: str, change: str) -> None:
    assert calls(f"{name}:c9\n   group:g") == [(change, "c9", "g")]
    assert calls(f"{name}:c9\n   group:g", None) == [(change, "c9", "g")]
    assert calls(f".id:c8\n{name}:x:@.id\n   group:g") == [(change, "c8", "g")]


@each_slot
@pytest.mark.parametrize(
    ("program", "connection"),
    [
        ("NAME\n   group:g", None),
        ("NAME", "c1"),
        ("NAME\n   group", "c1"),
        ("NAME\n   group:x:@.missing", "c1"),
        # What was to name another must not become the client's own.
        ("NAME:x:@.missing\n   group:g", "c1"),
    ],
)
def test_nothing_is_done_by_accident(
    name: str, change: str, program: str, connection: str | None
) -> None:
    with pytest.raises(ArgumentError):
        calls(program.replace("NAME", name), connection)


@each_slot
def test_without_a_hub_nothing_works(name: str, change: str) -> None:
    with pytest.raises(SocketError, match="not enabled"):
        Evaluator().run(f"{name}:c1\n   group:g")
