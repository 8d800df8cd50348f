"""Dates and times: kinds, texts and settings (spec 01 §3.4)."""

from __future__ import annotations

import copy
import pickle
from datetime import UTC, datetime, timedelta, timezone, tzinfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hyperlambda.dates import (
    LOCAL,
    ZONES,
    Time,
    ZoneSetting,
    date_text,
    general_date_text,
    normal_date,
    parse_date,
)
from hyperlambda.errors import LiteralError, OutOfRangeError

DAY = datetime(2031, 7, 9)
EIGHT = datetime(2031, 7, 9, 8, 0, 5)


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("2031-07-09", DAY),
        ("2031-7-9", DAY),
        ("2031/07/09", DAY),
        ("2031.07.09", DAY),
        ("2031-07", datetime(2031, 7, 1)),
        ("2031-07-09T08:00:05", EIGHT),
        ("2031-07-09 08:00:05", EIGHT),
        ("2031-07-09  08:00", datetime(2031, 7, 9, 8)),
        ("2031-7-9T8:00", datetime(2031, 7, 9, 8)),
        ("2031/07/09 08:00:05", EIGHT),
        ("2031-07-09T08:00:05.5", EIGHT.replace(microsecond=500_000)),
        ("2031-07-09T08:00:05.1234567", EIGHT.replace(microsecond=123_456)),
        ("2031-07-09T08:00:05.12345699999", EIGHT.replace(microsecond=123_457)),
        ("2031-07-09T08:00:05.99999999", EIGHT + timedelta(seconds=1)),
        ("  2031-07-09\t", DAY),
        ("07/09/2031", DAY),
        ("07-09-2031", DAY),
        ("7/9/31", DAY),
        ("7/9/49", datetime(2049, 7, 9)),
        ("7/9/50", datetime(1950, 7, 9)),
        ("9 Jul 2031", DAY),
        ("9 July 2031", DAY),
        ("09-jul-2031", DAY),
        ("July 9, 2031", DAY),
        ("JULY 9 2031", DAY),
        ("July 2031", datetime(2031, 7, 1)),
        ("2031 July 9", DAY),
        ("Wednesday, 9 July 2031", DAY),
        ("Wed 9 Jul 2031 08:00:05", EIGHT),
        ("07/09/2031 08:00:05 AM", EIGHT),
        ("07/09/2031 08:00:05 pm", EIGHT + timedelta(hours=12)),
        ("2031-07-09 12:30 AM", datetime(2031, 7, 9, 0, 30)),
        ("2031-07-09 12:30PM", datetime(2031, 7, 9, 12, 30)),
        ("0001-01-01", datetime(1, 1, 1)),
        ("9999-12-31T23:59:59.9999999", datetime(9999, 12, 31, 23, 59, 59, 999_999)),
    ],
)
def test_a_text_without_a_zone_has_the_kind_of_the_setting(
    text: str, when: datetime
) -> None:
    assert parse_date(text, "none") == when
    assert parse_date(text, "none").tzinfo is None
    for setting, zone in (("utc", UTC), ("local", LOCAL)):
        found = parse_date(text, setting)  # type: ignore[arg-type]
        assert found.tzinfo is zone
        assert found.replace(tzinfo=None) == when


@pytest.mark.parametrize("setting", ["none", "utc", "local"])
@pytest.mark.parametrize(
    ("text", "hour", "zone"),
    [
        ("2031-07-09T08:00:05Z", 8, UTC),
        ("2031-07-09 08:00:05Z", 8, UTC),
        ("2031-07-09T08:00:05 Z", 8, UTC),
        ("2031-07-09T08:00:05+00:00", 8, LOCAL),
        ("2031-07-09T08:00:05+02:00", 6, LOCAL),
        ("2031-07-09T08:00:05+0200", 6, LOCAL),
        ("2031-07-09T08:00:05+2", 6, LOCAL),
        ("2031-07-09T08:00:05 +02:00", 6, LOCAL),
        ("2031-07-09T08:00:05-05:00", 13, LOCAL),
        ("2031-07-09T08:00:05-0530", 13, LOCAL),
        ("2031-07-09T08:00:05-5", 13, LOCAL),
    ],
)
def test_a_zone_in_the_text_keeps_the_instant(
    text: str, hour: int, zone: tzinfo, setting: ZoneSetting
) -> None:
    found = parse_date(text, setting)
    assert found.tzinfo is zone
    assert found.hour == hour
    assert found.second == 5


@pytest.mark.parametrize(
    "text",
    [
        "2031-07-09T08:00:05z",
        "Wed, 09 Jul 2031 08:00:05 GMT",
        "9 Jul 2031 08:00:05 utc",
    ],
)
def test_a_zone_by_name_is_utc_only_with_that_setting(text: str) -> None:
    assert parse_date(text, "none") == EIGHT.replace(tzinfo=LOCAL)
    assert parse_date(text, "none").tzinfo is LOCAL
    assert parse_date(text, "utc").tzinfo is UTC
    assert parse_date(text, "local").tzinfo is LOCAL


