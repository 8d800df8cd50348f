"""
Every error of the language, all under one base.

    HyperlambdaError
    ├── HyperlambdaSyntaxError   a text is no Hyperlambda
    │   └── UnknownTypeError     a value names a type that does not exist
    ├── UnknownSlotError         a program calls what does not exist
    ├── NotAllowedError          a program calls what it may not
    ├── ArgumentError            a slot was given what it cannot take
    │   ├── PlacementError       nodes cannot be put where they should go
    │   ├── NullArgumentError    an argument is null that must not be
    │   ├── InvalidArgumentError an argument has a value that means nothing
    │   ├── PositionError        a position or length lies outside of a text
    │   └── PatternError         a text is no regular expression
    ├── ExpressionError          an expression cannot be followed
    ├── ThrownError              the program said [throw]
    ├── ConversionError          a value has no form of the wanted type
    ├── LiteralError             a text does not spell a value of its type
    ├── OutOfRangeError          a number does not fit its type
    ├── DivisionByZeroError
    ├── OperandError             an operator is not defined for these types
    ├── MissingValueError        nothing stands where something must
    ├── TreeError                a tree does not have, or keep, the shape it must
    ├── SocketError              a message could not be published
    ├── SlotError                the Python code of a slot failed
    └── LimitError               the program used up what it was given

``kind`` is the class name by which programs know an error in ``[.catch]``: the
reference's own, so that programs that test for it keep working (spec 02 §4.3, 03 §1.7).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .source import Place, Source

__all__ = [
    "ArgumentError",
    "ConversionError",
    "DivisionByZeroError",
    "ExpressionError",
    "HyperlambdaError",
    "HyperlambdaSyntaxError",
    "InvalidArgumentError",
    "LimitError",
    "LiteralError",
    "MissingValueError",
    "NotAllowedError",
    "NullArgumentError",
    "OperandError",
    "OutOfRangeError",
    "PatternError",
    "PlacementError",
    "PositionError",
    "SlotError",
    "SocketError",
    "ThrownError",
    "TreeError",
    "UnknownSlotError",
    "UnknownTypeError",
    "nearest",
]


_LONGEST_MESSAGE = 400


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that was probably meant, or None."""
    if len(name) > 100:  # difflib is quadratic, and nobody mistypes this much
        return None
    from difflib import get_close_matches  # only programs that fail pay for loading it

    # A list at once: other threads may be adding names.
    by_case = {each.lower(): each for each in list(known)}
    found = get_close_matches(name.lower(), by_case, n=1, cutoff=0.65)
    return by_case[found[0]] if found else None


def one_line(message: str) -> str:
    """Return a message as it can be shown: of readable length, without control codes."""
    if len(message) > _LONGEST_MESSAGE:
        message = message[: _LONGEST_MESSAGE - 1] + "…"
    if message.isprintable():
        return message
    return "".join(
        each
        if each.isprintable() or each == "\t"
        else each.encode("unicode_escape").decode()
        for each in message
    )


class HyperlambdaError(Exception):
    """
    Something is wrong with a program, or with what it was given.

    Attributes:
        message: What is wrong: one line, lower case.
        public: Whether the message may be shown to a client.
        status: The HTTP status that it stands for.
        field: The input field at fault; "" if none, None if [throw] gave none.
        help: How to mend it, or None.
        kind: The class name that [.catch] sees as ``type``.
    """

    kind = "magic.node.extensions.HyperlambdaException"

    def __init__(
        self,
        message: str,
        *,
        public: bool = False,
        status: int = 500,
        field: str | None = "",
        help: str | None = None,
        place: Place | None = None,
    ) -> None:
        message = one_line(message)
        super().__init__(message)
        self.message = message
        self.public = public
        self.status = status
        self.field = field
        self.help = help
        self._place = place
        # Places are worked out when somebody looks: a program may catch many errors.
        self._frames: list[tuple[str, Source | None, int]] = []

    @property
    def place(self) -> Place | None:
        """Where in the program, or None if that is not known."""
        if self._place is None:
            for name, source, offset in self._frames:
                if source is not None:
                    self._place = source.place(offset, max(1, len(name)))
                    break
        return self._place

    @place.setter
    def place(self, place: Place | None) -> None:
        self._place = place

    @property
    def stack(self) -> list[tuple[str, Place | None]]:
        """The slots that led there, innermost first, each with its place."""
        return [
            (name, source.place(offset, max(1, len(name))) if source else None)
            for name, source, offset in self._frames
        ]

    def add_frame(self, name: str, source: Source | None, offset: int) -> None:
        """Note that the error passed through a slot that stands there."""
        # The innermost tell what happened; a recursion has thousands more of the same.
        if len(self._frames) < 64:
            self._frames.append((name, source, offset))

    def __str__(self) -> str:
        message = one_line(self.message)
        return f"{self.place}: {message}" if self.place else message

    def render(self) -> str:
        """Return what a person reads: place, message, the line with carets, help."""
        head = f"{self.place}: " if self.place else ""
        lines = [f"{head}error: {one_line(self.message)}"]
        if self.place:
            lines.append(self.place.excerpt())
        if self.help:
            lines.append(f"  help: {self.help}")
        return "\n".join(lines)


