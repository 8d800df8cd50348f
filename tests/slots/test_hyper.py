"""The slots hyper2lambda and lambda2hyper (spec 01 §4.6)."""

from __future__ import annotations

import pytest

from hyperlambda import (
    ArgumentError,
    Evaluator,
    HyperlambdaSyntaxError,
    Limits,
    Node,
    generate,
    parse,
)
from hyperlambda.errors import LimitError


def run(program: str | Node) -> Node:
    """Run a program and return its last node."""
    root = parse(program) if isinstance(program, str) else program
    Evaluator().evaluate(root)
    return root.children[-1]


def test_text_becomes_nodes() -> None:
    node = run('.text:"door\\n   knob:brass"\nhyper2lambda:x:-')
    assert node.value is None
    assert generate(node) == "door\n   knob:brass\n"


@pytest.mark.parametrize(
    ("option", "names"),
    [("", ["a"]), ("comments:bool:false", ["a"]), ("comments:true", ["..", "a"])],
)
def test_comments_are_kept_when_asked_for(option: str, names: list[str]) -> None:
    node = run(f'hyper2lambda:"// note\\na"\n   {option or "other"}')
    assert [child.name for child in node.children] == names


def test_text_is_not_run() -> None:
    assert generate(run('hyper2lambda:"throw:no"')) == "throw:no\n"


def test_expression_does_not_see_the_children() -> None:
    with pytest.raises(ArgumentError, match="null"):
        run("hyper2lambda:x:./*/.text\n   .text:a")


@pytest.mark.parametrize("program", ["hyper2lambda", "hyper2lambda:x:@.missing"])
def test_null_is_refused(program: str) -> None:
    with pytest.raises(ArgumentError):
        run(program)


def test_bad_text_is_an_error_that_says_where_in_the_text() -> None:
    with pytest.raises(HyperlambdaSyntaxError) as caught:
        run('hyper2lambda:"a\\nb:strange:c"')
    place = caught.value.place
    assert place is not None
    assert (str(place).split(":")[0], place.line) == ("<hyper2lambda>", 2)


def test_nodes_that_are_read_count() -> None:
    node = Node("hyper2lambda", "a\n" * 500)
    with pytest.raises(LimitError):
        Evaluator(limits=Limits(max_nodes=100)).signal("hyper2lambda", node)


def test_nodes_that_an_expression_finds_become_text() -> None:
    node = run(".src\n   color:red\n   size:int:4\nlambda2hyper:x:-/*\n   kept")
    assert node.value == "color:red\r\nsize:int:4\r\n"
    assert [child.name for child in node.children] == ["kept"]


def test_expression_that_finds_nothing_becomes_empty_text() -> None:
    assert run("lambda2hyper:x:@.missing/*").value == ""


@pytest.mark.parametrize("value", ["", ":ignored", ":int:5"])
def test_without_expression_the_children_become_text(value: str) -> None:
    node = run(f"lambda2hyper{value}\n   a:1\n      b\n   comments:true")
    assert node.value == "a:1\r\n   b\r\ncomments:true\r\n"
    assert len(node.children) == 2


def test_comments_are_written_only_for_an_expression_that_asks() -> None:
    root = parse(".src\n   a\nlambda2hyper:x:-/*\n   comments:true\nlambda2hyper\n   a")
    for holder in (root.children[0], root.children[2]):
        holder.insert(0, Node("..", "note"))
    Evaluator().evaluate(root)
    assert root.children[1].value == "\r\n// note\r\na\r\n"
    assert root.children[2].value == "..:note\r\na\r\n"


def test_nothing_at_all_is_refused() -> None:
    with pytest.raises(ArgumentError, match="no nodes"):
        run("lambda2hyper")


def test_text_becomes_the_same_nodes_again() -> None:
    source = (
        'a:"x:y"\r\n   .:int:5\r\n   b:date:"2024-01-01T00:00:00.000Z"\r\nc:x:@a\r\n'
    )
    node = Node("hyper2lambda", source)
    Evaluator().signal("hyper2lambda", node)
    node.name = "lambda2hyper"
    Evaluator().signal("lambda2hyper", node)
    assert node.value == source
