"""
Slots by name.

A slot is a function of an evaluator and a node. The `slot` decorator only marks it, so
that importing a module of slots changes nothing; a `SlotRegistry` holds the functions of
the modules that were added to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from fnmatch import fnmatchcase
from functools import cache
from importlib import import_module
from pathlib import Path
from types import BuiltinFunctionType, ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

from .errors import HyperlambdaError
from .siblings import distrusted

if TYPE_CHECKING:
    from .evaluator import Evaluator
    from .node import Node

__all__ = [
    "AnySlot",
    "SlotFunction",
    "SlotRegistry",
    "add_installed_slots",
    "documentation",
    "slot",
    "standard_slots",
    "value_reader",
]

SlotFunction = Callable[["Evaluator", "Node"], Any]
AnySlot = TypeVar("AnySlot", bound=SlotFunction)

_MARK = "__hyperlambda_slots__"
# The names of compiled functions, which have no attributes of their own.
_MARKED: dict[BuiltinFunctionType, tuple[str, ...]] = {}
_CO_COROUTINE = 0x80  # inspect.CO_COROUTINE, without the cost of importing inspect


def slot(*names: str) -> Callable[[AnySlot], AnySlot]:
    """
    Mark a function as a slot of these names.

    The function takes the evaluator and the node, and changes the node in place. It may
    be a coroutine function.
    """
    require_names(names)

    def mark(function: AnySlot) -> AnySlot:
        if isinstance(function, BuiltinFunctionType):
            _MARKED[function] = names
        else:
            setattr(function, _MARK, names)
        return function

    return mark


def require_names(names: tuple[str, ...]) -> None:
    """
    Check that a slot is given names.

    Raises:
        HyperlambdaError: It is given none, or an empty one.
    """
    if not names or not all(names):
        raise HyperlambdaError("a slot needs a name")


class SlotRegistry:
    """
    The slots that an evaluator knows.

    Attributes:
        functions: What to call, by name. Coroutine functions are wrapped, so that all
            are called alike.
        statements: The same without those whose names begin with a dot, which a program
            never runs where they stand (spec 02 §2.2).
    """

    def __init__(
        self, slots: SlotRegistry | None = None, *, trusted: bool = False
    ) -> None:
        """
        Start empty, or as a copy of other slots.

        Args:
            slots: Those to copy.
            trusted: Whether the slots added from now on change the names of nodes only
                as siblings.py wants it. Those of other people do as they like.
        """
        self._trusted = trusted
        self.functions: dict[str, SlotFunction] = dict(slots.functions) if slots else {}
        self.statements: dict[str, SlotFunction] = (
            dict(slots.statements) if slots else {}
        )
        # The last answer of `matching`: evaluators ask for the same with each program.
        self._matching: tuple[object, dict[str, SlotFunction]] = (None, {})

    def __contains__(self, name: object) -> bool:
        return name in self.functions

    def __iter__(self) -> Iterator[str]:
        return iter(self.functions)

    def __len__(self) -> int:
        return len(self.functions)

    def register(self, name: str, function: SlotFunction) -> None:
        """
        Add a slot.

        Raises:
            HyperlambdaError: The name is empty or taken, or the function cannot be
                called with an evaluator and a node.
        """
        self._check(name, function)
        self._put(name, _synchronous(function))

    def register_all(self, names: tuple[str, ...], function: SlotFunction) -> None:
        """
        Add a slot under several names, or under none of them if one cannot be had.

        Raises:
            HyperlambdaError: See `register`.
        """
        require_names(names)
        for name in names:
            self._check(name, function)
        called = _synchronous(function)
        for name in names:
            self._put(name, called)

    def _put(self, name: str, function: SlotFunction) -> None:
        if not self._trusted:
            function = distrusted(function)
        self.functions[name] = function
        if name[0] != ".":
            self.statements[name] = function

    def _check(self, name: str, function: SlotFunction) -> None:
        require_names((name,))
        taken = self.functions.get(name)
        if taken is not None:
            raise HyperlambdaError(
                f"slot '{name}' is registered twice: by {_where(taken)} and {_where(function)}"
            )
        if not _takes_two(function):
            raise HyperlambdaError(
                f"slot '{name}' must be a function of an evaluator and a node, "
                f"which {_where(function)} is not"
            )

    def remove(self, name: str) -> None:
        """
        Take a slot away.

        Raises:
            HyperlambdaError: There is none of that name.
        """
        if self.functions.pop(name, None) is None:
            raise HyperlambdaError(f"no slot is named '{name}'")
        self.statements.pop(name, None)

    def matching(self, patterns: tuple[str, ...] | None) -> dict[str, SlotFunction]:
        """
        Return those of the statements whose names match any of some patterns.

        Args:
            patterns: Names, in which `*` stands for anything. None: all of them, in
                the dict that knows of slots added later too.
        """
        if patterns is None:
            return self.statements
        key = (len(self.statements), patterns)
        if self._matching[0] != key:
            found = {
                name: function
                for name, function in self.statements.items()
                if any(fnmatchcase(name, pattern) for pattern in patterns)
            }
            self._matching = (key, found)
        return dict(self._matching[1])

    def add_modules(self, modules: Iterable[ModuleType]) -> None:
        """Add every marked function of some modules."""
        for module in modules:
            for function in vars(module).values():
                for name in _names_of(function):
                    self.register(name, function)


def _names_of(function: Any) -> tuple[str, ...]:
    """Return the names that a function was marked with; most objects were not."""
    if isinstance(function, BuiltinFunctionType):
        return _MARKED.get(function, ())
    names: tuple[str, ...] = getattr(function, _MARK, ())
    return names


def _is_plain(function: SlotFunction) -> bool:
    """Return whether a function surely is no coroutine function: nearly all are not."""
    code = getattr(function, "__code__", None)
    if code is None:
        # Of the compiled functions only our own are known.
        return isinstance(function, BuiltinFunctionType) and function in _MARKED
    return not code.co_flags & _CO_COROUTINE


def _synchronous(function: SlotFunction) -> SlotFunction:
    if _is_plain(function):
        return function

    def call(evaluator: Evaluator, node: Node) -> None:
        result = function(evaluator, node)
        if hasattr(result, "__await__"):
            evaluator.wait(result)

    call.__doc__ = function.__doc__
    call.__wrapped__ = function  # type: ignore[attr-defined] # as functools.wraps does
    return call


def _takes_two(function: SlotFunction) -> bool:
    code = getattr(function, "__code__", None)
    if code is None:
        return callable(function)  # an object, or in C: it will say so itself
    given = 2 + hasattr(function, "__self__")
    needed = code.co_argcount - len(getattr(function, "__defaults__", None) or ())
    varied = bool(code.co_flags & 0x04)  # inspect.CO_VARARGS
    return needed <= given and (given <= code.co_argcount or varied)


def _where(function: SlotFunction) -> str:
    function = getattr(function, "__wrapped__", function)
    name = getattr(function, "__qualname__", repr(function))
    return f"{getattr(function, '__module__', '?')}.{name}"


def documentation(function: SlotFunction) -> str:
    """
    Return the docstring of a slot.

    That of a compiled function is read in the source that lies beside it.
    """
    if not isinstance(function, BuiltinFunctionType):
        return function.__doc__ or ""
    return _docstrings(function.__module__).get(function.__name__, "")


@cache
def _docstrings(module: str) -> dict[str, str]:
    import ast  # only needed where slots are looked up

    folder = Path(import_module("hyperlambda.slots").__file__ or "").parent
    source = folder / f"{module.rpartition('.')[2]}.py"
    tree = ast.parse(source.read_text("utf-8"))
    return {
        item.name: ast.get_docstring(item, clean=False) or ""
        for item in tree.body
        if isinstance(item, ast.FunctionDef)
    }


@cache
def standard_slots() -> SlotRegistry:
    """Return the slots that every evaluator starts with."""
    # By name, since the slots know the language and not the other way round.
    package = import_module("hyperlambda.slots")
    registry = SlotRegistry(trusted=True)
    registry.add_modules(
        import_module(f"hyperlambda.slots.{family}") for family in package.FAMILIES
    )
    return registry


@cache
def value_reader() -> SlotFunction | None:
    """Return the function of [get-value], which most programs call most."""
    return standard_slots().functions.get("get-value")


def add_installed_slots(registry: SlotRegistry) -> bool:
    """
    Add the slots of installed packages; return whether any were missing.

    Packages name modules of slots in the entry-point group `hyperlambda.slots`. They are
    looked for when a name is not found, which takes longer than most programs run.
    """
    found = SlotRegistry(trusted=True)  # so far; they are not when they are put here
    found.add_modules(_installed())
    missing = {n: f for n, f in found.functions.items() if n not in registry}
    for name, function in missing.items():
        registry._put(name, function)
    return bool(missing)


@cache
def _installed() -> tuple[ModuleType, ...]:
    from importlib.metadata import entry_points  # see add_installed_slots

    modules = []
    for point in entry_points(group="hyperlambda.slots"):
        try:
            modules.append(point.load())
        except Exception as error:  # whatever the code of a package raises
            raise HyperlambdaError(
                f"the slots of the package that brings '{point.name}' cannot be loaded: {error}"
            ) from error
    return tuple(modules)
