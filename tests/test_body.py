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
    body = Body(RUN, code)
    for _ in range(3):
        holder = Node("loop")
        holder.adopt(body.fresh())
        assert generate(holder) == written
        for node in holder.walk():
            for index, child in enumerate(node.children):
                assert child.parent is node
                assert child.position() == index
        for top in list(holder.children):
            for node in list(top.walk()):
                if data.draw(st.booleans()):
                    change(node, data.draw)
        holder.clear()
    assert generate(code) == written


def test_nodes_that_somebody_may_hold_are_left_alone() -> None:
    body = Body(RUN, [Node("get", None, [Node("inner", "old")])])
    [node] = body.fresh()
    inner = node.children[0]
    inner.value = "new"
    node.value = inner  # as [reference] does
    [again] = body.fresh()
    assert again is not node
    assert inner.value == "new"


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
