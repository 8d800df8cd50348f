"""What waits behind messages that are on their way, and what goes on when."""

from __future__ import annotations

import random

import pytest

from hyperlambda.server import line as module
from hyperlambda.server.line import Line, Ticket


def test_what_stands_behind_a_message_waits_for_it_and_no_longer() -> None:
    line: Line[str] = Line()
    first, second = line.begin(), line.begin()
    assert line.add("behind both") == []
    assert line.end(first) == []
    third = line.begin()
    line.add("behind all")
    assert line.end(second) == ["behind both"]
    assert line.end(third) == ["behind all"]
    assert not line.places


def test_messages_may_return_in_any_order_and_what_is_behind_goes_on_in_its_own() -> (
    None
):
    dice = random.Random(5)
    for _ in range(200):
        line: Line[int] = Line()
        tickets: list[Ticket] = []
        added, gone = 0, []
        for _ in range(40):
            if tickets and dice.random() < 0.4:
                gone += line.end(tickets.pop(dice.randrange(len(tickets))))
            elif not line.places or dice.random() < 0.4:
                tickets.append(line.begin())
            else:
                assert line.add(added) == []
                added += 1
            assert line.waiting == added - len(gone)
        for ticket in tickets:
            gone += line.end(ticket)
        assert gone == list(range(added))
        assert not line.places


def test_what_is_let_go_leaves_the_messages_in_line() -> None:
    line: Line[str] = Line()
    ticket = line.begin()
    line.add("a")
    assert line.let_go() == ["a"]
    line.add("b")
    assert line.end(ticket) == ["b"]


def test_only_entries_count_as_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Or a flood of messages would let each entry go on at once, at a high price."""
    monkeypatch.setattr(module, "MOST_WAITING", 3)
    line: Line[int] = Line()
    for _ in range(10):
        line.begin()
    assert [line.add(number) for number in range(5)] == [[], [], [], [0, 1, 2, 3], []]
