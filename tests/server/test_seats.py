"""How many clients may be connected, to one process and to several."""

from __future__ import annotations

from hyperlambda.server.seats import Seats, shared_counts


def test_a_process_alone_counts_its_own() -> None:
    seats = Seats(2)
    seats.take(1)
    assert not seats.is_full
    seats.take(2)
    assert seats.is_full
    assert not Seats(None).is_full
    assert Seats(0).is_full


def test_processes_that_share_a_port_count_together() -> None:
    counts = shared_counts(2)
    first, second = (Seats(5, worker, counts) for worker in (1, 2))
    second.take(3)
    first.take(1)
    assert not first.is_full
    first.take(2)
    assert first.is_full
    assert second.is_full
    # Who takes the place of one that has died begins with nobody.
    assert not Seats(5, 2, counts).is_full
    assert list(counts) == [2, 0]
