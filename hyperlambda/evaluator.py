"""
The evaluator: what programs may do, and how they are started.

An `Evaluator` knows slots, limits and where things are; it may be used from many threads
at once. Each program that it starts has a run of its own (run.py): a copy of the
evaluator that is running, which is what slots are given.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .garbage import begin_program, end_program
from .interpreted import mypyc_attr
from .limits import Limits
from .meter import end_look, look_at
from .node import Node
from .parser import parse
from .registry import (
    AnySlot,
    SlotFunction,
    SlotRegistry,
    require_names,
    standard_slots,
)
from .run import Run

if TYPE_CHECKING:
    import asyncio

    from .sockets import Hub

__all__ = ["Evaluator", "limits_of", "nodes_of", "with_arguments"]

_WHILE_KEY = "magic:lambda:maxwhileiterations"


@mypyc_attr(allow_interpreted_subclasses=True)
class Evaluator(Run):
    """
    Runs programs.

    Args:
        limits: What each program may use up.
        allow: Names, or patterns like `strings.*`, of the slots that programs may call;
            None allows all.
        hub: Carries socket messages.
        root: The folder that programs may read files from.
        config: What [config.get] finds, and the reference's own settings.
    """

    __slots__ = ("_is_running",)

    def __init__(
        self,
        *,
        limits: Limits | None = None,
        allow: Iterable[str] | None = None,
        hub: Hub | None = None,
        root: str | Path | None = None,
        config: Mapping[str, Any] | None = None,
    ) -> None:
        self.registry = SlotRegistry(standard_slots())
        self.config = dict(config or {})
        self.limits = limits or limits_of(self.config)
        self.allow = None if allow is None else tuple(allow)
        self.hub = hub
        self.root = Path(root) if root is not None else None
        self.dynamic_slots = {}
        self._is_running = False
        self._start(None)  # so that slots can be called with an evaluator that rests

    # Slots

    def slot(self, *names: str) -> Callable[[AnySlot], AnySlot]:
        """Register the decorated function, which other evaluators do not see."""

        require_names(names)

        def register(function: AnySlot) -> AnySlot:
            self.registry.register_all(names, function)
            return function

        return register

    def register(self, name: str, function: SlotFunction) -> None:
        """
        Add a slot, which other evaluators do not see.

        Raises:
            HyperlambdaError: See `SlotRegistry.register`.
        """
        self.registry.register(name, function)

    # Running programs

    def evaluate(self, root: Node) -> Node:
        """
        Run the children of a node, in place.

        Within a slot this runs more code as a part of the same program: with its limits
        and its scopes, but with a result of its own.

        Returns:
            What the program returned: a node with a value, children, both or neither.

        Raises:
            HyperlambdaError: The program failed; nothing else escapes from one.
        """
        if self._is_running:
            return self.run_tree(root)
        with self._begin() as run:
            return run.run_tree(root)

    def run(
        self,
        text: str | bytes,
        *,
        arguments: Mapping[str, Any] | None = None,
        file: str = "<text>",
    ) -> Node:
        """
        Parse a text and evaluate it; returns what `evaluate` does.

        Args:
            text: The program.
            arguments: What it finds below `.arguments`; dicts and lists become nodes.
            file: What errors call the text.
        """
        return self.evaluate(with_arguments(parse(text, file=file), arguments))

    def run_async(
        self,
        text: str | bytes,
        *,
        arguments: Mapping[str, Any] | None = None,
        file: str = "<text>",
    ) -> Coroutine[Any, Any, Node]:
        """
        Do what `run` does, on a thread, without blocking the event loop.

        Slots that are coroutine functions run on the calling event loop. Cancelling
        the task stops the program at its next step.
        """
        # Only programs that use an event loop pay for loading this.
        from .waiting import run_on_thread

        return run_on_thread(self, text, arguments, file)

    def signal(self, name: str, node: Node) -> None:
        """
        Call one slot, by name, with a node.

        Raises:
            UnknownSlotError: There is none of that name.
            HyperlambdaError: The slot failed.
        """
        if self._is_running:
            self.run_slot(name, node)
            return
        with self._begin() as run:
            run.result = Node()
            run._roots.append(node)
            run.run_slot(name, node)

    # Inside

    def _begin(self, loop: asyncio.AbstractEventLoop | None = None) -> _Program:
        """Make the run of one program, to be entered before and left after it."""
        run = type(self).__new__(type(self))
        run.registry = self.registry
        run.config = self.config
        run.limits = self.limits
        run.allow = self.allow
        run.hub = self.hub
        run.root = self.root
        run.dynamic_slots = self.dynamic_slots
        run._is_running = True
        run._start(loop)
        return _Program(run)


class _Program:
    """What is around a program that runs; not a generator, which would take longer."""

    __slots__ = ("_run", "_token")

    def __init__(self, run: Evaluator) -> None:
        self._run = run

    def __enter__(self) -> Evaluator:
        begin_program()
        self._token = look_at(self._run.look)
        return self._run

    def __exit__(self, *error: object) -> None:
        end_look(self._token)
        runner = self._run._runner
        try:
            if runner is not None:
                runner.close()
        finally:
            end_program()


def with_arguments(root: Node, arguments: Mapping[str, Any] | None) -> Node:
    """Put arguments first in a program, as `.arguments`, and return the program."""
    if arguments:
        declared = root.child(".arguments")
        if declared is not None:
            declared.untie()
        root.insert(0, Node(".arguments", None, nodes_of(arguments)))
    return root


def nodes_of(data: Any) -> list[Node]:
    """Return the nodes of a dict (named) or list (named `.`), and of what is in them."""
    items = (
        data.items() if isinstance(data, Mapping) else ((".", item) for item in data)
    )
    nodes = []
    for name, item in items:
        if isinstance(item, Mapping | list | tuple):
            nodes.append(Node(str(name), None, nodes_of(item)))
        else:
            nodes.append(Node(str(name), item))
    return nodes


def limits_of(config: Mapping[str, Any], limits: Limits | None = None) -> Limits:
    """Return limits, those by default if none are given, as a configuration has them."""
    limits = limits or Limits()
    for key, value in config.items():
        if key.lower() == _WHILE_KEY:
            return replace(limits, max_while_iterations=int(value))
    return limits
