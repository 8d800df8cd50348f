"""What the tables cannot show of the validators (spec 03 §6)."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hyperlambda import ArgumentError, Evaluator, Limits, Node, parse


def rejection(program: str) -> ArgumentError:
    with pytest.raises(ArgumentError) as caught:
        Evaluator().run(program)
    error = caught.value
    assert (error.public, error.status) == (True, 400)
    return error


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("validators.mandatory:x:@.a/*/name", ["name"]),
        ("validators.integer:x:@.a/*/n\n   min:7\n   max:9", ["'5'", "7", "9", "'n'"]),
        ("validators.integer:x:@.a/*/f", ["'5.5'", "'f'"]),
        ("validators.string:x:@.a/*/t\n   min:7\n   max:9", ["'tea'", "7", "9", "'t'"]),
        (
            "validators.date:x:@.a/*/d\n   max:1999-01-01",
            ["02/03/2000", "01/01/1999 00:00:00", "'d'"],
        ),
        ("validators.enum:x:@.a/*/t\n   .:x\n   .:y", ["'tea'", "'x', 'y'", "'t'"]),
        ("validators.regex:x:@.a/*/t\n   regex:x", ["'tea'", "'x'", "'t'"]),
        ("validators.url:x:@.a/*/t", ["'tea'", "'t'"]),
        ("validators.email:x:@.a/*/t", ["'tea'", "'t'"]),
    ],
)
def test_message_says_what_is_wrong(program: str, words: list[str]) -> None:
    data = ".a\n   n:5\n   f:double:5.5\n   t:tea\n   d:date:2000-02-03\n   name\n"
    message = rejection(data + program).message
    assert [word for word in words if word not in message] == []


def test_message_quotes_a_part_of_a_long_text() -> None:
    text = "a" * 100_000
    for program in (
        f"validators.email:{text}",
        f"validators.string:{text}\n   max:1",
        f"validators.enum:a\n   .:{text}",
    ):
        assert len(rejection(program).message) < 600


def shallow() -> Evaluator:
    """Return an evaluator that leaves Python's recursion limit to hypothesis."""
    return Evaluator(limits=Limits(max_depth=10))


@given(st.text())
def test_any_text_is_an_address_or_not(text: str) -> None:
    for name in ("validators.email", "validators.url"):
        node = Node(name, text)
        with suppress(ArgumentError):
            shallow().signal(name, node)
        assert node.value is None


@pytest.mark.parametrize("text", ["a." * 100_000, "a" * 200_000, '"' * 200_000])
def test_long_addresses_take_no_longer_than_they_are(text: str) -> None:
    for name in ("validators.email", "validators.url"):
        for each in (text, text + "@", "http://" + text):
            with pytest.raises(ArgumentError):
                shallow().signal(name, Node(name, each + "("))


def test_other_dates_of_python_are_read() -> None:
    root = parse("validators.date\n   min:date:2000-01-01")
    Evaluator().evaluate(root)
    assert root.children[0].value is None
