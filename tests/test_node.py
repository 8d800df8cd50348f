"""Nodes keep parents, positions and children right, whatever is done to them."""

from __future__ import annotations

import gc
import random
from collections.abc import Callable

import pytest

from hyperlambda import Expression, HyperlambdaError, Node, parse
from hyperlambda.errors import MissingValueError, TreeError


def family(*names: str) -> Node:
    """Return a node that has a child of each name."""
    return Node("parent", None, [Node(name) for name in names])


def names(node: Node) -> str:
    return "".join(child.name for child in node.children)


def assert_sound(root: Node) -> None:
    """Assert that parents and children agree everywhere below a node."""
    for node in root.walk():
        for index, child in enumerate(node.children):
            assert child.parent is node
            assert child.position() == index


# Construction


def test_a_node_starts_nameless_and_empty() -> None:
    node = Node()
    assert (node.name, node.value, node.parent, node.place) == ("", None, None, None)
    assert len(node.children) == 0


def test_an_empty_text_is_not_null() -> None:
    assert Node("a", "").value == ""
    assert Node("a").value is None


def test_construction_takes_children_from_their_former_parent() -> None:
    # 01 §7 Q42
    old = family("a", "b", "c")
    new = Node("new", None, [old.children[1]])
    assert (names(old), names(new)) == ("ac", "b")
    assert_sound(old)
    assert_sound(new)


def test_construction_from_the_children_of_another_node_takes_them_all() -> None:
    old = family("a", "b", "c")
    new = Node("new", None, old.children)
    assert (names(old), names(new)) == ("", "abc")
    assert_sound(new)


def test_nodes_have_no_value_equality() -> None:
    assert Node("a", 1) != Node("a", 1)
    assert len({Node("a"), Node("a")}) == 2


@pytest.mark.parametrize(
    ("node", "text"),
    [
        (Node(), "Node('', None)"),
        (Node("a", 5), "Node('a', 5)"),
        (Node("a", "x", [Node()]), "Node('a', 'x', 1 children)"),
        (Node("e", Expression("@.a/*")), "Node('e', Expression('@.a/*'))"),
    ],
)
def test_repr(node: Node, text: str) -> None:
    assert repr(node) == text


def test_repr_of_a_node_whose_value_is_itself_ends() -> None:
    node = Node("a")
    node.value = node
    assert "a" in repr(node)


# Reading


def test_child_is_the_first_of_that_name() -> None:
    node = Node("n", None, [Node("a", 1), Node("b", 2), Node("a", 3)])
    found = node.child("a")
    assert found is not None
    assert found.value == 1
    assert node.child("A") is None


@pytest.mark.parametrize(
    ("name", "default", "value"),
    [
        ("plain", None, "x"),
        ("chain", None, 5),
        ("missing", None, None),
        ("missing", 7, 7),
        ("null", 7, 7),
        ("empty", 7, ""),
        ("false", 7, False),
        ("nothing", 7, 7),
    ],
)
def test_get_follows_expressions_and_falls_back(
    name: str, default: object, value: object
) -> None:
    node = parse(
        "plain:x\nnumber:int:5\nnull\nempty:\nfalse:bool:false\n"
        "link:x:@number\nchain:x:@link\nnothing:x:@gone"
    )
    assert node.get(name, default) == value


def test_resolve_of_an_expression_that_finds_several_is_an_error() -> None:
    node = parse("a:1\na:2\nlook:x:../*/a").children[2]
    with pytest.raises(HyperlambdaError, match="finds 2 nodes"):
        node.resolve()


def test_previous_and_next_end_at_the_ends() -> None:
    parent = family("a", "b", "c")
    a, b, c = parent.children
    assert (a.previous, b.previous, c.previous) == (None, a, b)
    assert (a.next, b.next, c.next) == (b, c, None)
    assert parent.previous is None
    assert parent.next is None


def test_root_is_the_topmost_ancestor() -> None:
    root = parse("a\n   b\n      c")
    leaf = root.children[0].children[0].children[0]
    assert leaf.root is root
    assert root.root is root


