"""How far a client has seen, and what it asks when it comes back."""

from __future__ import annotations

from typing import Any

import pytest

from hyperlambda.progress import Progress


def message(position: str | None = None) -> dict[str, Any]:
    fields = {"type": "message", "name": "a", "args": None}
    return fields if position is None else {**fields, "position": position}


def answer(*names: str, kind: str = "subscribed", **fields: Any) -> dict[str, Any]:
    return {"type": kind, "names": list(names), **fields}


def walk(
    progress: Progress, *answers: dict[str, Any]
) -> tuple[list[dict[str, Any]], bool]:
    """Give answers to the requests; return the requests, and what comes of it."""
    steps = progress.catch_up()
    asked = []
    given = iter(answers)
    try:
        request = next(steps)
        while True:
            asked.append(request)
            request = steps.send(next(given))
    except StopIteration as end:
        assert next(given, None) is None
        return asked, end.value


def test_positions_come_from_messages_and_answers() -> None:
    progress = Progress()
    seen = []
    for frame in (
        message(),
        answer("a"),
        answer("b", position="e-1"),
        message("e-3"),
        {"type": "pong", "position": "e-5"},
        message("e-4"),
        answer("c", kind="replayed", position="e-9"),
        message("f-1"),
    ):
        progress.take(frame)
        seen.append(progress.position)
    assert seen == [None, None, "e-1", "e-3", "e-5", "e-5", "e-5", "f-1"]


def test_names_are_what_the_server_says() -> None:
    progress = Progress()
    progress.take(answer("a", "b"))
    progress.take(answer("c", kind="replayed", position="e-1"))
    progress.take(answer("a", "d", kind="unsubscribed"))
    assert list(progress.names) == ["b"]


def test_a_client_asks_page_by_page() -> None:
    progress = Progress()
    progress.take(answer("a", "b.*", position="e-5"))
    for id in ("c1", "c2"):
        progress.lose(id)
    asked, is_whole = walk(
        progress,
        answer(kind="replayed", recovered=True, position="e-7"),
        answer(kind="subscribed", recovered=True, position="e-8"),
    )
    request = {"type": "subscribe", "names": ["a", "b.*"], "former": ["c1", "c2"]}
    assert asked == [{**request, "since": "e-5"}, {**request, "since": "e-7"}]
    assert is_whole
    assert progress.position == "e-8"


@pytest.mark.parametrize("gap", [0, 1])
def test_a_gap_on_any_page_counts(gap: int) -> None:
    progress = Progress()
    progress.take(answer("a", position="e-5"))
    pages = [
        answer(kind=kind, recovered=number != gap, position="e-7")
        for number, kind in enumerate(["replayed", "subscribed"])
    ]
    assert not walk(progress, *pages)[1]


def test_without_a_position_nothing_can_be_recovered() -> None:
    progress = Progress()
    progress.take(answer("a"))
    asked, is_whole = walk(progress, answer("a"))
    assert asked == [{"type": "subscribe", "names": ["a"]}]
    assert not is_whole


def test_without_subscriptions_nothing_is_missing() -> None:
    assert walk(Progress()) == ([], True)


def test_many_names_are_asked_for_in_portions() -> None:
    progress = Progress()
    names = [f"{number}-{'x' * 250}" for number in range(300)]
    progress.take(answer(*names, position="e-5"))
    steps = progress.catch_up()
    first = next(steps)
    # What comes now says nothing about the names of the second portion.
    progress.take(message("e-9"))
    assert progress.position == "e-5"
    second = steps.send(answer(recovered=True, position="e-9"))
    assert first["names"] + second["names"] == names
    assert first["since"] == second["since"] == "e-5"
    with pytest.raises(StopIteration):
        steps.send(answer(recovered=True, position="e-10"))
    assert progress.position == "e-10"
    progress.take(message("e-11"))
    assert progress.position == "e-11"


def test_few_former_connections_are_named() -> None:
    progress = Progress()
    progress.take(answer("a", position="e-5"))
    for number in range(150):
        progress.lose(str(number))
    asked, _ = walk(progress, answer(recovered=True, position="e-5"))
    assert asked[0]["former"] == [str(number) for number in range(50, 150)]
