"""
Dates and times: instants with a zone kind, durations in ticks (spec 01 §3.4).

A date is a `datetime.datetime` of one of three kinds. Naive means Unspecified,
`datetime.UTC` means Utc, and `LOCAL` means Local. The server's zone is taken to
be UTC, so that no result depends on the machine; a local date still prints ``+00:00``
where a Utc one prints ``Z``.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final, Literal

from .errors import LiteralError, OutOfRangeError
from .numerals import abbreviate

__all__ = [
    "LOCAL",
    "MONTH_NAMES",
    "TICKS_PER_SECOND",
    "UTC",
    "WEEKDAY_NAMES",
    "ZONES",
    "Time",
    "ZoneSetting",
    "date_text",
    "general_date_text",
    "normal_date",
    "parse_date",
    "ticks_of",
]

ZoneSetting = Literal["none", "utc", "local"]

TICKS_PER_SECOND: Final = 10_000_000
MONTH_NAMES: Final = [
    *("January", "February", "March", "April", "May", "June", "July", "August"),
    *("September", "October", "November", "December"),
]
WEEKDAY_NAMES: Final = [
    *("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
]
_NO_TIME = timedelta(0)


class _Local(tzinfo):
    """The zone of the server: UTC, but told apart from it."""

    def utcoffset(self, when: datetime | None) -> timedelta:
        return _NO_TIME

    def dst(self, when: datetime | None) -> timedelta:
        return _NO_TIME

    def tzname(self, when: datetime | None) -> str:
        return "Local"

    def fromutc(self, when: datetime) -> datetime:
        return when

    def __repr__(self) -> str:
        return "LOCAL"

    def __reduce__(self) -> str:  # a copy is the same object: kinds go by identity
        return "LOCAL"


LOCAL: Final[tzinfo] = _Local()


class Zones:
    """
    The zone of dates that name none: ``none``, ``utc`` or ``local``.

    Process-wide, as in the reference; the slot ``timezone.init`` sets it.
    """

    __slots__ = ("default",)

    def __init__(self) -> None:
        self.default: ZoneSetting = "none"


ZONES: Final = Zones()


class Time:
    """
    A duration.

    Attributes:
        ticks: Its length in units of 100 nanoseconds, a signed number of 64 bits.
    """

    __slots__ = ("ticks",)

    ticks: int

    def __init__(self, ticks: int = 0) -> None:
        if not -(2**63) <= ticks < 2**63:
            raise OutOfRangeError("the duration does not fit 'time'")
        object.__setattr__(self, "ticks", int(ticks))

    @classmethod
    def of(cls, delta: timedelta) -> Time:
        """Return the duration of a `timedelta`."""
        return cls(ticks_of(delta))

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("a time cannot be changed")

    def __delattr__(self, name: str) -> None:
        raise AttributeError("a time cannot be changed")

    def __reduce__(self) -> tuple[type[Time], tuple[int]]:
        return Time, (self.ticks,)

    def __repr__(self) -> str:
        return f"Time({self.ticks})"

    def __str__(self) -> str:
        """Return ``[-][d.]hh:mm:ss[.fffffff]``."""
        seconds, fraction = divmod(abs(self.ticks), TICKS_PER_SECOND)
        minutes, seconds = divmod(seconds, 60)
        hours, minutes = divmod(minutes, 60)
        days, hours = divmod(hours, 24)
        return (
            f"{'-' if self.ticks < 0 else ''}{f'{days}.' if days else ''}"
            f"{hours:02}:{minutes:02}:{seconds:02}"
            f"{f'.{fraction:07}' if fraction else ''}"
        )

    def __hash__(self) -> int:
        return hash((Time, self.ticks))

    def __eq__(self, other: object) -> bool:
        return self.ticks == other.ticks if isinstance(other, Time) else NotImplemented

    def __lt__(self, other: object) -> bool:
        return self.ticks < other.ticks if isinstance(other, Time) else NotImplemented

    def __le__(self, other: object) -> bool:
        return self.ticks <= other.ticks if isinstance(other, Time) else NotImplemented

    def __gt__(self, other: object) -> bool:
        return self.ticks > other.ticks if isinstance(other, Time) else NotImplemented

    def __ge__(self, other: object) -> bool:
        return self.ticks >= other.ticks if isinstance(other, Time) else NotImplemented


def ticks_of(delta: timedelta) -> int:
    """Return a `timedelta` in units of 100 nanoseconds."""
    return (
        delta.days * 86_400 + delta.seconds
    ) * TICKS_PER_SECOND + delta.microseconds * 10


def normal_date(value: datetime) -> datetime:
    """
    Return a date as one of the three kinds.

    One with a zone of its own keeps its instant and becomes Local.
    """
    zone = value.tzinfo
    if zone is None or zone is UTC or zone is LOCAL:
        return value
    return _shifted(value.replace(tzinfo=None), -(value.utcoffset() or _NO_TIME), LOCAL)


# Printing


def date_text(value: datetime, setting: ZoneSetting | None = None) -> str:
    """
    Return a date as the language writes it: ``2031-07-09T08:00:05.000Z``.

    Args:
        value: Of any kind; finer digits than milliseconds are dropped.
        setting: What an unspecified kind means; None stands for the process's setting.
    """
    value = normal_date(value)
    kind: object = value.tzinfo or _setting_zone(setting or ZONES.default)
    mark = "Z" if kind is UTC else "+00:00" if kind is LOCAL else ""
    return f"{value.replace(tzinfo=None).isoformat('T', 'milliseconds')}{mark}"


def general_date_text(value: datetime) -> str:
    """Return ``MM/dd/yyyy HH:mm:ss``, which is what a text made from a date is."""
    value = normal_date(value)
    return (
        f"{value.month:02}/{value.day:02}/{value.year:04} "
        f"{value.hour:02}:{value.minute:02}:{value.second:02}"
    )


def _setting_zone(setting: ZoneSetting) -> tzinfo | None:
    return UTC if setting == "utc" else LOCAL if setting == "local" else None


# Parsing

# What most dates look like. Hour only, as in ``T10``, is refused by the reference too.
_ISO = re.compile(
    r"[\t-\r ]*+([0-9]{4})-([0-9]{1,2})(?:-([0-9]{1,2}))?"
    r"(?:(?:T|[ ]++)([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]++))?)?)?"
    r"[ ]*+(Z|[+-][0-9]{1,2}:[0-9]{2})?[\t-\r ]*+"
)
# The rest of the texts that the reference's platform reads; a general date in lower
# case is a day, then perhaps a time with a zone. Compiled on first use.
_TIME_PATTERN = (
    r"(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{1,2})"
    r"(?::(?P<second>[0-9]{1,2})(?:\.(?P<fraction>[0-9]++))?)?"
    r"(?:[ ]?(?P<half>[ap])m?(?![a-z]))?"
    r"(?:[ ]*+(?P<zone>z|gmt|utc|[+-][0-9]{1,2}(?::?[0-9]{2})?))?"
)
_DAY_PATTERNS = (
    r"(?P<y>[0-9]{4})(?P<s>[-/.])(?P<m>[0-9]{1,2})(?:(?P=s)(?P<d>[0-9]{1,2}))?",
    r"(?P<m>[0-9]{1,2})(?P<s>[-/.])(?P<d>[0-9]{1,2})(?P=s)(?P<y>[0-9]{4}|[0-9]{2})",
    r"(?P<d>[0-9]{1,2})[ -](?P<n>[a-z]+)\.?,?(?:[ -](?P<y>[0-9]{4}|[0-9]{2}))?",
    r"(?P<n>[a-z]+)\.?[ -](?P<d>[0-9]{1,2})(?:,?[ ](?P<y>[0-9]{4}))?",
    r"(?P<n>[a-z]+)\.?,?[ -](?P<y>[0-9]{4})",
    r"(?P<y>[0-9]{4})[ -](?P<n>[a-z]+)\.?(?:[ -](?P<d>[0-9]{1,2}))?",
)
_LONGEST = 100
# The platform reads two digits as a year of 1950 … 2049.
_LAST_SHORT_YEAR = 49


def parse_date(text: str, setting: ZoneSetting | None = None) -> datetime:
    """
    Read a date (spec 01 §3.4).

    A text with an offset keeps its instant and becomes Local, whatever the setting;
    finer digits than microseconds are dropped, after rounding to 100 ns.

    Args:
        text: ISO 8601, ``MM/dd/yyyy``, ``9 Jul 2031``, RFC 1123, a bare time …
        setting: The kind of a text that names no zone; None is the process's setting.

    Raises:
        LiteralError: The text spells no date of the years 1 … 9999.
    """
    match = _ISO.fullmatch(text) if len(text) <= _LONGEST else None
    try:
        if match is None:
            return _parse_general(text, setting or ZONES.default)
        year, month, day, hour, minute, second, fraction, zone = match.groups()
        when = datetime(
            int(year),
            int(month),
            int(day or 1),
            int(hour or 0),
            int(minute or 0),
            int(second or 0),
        )
        if fraction:
            when += _fraction(fraction)
        return _in_zone(when, zone, setting or ZONES.default)
    except (ValueError, OverflowError) as error:
        raise LiteralError(f"{abbreviate(text)} is not a date") from error


def _parse_general(text: str, setting: ZoneSetting) -> datetime:
    """Read any text but the usual one; ValueError if it is no date."""
    if len(text) > _LONGEST or not text.isascii():
        raise ValueError("too long, or not written in ASCII")
    lower = re.sub(r"[\t-\r ]+", " ", text.lower()).strip(" ")
    time = re.search(rf"(?:^|[ t,]){_TIME_PATTERN}$", lower)
    if time is None:
        if not any(map(str.isdigit, lower)):
            raise ValueError("nothing but words")
        return _in_zone(_day(lower), None, setting)
    when = _day(lower[: time.start()])
    hour, half = int(time["hour"]), time["half"]
    if half:
        if not 1 <= hour <= 12:
            raise ValueError("no hour of half a day")
        hour = hour % 12 + (12 if half == "p" else 0)
    when = when.replace(
        hour=hour, minute=int(time["minute"]), second=int(time["second"] or 0)
    )
    if time["fraction"]:
        when += _fraction(time["fraction"])
    zone = time["zone"]
    if zone == "z" and text.rstrip().endswith("Z"):
        zone = "Z"
    return _in_zone(when, zone, setting)


def _day(text: str) -> datetime:
    """Read a day in lower case; "" is today, and a missing year is this one."""
    head, _, rest = text.partition(" ")
    weekday = _named(head.rstrip(",."), WEEKDAY_NAMES)
    if weekday is not None:
        text = rest
    today = datetime.now(UTC).replace(
        tzinfo=None, hour=0, minute=0, second=0, microsecond=0
    )
    text = text.rstrip(" ,")
    if not text:
        day = today
    else:
        parts = next(filter(None, (re.fullmatch(p, text) for p in _DAY_PATTERNS)), None)
        if parts is None:
            raise ValueError("no known order of day, month and year")
        found = parts.groupdict()
        month = (
            int(found.get("m") or 0) or (_named(found.get("n"), MONTH_NAMES) or 0) + 1
        )
        if found.get("n") and _named(found["n"], MONTH_NAMES) is None:
            raise ValueError("no such month")
        day = datetime(_year(found.get("y"), today), month, int(found.get("d") or 1))
    if weekday not in (None, day.weekday()):
        raise ValueError("not that day of the week")
    return day


def _year(digits: str | None, today: datetime) -> int:
    if digits is None:
        return today.year
    year = int(digits)
    if len(digits) == 2:
        year += 2000 if year <= _LAST_SHORT_YEAR else 1900
    return year


def _named(text: str | None, names: list[str]) -> int | None:
    """Return the position of a name, or of its first three letters, among the names."""
    for position, name in enumerate(map(str.lower, names)):
        if text in (name, name[:3]):
            return position
    return None


def _fraction(digits: str) -> timedelta:
    """Return a fraction of a second, rounded to 100 ns and then cut to microseconds."""
    ticks = int(digits[:7].ljust(7, "0"))
    if digits[7:8] >= "5":
        ticks += 1
    return timedelta(microseconds=ticks // 10)


def _in_zone(when: datetime, zone: str | None, setting: ZoneSetting) -> datetime:
    if zone is None:
        return when.replace(tzinfo=_setting_zone(setting))
    if zone == "Z":
        return when.replace(tzinfo=UTC)
    if zone[0] not in "+-":  # a zone by name
        return when.replace(tzinfo=UTC if setting == "utc" else LOCAL)
    digits = zone[1:].replace(":", "")
    hours, minutes = (digits, "0") if len(digits) <= 2 else (digits[:-2], digits[-2:])
    offset = int(hours) * 60 + int(minutes)
    if int(minutes) > 59 or offset > 14 * 60:
        raise ValueError("no such offset")
    return _shifted(
        when, timedelta(minutes=-offset if zone[0] == "+" else offset), LOCAL
    )


def _shifted(when: datetime, delta: timedelta, zone: tzinfo) -> datetime:
    """Move a naive date and give it a zone."""
    try:
        return (when + delta).replace(tzinfo=zone)
    except OverflowError as error:
        raise OutOfRangeError("the date is outside the years 1 … 9999") from error
