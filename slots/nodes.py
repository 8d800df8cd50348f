"""Changing the tree: [add], [insert-before], [remove-nodes], [set-value], [unwrap] …"""

from __future__ import annotations

from hyperlambda import ArgumentError, Evaluator, Node, slot
from hyperlambda.errors import MissingValueError, PlacementError
from hyperlambda.expressions import expression_of, resolve_bool, resolve_text
from hyperlambda.shapes import is_within
from hyperlambda.siblings import rename
from hyperlambda.unwrapping import unwrap as unwrap_nodes


@slot("add")
def add(evaluator: Evaluator, node: Node) -> None:
    """
    Append copies of nodes to other nodes.

    Reads:
        value: an expression; each node that it finds gets copies of its own.
        children: run unless their names begin with a dot; what is added is *their*
            children.
    Leaves:
        value: as it is.
        children: none.
    Raises:
        ExpressionError: The value is not an expression.
        LimitError: There would be more nodes than the program may have.
    Source:
        Spec 02 §3.6.

    Example::

        .list
        .more
           b:2
        add:x:@.list
           .
              a:1
           get-nodes:x:@.more/*
        // becomes
        .list
           a:1
           b:2
        .more
           b:2
        add:x:@.list
    """
    evaluator.run_children(node)
    targets = expression_of(node).evaluate(node)
    if len(targets) == 1 and not evaluator.references:
        _move(evaluator, node, targets[0])
    else:
        sources = _grandchildren(node)
        for target in targets:
            target.adopt(evaluator.clones(sources))
    node.clear()


def _move(evaluator: Evaluator, node: Node, target: Node) -> None:
    """
    Append the grandchildren of a node to another node.

    Those that a slot has just made are moved there, since their copies could not be told
    from them: nobody refers to them, and what is left of them is cleared.
    """
    is_inside = is_within(target, node)
    for child in node.children:
        if child.version and child.name and child.name[0] != "." and not is_inside:
            target.adopt(child.take_children())
        elif child.children:
            target.adopt(evaluator.clones(child.children))


@slot("insert-before")
def insert_before(evaluator: Evaluator, node: Node) -> None:
    """
    Put copies of nodes before other nodes.

    Reads:
        As [add].
    Leaves:
        value: as it is.
        children: none.
    Raises:
        ExpressionError: The value is not an expression.
        PlacementError: The expression finds a node without parent.
        LimitError: There would be more nodes than the program may have.
    Source:
        Spec 02 §3.6.

    Example::

        .list
           b
        insert-before:x:@.list/*/b
           .
              a
        // becomes
        .list
           a
           b
        insert-before:x:@.list/*/b
    """
    _insert(evaluator, node, 0)


@slot("insert-after")
def insert_after(evaluator: Evaluator, node: Node) -> None:
    """
    Put copies of nodes after other nodes.

    Reads:
        As [add].
    Leaves:
        value: as it is.
        children: none.
    Raises:
        ExpressionError: The value is not an expression.
        PlacementError: The expression finds a node without parent.
        LimitError: There would be more nodes than the program may have.
    Source:
        Spec 02 §3.6.

    Example::

        .list
           a
        insert-after:x:@.list/*/a
           .
              b
              c
        // becomes
        .list
           a
           b
           c
        insert-after:x:@.list/*/a
    """
    _insert(evaluator, node, 1)


def _insert(evaluator: Evaluator, node: Node, shift: int) -> None:
    evaluator.run_children(node)
    sources = _grandchildren(node)
    for target in expression_of(node).evaluate(node):
        parent = target.parent
        if parent is None:
            raise PlacementError(f"'{node.name}' finds a node without parent")
        position = target.position() + shift
        for copy in evaluator.clones(sources):
            parent.insert(position, copy)
            position += 1
    node.clear()


def _grandchildren(node: Node) -> list[Node]:
    return [source for child in node.children for source in child.children]


