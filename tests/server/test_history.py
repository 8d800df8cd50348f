"""What a history keeps, and what it finds for those who come back."""

from __future__ import annotations

from collections.abc import Callable

from hyperlambda.server.history import (
    History,
    Page,
    split_position,
    write_position,
)
from hyperlambda.server.retention import Rule
from hyperlambda.sockets import Audience, AudienceKind, Message


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def made(*rules: str, **options: int | Clock) -> History:
    return History([Rule.parse(rule) for rule in rules], **options)  # type: ignore[arg-type]


def everything(message: Message) -> bool:
    return True


def ask(
    history: History,
    offset: int,
    *patterns: str,
    wanted: Callable[[Message], bool] = everything,
    **bounds: int,
) -> tuple[list[str | None], bool, bool]:
    page = history.since(offset, patterns, wanted, **bounds)
    return [each.argument for each in page.messages], page.is_whole, page.has_more


def offsets(history: History) -> list[int]:
    page = history.since(0, ["*"], everything)
    return [each.position[1] for each in page.messages if each.position]


def test_offsets_rise_over_all_names() -> None:
    history = made("a=5", "b.*=5")
    names = ["a", "b.c", "x", "a"]
    places = [history.add(Message(name)) for name in names]
    epoch = history.epoch
    assert [each.position for each in places] == [
        (epoch, 1),
        (epoch, 2),
        None,
        (epoch, 3),
    ]
    assert history.position == write_position((epoch, 3)) == f"{epoch}-3"
    assert history.count == 3


def test_epochs_differ() -> None:
    assert made("a=1").epoch != made("a=1").epoch


def test_positions_are_split() -> None:
    assert split_position("ab-12") == ("ab", 12)
    assert split_position("a-b-0") == ("a-b", 0)
    for text in ("", "ab", "ab-", "ab-x", "ab-²", "ab-" + "9" * 30):
        assert split_position(text) == ("", 0)


def test_what_was_missed_is_found_by_name_and_pattern() -> None:
    history = made("*=100")
    for number, name in enumerate(["a", "b.c", "a", "b.d", "c", "b.c"], 1):
        history.add(Message(name, str(number)))
    assert ask(history, 0, "a") == (["1", "3"], True, False)
    assert ask(history, 1, "a", "c") == (["3", "5"], True, False)
    assert ask(history, 2, "b.*") == (["4", "6"], True, False)
    assert ask(history, 0, "*") == ([*"123456"], True, False)
    assert ask(history, 3, "b.*", "a", "b.c") == (["4", "6"], True, False)
    assert ask(history, 6, "*") == ([], True, False)
    assert ask(history, 99, "*") == ([], True, False)
    assert ask(history, 0, "nothing") == ([], True, False)


def test_the_count_of_a_rule_is_kept() -> None:
    history = made("a=2", "b=100")
    for number in range(1, 6):
        history.add(Message("a", str(number)))
    history.add(Message("b", "6"))
    assert ask(history, 0, "a", "b") == (["4", "5", "6"], False, False)
    assert ask(history, 2, "a") == (["4", "5"], False, False)
    assert ask(history, 3, "a") == (["4", "5"], True, False)
    # What was lost of another name does not matter.
    assert ask(history, 0, "b") == (["6"], True, False)
    assert history.count == 3


def test_the_age_of_a_rule_is_kept() -> None:
    clock = Clock()
    history = made("a=9,10s", "b=9,1m", clock=clock)
    history.add(Message("a", "1"))
    history.add(Message("b", "2"))
    clock.now += 8
    history.add(Message("a", "3"))
    assert ask(history, 0, "*") == (["1", "2", "3"], True, False)
    clock.now += 3
    assert ask(history, 0, "*") == (["2", "3"], False, False)
    assert ask(history, 1, "*") == (["2", "3"], True, False)
    clock.now += 8
    assert ask(history, 0, "*") == (["2"], False, False)
    assert ask(history, 3, "*") == ([], True, False)
    clock.now += 60
    assert ask(history, 2, "b") == ([], True, False)
    assert ask(history, 1, "b") == ([], False, False)
    assert (history.count, history.size) == (0, 0)


