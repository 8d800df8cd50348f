"""The slots log.debug, log.info, log.error and log.fatal (spec 03 §9.1)."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from hyperlambda.slots import logs

from hyperlambda import Evaluator, generate, parse
from hyperlambda.errors import ConversionError, ExpressionError


@pytest.fixture(autouse=True)
def _capture(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="hyperlambda")


def run(program: str, **options: Any) -> str:
    """Run a program and return the tree that it leaves."""
    root = parse(program)
    Evaluator(**options).evaluate(root)
    return generate(root)


@pytest.mark.parametrize(
    ("name", "level"),
    [
        ("debug", logging.DEBUG),
        ("info", logging.INFO),
        ("error", logging.ERROR),
        ("fatal", logging.CRITICAL),
    ],
)
def test_entry_has_the_level_of_its_slot(
    caplog: pytest.LogCaptureFixture, name: str, level: int
) -> None:
    assert run(f"log.{name}:brewed") == f"log.{name}\n"
    assert caplog.record_tuples == [("hyperlambda", level, "brewed")]


def test_children_beside_a_value_are_meta_data_and_do_not_run(
    caplog: pytest.LogCaptureFixture,
) -> None:
    program = ".n:int:2\nlog.info:tea\n   cups:x:@.n\n   throw:no\n   sugar\n   cups:3"
    assert run(program).endswith("log.info\n")
    (record,) = caplog.records
    assert record.getMessage() == "tea cups=3 throw=no sugar="
    assert record.meta == {"cups": "3", "throw": "no", "sugar": None}  # type: ignore[attr-defined]


def test_children_without_a_value_run_and_are_the_message(
    caplog: pytest.LogCaptureFixture,
) -> None:
    run(".n:int:2\nlog.info\n   .:rows \n   get-value:x:@.n\n   .\n   .:bool:true")
    assert caplog.messages == ["rows2True"]


@pytest.mark.parametrize("program", ["log.info", "log.info:x:@.missing"])
def test_nothing_to_say_is_an_empty_message(
    caplog: pytest.LogCaptureFixture, program: str
) -> None:
    assert run(program) == "log.info\n"
    assert caplog.messages == [""]


@pytest.mark.parametrize("name", ["error", "fatal"])
def test_exception_goes_on_lines_of_its_own(
    caplog: pytest.LogCaptureFixture, name: str
) -> None:
    root = parse(f"log.{name}:burnt\n   a:1\n   exception")
    root.children[0].children[1].value = "at x\n\tat y\x1b[0m"
    Evaluator().evaluate(root)
    assert caplog.messages == ["burnt a=1\nat x\n\tat y\\x1b[0m"]
    caplog.clear()
    run(f"log.{name}\n   exception:trace\n   .:burnt")
    assert caplog.messages == ["burnt\ntrace"]


def test_exception_is_meta_data_for_the_other_levels(
    caplog: pytest.LogCaptureFixture,
) -> None:
    run("log.info:odd\n   exception:trace")
    assert caplog.messages == ["odd exception=trace"]


def test_one_call_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    root = parse("log.info")
    node = root.children[0]
    node.value = "a\nERROR forged\r\x1b[2J\x85\u2028\ud800 é"
    node.add(parse("x").children[0]).name = "k\n"
    node.children[0].value = "v\n"
    Evaluator().evaluate(root)
    assert caplog.messages == [
        "a\\nERROR forged\\r\\x1b[2J\\x85\\u2028\\ud800 é k\\n=v\\n"
    ]


def test_percent_signs_are_not_placeholders(caplog: pytest.LogCaptureFixture) -> None:
    run("log.info:100%s %d")
    assert caplog.messages == ["100%s %d"]


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        ("debug", ["debug", "info", "error", "fatal"]),
        ("info", ["info", "error", "fatal"]),
        ("Error", ["error", "fatal"]),
        ("FATAL", ["fatal"]),
    ],
)
@pytest.mark.parametrize("key", ["magic:logging:level", "Magic:Logging:Level"])
def test_level_of_the_configuration_filters(
    caplog: pytest.LogCaptureFixture, key: str, level: str, expected: list[str]
) -> None:
    program = "".join(f"log.{name}:{name}\n" for name in logs._LEVELS)
    run(program, config={key: level})
    assert caplog.messages == expected


def test_filtered_calls_still_run_and_remove_their_children() -> None:
    program = ".n:int:1\nlog.debug\n   math.increment:x:@.n"
    left = run(program, config={"magic:logging:level": "fatal"})
    assert left == ".n:int:2\nlog.debug\n"


def test_unknown_level_lets_all_pass_and_is_told_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    logs._level.cache_clear()
    run("log.debug:a\nlog.debug:b", config={"magic:logging:level": "none"})
    warning, *rest = caplog.messages
    assert "none" in warning
    assert rest == ["a", "b"]


@pytest.mark.parametrize(
    ("program", "error"),
    [
        ("log.info:time:5", ConversionError),
        ("log.info\n   .:time:5", ConversionError),
        (".l\n   a\n   a\nlog.info:x:@.l/*", ExpressionError),
    ],
)
def test_what_is_no_text_is_an_error(
    caplog: pytest.LogCaptureFixture, program: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        run(program)
    assert not caplog.messages
