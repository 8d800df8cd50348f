"""Dates and times (spec 03 §4); see also conformance/dates.txt."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hyperlambda import ArgumentError, Evaluator, Node
from hyperlambda.dates import LOCAL, Time
from hyperlambda.errors import LiteralError
from hyperlambda.values import Long

EVALUATOR = Evaluator()


def run(name: str, value: object = None, **children: object) -> Node:
    node = Node(name, value, [Node(key, each) for key, each in children.items()])
    EVALUATOR.signal(name, node)
    return node


def test_the_clock_is_in_utc_and_goes_forward() -> None:
    before = datetime.now(UTC)
    first, second = run("date.now").value, run("date.now").value
    after = datetime.now(UTC)
    assert first.tzinfo is UTC
    assert before <= first <= second <= after


def test_unix_time_is_that_of_the_clock() -> None:
    before = datetime.now(UTC).timestamp()
    milliseconds = run("date.unix").value
    seconds = run("date.unix", unit="seconds").value
    after = datetime.now(UTC).timestamp()
    assert type(milliseconds) is type(seconds) is Long
    assert int(before * 1000) <= milliseconds <= after * 1000
    assert int(before) <= seconds <= after


def test_the_ends_of_time_are_in_no_zone() -> None:
    assert run("date.min").value == datetime.min
    assert run("date.max").value == datetime.max
    assert run("date.max").value.tzinfo is None


@given(st.integers(-62_135_596_800, 253_402_300_799))
def test_unix_time_is_read_and_written_alike(seconds: int) -> None:
    when = run("date.from-unix", seconds).value
    assert when.tzinfo is UTC
    assert when == datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    again = run("date.from-unix", seconds * 1000, unit="milliseconds").value
    assert again == when


@given(
    st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31)),
    st.sampled_from([None, UTC, LOCAL]),
    st.sampled_from(["Europe/Oslo", "America/St_Johns", "Pacific/Apia", "UTC"]),
)
def test_zones_agree_with_those_of_python(
    when: datetime, kind: object, zone: str
) -> None:
    value = when.replace(tzinfo=kind)  # type: ignore[arg-type]
    node = run("date.format", value, format="yyyy-MM-ddTHH:mm:ss.ffffff", timezone=zone)
    shown = when.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    assert node.value == shown.isoformat(timespec="microseconds")


counts = st.integers(-100_000, 100_000)


@given(counts, counts, counts, counts, counts)
def test_a_time_is_the_sum_of_its_parts(
    days: int, hours: int, minutes: int, seconds: int, milliseconds: int
) -> None:
    parts = {
        "days": days,
        "hours": hours,
        "minutes": minutes,
        "seconds": seconds,
        "milliseconds": milliseconds,
    }
    assert run("time", **parts).value == Time.of(timedelta(**parts))


def test_a_misspelt_part_of_a_time_is_corrected() -> None:
    with pytest.raises(ArgumentError) as caught:
        run("time", second=30)
    assert caught.value.help == "did you mean 'seconds'?"


@pytest.mark.parametrize("letter", list("dMyHhmstKzgfF'\"\\%:/x"))
def test_long_patterns_make_texts_of_their_own_length(letter: str) -> None:
    """No pattern takes long, or makes more than a name of a day for a letter."""
    pattern = letter * 200_000
    for name, value in (("date.format", datetime.min), ("time.format", Time(-1))):
        try:
            text = run(name, value, format=pattern).value
        except LiteralError:
            continue
        assert len(text) <= 9 * len(pattern)


def test_programs_without_zones_and_patterns_do_not_load_them() -> None:
    program = (
        "import sys; from hyperlambda import Evaluator; "
        "Evaluator().run('date.now\\ntime\\n   days:1\\ndate.from-unix:5'); "
        "print([name for name in ('zoneinfo', 'hyperlambda.date_formats', "
        "'hyperlambda.cultures') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
