"""`@name` finds the nearest, whatever the hints of positions say."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hyperlambda import Expression, Node

NAMES = st.sampled_from(["a", "b", "c", "x"])


def naive(node: Node, name: str) -> Node | None:
    """Look at older siblings, then at the parent, and so on upwards."""
    parent = node.parent
    while parent is not None:
        position = [child is node for child in parent.children].index(True)
        for sibling in reversed(parent.children[:position]):
            if sibling.name == name:
                return sibling
        if parent.name == name:
            return parent
        node, parent = parent, parent.parent
    return None


@given(st.lists(NAMES, min_size=1, max_size=12), st.data())
def test_stale_hints_mislead_nobody(names: list[str], data: st.DataObject) -> None:
    top = Node("x", None, [Node(name) for name in names])
    root = Node("", None, [Node("b"), top, Node("c")])
    for node in list(root.walk()):
        node.index = data.draw(st.integers(0, 30))
    for node in top.children:
        name = data.draw(NAMES)
        found = Expression(f"@{name}").evaluate(node)
        wanted = naive(node, name)
        assert found == ([] if wanted is None else [wanted])