def test_walk_is_depth_first_and_begins_with_the_node() -> None:
    root = parse("a\n   b\n      c\n   d\ne")
    assert [node.name for node in root.walk()] == ["", "a", "b", "c", "d", "e"]


def test_a_root_has_no_position() -> None:
    with pytest.raises(MissingValueError):
        Node().position()


def test_position_is_right_after_many_shifts() -> None:
    parent = family(*"abcdefghijklmnopqrstuvwxyz")
    last = parent.children[-1]
    for _ in range(20):
        parent.insert(0, Node("new"))
    assert last.position() == 45
    for _ in range(40):
        parent.children[0].untie()
    assert last.position() == 5


# Changing


def test_add_returns_the_node_and_moves_it() -> None:
    old, new = family("a", "b"), family("c")
    moved = old.children[0]
    assert new.add(moved) is moved
    assert (names(old), names(new)) == ("b", "ca")
    assert_sound(old)
    assert_sound(new)


def test_adding_a_child_again_moves_it_last() -> None:
    parent = family("a", "b", "c")
    parent.add(parent.children[0])
    assert names(parent) == "bca"
    assert_sound(parent)


def test_extend_takes_the_live_children_of_another_node() -> None:
    old, new = family("a", "b"), family("c")
    new.extend(old.children)
    assert (names(old), names(new)) == ("", "cab")


@pytest.mark.parametrize(
    ("position", "after"),
    [(0, "xabc"), (1, "axbc"), (3, "abcx")],
)
def test_insert_puts_a_new_node_there(position: int, after: str) -> None:
    parent = family("a", "b", "c")
    parent.insert(position, Node("x"))
    assert names(parent) == after
    assert_sound(parent)


@pytest.mark.parametrize(
    ("moved", "position", "after"),
    [(0, 0, "abc"), (0, 1, "bac"), (0, 2, "bca"), (2, 0, "cab"), (1, 2, "acb")],
)
def test_insert_counts_after_the_node_is_taken_away(
    moved: int, position: int, after: str
) -> None:
    parent = family("a", "b", "c")
    parent.insert(position, parent.children[moved])
    assert names(parent) == after
    assert_sound(parent)


@pytest.mark.parametrize("position", [-1, 3, 100])
def test_insert_out_of_range_changes_nothing(position: int) -> None:
    # 01 §7 Q43: checked first
    parent, other = family("a", "b"), family("c")
    moved = other.children[0]
    version = parent.version
    with pytest.raises(TreeError):
        parent.insert(position, moved)
    assert (names(parent), names(other)) == ("ab", "c")
    assert moved.parent is other
    assert parent.version == version


def test_insert_of_an_own_child_may_not_go_beyond_the_end() -> None:
    parent = family("a", "b")
    with pytest.raises(TreeError):
        parent.insert(2, parent.children[0])
    assert names(parent) == "ab"


@pytest.mark.parametrize(
    ("anchor", "moved", "before", "after"),
    [
        (0, 1, "bac", "abc"),
        (2, 0, "bac", "bca"),
        (0, 2, "cab", "acb"),
        (1, 0, "abc", "bac"),
    ],
)
def test_insert_before_and_after_move_a_sibling(
    anchor: int, moved: int, before: str, after: str
) -> None:
    for expected, is_before in ((before, True), (after, False)):
        parent = family("a", "b", "c")
        place, node = parent.children[anchor], parent.children[moved]
        put = place.insert_before if is_before else place.insert_after
        assert put(node) is node
        assert names(parent) == expected
        assert_sound(parent)


@pytest.mark.parametrize("method", ["insert_before", "insert_after"])
def test_nothing_stands_beside_a_root_or_itself(method: str) -> None:
    root, other = family("a"), family("b")
    moved = other.children[0]
    with pytest.raises(TreeError, match="no siblings"):
        getattr(root, method)(moved)
    assert moved.parent is other
    child = root.children[0]
    with pytest.raises(TreeError, match="beside itself"):
        getattr(child, method)(child)
    assert names(root) == "a"