def test_messages_to_connection_ids_are_not_kept() -> None:
    history = made("*=5")
    to_one = Message("a", "1", Audience(AudienceKind.CLIENTS, ("c1",)))
    assert history.add(to_one) is to_one
    assert (history.top, history.count) == (0, 0)


def test_memory_is_bounded_and_the_oldest_go_first() -> None:
    history = made("a=1000", "b=1000", max_bytes=20_000)
    for number in range(1, 21):
        history.add(Message("a" if number % 2 else "b", str(number) + " " * 900))
        assert history.size <= 20_000
    kept = offsets(history)
    assert kept == list(range(21 - len(kept), 21))
    assert 5 < len(kept) < 20
    assert not history.since(kept[0] - 2, ["*"], everything).is_whole
    assert history.since(kept[0] - 1, ["*"], everything).is_whole
    # One that is bigger than all the memory is lost, and known to be.
    history.add(Message("a", " " * 30_000))
    assert history.count == 0
    assert ask(history, 20, "a") == ([], False, False)
    assert ask(history, 20, "b") == ([], True, False)


def test_names_are_bounded_and_what_was_forgotten_counts_as_missed() -> None:
    history = made("*=5", max_names=2)
    for number, name in enumerate(["a", "b", "a", "c", "c"], 1):
        history.add(Message(name, str(number)))
    # 'b' is forgotten, whose last offset was 2.
    assert ask(history, 1, "a") == (["3"], True, False)
    assert ask(history, 1, "b") == ([], False, False)
    assert ask(history, 2, "b") == ([], True, False)
    assert ask(history, 1, "*") == (["3", "4", "5"], False, False)
    assert ask(history, 1, "b.*") == ([], False, False)
    assert ask(history, 2, "*") == (["3", "4", "5"], True, False)
    # Of a name that comes anew it is not known what there was.
    history.add(Message("d", "6"))
    assert ask(history, 2, "d", "a") == (["6"], False, False)
    assert history.count == 3


def test_pages_are_bounded() -> None:
    history = made("*=100")
    for number in range(10):
        history.add(Message("ab"[number % 2], str(number)))
    assert ask(history, 0, "*", max_messages=3) == ([*"012"], True, True)
    assert ask(history, 0, "*", max_bytes=4) == ([*"0123"], True, True)
    assert ask(history, 0, "a", max_looks=2) == ([*"02"], True, True)
    assert ask(history, 0, "*", max_messages=10) == ([*"0123456789"], True, False)


def test_pages_follow_one_another() -> None:
    history = made("*=100")
    for number in range(10):
        history.add(Message("ab"[number % 2], str(number)))
    pages: list[Page] = []
    while not pages or pages[-1].has_more:
        offset = pages[-1].end if pages else 0
        page = history.since(
            offset, ["a"], lambda each: each.argument != "4", max_messages=2
        )
        pages.append(page)
    assert [[each.argument for each in page.messages] for page in pages] == [
        ["0", "2"],
        ["6", "8"],
    ]
    assert pages[-1].end == history.top


def test_a_search_without_a_find_ends_too() -> None:
    history = made("*=100")
    for _ in range(10):
        history.add(Message("a"))
    page = history.since(0, ["*"], lambda message: False, max_looks=4)
    assert (page.messages, page.end, page.has_more) == ([], 4, True)


def test_what_is_gone_in_the_middle_takes_no_room() -> None:
    history = made("*=1,1d")
    history.add(Message("first"))
    for _ in range(10_000):
        history.add(Message("a"))
    [line] = history._lines.values()
    assert len(line.entries) < 2_100
    assert offsets(history) == [1, 10_001]


def test_another_history_can_be_taken_over() -> None:
    history = made("a=5")
    history.add(Message("a", "1"))
    history.restart("other", 7, 6)
    assert history.position == "other-7"
    assert ask(history, 5, "a") == ([], False, False)
    assert ask(history, 6, "a") == ([], True, False)
    history.record(Message("a", "8", position=("other", 8)), 8, age=1.0)
    history.record(Message("b", "9", position=("other", 9)), 9)
    assert ask(history, 7, "*") == (["8"], False, False)
    assert ask(history, 7, "a") == (["8"], True, False)
    history.lose("a", 10)
    assert ask(history, 9, "a") == ([], False, False)
    assert history.position == "other-10"
    assert history.size == 0