def test_a_bare_time_is_today() -> None:
    before = datetime.now(UTC).replace(tzinfo=None)
    found = parse_date("10:11", "none")
    after = datetime.now(UTC).replace(tzinfo=None)
    assert (found.hour, found.minute, found.second) == (10, 11, 0)
    assert before.date() <= found.date() <= after.date()


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "20310709", "2031-07-09T10", "2031-07-09T24:00", "2031-02-30"),
        *("31/01/2024", "2031-13-01", "0000-01-01", "10000-01-01", "tomorrow"),
        *("2031-07-09T10:60", "2031-07-09T10:00:60", "2031-07-09T10:00+15:00"),
        *("2031-07-09T10:00+01:75", "Thu, 09 Jul 2031 10:00:00 GMT", "13:00 pm"),
        *("0:30 pm", "2031-07-09x", "9 Foo 2031", "٢٠٣١-٠٧-٠٩", "2031-07-09\xa010:00"),
        *("5", "2031", "Z", "+02:00", "2031-07-09T10:00:00.", "2031-07-09--5"),
        *("Wed", "Wednesday,", "July", "Wed 10:00 x", "2031-07-09\x1c10:00"),
        "2031-07-09T10:00:00." + "1" * 200,
        "9" * 1_000_000,
    ],
)
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(LiteralError):
        parse_date(text, "none")


@pytest.mark.parametrize("text", ["0001-01-01T00:00+01:00", "9999-12-31T23:59-01:00"])
def test_an_instant_outside_the_calendar_is_refused(text: str) -> None:
    with pytest.raises(OutOfRangeError):
        parse_date(text, "none")


@pytest.mark.parametrize(
    ("zone", "marks"),
    [
        (UTC, {"none": "Z", "utc": "Z", "local": "Z"}),
        (LOCAL, {"none": "+00:00", "utc": "+00:00", "local": "+00:00"}),
        (None, {"none": "", "utc": "Z", "local": "+00:00"}),
    ],
)
def test_dates_are_printed_with_truncated_milliseconds(
    zone: tzinfo | None, marks: dict[ZoneSetting, str]
) -> None:
    when = EIGHT.replace(tzinfo=zone, microsecond=999_999)
    for setting, mark in marks.items():
        assert date_text(when, setting) == f"2031-07-09T08:00:05.999{mark}"


def test_the_process_setting_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ZONES.default == "none"
    monkeypatch.setattr(ZONES, "default", "utc")
    assert parse_date("2031-07-09").tzinfo is UTC
    assert date_text(DAY) == "2031-07-09T00:00:00.000Z"


def test_a_date_with_a_zone_of_its_own_prints_as_a_local_one() -> None:
    tokyo = timezone(timedelta(hours=9))
    when = datetime(2031, 7, 9, 17, 0, 5, tzinfo=tokyo)
    assert date_text(when) == "2031-07-09T08:00:05.000+00:00"
    assert normal_date(when).tzinfo is LOCAL
    assert general_date_text(when) == "07/09/2031 08:00:05"


def test_early_years_have_four_digits() -> None:
    assert date_text(datetime(1, 2, 3), "none") == "0001-02-03T00:00:00.000"
    assert general_date_text(datetime(1, 2, 3)) == "02/03/0001 00:00:00"


def test_copies_of_a_local_date_stay_local() -> None:
    when = EIGHT.replace(tzinfo=LOCAL)
    assert pickle.loads(pickle.dumps(when)).tzinfo is LOCAL
    assert copy.deepcopy(when).tzinfo is LOCAL


@given(st.datetimes(), st.sampled_from(["none", "utc", "local"]))
def test_a_printed_date_reads_as_itself(when: datetime, setting: ZoneSetting) -> None:
    text = date_text(when, setting)
    assert date_text(parse_date(text, setting), setting) == text


@given(st.text(alphabet="0123456789-/:.TZ+ ,JulyWedAMPgmt", max_size=30))
def test_any_text_is_a_date_or_refused(text: str) -> None:
    try:
        when = parse_date(text, "none")
    except (LiteralError, OutOfRangeError):
        return
    assert parse_date(date_text(when, "none"), "none").tzinfo is when.tzinfo


@pytest.mark.parametrize(
    ("ticks", "text"),
    [
        (0, "00:00:00"),
        (50_000_000, "00:00:05"),
        (5, "00:00:00.0000005"),
        (-36_000_000_000, "-01:00:00"),
        (864_000_000_000, "1.00:00:00"),
        (-(2**63), "-10675199.02:48:05.4775808"),
    ],
)
def test_times_have_a_text(ticks: int, text: str) -> None:
    assert str(Time(ticks)) == text


def test_times_are_ordered_hashable_and_immutable() -> None:
    assert Time(1) < Time(2) <= Time(2)
    assert Time(2) > Time(1) >= Time(1)
    assert Time(1) == Time(1)
    assert Time(1) != 1
    assert len({Time(1), Time(1), Time(2)}) == 2
    assert pickle.loads(pickle.dumps(Time(7))) == Time(7)
    time = Time(1)
    with pytest.raises(AttributeError):
        time.ticks = 2
    with pytest.raises(AttributeError):
        del time.ticks
    with pytest.raises(TypeError):
        assert Time(1) < 1
    for ticks in (2**63, -(2**63) - 1):
        with pytest.raises(OutOfRangeError):
            Time(ticks)
