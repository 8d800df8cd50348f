"""Code that runs again is as it was written, whatever the last round did to it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hyperlambda import Evaluator, Node, generate
from hyperlambda.body import Body
from hyperlambda.run import Run

NAMES = st.sampled_from(["a", "b", ".c", ""])
VALUES = st.sampled_from([None, "", "x", 1, True])


def trees(depth: int = 3) -> st.SearchStrategy[Node]:
    if not depth:
        return st.builds(Node, NAMES, VALUES)
    return st.builds(Node, NAMES, VALUES, st.lists(trees(depth - 1), max_size=3))


def running() -> Run:
    """Return a run that clones without limit."""
    evaluator = Evaluator()
    evaluator._start(None)
    return evaluator


RUN = running()


def change(node: Node, draw: st.DrawFn) -> None:
    """Do to a node what slots do."""
    what = draw(st.integers(0, 7))
    if what == 0:
        node.value = draw(VALUES)
    elif what == 1:
        node.name = draw(NAMES)
    elif what == 2:
        node.clear()
    elif what == 3:
        node.add(Node("new", 5))
    elif what == 4 and node.children:
        node.children[0].untie()
    elif what == 5:
        node.insert(0, Node("new", None, [Node("below")]))
    elif what == 6:
        node.value = Node("referred", None, [Node("to")])
    elif what == 7:
        node.sort(lambda child: child.name)


@given(st.lists(trees(), min_size=1, max_size=4), st.data())
def test_a_round_begins_with_the_code_as_written(
    code: list[Node], data: st.DataObject
) -> None:
    written = generate(code)
    owner = Node("loop", None, code)
    body = Body(RUN, owner)
    for _ in range(3):
        for top in list(owner.children):
            for node in list(top.walk()):
                if data.draw(st.booleans()):
                    change(node, data.draw)
        if data.draw(st.booleans()):
            owner.clear()
        body.fresh()
        assert generate(owner) == written
        for node in owner.walk():
            for index, child in enumerate(node.children):
                assert child.parent is node
                assert child.position() == index


def test_the_same_nodes_are_used_again() -> None:
    owner = Node("loop", None, [Node("a", 1, [Node("b"), Node("c")])])
    [node] = owner.children
    body = Body(RUN, owner)
    node.clear()
    node.value = 2
    body.fresh()
    assert owner.children[0] is node
    assert generate(owner) == "a:int:1\n   b\n   c\n"


def test_nodes_that_are_values_are_left_alone() -> None:
    owner = Node("loop", None, [Node("get", None, [Node("inner", "old")])])
    body = Body(RUN, owner)
    [node] = owner.children
    inner = node.children[0]
    inner.value = "new"
    node.value = inner  # as [get-value] does
    body.fresh()
    assert owner.children[0] is not node
    assert inner.value == "new"


def test_nodes_that_moved_away_are_left_alone() -> None:
    owner = Node("loop", None, [Node("return", None, [Node("inner", "old")])])
    body = Body(RUN, owner)
    [inner] = owner.children[0].take_children()
    inner.value = "new"
    result = Node("result", None, [inner])
    body.fresh()
    assert generate(owner) == "return\n   inner:old\n"
    assert generate(result) == "inner:new\n"


def test_each_round_that_is_referred_to_is_a_copy_of_its_own() -> None:
    result = Evaluator().run(
        ".kept\n"
        ".items\n   .:one\n   .:two\n   .:three\n"
        "for-each:x:@.items/*\n"
        "   .here\n"
        "   set-value:x:-\n"
        "      get-value:x:@.dp/#\n"
        "   add:x:@.kept\n"
        "      .\n"
        "         new\n"
        "   reference:x:@.here\n"
        "   set-value:x:@.kept/*/new\n"
        "      get-value:x:@reference\n"
        "   set-value:x:@set-value/*/get-value\n"
        "   set-value:x:@reference\n"
        "   set-name:x:@.kept/*/new\n"
        "      .:.\n"
        "for-each:x:@.kept/*\n"
        "   set-value:x:@.dp/#\n"
        "      get-value:x:@.dp/#/#\n"
        "return-nodes:x:@.kept/*\n"
    )
    assert generate(result) == ".:one\n.:two\n.:three\n"


def test_a_body_that_was_referred_to_before_the_loop_stays_as_it_is() -> None:
    result = Evaluator().run(
        ".items\n   .:one\n   .:two\n"
        "reference:x:+/0\n"
        "for-each:x:@.items/*\n"
        "   .here:kept\n"
        "   set-value:x:@.here\n"
        "      .:changed\n"
        "return:x:@reference/#\n"
    )
    assert result.value == "kept"


def test_a_loop_whose_body_is_referred_to_keeps_what_was_found() -> None:
    result = Evaluator().run(
        ".kept\n"
        ".items\n   .:one\n   .:two\n"
        "for-each:x:@.items/*\n"
        "   .here\n"
        "   set-value:x:-\n"
        "      get-value:x:@.dp/#\n"
        "   unwrap:x:+/*/*\n"
        "   add:x:@.kept\n"
        "      .\n"
        "         copy:x:@.here\n"
        "return-nodes:x:@.kept/*\n"
    )
    assert generate(result) == "copy:one\ncopy:two\n"
