"""Names among very many siblings are found as if each was looked at."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hyperlambda import Evaluator, Expression, Node, parse
from hyperlambda.meter import looking_at
from hyperlambda.siblings import MANY, children_named, nearest_before, rename

NAMES = ["a", "b", "c", "d", ""]
EDITS = ["rename", "rename last", "add", "adopt", "insert", "untie", "move", "sort"]
EDITS += ["remove some", "truncate", "nothing", "nothing", "other list"]


def parent_of(count: int) -> Node:
    return Node("parent", None, [Node(NAMES[n % 5]) for n in range(count)])


def edit(what: str, parent: Node, name: str, place: int, other: Node) -> None:
    children = parent.children
    child = children[place % len(children)]
    if what == "rename":
        rename(child, name)
    elif what == "rename last":
        rename(children[-1], name)
    elif what == "add":
        parent.add(Node(name))
    elif what == "adopt":
        parent.adopt([Node(name), Node("new")])
    elif what == "insert":
        parent.insert(place % (len(children) + 1), Node(name))
    elif what == "untie":
        child.untie()
    elif what == "move":
        child.insert_before(children[-1]) if child is not children[-1] else None
    elif what == "sort":
        parent.sort(lambda node: node.name)
    elif what == "remove some":
        parent.remove_all(children[place % len(children) :][:5])
    elif what == "truncate":
        parent.truncate(max(MANY + 5, len(children) - 2))
    elif what == "other list":
        rename(other.children[place % len(other.children)], name)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(EDITS), st.sampled_from(NAMES), st.integers(0, 10**4)
        ),
        min_size=1,
        max_size=40,
    )
)
def test_whatever_changes_all_are_found_where_they_are(
    edits: list[tuple[str, str, int]],
) -> None:
    parent, other = parent_of(3 * MANY), parent_of(2 * MANY)
    with looking_at(lambda: None):
        for what, name, place in edits:
            edit(what, parent, name, place, other)
            for each in (parent, other):
                children = each.children
                index = place % (len(children) + 1)
                named = [child for child in children if child.name == name]
                assert children_named(each, name) == named
                before = [child for child in children[:index] if child.name == name]
                found = nearest_before(each, index, name)
                assert found is (before[-1] if before else None)


@given(
    st.lists(
        st.tuples(st.sampled_from(EDITS), st.integers(0, 10**4), st.booleans()),
        min_size=1,
        max_size=40,
    )
)
def test_each_node_knows_its_position(edits: list[tuple[str, int, bool]]) -> None:
    parent = parent_of(3 * MANY)
    for what, place, all_of_them in edits:
        edit(what, parent, "a", place, parent)
        children = parent.children
        asked = range(len(children)) if all_of_them else [place % len(children)]
        for index in asked:
            assert children[index].position() == index


def rename_by_hand(evaluator: Evaluator, node: Node) -> None:
    for found in Expression("@.data/*/[60,1]").evaluate(node):
        found.name = "here"
    evaluator.run_children(node)


@pytest.mark.parametrize(
    "lookup", ["@.data/0/-/@here", "@.data/*/here", "@.data/*/{@.n}"]
)
@pytest.mark.parametrize(
    "change",
    [
        "set-name:x:@.data/*/[60,1]\n   .:here",
        "set-name:x:@.data/*/[60,1]\n   .:here\nset-name:x:@.data/*/[61,1]\n   .:other",
        "mine",
        "mine\n   get-count:x:@.data/*/here",
        "insert-before:x:@.data/60\n   .\n      here",
        "apply:x:@.template\n   n:here",
    ],
)
def test_programs_see_new_names_at_once(change: str, lookup: str) -> None:
    nodes = "".join("   x\n" for _ in range(200))
    look = f"get-count:x:{lookup}\n"
    many = look * 3
    text = f".n:here\n.template\n   {{n}}\n.data\n{nodes}{many}{change}\n{many}"
    evaluator = Evaluator()
    evaluator.register("mine", rename_by_hand)
    root = parse(text)
    evaluator.evaluate(root)
    counts = [node.value for node in root.children if node.name == "get-count"]
    changed = 0 if change.startswith("apply") else 1
    assert counts == [0, 0, 0, changed, changed, changed]


def test_loops_find_the_names_that_their_code_was_written_with() -> None:
    others = "         .x\n" * 2 * MANY
    look = """\
      math.increment:x:@.found
         get-count:x:@.data/*/.key
"""
    text = f"""\
.n:int:0
.found:int:0
while
   lt
      get-value:x:@.n
      .:int:4
   .lambda
      math.increment:x:@.n
      .data
         .key
{others}\
{look * 3}\
      set-name:x:@.data/0
         .:gone
{look * 3}"""
    root = parse(text)
    Evaluator().evaluate(root)
    assert root.get(".found") == 4 * 3


@pytest.mark.parametrize("count", [1, 7, 12, 40])
@pytest.mark.parametrize("true", [None, 0, 6, 11, 39])
def test_one_branch_of_many_is_run(count: int, true: int | None) -> None:
    branches = "".join(
        f"else-if\n   eq\n      get-value:x:@.n\n      .:int:{n}\n"
        "   .lambda\n      math.increment:x:@.runs\n"
        for n in range(count)
    )
    text = f"""\
.runs:int:0
.n:int:{-1 if true is None else true}
if:bool:false
{branches}else
   math.increment:x:@.runs
      .:int:10
"""
    root = parse(text)
    Evaluator().evaluate(root)
    is_run = true is not None and true < count
    assert root.get(".runs") == (1 if is_run else 10)
    verdicts = [node.value for node in root.children if node.name == "else-if"]
    assert verdicts == [n == true for n in range(count)]


def wilful(evaluator: Evaluator, node: Node) -> None:
    """Make the first branch true, as a condition that does what it should not."""
    first = node.parent.root.child("if") if node.parent else None
    assert first is not None
    first.value = True
    node.value = False


@pytest.mark.parametrize(
    "condition",
    ["   wilful\n", "   not\n      set-value:x:../*/if\n         .:bool:true\n"],
)
def test_a_condition_that_changes_an_earlier_branch_is_noticed(condition: str) -> None:
    branch = "else-if\n   eq\n      .:int:1\n      .:int:2\n   .lambda\n"
    wilful_one = f"else-if\n{condition}   .lambda\n"
    evaluator = Evaluator()
    evaluator.register("wilful", wilful)
    root = parse(f"if:bool:false\n{branch * 20}{wilful_one}else\n   throw:reached\n")
    evaluator.evaluate(root)
    assert root.children[-1].value is False
