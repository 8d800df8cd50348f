"""Limits and rare texts of the slots that work on texts (slots/texts.py)."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from hyperlambda.slots.texts import join, shortened, units
from hypothesis import given
from hypothesis import strategies as st

from hyperlambda import Evaluator, HyperlambdaError, LimitError, Limits, Node, parse

TEN = "a" * 10


def run(program: str, **options: Any) -> Node:
    """Run a program and return its last node."""
    root = parse(program)
    Evaluator(**options).evaluate(root)
    return root.children[-1]


GROWING = {
    "concat": f"strings.concat\n   .:{TEN}\n   .:{TEN}\n   .:a",
    "join": f".l\n   .:{TEN}\n   .:\nstrings.join:x:-/*\n   .:{TEN}b",
    "replace": f"strings.replace:{TEN}\n   .:a\n   .:bbb",
    "replace-not-of": f"strings.replace-not-of:{TEN}\n   .:\n   .:bbb",
    "regex-replace": f"strings.regex-replace:{TEN}\n   .:a\n   .:bbb",
    "regex-replace-whole": f"strings.regex-replace:{TEN}\n   .:a\n   .:$_",
    "url-encode": "strings.url-encode:éééé",
    "html-encode": "strings.html-encode:éééé",
    "builder": "strings.builder" + f"\n   strings.builder.append:{TEN}" * 3,
    "mixin": 'strings.mixin:"' + f"{{{{return:{TEN}}}}}" * 3 + '"',
}


@pytest.mark.parametrize("program", GROWING.values(), ids=GROWING)
def test_text_that_grows_too_long_is_an_error(program: str) -> None:
    with pytest.raises(LimitError, match="more than the 20"):
        run(program, limits=Limits(max_text=20))
    assert len(run(program, limits=Limits(max_text=200)).value) > 20


@pytest.mark.parametrize("program", GROWING.values(), ids=GROWING)
def test_text_may_be_as_long_as_the_limit_says(program: str) -> None:
    length = len(run(program).value)
    run(program, limits=Limits(max_text=length))
    with pytest.raises(LimitError):
        run(program, limits=Limits(max_text=length - 1))


@pytest.mark.parametrize("slot", ["split", "matches"])
def test_parts_count_as_nodes(slot: str) -> None:
    with pytest.raises(LimitError, match="nodes"):
        run(f"strings.{slot}:{'a,' * 100}\n   .:,", limits=Limits(max_nodes=50))


def test_defaults_count_as_nodes() -> None:
    names = "".join(f"\n   n{number}" for number in range(20))
    program = f".a{names}\nvalidators.default:x:@.a/*{names}"
    with pytest.raises(LimitError, match="nodes"):
        run(program, limits=Limits(max_nodes=100))


def test_template_does_not_hide_that_a_limit_was_reached() -> None:
    with pytest.raises(LimitError):
        run(
            'strings.mixin:"{{while:bool:true\\n   get-value:a}}"',
            limits=Limits(max_steps=100, max_while_iterations=None),
        )


def test_code_of_a_template_may_not_do_more_than_the_program() -> None:
    program = """
whitelist
   vocabulary
      strings.mixin
      return
   .lambda
      strings.mixin:"a{{strings.concat\\n   .:b\\nreturn:x:-}}c"
      return:x:-
"""
    assert run(program).value == "ac"


def test_template_logs_what_fails(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR, logger="hyperlambda")
    assert run('strings.mixin:"{{throw:oops}}{{ a}}"').value == ""
    first, second = caplog.messages
    assert first.startswith("strings.mixin: ")
    assert first.endswith("oops")
    assert "1:2" in second


def test_builder_keeps_what_it_has_when_its_code_fails() -> None:
    root = parse("strings.builder\n   strings.builder.append:a\n   throw:b")
    with pytest.raises(HyperlambdaError, match="b"):
        Evaluator().evaluate(root)
    assert root.children[0].value == "a"


def test_dynamic_slots_append_to_the_builder_of_their_caller() -> None:
    program = """
slots.create:say
   strings.builder.append:x:@.arguments/*/what
strings.builder
   execute:say
      what:tea
"""
    assert run(program).value == "tea"


def shallow() -> Evaluator:
    """Return an evaluator that leaves Python's recursion limit to hypothesis."""
    return Evaluator(limits=Limits(max_depth=10))


@given(st.text())
def test_length_is_that_of_utf_16(text: str) -> None:
    assert units(text) == len(text.encode("utf-16-le", "surrogatepass")) // 2


@given(st.text(), st.data())
def test_cutting_and_joining_gives_the_text_back(
    text: str, data: st.DataObject
) -> None:
    """Also when a character is cut in two."""
    place = data.draw(st.integers(0, units(text)))
    halves = []
    for children in ([0, place], [place, -1]):
        node = Node("strings.substring", text, [Node(".", each) for each in children])
        shallow().signal("strings.substring", node)
        halves.append(node.value)
    assert join(shallow(), halves) == text


@given(st.text(), st.lists(st.text(min_size=1, max_size=3), min_size=1, max_size=4))
def test_splitting_is_that_of_a_naive_model(text: str, separators: list[str]) -> None:
    node = Node("strings.split", text, [Node(".", each) for each in separators])
    shallow().signal("strings.split", node)
    parts, part, at = [], "", 0
    while at < len(text):
        found = next((s for s in separators if text.startswith(s, at)), None)
        if found is None:
            part += text[at]
            at += 1
        else:
            parts.append(part)
            part = ""
            at += len(found)
    parts.append(part)
    assert [child.value for child in node.children] == [each for each in parts if each]


@given(st.text())
def test_url_and_html_can_be_read_back(text: str) -> None:
    for way in ("url", "html"):
        node = Node("", text)
        shallow().signal(f"strings.{way}-encode", node)
        shallow().signal(f"strings.{way}-decode", node)
        assert node.value == text


def test_half_a_character_is_replaced_where_bytes_are_made() -> None:
    for name, expected in (
        ("url-encode", "%EF%BF%BD"),
        ("html-encode", "�"),
        ("byte-count", 3),
    ):
        node = Node(f"strings.{name}", "\ud83d")
        shallow().signal(node.name, node)
        assert node.value == expected


def test_messages_quote_a_part_on_one_line() -> None:
    assert shortened("a\nb") == "a b"
    assert len(shortened("a" * 1000)) == 201