@slot("remove-nodes")
def remove_nodes(evaluator: Evaluator, node: Node) -> None:
    """
    Remove the nodes that an expression finds.

    Reads:
        value: an expression.
    Leaves:
        value and children: as they are.
    Raises:
        ExpressionError: The value is not an expression.
        MissingValueError: The expression finds a node without parent.
    Source:
        Spec 02 §3.6.

    Example::

        .list
           a
           b
        remove-nodes:x:@.list/*/a
        // becomes
        .list
           b
        remove-nodes:x:@.list/*/a
    """
    by_parent: dict[int, tuple[Node, list[Node]]] = {}
    for found in expression_of(node).evaluate(node):
        if found.parent is None:
            raise MissingValueError("a node without parent cannot be removed")
        by_parent.setdefault(id(found.parent), (found.parent, []))[1].append(found)
    for parent, children in by_parent.values():
        if len(children) == 1:
            children[0].untie()
        else:
            parent.remove_all(children)


@slot("set-value")
def set_value(evaluator: Evaluator, node: Node) -> None:
    """
    Give nodes a value.

    Reads:
        value: an expression that finds the nodes.
        children: at most one, whose value is taken (an expression is followed); run
            before, unless its name begins with a dot. Without it the nodes lose theirs.
    Leaves:
        value and children: as they are; what was run shows its own results.
    Raises:
        ArgumentError: There are several children.
        ExpressionError: The value is not an expression.
    Source:
        Spec 02 §3.6.

    Example::

        .a
        set-value:x:@.a
           .:int:5
        // becomes
        .a:int:5
        set-value:x:@.a
           .:int:5
    """
    value = evaluator.operand(node) if _has_source(node) else None
    if type(value) is Node:
        evaluator.references += 1
    for found in expression_of(node).evaluate(node):
        found.value = value


@slot("set-x")
def set_x(evaluator: Evaluator, node: Node) -> None:
    """
    Give nodes a value, an expression included.

    Reads:
        As [set-value], but an expression is stored, not followed.
    Leaves:
        value and children: as they are; what was run shows its own results.
    Raises:
        ArgumentError: There are several children.
        ExpressionError: The value is not an expression.
    Source:
        Spec 02 §3.6.

    Example::

        .a:1
        .b
        set-x:x:@.b
           .:x:@.a
        // becomes
        .a:1
        .b:x:@.a
        set-x:x:@.b
           .:x:@.a
    """
    value = None
    if _has_source(node):
        evaluator.run_children(node)
        value = node.children[0].value
    if type(value) is Node:
        evaluator.references += 1
    for found in expression_of(node).evaluate(node):
        found.value = value


@slot("set-name")
def set_name(evaluator: Evaluator, node: Node) -> None:
    """
    Give nodes a name.

    Reads:
        value: an expression that finds the nodes, each when its turn comes.
        children: at most one, whose text is taken; run before, unless its name begins
            with a dot. Without it the nodes get an empty name.
    Leaves:
        value and children: as they are; what was run shows its own results.
    Raises:
        ArgumentError: There are several children.
        ExpressionError: The value is not an expression.
    Source:
        Spec 02 §3.6.

    Example::

        .list
           a
        set-name:x:@.list/0
           .:b
        // becomes
        .list
           b
        set-name:x:@.list/0
           .:b
    """
    name = ""
    if _has_source(node):
        evaluator.run_children(node)
        name = resolve_text(node.children[0]) or ""
    for found in expression_of(node).iterate(node):
        rename(found, name)


def _has_source(node: Node) -> bool:
    """Return whether there is a child, of which there may be only one."""
    count = len(node.children)
    if count > 1:
        raise ArgumentError(f"'{node.name}' takes its value from at most one child")
    return count == 1


@slot("unwrap")
def unwrap(evaluator: Evaluator, node: Node) -> None:
    """
    Replace expressions by what they find, before somebody else sees them.

    Reads:
        value: an expression that finds the nodes whose expressions are replaced.
        apply-lists: bool, default false. If true, an expression may find several nodes,
            or end in `*`: copies of what it finds become children.
    Leaves:
        value and children: as they are.
    Raises:
        ExpressionError: The value is not an expression; or one that is to be replaced
            finds several nodes, and [apply-lists] is false.
        LimitError: There would be more nodes than the program may have.
    Source:
        Spec 02 §3.6, spec 01 §5.10.

    Example::

        .who:Ada
        unwrap:x:+/*
        .message
           text:x:@.who
        // becomes
        .who:Ada
        unwrap:x:+/*
        .message
           text:Ada
    """
    apply_lists = node.child("apply-lists")
    unwrap_nodes(
        evaluator,
        expression_of(node).iterate(node),
        apply_lists is not None and resolve_bool(apply_lists),
    )
