"""What expressions find takes their place (spec 01 §5.10)."""

from __future__ import annotations

import pytest

from hyperlambda import Evaluator, Limits, Node, generate, parse
from hyperlambda.errors import ExpressionError, LimitError, TreeError
from hyperlambda.unwrapping import unwrap, unwrap_descendants

DATA = ".d\n   a:1\n      b\n   a:2\n   e:x:@.d/0\n"
WAYS = ["plain", "lists", "descendants"]


def unwrapped(way: str, text: str, limits: Limits | None = None) -> Node:
    """Unwrap the children of the node `args`, or all below it, and return `args`."""
    root = parse(text)
    args = next(node for node in root.walk() if node.name == "args")
    evaluator = Evaluator(limits=limits)

    @evaluator.slot("unwrap-args")
    def unwrap_args(run: Evaluator, node: Node) -> None:
        if way == "descendants":
            unwrap_descendants(run, args)
        else:
            unwrap(run, args.children, apply_lists=way == "lists")

    evaluator.signal("unwrap-args", root)
    return args


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("expression", "value"),
    [("@.d/0", ":1"), ("@.missing", ""), ("@.d/2", ":x:@.d/0")],
)
def test_one_node_or_none_gives_its_raw_value(
    way: str, expression: str, value: str
) -> None:
    args = unwrapped(way, f"{DATA}args\n   k:x:{expression}")
    assert generate(args) == f"k{value}\n"


@pytest.mark.parametrize("way", WAYS)
def test_what_is_no_expression_stays(way: str) -> None:
    args = unwrapped(way, 'args\n   a:"@.d"\n      b:1\n   c:int:5')
    assert generate(args) == "a:@.d\n   b:1\nc:int:5\n"


def test_several_nodes_are_an_error_without_lists() -> None:
    with pytest.raises(ExpressionError, match="2 nodes"):
        unwrapped("plain", f"{DATA}args\n   k:x:@.d/*/a")


@pytest.mark.parametrize("way", ["lists", "descendants"])
@pytest.mark.parametrize(
    ("line", "tree"),
    [
        ("k:x:@.d/*/a", "k:1\n   a:1\n      b\n   a:2\n"),
        ("k:x:@.d/0/*", "k\n   b\n"),
        ("k:x:@.missing/*", "k\n"),
        ("node_reference:x:@.missing", "node_reference\n"),
    ],
)
def test_lists_become_children(way: str, line: str, tree: str) -> None:
    assert generate(unwrapped(way, f"{DATA}args\n   {line}")) == tree


def test_children_that_were_there_stay_first() -> None:
    args = unwrapped("lists", f"{DATA}args\n   k:x:@.d/0/*\n      old")
    assert generate(args) == "k\n   old\n   b\n"


@pytest.mark.parametrize("way", ["lists", "descendants"])
def test_reference_is_the_node_itself(way: str) -> None:
    args = unwrapped(way, f"{DATA}args\n   node_reference:x:@.d")
    assert args.children[0].value is args.root.children[0]
    with pytest.raises(TreeError):
        unwrapped(way, f"{DATA}args\n   node_reference:x:@.d/*")


def test_copies_are_copies() -> None:
    args = unwrapped("lists", f"{DATA}args\n   k:x:@.d/*")
    copy = args.children[0].children[0]
    original = args.root.children[0].children[0]
    assert copy is not original
    assert copy.parent is args.children[0]
    assert original.parent is args.root.children[0]


def test_only_the_given_nodes_are_unwrapped() -> None:
    text = f"{DATA}args\n   k\n      deep:x:@.d/0"
    assert generate(unwrapped("lists", text)) == "k\n   deep:x:@.d/0\n"
    assert generate(unwrapped("descendants", text)) == "k\n   deep:1\n"


def test_descendants_are_unwrapped_in_document_order() -> None:
    text = "args\n   a:int:5\n   b:x:@a\n   c:x:@b\n   d\n      e:x:@c"
    args = unwrapped("descendants", text)
    assert generate(args) == "a:int:5\nb:int:5\nc:int:5\nd\n   e:int:5\n"


def test_copies_are_unwrapped_in_their_turn() -> None:
    text = ".l\n   x:x:@.n\n   y\n      z:x:@.n\n.n:7\nargs\n   k:x:@.l/*"
    args = unwrapped("descendants", text.replace("@.n", "../*/.n"))
    assert generate(args) == "k\n   x:7\n   y\n      z:7\n"


@pytest.mark.parametrize(
    "text",
    [
        "args\n   a:x:../*",
        "args\n   a:x:../*\n   b:x:../*",
        "args\n   a\n   b:x:@args/*",
        ".s\n   k:x:../*/.s/*\nargs\n   a:x:@.s/*",
        ".s\n   k:x:../*/.s/*\n   l:x:../*/.s/*\nargs\n   a:x:@.s/*",
        "args\n   s\n      k:x:@args/*/t/*\n   t\n      l:x:@args/*/s/*",
    ],
)
def test_copies_without_end_are_an_error(text: str) -> None:
    with pytest.raises(ExpressionError, match="part of"):
        unwrapped("descendants", text)


def test_copies_count_as_nodes() -> None:
    items = "".join(f"   .:{n}\n" for n in range(50))
    uses = "".join("   k:x:@.l/*\n" for _ in range(50))
    text = f".l\n{items}args\n{uses}"
    assert len(unwrapped("lists", text).children) == 50
    with pytest.raises(LimitError):
        unwrapped("lists", text, Limits(max_nodes=500))


def test_deep_trees_are_no_trouble() -> None:
    root = Node("args")
    node = root
    for _ in range(20_000):
        node = node.add(Node("a"))
    node.add(Node("b", parse("x:x:@a").children[0].value))
    evaluator = Evaluator()
    evaluator.register("unwrap-args", lambda run, node: unwrap_descendants(run, root))
    evaluator.signal("unwrap-args", Node("unwrap-args"))
    assert node.children[0].value is None
