"""
How JSON is laid out: what stands between the values, worked out once for many.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from .errors import ArgumentError
from .json_scalars import FEW, LONG, PARTS_BETWEEN_LOOKS, escaped, quoter
from .node import Node

if TYPE_CHECKING:
    from .run import Run

__all__ = ["Layout", "Names", "Opened", "Text", "check_length"]

# Names of elements of an array.
_NAMELESS: Final = frozenset(("", "."))

# Most objects have few members, and the same names as many others: so many different
# beginnings of such lists of names are kept.
_MOST_KEPT: Final = 5000


class Layout:
    """
    How containers of one depth are laid out.

    Attributes:
        inner: The layout of the containers below, once there was one.
        members: What may come first in an object.
        close: What ends an object.
    """

    __slots__ = (
        "_elements",
        "_margin",
        "_text",
        "_waiting",
        "close",
        "inner",
        "members",
    )

    inner: Layout | None

    def __init__(self, text: Text, waiting: list[Opened], margin: str) -> None:
        """
        Begin a depth.

        Args:
            text: What is written.
            waiting: The containers around the one that is written.
            margin: What ends a line before one that closes; "" if all is one line.
        """
        self._text = text
        self._waiting = waiting
        self._margin = margin
        inner = margin + "  " if margin else ""
        self.inner = None if margin else self
        self.close = margin + "}"
        self.members = Names(
            text, waiting, "{" + inner, "," + inner, ": " if margin else ":", ()
        )
        text.beginnings.append(self.members)
        more = Names(text, waiting, "", "", "", None)
        more.known[""] = more.known["."] = ("," + inner, more)
        self._elements = Names(text, waiting, "", "", "", None)
        start = ("[" + inner, more)
        self._elements.known[""] = self._elements.known["."] = start

    def deeper(self) -> Layout:
        """Make the layout of the containers below."""
        self.inner = Layout(self._text, self._waiting, self._margin + "  ")
        return self.inner

    def opened(self, nodes: Sequence[Node]) -> tuple[Iterator[Node], Names, str]:
        """
        Return the nodes of a container, what may come first among them, and its end.

        Raises:
            ArgumentError: A member stands twice.
        """
        left = iter(nodes)
        if len(nodes) > FEW:
            left = self._text.looking(nodes)
        names = {node.name for node in nodes}
        if names <= _NAMELESS:
            return left, self._elements, self._margin + "]"
        if len(nodes) <= FEW:
            return left, self.members, self.close
        if len(names) < len(nodes):
            raise _repeated([node.name for node in nodes], self._waiting)
        return left, self.members.unchecked(), self.close


class Names:
    """
    What may come next in a container, after the names that came before.

    For a name there is what is written before its value, and what may come after that.
    It is worked out when it is first needed: many objects have the same few names.

    Attributes:
        known: What is worked out already.
        last: Of those, the one that was met here last, in most documents always the
            same; or None.
        lead: What is written before its value.
        following: What may come after that.
    """

    __slots__ = (
        "_before",
        "_between",
        "_colon",
        "_past",
        "_text",
        "_waiting",
        "following",
        "known",
        "last",
        "lead",
    )

    lead: str
    following: Names

    def __init__(
        self,
        text: Text,
        waiting: list[Opened],
        before: str,
        between: str,
        colon: str,
        past: tuple[str, ...] | None,
    ) -> None:
        self.known: dict[str, tuple[str, Names]] = {}
        self.last: str | None = None
        self._text = text
        self._waiting = waiting
        self._before = before
        self._between = between
        self._colon = colon
        self._past = past

    def work_out(self, name: str) -> tuple[str, Names]:
        """Return what is written before the value of a name, and what may come next."""
        past = self._past
        if past is not None and name in past:
            raise _repeated([*past, name], self._waiting)
        lead = f"{self._before}{quoter()(name)}{self._colon}"
        if len(name) > LONG:
            self._text.look()
        if past is None:
            return lead, self if self._before == self._between else self._after(None)
        found = lead, self._after((*past, name))
        if len(name) <= LONG:
            self._text.count_kept()
            self.known[name] = found
        return found

    def unchecked(self) -> Names:
        """Return the same for an object whose names are known to differ."""
        return Names(
            self._text, self._waiting, self._before, self._between, self._colon, None
        )

    def _after(self, past: tuple[str, ...] | None) -> Names:
        return Names(
            self._text, self._waiting, self._between, self._between, self._colon, past
        )


# A container of which some is still to come: its node, the children that are left, what
# may come next, what ends it, and its layout.
Opened = tuple[Node, Iterator[Node], Names, str, Layout]


def _repeated(names: Iterable[str], around: Iterable[Opened]) -> ArgumentError:
    seen: set[str] = set()
    twice = ""
    for name in names:
        if name in seen:
            twice = name
            break
        seen.add(name)
    outer = [node.name for node, *_ in around]
    path = "/".join(outer[:8] + ["…"] * (len(outer) > 8))
    where = f"'{path}'" if outer else "the same object"
    return ArgumentError(f"the member '{twice}' stands twice in {where}")


class Text:
    """
    A text that must not grow beyond what a program may have.

    Attributes:
        parts: What was added since the last look. Writers append to it.
        beginnings: Of the names that are kept, those that come first.
    """

    __slots__ = ("_chunks", "_evaluator", "_kept", "_length", "beginnings", "parts")

    def __init__(self, evaluator: Run | None) -> None:
        self.parts: list[str] = []
        self.beginnings: list[Names] = []
        self._chunks: list[str] = []
        self._length = 0
        self._kept = 0
        self._evaluator = evaluator

    def look(self) -> None:
        """
        Put the parts together, and see whether the program may go on.

        Raises:
            LimitError: The text is longer than it may be, or the time is over.
        """
        chunk = escaped("".join(self.parts))
        self.parts.clear()
        self._chunks.append(chunk)
        self._length += len(chunk)
        if self._evaluator is not None:
            check_length(self._length, self._evaluator)

    def looking(self, nodes: Sequence[Node]) -> Iterator[Node]:
        """Yield many nodes, and look every so often."""
        for start in range(0, len(nodes), FEW):
            yield from nodes[start : start + FEW]
            if len(self.parts) > PARTS_BETWEEN_LOOKS:
                self.look()

    def count_kept(self) -> None:
        """Say that one more list of names is kept; when they are too many, forget all."""
        self._kept += 1
        if self._kept > _MOST_KEPT:
            self._kept = 0
            for names in self.beginnings:
                names.known.clear()

    def whole(self) -> str:
        """Return the text."""
        self.look()
        return "".join(self._chunks)


def check_length(length: int, evaluator: Run) -> None:
    """
    See whether a program may write so many characters, and go on.

    Raises:
        LimitError: It may not.
    """
    most = evaluator.limits.max_text
    if most is not None and length > most:
        evaluator.charge_text(length)
    evaluator.look()