def test_remove_only_takes_own_children() -> None:
    parent, other = family("a", "b"), family("c")
    gone = parent.children[0]
    parent.remove(gone)
    assert gone.parent is None
    assert names(parent) == "b"
    for stranger in (other.children[0], gone, parent):
        with pytest.raises(TreeError):
            parent.remove(stranger)
    assert names(other) == "c"


def test_untie_on_a_root_does_nothing() -> None:
    # 01 §7 Q43
    root = family("a")
    assert root.untie() is root
    assert names(root) == "a"


def test_untie_finds_the_node_by_identity() -> None:
    parent = family("a", "a", "a")
    first, middle, last = parent.children
    middle.untie()
    assert list(parent.children) == [first, last]


def test_clear_and_take_children_free_the_children() -> None:
    parent = family("a", "b")
    children = list(parent.children)
    parent.clear()
    assert names(parent) == ""
    assert [child.parent for child in children] == [None, None]
    parent.extend(children)
    assert parent.take_children() == children
    assert [child.parent for child in children] == [None, None]
    assert names(parent) == ""


def test_truncate_frees_what_it_drops() -> None:
    # 01 §7 Q43
    parent = family("a", "b", "c")
    dropped = list(parent.children[1:])
    parent.truncate(1)
    assert names(parent) == "a"
    assert [node.parent for node in dropped] == [None, None]
    parent.truncate(5)
    assert names(parent) == "a"
    with pytest.raises(TreeError):
        parent.truncate(-1)


def test_remove_all_is_all_or_nothing() -> None:
    parent, other = family("a", "b", "c", "d"), family("x")
    a, _, c, _ = parent.children
    with pytest.raises(TreeError):
        parent.remove_all([a, other.children[0]])
    assert names(parent) == "abcd"
    assert a.parent is parent
    parent.remove_all([c, a, c])
    assert names(parent) == "bd"
    assert (a.parent, c.parent) == (None, None)
    assert_sound(parent)


def test_sort_is_stable_and_keeps_positions_right() -> None:
    # 01 §7 Q55
    parent = Node("p", None, [Node(f"n{i}", i % 3) for i in range(30)])
    parent.sort(lambda node: node.value)
    assert [child.value for child in parent.children] == [0] * 10 + [1] * 10 + [2] * 10
    zeros = [int(child.name[1:]) for child in parent.children[:10]]
    assert zeros == sorted(zeros)
    assert_sound(parent)


CHANGES: dict[str, Callable[[Node], object]] = {
    "add": lambda node: node.add(Node("x")),
    "extend": lambda node: node.extend([Node("x")]),
    "insert": lambda node: node.insert(0, Node("x")),
    "insert_before": lambda node: node.children[0].insert_before(Node("x")),
    "insert_after": lambda node: node.children[0].insert_after(Node("x")),
    "remove": lambda node: node.remove(node.children[0]),
    "untie": lambda node: node.children[0].untie(),
    "remove_all": lambda node: node.remove_all(node.children[:1]),
    "clear": lambda node: node.clear(),
    "take_children": lambda node: node.take_children(),
    "adopt": lambda node: node.adopt([Node("x")]),
    "truncate": lambda node: node.truncate(1),
    "sort": lambda node: node.sort(lambda child: child.name),
    "moved away": lambda node: Node().add(node.children[0]),
}


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_of_the_list_counts_as_one(change: str) -> None:
    parent = family("b", "a")
    version = parent.version
    CHANGES[change](parent)
    assert parent.version > version


def test_names_and_values_are_no_changes_of_the_list() -> None:
    parent = family("b", "a")
    version = parent.version
    parent.name, parent.value, parent.children[0].name = "x", 1, "y"
    parent.children[0].add(Node())
    assert parent.version == version


# Circles