class HyperlambdaSyntaxError(HyperlambdaError):
    """A text is no Hyperlambda; ``place`` says where it goes wrong."""


class UnknownTypeError(HyperlambdaSyntaxError):
    """A value names a type that does not exist."""

    def __init__(self, name: str, known: Iterable[str] = ()) -> None:
        self.name = name
        near = nearest(name, known)
        shown = name if len(name) <= 40 else name[:40] + "…"
        super().__init__(
            f"no type is named '{shown}'",
            help=f"did you mean '{near}'?"
            if near
            else "a value that contains a colon must be quoted",
        )


class UnknownSlotError(HyperlambdaError):
    """A program calls a slot that does not exist; ``name`` is what it called."""

    def __init__(
        self, name: str, known: Iterable[str] = (), what: str = "slot"
    ) -> None:
        self.name = name
        near = nearest(name, known)
        super().__init__(
            f"no {what} is named '{name}'",
            help=f"did you mean '{near}'?" if near else None,
        )


class NotAllowedError(HyperlambdaError):
    """A program calls a slot that its whitelist, or its host, does not allow."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"'{name}' is not allowed here")


class ArgumentError(HyperlambdaError):
    """A slot was given what it cannot take."""


class PlacementError(ArgumentError):
    """Nodes cannot be put where they should go."""

    kind = "System.ArgumentException"


class NullArgumentError(ArgumentError):
    """An argument is null that must not be."""

    kind = "System.ArgumentNullException"


class InvalidArgumentError(ArgumentError):
    """An argument has a value that means nothing."""

    kind = "System.ArgumentException"


class PositionError(ArgumentError):
    """A position or a length lies outside of the text."""

    kind = "System.ArgumentOutOfRangeException"


class PatternError(ArgumentError):
    """A text is no regular expression, or one that cannot be had here."""

    kind = "System.Text.RegularExpressions.RegexParseException"


class ExpressionError(HyperlambdaError):
    """An expression is malformed, or finds more nodes than its reader can use."""


class ThrownError(HyperlambdaError):
    """The program raised this itself, with [throw]; its message is whatever it says."""

    def __init__(self, message: str, **facts: Any) -> None:
        super().__init__(message, **facts)
        self.message = message


class ConversionError(HyperlambdaError):
    """A value has no form of the wanted type."""

    kind = "System.InvalidCastException"


class LiteralError(HyperlambdaError):
    """A text does not spell a value of the wanted type."""

    kind = "System.FormatException"


class OutOfRangeError(HyperlambdaError):
    """A number does not fit its type."""

    kind = "System.OverflowException"


class DivisionByZeroError(HyperlambdaError):
    """An integer or decimal is divided by zero."""

    kind = "System.DivideByZeroException"


class OperandError(HyperlambdaError):
    """An operator is not defined for the types of its operands."""

    kind = "Microsoft.CSharp.RuntimeBinder.RuntimeBinderException"


class MissingValueError(HyperlambdaError):
    """Nothing stands where something must."""

    kind = "System.NullReferenceException"


class TreeError(HyperlambdaError):
    """A tree does not have the shape it must, or lost it while being walked."""

    kind = "System.InvalidOperationException"


class SocketError(HyperlambdaError):
    """A message could not be published, or the socket server could not be asked."""


class SlotError(HyperlambdaError):
    """The Python code of a slot failed; the cause is ``__cause__``."""

    def __init__(self, name: str, cause: Exception) -> None:
        text = str(cause)
        super().__init__(
            f"slot '{name}' failed: {type(cause).__name__}"
            + (f": {text}" if text else "")
        )
        self.kind = f"{type(cause).__module__}.{type(cause).__qualname__}"


class LimitError(HyperlambdaError):
    """The program used up what it was given; its own [try] does not see this."""
