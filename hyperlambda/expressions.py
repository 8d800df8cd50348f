"""
Lambda expressions: text to iterators to nodes (spec 01 §5).

    Expression("@.data/*/name").evaluate(node)

starts from `node`, the identity, and lets each iterator turn the nodes so far into the
next ones. An expression does not change and may be shared by nodes and threads.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

from .budget import copy_size
from .conversions import to_bool, to_int, to_text
from .descending import ChildrenNamed
from .errors import ExpressionError
from .expression_text import iterator_text, shortened, split
from .iteration import Iteration, Mode
from .iterators import Step, add_dynamic_iterator, add_iteration, iterator
from .meter import LARGE, visit
from .node import Computed, Node
from .numerals import Long
from .shapes import (
    chain,
    fuse,
    is_within,
    single,
    too_many,
    walk,
)
from .values import add_converter, literal_text

__all__ = [
    "Expression",
    "compile_expression",
    "expression_of",
    "resolve",
    "resolve_bool",
    "resolve_int",
    "resolve_node",
    "resolve_text",
]

# A chain of expressions this long is worth a look whether it goes round in a circle.
_LONG_CHAIN: Final = 32
_MOST_ITERATORS: Final = 1_000


class Expression(Computed):
    """
    An expression, compiled.

    Attributes:
        text: The text it was made of.
        iterators: The text of each iterator.
        hop: What leads to the node that it finds, if it can never find several.

    Raises:
        ExpressionError: The text is malformed (spec 01 §5.12).
    """

    __slots__ = (
        "_descends",
        "_eager",
        "_iterations",
        "_lazily",
        "_single",
        "_spreads",
        "_start",
        "_steps",
        "_walk",
        "hop",
        "iterators",
        "text",
    )

    def __init__(self, text: str) -> None:
        self.text = text
        self.iterators = split(text)
        if len(self.iterators) > _MOST_ITERATORS:
            raise ExpressionError(
                f"an expression has {len(self.iterators)} iterators, more than the "
                f"{_MOST_ITERATORS} it may"
            )
        self._iterations = [iterator(part) for part in self.iterators]
        # As long as there is at most one node, it hops from node to node; from the first
        # iterator on that may find several, it goes step by step from list to list.
        hops = 0
        while hops < len(self._iterations) and self._iterations[hops].hops:
            hops += 1
        rest = self._iterations[hops:]
        self._start = chain(self._iterations[:hops])
        self.hop = None if rest else self._start
        self._steps = fuse(rest)
        self._single = single(text, self._start, rest)
        self._walk = walk(rest)
        # Those up to the last one that looks at the first node only cannot be lazy.
        self._eager = 0
        for index, iteration in enumerate(rest, hops + 1):
            if iteration.mode is Mode.FIRST:
                self._eager = index
        self._lazily = self._iterations[self._eager or hops :]
        spreading = [part for part in self.iterators if part.startswith(_SPREADING)]
        self._spreads = len(spreading) > 1
        self._descends = all(iteration.descends for iteration in rest)

    def evaluate(self, node: Node) -> list[Node]:
        """
        Return the nodes that the expression finds from a node, in order.

        Raises:
            ExpressionError: A nested expression found several nodes.
            MissingValueError: A node without parent was asked for a sibling.
        """
        start = self._start
        first = node if start is None else start.hop(node)
        if first is None:
            return []
        found = [first]
        if not self._steps:
            return found
        visited = 0
        for step in self._steps:
            found = step.step(found, node)
            if not found:
                break
            if len(found) > LARGE:
                visited += len(found)
                visit(visited)
        return found

    def iterate(self, node: Node) -> Iterator[Node]:
        """
        Yield the nodes that the expression finds, looking at each when it is asked for.

        A program may change names and values meanwhile, and see it (spec 02 §2.7).

        Raises:
            TreeError: A list of children was changed while it was walked.
        """
        if self._walk is not None:
            start = node if self._start is None else self._start.hop(node)
            return iter(()) if start is None else self._walk.start(start)
        if self._eager:
            found = [node]
            for iteration in self._iterations[: self._eager]:
                found = iteration.step(found, node)
                if not found:
                    return iter(())
            result = iter(found)
        else:
            # What hops finds one node, and would find it first of all anyway.
            start = node if self._start is None else self._start.hop(node)
            if start is None:
                return iter(())
            result = iter((start,))
        for iteration in self._lazily:
            result = iteration.lazy(result, node)
        return _metered(result) if self._spreads else result

    def is_apart(self, node: Node) -> bool:
        """
        Return whether the expression can be told to find nothing at or below a node.

        Args:
            node: The one that holds the expression.
        """
        if not self._descends:
            return False
        start = node if self._start is None else self._start.hop(node)
        return start is None or not (is_within(node, start) or is_within(start, node))

    def resolve(self, node: Node) -> Any:
        """
        Return the value that the expression leads to, or None if it finds no node.

        Chains of expressions are followed, each from the node that holds it.

        Raises:
            ExpressionError: Several nodes are found, or the chain never ends.
        """
        go = self._single
        if go is not None:
            found = go.hop(node)
            if found is None:
                return None
            value = found.value
            if type(value) is not Expression:
                return value
        holder = self.follow(node)
        return None if holder is None else holder.value

    def follow(self, node: Node) -> Node | None:
        """Return the node at the end of the chain, whose value is no expression."""
        expression = self
        links = 0
        seen: set[int] = set()
        while True:
            go = expression._single
            found = go.hop(node) if go is not None else expression._find_one(node)
            if found is None:
                return None
            node = found
            value = node.value
            if type(value) is not Expression:
                return node
            expression = value
            links += 1
            if links > _LONG_CHAIN:
                if id(node) in seen:
                    raise ExpressionError(
                        f"the expression '{shortened(self.text)}' leads back to itself"
                    )
                seen.add(id(node))

    def _find_one(self, node: Node) -> Node | None:
        found = self.evaluate(node)
        if len(found) > 1:
            raise too_many(self.text, len(found))
        return found[0] if found else None

    def __str__(self) -> str:
        return "/".join([iterator_text(part) for part in self.iterators])

    def __repr__(self) -> str:
        return f"Expression({self.text!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return compile_expression, (self.text,)

    def __eq__(self, other: object) -> bool:
        if type(other) is not Expression:
            return NotImplemented
        return self.text == other.text or str(self) == str(other)

    def __hash__(self) -> int:
        return hash(str(self))


# Iterators that may find a whole tree for each node: two of them find its square.
_SPREADING = ("**", "!", "--")


def _metered(nodes: Iterator[Node]) -> Iterator[Node]:
    for count, node in enumerate(nodes, 1):
        yield node
        if not count % LARGE:
            visit(count)


# Programs repeat their expressions, above all in loops that make new code: those seen are
# kept, and all are forgotten when there are too many.
_compiled: dict[str, Expression] = {}
_MOST_COMPILED = 4096
_LONGEST_KEPT = 500


def compile_expression(text: str) -> Expression:
    """
    Return the expression of a text, which may be shared.

    Raises:
        ExpressionError: The text is malformed.
    """
    expression = _compiled.get(text)
    if expression is None:
        expression = Expression(text)
        if len(text) <= _LONGEST_KEPT:
            if len(_compiled) >= _MOST_COMPILED:
                _compiled.clear()
            _compiled[text] = expression
    return expression


def expression_of(node: Node) -> Expression:
    """
    Return the expression that is the value of a node.

    Raises:
        ExpressionError: The value is no expression.
    """
    value = node.value
    if type(value) is not Expression:
        raise ExpressionError(
            f"'{node.name}' needs an expression as its value",
            help=f"write {node.name}:x:@name" if value is None else None,
        )
    return value


# Reading the value of a node, expressions followed: the `GetEx` of spec 01 §1.6. Where an
# expression finds nothing the result is the default of the wanted type.


def resolve_node(node: Node) -> Node | None:
    """Return the node whose value counts: the node itself, or where it leads to."""
    value = node.value
    return value.follow(node) if type(value) is Expression else node


def resolve(node: Node) -> Any:
    """Return the value of a node, or the one its expression leads to."""
    value = node.value
    return value.resolve(node) if type(value) is Expression else value


def resolve_text(node: Node) -> str | None:
    """
    Return the resolved value as text; None stays None.

    Raises:
        ConversionError: It has no text form.
    """
    value = node.value
    if type(value) is Expression:
        value = value.resolve(node)
    return value if type(value) is str else to_text(value)


def resolve_bool(node: Node) -> bool:
    """Return whether the resolved value counts as true (spec 02 §5.1)."""
    value = node.value
    if type(value) is Expression:
        value = value.resolve(node)
    return value if type(value) is bool else to_bool(value)


def resolve_int(node: Node) -> int:
    """
    Return the resolved value as an integer of 32 bits; 0 if an expression finds nothing.

    Raises:
        ConversionError: It is None, or no number.
        LiteralError, OutOfRangeError: It is a text that spells no such number.
    """
    holder = resolve_node(node)
    return 0 if holder is None else int(to_int(holder.value))


# The iterators that need expressions themselves.


# What is in braces may lead to an expression with braces, and so on in a circle: each is
# some calls deeper, which Python does not count where they are compiled.
_DEEPEST_BRACES: Final = 200
_braces: ContextVar[int] = ContextVar("braces", default=0)


def _look_up(text: str, identity: Node) -> str | None:
    """Resolve the text inside of braces, from the holder of the whole expression."""
    with _one_deeper(text):
        found = compile_expression(text).evaluate(identity)
        if len(found) > 1:
            raise ExpressionError(
                f"the expression in braces '{shortened(text)}' finds several nodes"
            )
        return resolve_text(found[0]) if found else None


@contextmanager
def _one_deeper(text: str) -> Iterator[None]:
    depth = _braces.get()
    if depth >= _DEEPEST_BRACES:
        raise ExpressionError(
            f"the expression in braces '{shortened(text)}' leads back to itself"
        )
    token = _braces.set(depth + 1)
    try:
        yield
    finally:
        _braces.reset(token)


class _NamedLike(Iteration):
    """`{…}`: nodes whose name is what an expression finds."""

    __slots__ = ("_inner",)

    def __init__(self, text: str) -> None:
        super().__init__(Mode.WHOLE)
        self._inner = _braced(text)

    def step(self, nodes: list[Node], identity: Node) -> list[Node]:
        """Return those of the nodes that have the name."""
        wanted = _look_up(self._inner, identity)
        return [node for node in nodes if node.name == wanted]

    def below(self) -> Iteration:
        """Return `*/{…}`."""
        return _ChildrenNamedLike(self._inner)


class _ChildrenNamedLike(Iteration):
    """`*` and then `{…}`, in one go: how a dictionary is looked into."""

    __slots__ = ("_inner",)

    def __init__(self, inner: str) -> None:
        super().__init__(Mode.WHOLE)
        self._inner = inner

    def step(self, nodes: list[Node], identity: Node) -> list[Node]:
        """Return the children of that name."""
        if not any(node.children for node in nodes):
            return []  # what nobody needs is not evaluated, and cannot fail
        wanted = _look_up(self._inner, identity)
        return [] if wanted is None else ChildrenNamed(wanted).step(nodes, identity)


def _value_filter(text: str) -> Step:
    """Make `=…`: nodes whose value is written like that, or like what a `{…}` finds."""
    if text.startswith("={"):
        return _computed_value(text)
    wanted = text[1:]
    is_short = len(wanted) <= _SHORT
    number = _integer_written_as(wanted) if is_short else None

    def step(nodes: list[Node], identity: Node) -> list[Node]:
        found: list[Node] = []
        # Somebody may have given integers another form (see add_converter).
        are_digits = is_short and literal_text(0) == literal_text(_ZERO) == "0"
        for node in nodes:
            value = node.value
            kind = type(value)
            if kind is str:
                if value == wanted:
                    found.append(node)
            elif are_digits and (kind is int or kind is Long):
                if value == number:
                    found.append(node)
            elif (
                _may_be_written_like(value, wanted)
                # No value is written like an empty one.
                and (literal_text(value) or "") == wanted
            ):
                found.append(node)
        return found

    return step


_ZERO: Final = Long(0)
# Characters of nearly all integers; longer ones are compared as texts.
_SHORT: Final = 40


def _integer_written_as(text: str) -> int | None:
    """Return the integer that is written just so, if there is one."""
    if text.removeprefix("-").isdecimal():
        number = int(text)
        return number if str(number) == text else None
    return None


def _may_be_written_like(value: Any, wanted: str) -> bool:
    # Each node takes a character at least, and few nodes may be written as gigabytes.
    return type(value) is not Node or copy_size(value.children, len(wanted)) <= len(
        wanted
    )


def _computed_value(text: str) -> Step:
    inner = _braced(text[1:])

    def step(nodes: list[Node], identity: Node) -> list[Node]:
        wanted = _look_up(inner, identity)
        with _one_deeper(inner):
            return [node for node in nodes if resolve_text(node) == wanted]

    return step


def _braced(text: str) -> str:
    if not text.endswith("}") or len(text) < 2:
        raise ExpressionError(f"'{shortened(text)}' has no closing '}}'")
    return text[1:-1]


add_iteration("{", _NamedLike)
add_dynamic_iterator("=", _value_filter)
add_converter(Expression, "x", str, compile_expression)
