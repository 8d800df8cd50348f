"""Dates and times: [date.now], [date.format], [time] … (spec 03 §4)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from time import time_ns
from typing import TYPE_CHECKING

from hyperlambda import ArgumentError, Evaluator, Node, slot
from hyperlambda.dates import TICKS_PER_SECOND, Time
from hyperlambda.errors import OutOfRangeError, nearest
from hyperlambda.expressions import resolve, resolve_text
from hyperlambda.reading import no_form, to_date, to_int
from hyperlambda.values import Long

if TYPE_CHECKING:
    from datetime import tzinfo

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EARLIEST, _LATEST = -62_135_596_800, 253_402_300_799
_TICKS = {
    "days": 86_400 * TICKS_PER_SECOND,
    "hours": 3_600 * TICKS_PER_SECOND,
    "minutes": 60 * TICKS_PER_SECOND,
    "seconds": TICKS_PER_SECOND,
    "milliseconds": TICKS_PER_SECOND // 1000,
}


@slot("date.now")
def now(evaluator: Evaluator, node: Node) -> None:
    """
    Read the clock.

    Reads:
        Nothing.
    Leaves:
        value: the present date and time, in UTC. Children are kept.
    Raises:
        Nothing.
    Source:
        Spec 03 §4.

    Example::

        math.min:date:"2024-03-05T14:07:09.000Z"
           date.now
        // becomes
        math.min:date:"2024-03-05T14:07:09.000Z"
    """
    node.value = datetime.now(UTC)


@slot("date.min")
def min_(evaluator: Evaluator, node: Node) -> None:
    """
    Get the earliest date there is.

    Reads:
        Nothing.
    Leaves:
        value: the first moment of the year 1, in no zone. Children are kept.
    Raises:
        Nothing.
    Source:
        Spec 03 §4.

    Example::

        date.min
        // becomes
        date.min:date:"0001-01-01T00:00:00.000"
    """
    node.value = datetime.min


@slot("date.max")
def max_(evaluator: Evaluator, node: Node) -> None:
    """
    Get the latest date there is.

    Reads:
        Nothing.
    Leaves:
        value: the last microsecond of the year 9999, in no zone. Children are kept.
    Raises:
        Nothing.
    Source:
        Spec 03 §4.

    Example::

        date.max
        // becomes
        date.max:date:"9999-12-31T23:59:59.999"
    """
    node.value = datetime.max


@slot("date.format")
def format_(evaluator: Evaluator, node: Node) -> None:
    """
    Write a date by a pattern, with English names.

    The pattern is .NET's: one letter is a whole format, such as `d` (03/05/2024), `s` or
    `R`; in a longer one `yyyy`, `MMM`, `dd`, `HH`, `mm`, `ss`, `fff`, `K` … stand for parts
    of the date, and what is in quotes for itself. One with a colon must be quoted.

    Reads:
        value: a date, or a text that spells one, or an expression that leads to it.
        format: the pattern.
        timezone: the name of a zone, such as `Europe/Oslo`, whose clocks the text shows;
            a date in no zone counts as UTC. Without it the date is shown as it is.
    Leaves:
        value: str. Children are removed.
    Raises:
        ArgumentError: There is no date or no pattern, or no such zone.
        ConversionError: The value is neither date nor text.
        LiteralError: The text spells no date, or the pattern is malformed.
        OutOfRangeError: In that zone the date is outside of the years 1 … 9999.
    Source:
        Spec 03 §4. The zone is an addition of ours.

    Example::

        .when:date:"2024-03-05T14:07:09.000Z"
        date.format:x:@.when
           format:"ddd d MMM yyyy, HH:mm"
        date.format:x:@.when
           format:"HH:mm zzz"
           timezone:Asia/Tokyo
        // becomes
        .when:date:"2024-03-05T14:07:09.000Z"
        date.format:"Tue 5 Mar 2024, 14:07"
        date.format:"23:07 +09:00"
    """
    # Only programs that format pay for loading cultures and patterns.
    from hyperlambda.cultures import INVARIANT
    from hyperlambda.date_formats import format_date

    pattern = _pattern(node)
    value = resolve(node)
    if value is None:
        raise ArgumentError(f"'{node.name}' got no date")
    text = format_date(to_date(value), pattern, INVARIANT, _zone(node))
    evaluator.charge_text(len(text))
    node.clear()
    node.value = text


@slot("date.from-unix")
def from_unix(evaluator: Evaluator, node: Node) -> None:
    """
    Make a date of Unix time.

    It counts seconds, while `date.unix` gives milliseconds, which need the unit.

    Reads:
        value: the time since 1970 began in UTC, as a long, or what can be read as one,
            or an expression that leads to it.
        unit: `seconds`, the default, or `milliseconds`.
    Leaves:
        value: the date, in UTC. Children are kept.
    Raises:
        ArgumentError: There is no number, or no such unit.
        ConversionError, LiteralError: The value is no number.
        OutOfRangeError: The date is outside of the years 1 … 9999.
    Source:
        Spec 03 §4; the unit is Q17.

    Example::

        date.from-unix:1709647629
        date.from-unix:long:1709647629045
           unit:milliseconds
        // becomes
        date.from-unix:date:"2024-03-05T14:07:09.000Z"
        date.from-unix:date:"2024-03-05T14:07:09.045Z"
           unit:milliseconds
    """
    value = resolve(node)
    if value is None:
        raise ArgumentError(f"'{node.name}' got no number")
    seconds, milliseconds = divmod(to_int(value, "long"), _per_second(node, 1))
    if not _EARLIEST <= seconds <= _LATEST:
        raise _outside("the date is outside the years 1 … 9999")
    step = 1000 if milliseconds else 0
    node.value = _EPOCH + timedelta(seconds=seconds, microseconds=milliseconds * step)


@slot("date.unix")
def unix(evaluator: Evaluator, node: Node) -> None:
    """
    Read the clock as Unix time.

    It gives milliseconds, while `date.from-unix` takes seconds unless told otherwise.

    Reads:
        unit: `milliseconds`, the default, or `seconds`.
    Leaves:
        value: the whole units since 1970 began in UTC, as a long. Children are kept.
    Raises:
        ArgumentError: There is no such unit.
    Source:
        Spec 03 §4; the unit is Q17.

    Example::

        math.min:long:1709647629045
           date.unix
        // becomes
        math.min:long:1709647629045
    """
    node.value = Long(time_ns() // (1_000_000_000 // _per_second(node, 1000)))


@slot("time")
def time(evaluator: Evaluator, node: Node) -> None:
    """
    Make a duration.

    Reads:
        days, hours, minutes, seconds, milliseconds: how many of each, as ints, which may
            be negative or large; 0 by default. Of several children of one name the first
            counts.
    Leaves:
        value: the time, the sum of all. Children are kept.
    Raises:
        ArgumentError: A child has another name, or is null.
        ConversionError, LiteralError: A value is no number.
        OutOfRangeError: A number does not fit an int, or the sum a time.
    Source:
        Spec 03 §4, improved for unknown names (Q19).

    Example::

        time
           hours:1
           minutes:30
        math.add:date:"2024-03-05T14:07:09.000Z"
           time
              days:-1
        // becomes
        time:time:54000000000
           hours:1
           minutes:30
        math.add:date:"2024-03-04T14:07:09.000Z"
    """
    counts: dict[str, int] = {}
    for child in node.children:
        if child.name not in _TICKS:
            near = nearest(child.name, _TICKS)
            raise ArgumentError(
                f"'{node.name}' takes {', '.join(_TICKS)}, and no '{child.name[:40]}'",
                help=f"did you mean '{near}'?" if near else None,
            )
        if child.name not in counts:
            value = resolve(child)
            if value is None:
                raise ArgumentError(f"'{child.name}' of '{node.name}' is null")
            counts[child.name] = to_int(value)
    ticks = sum([_TICKS[name] * count for name, count in counts.items()])
    if not -(2**63) <= ticks < 2**63:
        raise _outside("the duration does not fit 'time'")
    node.value = Time(ticks)


@slot("time.format")
def format_time_(evaluator: Evaluator, node: Node) -> None:
    r"""
    Write a duration by a pattern.

    The pattern is .NET's: `c`, `g` and `G` are whole formats; in a longer one `dd`, `hh`,
    `mm`, `ss`, `fff` … stand for parts, and everything else must be in quotes or behind a
    backslash. Such a pattern leaves the sign out, and of 25 hours `hh` shows 01.

    Reads:
        value: a time, or an expression that leads to it.
        format: the pattern.
    Leaves:
        value: str. Children are removed.
    Raises:
        ArgumentError: There is no time or no pattern.
        ConversionError: The value is no time.
        LiteralError: The pattern is malformed.
    Source:
        Spec 03 §4.

    Example::

        time.format:time:54000000000
           format:@"h\:mm"
        // becomes
        time.format:"1:30"
    """
    # Only programs that format pay for loading cultures and patterns.
    from hyperlambda.cultures import INVARIANT
    from hyperlambda.date_formats import format_time

    pattern = _pattern(node)
    value = resolve(node)
    if value is None:
        raise ArgumentError(f"'{node.name}' got no time")
    if not isinstance(value, Time):
        raise no_form(value, "time")
    text = format_time(value, pattern, INVARIANT)
    evaluator.charge_text(len(text))
    node.clear()
    node.value = text


def _pattern(node: Node) -> str:
    child = node.child("format")
    pattern = None if child is None else resolve_text(child)
    if pattern is None:
        raise ArgumentError(f"'{node.name}' needs a 'format'")
    return pattern


def _per_second(node: Node, default: int) -> int:
    """Return how many of the units that a node asks for are in a second."""
    child = node.child("unit")
    if child is None:
        return default
    unit = resolve_text(child)
    if unit not in _UNITS:
        raise ArgumentError(f"the 'unit' of '{node.name}' is seconds or milliseconds")
    return _UNITS[unit]


_UNITS: dict[str | None, int] = {"seconds": 1, "milliseconds": 1000}


def _zone(node: Node) -> tzinfo | None:
    child = node.child("timezone")
    if child is None:
        return None
    # Only programs that name a zone pay for loading this.
    from zoneinfo import ZoneInfo

    name = resolve_text(child)
    # The name becomes the path of a file: nothing but the names of zones goes there.
    if name is not None and len(name) <= 64 and name.translate(_IN_ZONES) == "":
        try:
            return ZoneInfo(name)
        except (KeyError, ValueError, OSError):  # no such file, or no file of a zone
            pass
    raise ArgumentError(
        f"no time zone is named '{(name or '')[:40]}'",
        help="names are like 'Europe/Oslo' or 'UTC'",
    )


_IN_ZONES = dict.fromkeys(
    map(ord, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/")
)


def _outside(message: str) -> OutOfRangeError:
    error = OutOfRangeError(message)
    error.kind = "System.ArgumentOutOfRangeException"  # as the reference says it here
    return error
