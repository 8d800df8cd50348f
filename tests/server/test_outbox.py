"""What a node tells the others leaves in order, numbered, and never without a bound."""

from __future__ import annotations

import logging

import pytest

from hyperlambda.server.backplane import DisconnectCommand, GroupCommand
from hyperlambda.server.envelope import decode_entry, split_batch
from hyperlambda.server.outbox import Outbox
from hyperlambda.sockets import Message

BYE = DisconnectCommand("ada", True, "", False)


def message(number: int) -> Message:
    return Message("foo", str(number))


def sent(outbox: Outbox) -> list[tuple[int, list[object]]]:
    """Send everything; return the first number and the entries of each batch."""
    found: list[tuple[int, list[object]]] = []
    while (sending := outbox.take()) is not None:
        batch = split_batch(sending.batch)
        assert batch.node == "n"
        entries = [decode_entry(line) for line in batch.lines]
        assert entries == sending.items
        found.append((batch.first, [*entries]))
        outbox.confirm()
    return found


def test_items_leave_together_in_order_and_numbered() -> None:
    outbox = Outbox("n", max_items=5_000, max_bytes=1 << 20)
    items = [message(number) for number in range(2_500)]
    assert all(map(outbox.put, items))
    assert len(outbox) == 2_500
    batches = sent(outbox)
    assert [(first, len(entries)) for first, entries in batches] == [
        (1, 1_000),
        (1_001, 1_000),
        (2_001, 500),
    ]
    assert [item for _, entries in batches for item in entries] == items
    assert (outbox.sent, outbox.lost, len(outbox)) == (2_500, 0, 0)


def test_large_items_leave_in_smaller_batches() -> None:
    outbox = Outbox("n", max_items=100, max_bytes=1 << 30)
    for _ in range(10):
        outbox.put(Message("foo", f'"{"x" * 100_000}"'))
    assert [len(entries) for _, entries in sent(outbox)] == [3, 3, 3, 1]


def test_what_was_not_confirmed_is_sent_again_with_its_numbers() -> None:
    outbox = Outbox("n", max_items=100, max_bytes=1 << 20)
    outbox.put(message(1))
    first = outbox.take()
    outbox.put(message(2))
    # What the backplane says of itself in between has no number: it may overtake.
    assert split_batch(outbox.batch_of(["a", 1])).first == 0
    assert outbox.take() == first
    outbox.confirm()
    assert sent(outbox) == [(2, [message(2)])]


def test_what_finds_no_room_is_counted_and_told_once_in_a_while(
    caplog: pytest.LogCaptureFixture,
) -> None:
    outbox = Outbox("n", max_items=2, max_bytes=1 << 20)
    with caplog.at_level(logging.WARNING):
        kept = [outbox.put(message(number)) for number in range(1_002)]
    assert kept == [True, True] + [False] * 1_000
    assert outbox.lost == 1_000
    assert len(caplog.records) == 1
    # Commands still find room, but not without an end either.
    assert [outbox.put(BYE) for _ in range(3)] == [True, True, False]
    assert sent(outbox) == [(1, [message(0), message(1), BYE, BYE])]
    assert outbox.put(message(3))


def lasting(number: int) -> GroupCommand:
    return GroupCommand(f"user {number}", "g", True, True)


def test_what_lasts_leaves_apart_from_all_else() -> None:
    outbox = Outbox("n", max_items=5_000, max_bytes=1 << 20)
    many = [lasting(number) for number in range(1_500)]
    for item in (message(0), BYE, *many, message(1), lasting(1_500), BYE):
        assert outbox.put(item)
    assert sent(outbox) == [
        (1, [message(0), BYE]),
        (3, many[:1_000]),
        (1_003, many[1_000:]),
        (1_503, [message(1)]),
        (1_504, [lasting(1_500)]),
        (1_505, [BYE]),
    ]


def test_messages_and_commands_leave_room_for_what_lasts() -> None:
    outbox = Outbox("n", max_items=2, max_bytes=1 << 20)
    for item in (message(0), message(1), BYE, BYE):
        assert outbox.put(item)
    assert not outbox.put(BYE)
    kept = [outbox.put(lasting(number)) for number in range(100)]
    assert kept == [True] * 36 + [False] * 64


def test_messages_leave_bytes_for_commands() -> None:
    outbox = Outbox("n", max_items=1_000, max_bytes=1_000)
    assert outbox.put(Message("foo", f'"{"x" * 1_000}"'))
    assert not outbox.put(message(1))
    assert outbox.put(BYE)
    assert outbox.put(lasting(1))


def test_bytes_are_bounded_too() -> None:
    outbox = Outbox("n", max_items=1_000, max_bytes=1_000)
    count = sum(outbox.put(Message("foo", f'"{"x" * 300}"')) for _ in range(10))
    assert count == 3
    sent(outbox)
    assert outbox.put(message(1))