@pytest.mark.parametrize("depth", [0, 1, 2, 50])
@pytest.mark.parametrize("method", ["add", "insert", "insert_before", "extend"])
def test_a_node_cannot_stand_below_itself(depth: int, method: str) -> None:
    # 01 §7 Q44
    top = bottom = Node("top")
    for _ in range(depth):
        bottom = bottom.add(Node("below"))
    attempts: dict[str, Callable[[], object]] = {
        "add": lambda: bottom.add(top),
        "insert": lambda: bottom.insert(0, top),
        "extend": lambda: bottom.extend([top]),
        "insert_before": lambda: bottom.add(Node("anchor")).insert_before(top),
    }
    with pytest.raises(TreeError, match="below itself"):
        attempts[method]()
    assert top.parent is None
    assert_sound(top)


def test_random_changes_leave_the_tree_sound() -> None:
    chance = random.Random(7)
    root = Node("root")
    nodes = [root]
    for step in range(3000):
        one, other = chance.choice(nodes), chance.choice(nodes)
        try:
            match chance.randrange(8):
                case 0 | 1:
                    nodes.append(one.add(Node(str(step))))
                case 2:
                    one.add(other)
                case 3:
                    one.insert(chance.randrange(4), other)
                case 4:
                    one.insert_before(other)
                case 5:
                    one.insert_after(other)
                case 6:
                    one.untie()
                case _:
                    one.truncate(chance.randrange(5))
        except TreeError:
            pass
    assert len(nodes) > 500
    for node in nodes:
        if node.parent is None:
            assert_sound(node)
        else:
            assert node.parent.children.count(node) == 1


# Copies


def test_a_clone_shares_nothing_but_scalars() -> None:
    expression = Expression("@.a")
    node = Node("a", expression, [Node("b", bytearray(b"xy")), Node("c", Node("v", 1))])
    holder = Node("holder", None, [node])
    copy = node.clone()
    assert copy.parent is None
    assert holder.children[0] is node
    assert copy.value is expression
    assert_sound(copy)
    buffer, pointed = (child.value for child in copy.children)
    assert buffer == b"xy"
    assert buffer is not node.children[0].value
    assert pointed is not node.children[1].value
    assert (pointed.name, pointed.value) == ("v", 1)


def test_a_clone_of_a_reference_points_at_a_copy() -> None:
    # 02 §2.6
    target = Node("target", "x", [Node("child")])
    copy = Node("link", target).clone()
    assert copy.value is not target
    assert copy.value.children[0].parent is copy.value


def test_a_clone_remembers_its_position() -> None:
    node = parse("a\n   b:c", file="f.hl").children[0]
    copy = node.clone()
    assert str(copy.children[0].place) == "f.hl:2:4"


def test_changing_a_clone_does_not_change_the_original() -> None:
    node = parse("a\n   b\n   c")
    copy = node.clone()
    copy.children[0].clear()
    copy.children[0].name = "z"
    assert names(node.children[0]) == "bc"
    assert node.children[0].name == "a"


def test_a_clone_of_a_node_whose_value_is_itself_is_an_error() -> None:
    # 01 §7 Q44: refuse or detect; never a RecursionError
    node = Node("a")
    node.value = node
    with pytest.raises(HyperlambdaError):
        node.clone()
    holder = Node("a", None, [Node("b")])
    holder.children[0].value = holder
    with pytest.raises(HyperlambdaError):
        holder.clone()


def test_a_clone_of_node_values_nested_without_end_is_a_copy_or_an_error() -> None:
    node = Node("a")
    for _ in range(100_000):
        node = Node("a", node)
    try:
        copy = node.clone()
    except HyperlambdaError:
        return
    assert copy is not node


# Size


def test_a_deep_tree_is_copied_walked_and_freed() -> None:
    root = leaf = Node()
    for _ in range(100_000):
        leaf = leaf.add(Node("a"))
    copy = root.clone()
    assert sum(1 for _ in copy.walk()) == 100_001
    assert leaf.root is root
    del root, leaf, copy
    gc.collect()


def test_a_wide_list_is_changed_at_both_ends_in_time() -> None:
    parent = family(*(["a"] * 50_000))
    while parent.children:
        parent.children[-1].untie()
    parent = family(*(["a"] * 50_000))
    for child in list(parent.children):
        assert child.next is not child
    parent.truncate(0)
    assert names(parent) == ""
