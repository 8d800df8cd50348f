"""An evaluator calls only the slots that its host allows."""

from __future__ import annotations

import pytest

from hyperlambda import Evaluator, HyperlambdaError, Node
from hyperlambda.errors import NotAllowedError, UnknownSlotError

ALLOWED = [
    "strings.*",
    "return",
    "try",
    "slots.create",
    "execute",
    "eval",
    "if",
    "fork",
]

FORBIDDEN = [
    "get-value:x:@.a",
    "eval\n   get-value:x:@.a",
    "try\n   get-value:x:@.a\n.catch\n   get-value:x:@.a",
    "slots.create:f\n   get-value:x:@.a\nexecute:f",
    "if:bool:true\n   get-value:x:@.a",
    "strings.concat\n   get-value:x:@.a",
    "signal:f",
]


@pytest.fixture
def evaluator() -> Evaluator:
    return Evaluator(allow=ALLOWED)


def test_what_is_allowed_runs(evaluator: Evaluator) -> None:
    program = "strings.concat\n   .:a\n   .:b\nreturn:x:-"
    assert evaluator.run(program).value == "ab"


@pytest.mark.parametrize("program", FORBIDDEN)
def test_what_is_not_allowed_does_not_run(evaluator: Evaluator, program: str) -> None:
    with pytest.raises(NotAllowedError) as caught:
        evaluator.run(program)
    assert caught.value.name in ("get-value", "signal")
    assert caught.value.place is not None


def test_an_unknown_slot_is_still_unknown(evaluator: Evaluator) -> None:
    with pytest.raises(UnknownSlotError) as caught:
        evaluator.run("strings.cncat")
    assert caught.value.help == "did you mean 'strings.concat'?"


def test_slots_of_the_host_are_asked_for_too(evaluator: Evaluator) -> None:
    evaluator.register("strings.own", lambda evaluator, node: None)
    evaluator.register("own", lambda evaluator, node: None)
    evaluator.run("strings.own")
    with pytest.raises(NotAllowedError):
        evaluator.run("own")


def test_the_host_itself_may_signal_anything(evaluator: Evaluator) -> None:
    node = Node("get-value", 5)
    evaluator.signal("get-value", node)
    assert node.value == 5


def test_nothing_is_allowed() -> None:
    evaluator = Evaluator(allow=[])
    assert evaluator.run(".data:only").value is None
    with pytest.raises(NotAllowedError):
        evaluator.run("return:5")


def test_a_whitelist_inside_can_only_take_away() -> None:
    evaluator = Evaluator(allow=["whitelist", "return"])
    program = (
        "whitelist\n"
        "   vocabulary\n      get-value\n      return\n"
        "   .lambda\n      get-value:1\n"
    )
    with pytest.raises(HyperlambdaError, match="'get-value' is not allowed"):
        evaluator.run(program)
