"""Trees become texts from which they can be read again."""

from __future__ import annotations

from time import process_time

import pytest

from hyperlambda import Node, generate, parse
from hyperlambda.errors import TreeError


def test_a_node_is_written_as_its_children() -> None:
    root = parse("a:1\n   b\nc")
    assert generate(root) == "a:1\n   b\nc\n"
    assert generate(root.children[0]) == "b\n"


def test_nodes_are_written_as_they_are_given() -> None:
    first, second = parse("a\n   b\nc").children
    assert generate([second, first]) == "c\na\n   b\n"
    assert generate(iter([first])) == "a\n   b\n"
    assert generate(()) == ""
    assert generate(Node()) == ""


def test_a_nested_node_begins_at_the_margin() -> None:
    inner = parse("a\n   b\n      c").children[0].children
    assert generate(inner) == "b\n   c\n"


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_newline_ends_lines_but_not_those_inside_of_values(newline: str) -> None:
    node = Node("", None, [Node("a", "x\ny"), Node("b", "p\r\nq"), Node("c\nd", "e")])
    text = generate(node, newline=newline)
    assert text == newline.join(['a:"x\\ny"', 'b:@"p\r\nq"', '@"c\nd":e', ""])
    assert [n.value for n in parse(text).children] == ["x\ny", "p\r\nq", "e"]


@pytest.mark.parametrize(
    ("value", "line"),
    [
        (None, "k"),
        ("", "k:"),
        (True, "k:bool:true"),
        (5, "k:int:5"),
        (2**31, "k:long:2147483648"),
        (1.5, "k:double:1.5"),
        (b"\x01\x02\x03", "k:bytes:AQID"),
        (bytearray(b"\x01"), "k:bytes:AQ=="),
        (Node(), 'k:node:""'),
        (Node("", None, [Node("p", 1)]), 'k:node:@"p:int:1\r\n"'),
    ],
)
def test_plain_python_values(value: object, line: str) -> None:
    assert generate([Node("k", value)]) == f"{line}\n"


def test_foreign_objects_are_written_for_the_eye() -> None:
    assert "range(0, 5)" in generate([Node("k", range(5))])


def test_comments_are_written_as_comments_when_wanted() -> None:
    text = "a\n   // x\n   b"
    root = parse(text, comments=True)
    assert generate(root, comments=True) == "a\n\n   // x\n   b\n"
    assert generate(root) == "a\n   ..:x\n   b\n"
    again = parse(generate(root, comments=True), comments=True)
    assert generate(again, comments=True) == generate(root, comments=True)


@pytest.mark.parametrize("value", [5, None, True])
def test_comments_are_texts(value: object) -> None:
    node = Node("..", value)
    assert generate([node], comments=True) == generate([node])


def test_a_value_that_contains_its_holder_is_an_error() -> None:
    # 01 §7 Q44
    holder = Node("a", None, [Node("b")])
    holder.children[0].value = holder
    with pytest.raises(TreeError, match="contains itself"):
        generate(holder)
    root = Node("", None, [holder])
    with pytest.raises(TreeError, match="contains itself"):
        generate(root)
    assert generate(parse("a")) == "a\n"  # nothing is left behind


def test_two_values_that_contain_each_other_are_an_error() -> None:
    one, other = Node("", None, [Node("a")]), Node("", None, [Node("b")])
    one.children[0].value, other.children[0].value = other, one
    with pytest.raises(TreeError):
        generate(one)


def test_a_value_that_appears_twice_is_no_circle() -> None:
    shared = Node("", None, [Node("p")])
    text = generate([Node("a", shared), Node("b", shared)])
    assert text.count("p") == 2


def test_node_values_nested_without_end_are_an_error() -> None:
    node = Node("", None, [Node("a")])
    for _ in range(5000):
        node = Node("", None, [Node("a", node)])
    with pytest.raises(TreeError):
        generate(node)


def test_generating_changes_nothing() -> None:
    root = parse("a:1\n   b:int:2")
    version = root.version
    generate(root)
    assert root.version == version
    assert generate(root) == "a:1\n   b:int:2\n"


@pytest.mark.parametrize("depth", [100, 2000, 4000])
def test_a_deep_tree_survives_text(depth: int) -> None:
    root = leaf = Node()
    for _ in range(depth):
        leaf = leaf.add(Node("a"))
    start = process_time()
    again = parse(generate(root))
    assert sum(1 for _ in again.walk()) == depth + 1
    assert process_time() - start < 5


def test_a_wide_tree_survives_text() -> None:
    root = Node("", None, [Node(f"n{i}", i) for i in range(20_000)])
    again = parse(generate(root))
    assert [(n.name, n.value) for n in again.children] == [
        (f"n{i}", i) for i in range(20_000)
    ]
