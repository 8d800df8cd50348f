"""
A program that runs: take a node, find its slot, call it, look at the limits (spec 02 §1–2).

A `Run` holds what belongs to one program: its scope stack, the node that takes its
result, and its budget. `Evaluator` adds how programs are started; slots are given an
evaluator that is running.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from .allowance import ENDLESS, Allowance
from .body import Code
from .compiled import IS_COMPILED
from .errors import (
    HyperlambdaError,
    LimitError,
    MissingValueError,
    NotAllowedError,
    SlotError,
    TreeError,
    UnknownSlotError,
)
from .expressions import Expression
from .interpreted import mypyc_attr
from .node import Node
from .registry import (
    SlotFunction,
    SlotRegistry,
    add_installed_slots,
    value_reader,
)
from .roomy import call_with_room

if TYPE_CHECKING:
    import asyncio

    from .sockets import Hub

__all__ = ["Run"]

_Argument = TypeVar("_Argument")
_Result = TypeVar("_Result")

# The most Python frames that one block of a program takes.
_FRAMES_PER_BLOCK = 7
# Blocks for which room is made: if there is no limit, and at the most. More would let
# recursion through C code, such as that of a JSON scanner or of a sort, run out of the
# machine's stack before Python notices.
_USUAL_DEPTH = 1000
# Fewer fit where Python has just begun; see roomy.py.
_FEW_BLOCKS: Final = 6
_DEEPEST = 2000
# The most dynamic slots whose code is kept ready.
_MOST_CODES = 256


@mypyc_attr(allow_interpreted_subclasses=True)
class Run(Allowance):
    """
    What a program has, and what its slots use.

    Only its subclass `Evaluator` is ever made, which is what slots are given.

    Attributes:
        registry: The slots.
        allow: Names, or patterns like `strings.*`, of those that programs may call; None
            allows all. What slots call by themselves is not asked for.
        hub: Carries socket messages, or None.
        root: The folder that programs may read files from, or None.
        config: What [config.get] finds, and the reference's own settings.
        result: The node that takes what the program returns.
        walking: The [for-each] that run, whose first child points at the present node.
        chain: The [else-if] of many that was run last, and whether it or one before it
            was true, as far as that can be known without looking at them again.
        has_room: Whether those who go deep need not care; see roomy.py.
        references: How often a node itself, and not its value, was made the value of
            another one: since then a node may be known from elsewhere.
    """

    __slots__ = (
        "_allowed",
        "_allowed_dynamic",
        "_awaited_by",
        "_codes",
        "_deepest",
        "_depth",
        "_get_value",
        "_granted",
        "_loop",
        "_max_depth",
        "_runner",
        "_scopes",
        "allow",
        "chain",
        "config",
        "has_room",
        "hub",
        "references",
        "registry",
        "result",
        "root",
        "walking",
    )

    registry: SlotRegistry
    hub: Hub | None
    root: Path | None
    allow: tuple[str, ...] | None
    config: Mapping[str, Any]
    result: Node | None
    chain: tuple[Node, bool] | None
    walking: list[Node]
    references: int
    _allowed: dict[str, SlotFunction]
    _allowed_dynamic: frozenset[str] | None
    _awaited_by: tuple[int, ...]
    _codes: tuple[dict[Node, Code], dict[Node, Code]]
    _deepest: int
    _depth: int
    has_room: bool
    _get_value: SlotFunction | None
    _granted: dict[str, SlotFunction]
    _loop: asyncio.AbstractEventLoop | None
    _max_depth: int
    _runner: asyncio.Runner | None
    _scopes: list[tuple[str, Any]]

    def _start(self, loop: asyncio.AbstractEventLoop | None) -> None:
        """Begin with full limits and nothing in scope."""
        self._start_counting()
        self.result = None
        self.chain = None
        self.walking = []
        self.references = 0
        self._granted = self.registry.matching(self.allow)
        self._allowed = self._granted
        self._allowed_dynamic = None
        self._awaited_by = ()
        self._codes = ({}, {})
        self._scopes = []
        self._loop = loop
        self._runner = None
        self._depth = 0
        self.has_room = IS_COMPILED  # whose frames are of another kind
        max_depth = self.limits.max_depth
        self._max_depth = ENDLESS if max_depth is None else max_depth
        if IS_COMPILED:  # Python does not notice when compiled code calls too deeply
            self._max_depth = min(self._max_depth, _USUAL_DEPTH)
        few = self._max_depth if IS_COMPILED else _FEW_BLOCKS
        self._deepest = min(few, self._max_depth)
        self._get_value = value_reader()
        depth = _USUAL_DEPTH if max_depth is None else max_depth
        _make_room(min(depth, _DEEPEST))

    def run_tree(self, root: Node) -> Node:
        """Run the children of a node with a result of its own, and return that."""
        outer = self.result
        result = self.result = Node()
        roots = self._roots
        roots.append(root)
        roots.append(result)
        try:
            self.run_children(root)
        finally:
            self.result = outer
            roots.pop()
            roots.pop()
        return result

    def run_children(self, node: Node) -> None:
        """
        Run the children of a node in order, those with a name that has no dot first.

        They run where they stand. The walk ends when the program has returned
        something (spec 02 §1.6, §2.2).

        Raises:
            TreeError: The list of children was changed by one of them.
            HyperlambdaError: One of them failed.
        """
        children = node.children
        if not children:
            return
        if self._depth >= self._deepest:
            self._go_deeper(node)
            return
        self._depth += 1
        allowed = self._allowed
        get_value = self._get_value
        result = self.result
        version = node.version
        child = node
        try:
            for child in children:
                name = child.name
                function = allowed.get(name)
                if function is None:
                    if not name or name[0] == ".":
                        continue
                    function = self._find(name)
                self._fuel = fuel = self._fuel - 1
                if fuel < 0:
                    self._refuel()
                if function is get_value:
                    # What programs do most is done here: the call would take longer.
                    expression = child.value
                    if type(expression) is Expression:
                        child.value = expression.resolve(child)
                else:
                    function(self, child)  # type: ignore[arg-type] # see Run
                if result is not None and (result.value is not None or result.children):
                    return
                if node.version != version:
                    raise TreeError(
                        f"'{name}' changed the list of nodes that is being executed"
                    )
        except HyperlambdaError as error:
            error.add_frame(child.name, child.source, child.offset)
            raise
        except Exception as error:
            raise _failure(child.name, child, error) from error
        finally:
            self._depth -= 1

    def _go_deeper(self, node: Node) -> None:
        """Run the children of a node that stands deeper than most."""
        if self._depth >= self._max_depth:
            raise LimitError(f"blocks are nested more than {self._max_depth} deep")
        self.run_with_room(self.run_children, node)

    def run_with_room(
        self, function: Callable[[_Argument], _Result], argument: _Argument
    ) -> _Result:
        """Call a function that goes deep, or runs something again and again."""
        if self.has_room:
            return function(argument)
        self.has_room = True
        deepest, self._deepest = self._deepest, self._max_depth
        try:
            return call_with_room(function, argument)
        finally:
            self.has_room = False
            self._deepest = deepest

    def run_child(self, child: Node) -> None:
        """
        Run one node as `run_children` would, whatever the program has returned.

        Nothing happens when its name is empty or begins with a dot.
        """
        name = child.name
        function = self._allowed.get(name)
        if function is None and (not name or name[0] == "."):
            return
        try:
            if function is None:
                function = self._find(name)
            self._fuel -= 1
            if self._fuel < 0:
                self._refuel()
            function(self, child)  # type: ignore[arg-type] # see Run
        except HyperlambdaError as error:
            error.add_frame(name, child.source, child.offset)
            raise
        except Exception as error:
            raise _failure(name, child, error) from error

    def operand(self, node: Node) -> Any:
        """
        Run the only child of a node, as `run_children` would, and return its value.

        Raises:
            HyperlambdaError: It failed, or its value cannot be found.
        """
        child = node.children[0]
        if self._allowed.get(child.name) is not self._get_value:
            if child.name != ".":
                self.run_children(node)
                child = node.children[0]
            value = child.value
            return value.resolve(child) if type(value) is Expression else value
        self._fuel = fuel = self._fuel - 1
        if fuel < 0:
            self._refuel()
        value = child.value
        if type(value) is Expression:
            try:
                hop = value.hop  # as resolve does, without the call
                found = None if hop is None else hop.hop(child)
                if found is None or type(found.value) is Expression:
                    value = value.resolve(child)
                else:
                    value = found.value
                child.value = value
            except HyperlambdaError as error:
                error.add_frame(child.name, child.source, child.offset)
                raise
            except Exception as error:
                raise _failure(child.name, child, error) from error
        return value

    def run_slot(self, name: str, node: Node) -> None:
        """
        Call a slot by name, whatever the whitelist says: for slots that use others.

        Raises:
            UnknownSlotError: There is none of that name.
            HyperlambdaError: The slot failed.
        """
        try:
            function = self.registry.functions.get(name)
            if function is None:
                function = self._find(name)
            function(self, node)  # type: ignore[arg-type] # see Run
        except HyperlambdaError as error:
            error.add_frame(name, node.source, node.offset)
            raise
        except Exception as error:
            raise _failure(name, node, error) from error

    @property
    def has_returned(self) -> bool:
        """Whether the program has returned something."""
        result = self.result
        return result is not None and (
            result.value is not None or bool(result.children)
        )

    def require_result(self) -> Node:
        """
        Return the node that takes what the program returns.

        Raises:
            MissingValueError: There is none: nobody would read it.
        """
        if self.result is None:
            raise MissingValueError("nothing can be returned from here")
        return self.result

    @contextmanager
    def scope(self, name: str, value: Any) -> Iterator[None]:
        """Push something onto the scope stack for as long as the block runs."""
        self._scopes.append((name, value))
        try:
            yield
        finally:
            self._scopes.pop()

    def peek(self, name: str) -> Any:
        """Return what was pushed last under a name, or None."""
        for pushed, value in self._scopes[::-1]:
            if pushed == name:
                return value
        return None

    @contextmanager
    def allowing(self, slots: Iterable[str], dynamic: Iterable[str]) -> Iterator[None]:
        """
        Let a block call only these slots, and these dynamic ones.

        A whitelist inside of a whitelist can only take away (spec 02 §7, Q20).
        """
        slots = list(slots)
        functions = self.registry.functions
        if not all(name in functions for name in slots):
            self._add_installed()
        outer, outer_dynamic = self._allowed, self._allowed_dynamic
        self._allowed = {name: outer[name] for name in slots if name in outer}
        self._allowed_dynamic = frozenset(
            name for name in dynamic if self.may_signal(name)
        )
        try:
            yield
        finally:
            self._allowed, self._allowed_dynamic = outer, outer_dynamic

    def may_call(self, name: str) -> bool:
        """Return whether a program may call a slot."""
        return name in self._allowed

    def may_signal(self, name: str) -> bool:
        """Return whether a program may call a dynamic slot."""
        return self._allowed_dynamic is None or name in self._allowed_dynamic

    def code_of(self, made: Node, takes_arguments: bool) -> Code:
        """Return the code of a dynamic slot, ready to be called."""
        codes = self._codes[takes_arguments]
        code = codes.get(made)
        if code is None:
            if len(codes) >= _MOST_CODES:  # of slots that are made anew again and again
                codes.clear()
            code = codes[made] = Code(self, made, takes_arguments)
        return code

    def run_trusted(self, root: Node) -> Node:
        """Do what `run_tree` does, without the whitelist: for dynamic slots."""
        if self._allowed is self._granted and self._allowed_dynamic is None:
            return self.run_tree(root)
        outer, outer_dynamic = self._allowed, self._allowed_dynamic
        self._allowed = self._granted
        self._allowed_dynamic = None
        try:
            return self.run_tree(root)
        finally:
            self._allowed, self._allowed_dynamic = outer, outer_dynamic

    def wait(self, awaitable: Awaitable[Any]) -> Any:
        """Run an awaitable to its end and return its result."""
        # Only programs that call a coroutine slot pay for loading this.
        from .waiting import wait

        return wait(self, awaitable)

    def _find(self, name: str) -> SlotFunction:
        """Return a slot that was not found at once, or say what is wrong."""
        functions = self.registry.functions
        if name not in functions:
            self._add_installed()
        function = functions.get(name)
        if function is None:
            raise UnknownSlotError(name, functions)
        is_limited = self._allowed is not self.registry.statements
        if is_limited and name not in self._allowed:
            raise NotAllowedError(name)
        return function

    def _add_installed(self) -> None:
        """Look for slots of installed packages, and grant those that may be called."""
        if add_installed_slots(self.registry):
            self._granted |= self.registry.matching(self.allow)


def _failure(name: str, node: Node, error: Exception) -> HyperlambdaError:
    """Make an error of the language out of one of Python's."""
    failure: HyperlambdaError
    if isinstance(error, RecursionError):
        failure = LimitError("blocks are nested too deeply")
    elif isinstance(error, MemoryError):
        failure = LimitError("the program needs more memory than there is")
    else:
        failure = SlotError(name, error)
    failure.__cause__ = error  # mypyc leaves `from` out
    failure.add_frame(name, node.source, node.offset)
    return failure


def _make_room(blocks: int) -> None:
    """
    Let Python call as deep as a program may nest.

    Its own limit of 1,000 frames is for runaway recursion, which ours finds first. Calls
    from Python to Python take no room on the stack of the machine.
    """
    needed = blocks * _FRAMES_PER_BLOCK + 1000
    if sys.getrecursionlimit() < needed:
        sys.setrecursionlimit(needed)
