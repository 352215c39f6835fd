"""The times of generated schedules against a look at the clock at every minute, around changes of the clocks."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from jobs.errors import Invalid
from jobs.schedules import Timetable, next_times, parse
from tests.jobs.schedules import oracle

DIALECTS = st.one_of(
    st.tuples(st.just("cron"), oracle.cron()),
    st.tuples(st.just("quartz"), oracle.quartz()),
    st.tuples(st.just("fields"), oracle.named_fields()),
)
ORACLES = {"once": oracle.once, "wall": oracle.on_the_wall}
MINUTE = timedelta(minutes=1)
CRONSIM_KNOWS = ("Europe/Berlin", "America/New_York", "Africa/Casablanca", "Asia/Kolkata", "UTC")
"""At Lord Howe's half hours, and where a change begins or ends a day, it loses runs."""


def read(dialect: str, case: oracle.Case, **place: str) -> Timetable | None:
    """`None` for a day that never comes."""
    try:
        return parse(dialect, case.value, **place)
    except Invalid as error:
        assert "never come" in error.message
        return None


def times(dialect: str, case: oracle.Case, zone: str, policy: str, start: datetime, end: datetime) -> list[datetime]:
    """Those from `start` to before `end`."""
    timetable = read(dialect, case, zone=zone, policy=policy)
    return list(takewhile(lambda at: at < end, timetable.after(start - MINUTE))) if timetable else []


def days(dialect: str, case: oracle.Case, day: date, end: date) -> Iterator[date]:
    """The days with a time in UTC, from `day` to before `end`."""
    timetable = read(dialect, case)
    while timetable and (at := timetable.next_after(datetime.combine(day, time(), UTC) - MINUTE)) and at.date() < end:
        yield at.date()
        day = at.date() + timedelta(days=1)


@pytest.mark.parametrize("policy", ORACLES)
@given(drawn=DIALECTS, window=st.sampled_from(oracle.SWITCHES))
@settings(deadline=None)
def test_around_a_change_of_the_clocks_it_finds_what_the_clock_shows(
    policy: str, drawn: tuple[str, oracle.Case], window: tuple[str, datetime]
) -> None:
    dialect, case = drawn
    zone, start = window
    minutes = oracle.clock(zone, start)

    found = times(dialect, case, zone, policy, start, minutes[-1][0] + MINUTE)

    assert found == ORACLES[policy](case, minutes)


@given(drawn=DIALECTS, year=st.integers(2024, 2104))
@settings(deadline=None)
def test_in_any_year_it_finds_the_days_that_fit(drawn: tuple[str, oracle.Case], year: int) -> None:
    dialect, case = drawn
    start, end = datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)
    wanted = [day.date() for n in range((end - start).days) if case.day(day := start + timedelta(days=n))]

    found = list(days(dialect, case, start.date(), end.date()))

    assert found == wanted


@given(case=oracle.cron(), window=st.sampled_from([one for one in oracle.SWITCHES if one[0] in CRONSIM_KNOWS]))
@settings(deadline=None)
def test_five_fields_come_when_cronsim_says(case: oracle.Case, window: tuple[str, datetime]) -> None:
    assume(not re.search(r"\b([0-9]+)-\1/", str(case.value)))  # cronsim reads 4-4/1 as 4/1
    zone, start = window
    end = start + timedelta(days=oracle.WINDOW_DAYS)
    theirs = CronSim(str(case.value), (start - MINUTE).astimezone(ZoneInfo(zone)))

    found = times("cron", case, zone, "once", start, end)

    assert found == list(takewhile(lambda at: at < end, (at.astimezone(UTC) for at in theirs)))


# -- single cases ------------------------------------------------------------------------------------------------------
def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def shown(*times: datetime) -> list[str]:
    return [f"{one:%Y-%m-%d %H:%M:%S}" for one in times]


def test_a_leap_day_is_waited_for_over_a_century() -> None:
    found = next_times("cron", "0 0 29 2 *", after=at("2096-03-01"), n=1)

    assert shown(*found) == ["2104-02-29 00:00:00"]


def test_a_daily_time_comes_once_on_the_days_of_both_changes() -> None:
    spring = next_times("cron", "30 2 * * *", zone="Europe/Berlin", after=at("2026-03-28T12:00"), n=2)
    autumn = next_times("cron", "30 2 * * *", zone="Europe/Berlin", after=at("2026-10-24T12:00"), n=2)

    assert shown(*spring) == ["2026-03-29 01:00:00", "2026-03-30 00:30:00"]
    assert shown(*autumn) == ["2026-10-25 00:30:00", "2026-10-26 01:30:00"]


def test_seconds_are_found_within_a_change() -> None:
    found = next_times("quartz", "*/30 59 1 * * ?", zone="Europe/Berlin", after=at("2026-03-29T00:59"), n=3)

    assert shown(*found) == ["2026-03-29 00:59:30", "2026-03-29 23:59:00", "2026-03-29 23:59:30"]


def test_a_day_that_a_zone_leaves_out_is_made_up_for_at_the_next() -> None:
    found = next_times("cron", "0 12 30 12 *", zone="Pacific/Apia", after=at("2011-12-01"), n=1)

    assert shown(*found) == ["2011-12-30 10:00:00"]


def test_an_interval_counts_elapsed_time_from_its_start() -> None:
    found = next_times("interval", "90m", start=at("2026-03-28T23:00"), after=at("2026-03-29T00:40"), n=2)

    assert shown(*found) == ["2026-03-29 02:00:00", "2026-03-29 03:30:00"]


def test_it_begins_with_its_start_and_its_end_belongs_to_it() -> None:
    limits = {"start": at("2026-05-01T06:00"), "end": at("2026-05-01T08:00")}

    found = next_times("cron", "0 * * * *", **limits, after=at("2026-01-01"))

    assert shown(*found) == ["2026-05-01 06:00:00", "2026-05-01 07:00:00", "2026-05-01 08:00:00"]


def test_one_date_comes_once() -> None:
    found = next_times("at", "2026-10-25T02:30", zone="Europe/Berlin", after=at("2026-01-01"))

    assert shown(*found) == ["2026-10-25 00:30:00"]


def test_a_time_between_two_seconds_is_before_the_next() -> None:
    found = next_times("interval", "1s", start=at("2026-05-01"), after=at("2026-05-01T06:00:00.500"), n=1)

    assert shown(*found) == ["2026-05-01 06:00:01"]
