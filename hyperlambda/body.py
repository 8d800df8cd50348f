"""
Code that runs again and again, and each time as it was written.

Programs change while they run: a loop needs its body as new for each pass, and a dynamic
slot its code for each call. Copying code takes longer than most code runs, so it runs
where it stands, and afterwards only what changed is put back. It is replaced by a copy
where somebody could tell the difference: where a node of it was moved elsewhere, or may
be known elsewhere, because it is or was the value of another one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from .node import NO_CHILDREN, RESHAPED, Node, copied_value
from .registry import standard_slots
from .sealed import Sealed, depths
from .siblings import rename

if TYPE_CHECKING:
    from .run import Run

__all__ = ["Body", "Code", "put_arguments_first"]

# Of the calls of one slot inside of each other, those whose code is kept for later calls.
_MOST_KEPT: Final = 32


class Code:
    """
    The code of a dynamic slot, ready to be called: with copies that were used before.

    Args:
        run: The program that it belongs to; others make copies of their own.
        made: The code as it was written; never run itself.
        takes_arguments: Whether each copy has an empty `.arguments` first, in the place
            of one that the code declares.
    """

    __slots__ = ("_idle", "_made", "_run", "_takes_arguments")

    def __init__(self, run: Run, made: Node, takes_arguments: bool) -> None:
        self._run = run
        self._made = made
        self._takes_arguments = takes_arguments
        self._idle: list[Body] = []

    def take(self) -> Body:
        """
        Return a copy of the code that nobody else uses; its `owner` is to be run.

        Raises:
            LimitError: There would be more nodes than the program may have.
        """
        if self._idle:
            body = self._idle.pop()
            self._run.charge_nodes(body.size)
            body.forget_references()
            return body
        [copy] = self._run.clones([self._made])
        if self._takes_arguments:
            put_arguments_first(copy)
        return Body(self._run, copy)

    def give_back(self, body: Body) -> None:
        """Keep a copy that has run, unless nodes of it may be in use elsewhere."""
        if len(self._idle) < _MOST_KEPT and not body.has_node_values and body.restore():
            self._idle.append(body)


def put_arguments_first(code: Node) -> Node:
    """Give code an empty `.arguments`, in the place of one that it declares; return it."""
    declared = code.child(".arguments")
    if declared is not None:
        declared.untie()
    arguments = Node(".arguments")
    rest = code.take_children()
    code.adopt([arguments, *rest])
    return arguments


class _Entry:
    """
    What one node was like when the code was as written.

    Attributes:
        operand: Its child, if it had just one.
    """

    __slots__ = ("children", "name", "node", "operand", "value", "version")

    def __init__(self, node: Node) -> None:
        self.node = node
        self.name: str = node.name
        self.value: Any = node.value
        self.children: list[Node] = list(node.children)
        self.operand = self.children[0] if len(self.children) == 1 else None
        self.version: int = node.version


class _Group:
    """
    What one block is like: the nodes below it, without those in blocks of its own.

    Attributes:
        top: The block. Another group has it among its entries.
        entries: The nodes.
        inner: Blocks among them that may stay unreached.
        seal: The children of the block, as long as nobody came to them.
    """

    __slots__ = ("entries", "inner", "seal", "top")

    def __init__(self, top: _Entry) -> None:
        self.top = top
        self.entries: list[_Entry] = []
        self.inner: list[_Group] = []
        self.seal: Sealed | None = None


class Body:
    """
    The code below a node.

    Args:
        run: The program that it belongs to.
        owner: The node. Its name and value are not looked at.
        may_seal: Whether nobody goes through the code while it runs, but those who look
            for seals.

    Attributes:
        size: How many nodes the code has.
        has_node_values: Whether some of their values are nodes.
        is_known: Whether something may lead to its nodes already, so that each run but
            the first needs a copy.
    """

    __slots__ = (
        "_depths",
        "_entries",
        "_group",
        "_owner",
        "_references",
        "_run",
        "has_node_values",
        "is_known",
        "size",
    )

    def __init__(self, run: Run, owner: Node, may_seal: bool = True) -> None:
        self._run = run
        self._owner = _Entry(owner)
        self._entries = [_Entry(node) for node in _below(owner)]
        self._references = run.references
        self._depths = depths.count
        self.size = len(self._entries)
        self.has_node_values = any(type(entry.value) is Node for entry in self._entries)
        self.is_known = self.has_node_values or run.references > 0
        self._group = _Group(self._owner)
        may_seal &= self.size > _WORTH_A_SEAL and not self.is_known
        if may_seal and not _is_walked(run, owner):
            self._make_groups()
        else:
            self._group.entries = self._entries

    @property
    def owner(self) -> Node:
        """The node whose children are the code."""
        return self._owner.node

    def forget_references(self) -> None:
        """Take it that nothing made so far refers to nodes of the code."""
        self._references = self._run.references

    def fresh(self) -> None:
        """
        Make the code as it was written: the same nodes if nobody else can know them.

        Raises:
            LimitError: There would be more nodes than the program may have.
        """
        if self.is_known or not self.restore():
            self.renew()

    def restore(self) -> bool:
        """
        Put back what changed.

        Returns:
            False if nodes of the code may be in use elsewhere; it is left half restored
            then, and `renew` must follow.
        """
        if self._run.references != self._references:
            return False
        owner = self._owner
        if owner.node.version != owner.version and not _put_back(owner):
            return False
        group = self._group
        if not _restore(group.entries):
            return False
        return not group.inner or self._restore_inner()

    def _restore_inner(self) -> bool:
        """Restore the blocks that somebody came to, and seal them again."""
        went_deep = depths.count != self._depths
        self._depths = depths.count
        waiting = list(self._group.inner)
        while waiting:
            group = waiting.pop()
            if group.top.node.children is group.seal and not went_deep:
                continue
            if not _restore(group.entries):
                return False
            waiting.extend(group.inner)
            group.seal = group.top.node.children = Sealed(group.top.children)
        return True

    def renew(self) -> None:
        """
        Put a copy of the code, as it was written, in its place.

        Raises:
            LimitError: There would be more nodes than the program may have.
        """
        run, owner = self._run, self._owner
        run.charge_nodes(self.size)
        owner.node.clear()  # first, for the value of a node may be what this stands in
        copies = {id(entry.node): _copy(entry) for entry in self._entries}
        for entry in [owner, *self._entries]:
            children = [copies[id(child)] for child in entry.children]
            if entry is not owner:
                entry.node = copies[id(entry.node)]
            entry.node.adopt(children)
            entry.children = children
            entry.operand = children[0] if len(children) == 1 else None
            entry.version = entry.node.version
        self._references = run.references

    def _make_groups(self) -> None:
        """Divide the code into blocks that may stay unreached, and seal these."""
        standard, functions = standard_slots().functions, self._run.registry.functions
        entries = {id(entry.node): entry for entry in self._entries}
        waiting = [
            (child, self._group, True) for child in reversed(self._owner.children)
        ]
        while waiting:
            node, group, is_run = waiting.pop()
            entry = entries[id(node)]
            group.entries.append(entry)
            name = node.name
            is_branch = is_run and name in _BRANCHES
            if is_branch and functions.get(name) is not standard[name]:
                is_branch = False
            within = group
            if is_run and node.children and _may_stay_unreached(node, is_branch):
                within = _Group(entry)
                within.seal = node.children = Sealed(entry.children)
                group.inner.append(within)
            goes_on = is_branch or (is_run and name == ".lambda")
            waiting.extend(
                [(child, within, goes_on) for child in reversed(entry.children)]
            )


# Of bodies with fewer nodes all are looked at: it takes no longer.
_WORTH_A_SEAL: Final = 24
_BRANCHES: Final = frozenset(["if", "else-if", "else"])


def _is_walked(run: Run, owner: Node) -> bool:
    """Return whether what a [for-each] points at stands at or below a node."""
    for walker in run.walking:
        present = walker.children[0].value if walker.children else None
        while type(present) is Node and present is not owner:
            present = present.parent
        if present is owner:
            return True
    return False


def _may_stay_unreached(node: Node, is_branch: bool) -> bool:
    """Return whether the children of a node are a block that only branching runs."""
    if is_branch:  # the short form, whose children are the code
        return node.value is not None or node.name == "else"
    parent = node.parent
    return node.name == ".lambda" and parent is not None and parent.name in _BRANCHES


def _restore(entries: list[_Entry]) -> bool:
    for entry in entries:
        node = entry.node
        value = node.value
        if value is not entry.value:
            if type(value) is Node:
                return False
            node.value = entry.value
        if node.name is not entry.name:
            rename(node, entry.name)
        if node.version != entry.version:
            operand = entry.operand
            if operand is not None and node.children is NO_CHILDREN:
                # It was taken away: what is most often to be put back.
                if operand.parent is not None:
                    return False
                operand.parent = node
                operand.index = 0
                node.children = [operand]
                node.version = entry.version = node.version + RESHAPED
            elif not _put_back(entry):
                return False
    return True


def _below(owner: Node) -> list[Node]:
    found: list[Node] = []
    waiting = list(owner.children)
    while waiting:
        node = waiting.pop()
        found.append(node)
        if node.children:
            waiting.extend(node.children)
    return found


def _put_back(entry: _Entry) -> bool:
    """Give a node the children that it had; False if one of them is elsewhere now."""
    node = entry.node
    for child in node.children:
        child.parent = None
    children = entry.children
    if children:
        index = 0
        for child in children:
            if child.parent is not None:
                return False
            child.parent = node
            child.index = index
            index += 1  # noqa: SIM113 # enumerate takes longer for so few
        node.children = children.copy()
    else:
        node.children = NO_CHILDREN
    node.version += RESHAPED
    entry.version = node.version
    return True


def _copy(entry: _Entry) -> Node:
    copy = Node(entry.name, copied_value(entry.value))
    copy.source = entry.node.source
    copy.offset = entry.node.offset
    return copy
