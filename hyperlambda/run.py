"""
A program that runs: take a node, find its slot, call it, look at the limits (spec 02 §1–2).

A `Run` holds what belongs to one program: its scope stack, the node that takes its
result, and its budget. `Evaluator` adds how programs are started; slots are given an
evaluator that is running.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from .body import Code
from .budget import Budget, copy_size
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
from .limits import Limits
from .node import Node, clones
from .registry import (
    SlotFunction,
    SlotRegistry,
    add_installed_slots,
    value_reader,
)

if TYPE_CHECKING:
    import asyncio

    from .sockets import Hub

__all__ = ["Run"]

# Steps between looks at whether the program may go on: some tens of microseconds.
_STEPS_BETWEEN_LOOKS = 256
# The same if its time is limited; fewer when they took longer than this, in seconds.
_STEPS_BETWEEN_LOOKS_AT_THE_CLOCK = 64
_LONG_TIME = 0.002
# Characters from which on making a text is worth a look at the clock.
_LONG_TEXT = 1000
# The most Python frames that one block of a program takes.
_FRAMES_PER_BLOCK = 5
# Blocks for which room is made: if there is no limit, and at the most. More would let
# recursion through C code, such as that of a JSON scanner or of a sort, run out of the
# machine's stack before Python notices.
_USUAL_DEPTH = 1000
_DEEPEST = 2000
_ENDLESS = sys.maxsize
# The most dynamic slots whose code is kept ready.
_MOST_CODES = 256
# How many times the longest text all texts of a program may have together.
_TEXTS = 100


class Run:
    """
    What a program has, and what its slots use.

    Only its subclass `Evaluator` is ever made, which is what slots are given.

    Attributes:
        registry: The slots.
        allow: Names, or patterns like `strings.*`, of those that programs may call; None
            allows all. What slots call by themselves is not asked for.
        limits: What the program may use up.
        hub: Carries socket messages, or None.
        root: The folder that programs may read files from, or None.
        config: What [config.get] finds, and the reference's own settings.
        dynamic_slots: The lambdas of [slots.create], by name.
        result: The node that takes what the program returns.
        references: How often a node itself, and not its value, was made the value of
            another one: since then a node may be known from elsewhere.
    """

    __slots__ = (
        "_allowed",
        "_allowed_dynamic",
        "_awaited_by",
        "_batch",
        "_budget",
        "_codes",
        "_deadline",
        "_depth",
        "_fuel",
        "_get_value",
        "_granted",
        "_looked_at",
        "_loop",
        "_max_depth",
        "_node_allowance",
        "_roots",
        "_runner",
        "_scopes",
        "_text_allowance",
        "allow",
        "config",
        "dynamic_slots",
        "hub",
        "limits",
        "references",
        "registry",
        "result",
        "root",
    )

    registry: SlotRegistry
    limits: Limits
    hub: Hub | None
    root: Path | None
    allow: tuple[str, ...] | None
    config: Mapping[str, Any]
    dynamic_slots: dict[str, Node]
    result: Node | None
    references: int
    _allowed: dict[str, SlotFunction]
    _allowed_dynamic: frozenset[str] | None
    _awaited_by: tuple[int, ...]
    _batch: int
    _budget: Budget
    _codes: tuple[dict[Node, Code], dict[Node, Code]]
    _deadline: float | None
    _depth: int
    _fuel: int
    _get_value: SlotFunction | None
    _granted: dict[str, SlotFunction]
    _looked_at: float
    _loop: asyncio.AbstractEventLoop | None
    _max_depth: int
    _node_allowance: int | None
    _roots: list[Node]
    _runner: asyncio.Runner | None
    _scopes: list[tuple[str, Any]]
    _text_allowance: int

    def _start(self, loop: asyncio.AbstractEventLoop | None) -> None:
        """Begin with full limits and nothing in scope."""
        limits = self.limits
        self.result = None
        self.references = 0
        self._granted = self.registry.matching(self.allow)
        self._allowed = self._granted
        self._allowed_dynamic = None
        self._awaited_by = ()
        self._codes = ({}, {})
        self._scopes = []
        self._roots = []
        self._loop = loop
        self._runner = None
        self._depth = 0
        self._max_depth = _ENDLESS if limits.max_depth is None else limits.max_depth
        self._deadline = (
            None if limits.timeout is None else monotonic() + limits.timeout
        )
        self._node_allowance = limits.max_nodes
        self._text_allowance = _TEXTS * (limits.max_text or 0)
        steps = _ENDLESS if limits.max_steps is None else limits.max_steps
        self._budget = Budget(steps, self._roots)
        self._fuel = 0
        self._get_value = value_reader()
        self._batch = 1
        self._looked_at = 0.0
        depth = _USUAL_DEPTH if limits.max_depth is None else limits.max_depth
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
        if self._depth >= self._max_depth:
            raise LimitError(f"blocks are nested more than {self._max_depth} deep")
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
                value = child.value = value.resolve(child)
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
    def stopped(self) -> bool:
        """Whether the program is to end at its next look; any thread may set it."""
        return self._budget.stopped

    @stopped.setter
    def stopped(self, stopped: bool) -> None:
        self._budget.stopped = stopped

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
        for pushed, value in reversed(self._scopes):
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

    def clones(self, nodes: list[Node]) -> list[Node]:
        """
        Return a copy of each node.

        Raises:
            LimitError: The program would have more nodes than it may.
        """
        if self._deadline is not None:
            self.look()
        most = self.limits.max_nodes
        if most is not None:
            self.charge_nodes(copy_size(nodes, most))
        return clones(nodes)

    def charge_nodes(self, count: int) -> None:
        """
        Say that the program is about to have that many more nodes.

        Raises:
            LimitError: It would have more than it may.
        """
        if self._node_allowance is None:
            return
        self._node_allowance -= count
        if self._node_allowance < 0:
            most = self.limits.max_nodes or 0
            self._node_allowance = self._budget.allow_nodes(count, most)

    @contextmanager
    def holding(self, nodes: list[Node]) -> Iterator[None]:
        """Count nodes that stand in no tree of the program, as long as a block runs."""
        self._roots.extend(nodes)
        try:
            yield
        finally:
            if nodes:
                del self._roots[-len(nodes) :]

    def count_step(self) -> None:
        """
        Say that the program did what takes as long as calling a slot.

        Raises:
            LimitError: It did more than it may, or its time is over.
        """
        self._fuel -= 1
        if self._fuel < 0:
            self._refuel()

    def charge_text(self, length: int) -> None:
        """
        Say that the program is about to make a text of that many characters.

        Raises:
            LimitError: It is longer than it may be, or all texts together are; or the
                program's time is over.
        """
        most = self.limits.max_text
        if most is not None and length > most:
            raise LimitError(
                f"a text would have {length} characters, more than the {most} it may"
            )
        self.charge_texts(length)

    def charge_texts(self, length: int) -> None:
        """
        Say that the program is about to make texts of that many characters together.

        Raises:
            LimitError: All its texts together are longer than they may be, or its time
                is over.
        """
        if length > _LONG_TEXT and self._deadline is not None:
            self.look()
        most = self.limits.max_text
        if most is None:
            return
        self._text_allowance -= length
        if self._text_allowance < 0:
            slots = list(self.dynamic_slots.items())
            stored = [Node(name, code) for name, code in slots]
            self._text_allowance = self._budget.allow_text(
                length, _TEXTS * most, stored
            )

    def store(self, name: str, code: Node) -> None:
        """
        Make a dynamic slot, which stays when the program ends.

        Raises:
            LimitError: The dynamic slots would have more nodes than a program may.
        """
        most = self.limits.max_nodes
        if most is not None:
            self.look()  # counting takes longer than a step
            others = [n for key, n in list(self.dynamic_slots.items()) if key != name]
            if copy_size([*others, code], most) > most:
                raise LimitError(
                    f"the dynamic slots have more than the {most} nodes they may"
                )
        self.dynamic_slots[name] = code

    def time_left(self) -> float | None:
        """
        Return for how many seconds the program may still run; None means no limit.

        Raises:
            LimitError: Its time is over.
        """
        self.look()
        return (
            None if self._deadline is None else max(0.0, self._deadline - monotonic())
        )

    def sleep(self, seconds: float) -> None:
        """
        Wait, but no longer than the program may run.

        Raises:
            LimitError: Its time is over.
        """
        # Only programs that wait pay for loading the module.
        from time import sleep

        end = monotonic() + seconds
        while (left := end - monotonic()) > 0:
            if self._deadline is not None:
                left = min(left, max(0.0, self._deadline - monotonic()))
            sleep(min(left, 0.2))  # in parts, for the program may be told to stop
            self.look()

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

    def _refuel(self) -> None:
        """Allow some more steps, if the program has any left."""
        self.look()
        fuel = self._budget.take_steps(
            _STEPS_BETWEEN_LOOKS if self._deadline is None else self._next_batch()
        )
        if not fuel:
            raise LimitError(
                f"the program takes more than the {self.limits.max_steps} steps it may"
            )
        self._fuel = fuel - 1  # the step that asked is one of them

    def _next_batch(self) -> int:
        """Return how many steps to take before the next look at the clock."""
        now = monotonic()
        if now - self._looked_at > _LONG_TIME:
            self._batch = max(1, self._batch // 8)
        else:
            self._batch = min(_STEPS_BETWEEN_LOOKS_AT_THE_CLOCK, 2 * self._batch)
        self._looked_at = now
        return self._batch

    def look(self) -> None:
        """
        Look whether the program may go on; steps do so by themselves every so often.

        Raises:
            LimitError: Its time is over, or it was told to stop.
        """
        if self.stopped:
            raise LimitError("the program was stopped")
        if self._deadline is not None and monotonic() >= self._deadline:
            raise LimitError(
                f"the program runs longer than the {self.limits.timeout:g} seconds it may"
            )


def _failure(name: str, node: Node, error: Exception) -> HyperlambdaError:
    """Make an error of the language out of one of Python's."""
    failure: HyperlambdaError
    if isinstance(error, RecursionError):
        failure = LimitError("blocks are nested too deeply")
    elif isinstance(error, MemoryError):
        failure = LimitError("the program needs more memory than there is")
    else:
        failure = SlotError(name, error)
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
