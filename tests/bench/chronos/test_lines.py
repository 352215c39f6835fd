"""When the brute force says that lines come, against times that were worked out by hand from the zones' rules."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bench.chronos.lines import RULES, SECOND, ZONES, Line, changes, daily, often, shown_at

SPRING, AUTUMN = datetime(2027, 3, 28, 1, tzinfo=UTC), datetime(2027, 10, 31, 1, tzinfo=UTC)
"""Berlin: 02:00 becomes 03:00, and 03:00 becomes 02:00."""
YEAR = (datetime(2027, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC))
HOUR = timedelta(hours=1)


def at(hour: int, minute: int) -> datetime:
    return datetime(2027, 1, 1, hour, minute)  # noqa: DTZ001 - a time on the clock


def line(hour: int, minute: int, policy: str, zone: str = "Europe/Berlin") -> Line:
    return daily(at(hour, minute), zone, policy=policy, catch_up="skip")


def around(one: Line, change: datetime) -> list[str]:
    """Within three hours of it, in UTC."""
    return [f"{time:%H:%M:%S}" for time in one.times(change - 3 * HOUR, change + 3 * HOUR)]


# -- changes of the clocks ---------------------------------------------------------------------------------------------
def test_the_changes_of_a_year_are_found() -> None:
    assert changes("Europe/Berlin", *YEAR) == [SPRING, AUTUMN]


def test_a_change_of_half_an_hour_is_found_to_the_minute() -> None:
    found = changes("Australia/Lord_Howe", *YEAR)
    assert found == [datetime(2027, 4, 3, 15, tzinfo=UTC), datetime(2027, 10, 2, 15, 30, tzinfo=UTC)]


def test_a_zone_without_changes_has_none() -> None:
    assert [changes(zone, *YEAR) for zone in ("Asia/Kolkata", "UTC")] == [[], []]


@pytest.mark.parametrize(("change", "shown"), [(SPRING, "02:00"), (AUTUMN, "02:00")])
def test_a_time_that_the_change_swallows_or_repeats_is_found(change: datetime, shown: str) -> None:
    assert f"{shown_at(change, 'Europe/Berlin'):%H:%M}" == shown


# -- daily lines -------------------------------------------------------------------------------------------------------
DAILY = [
    (SPRING, 2, 30, "once", ["01:00:00"]),
    (SPRING, 2, 30, "wall", []),
    (SPRING, 3, 0, "once", ["01:00:00"]),
    (SPRING, 3, 0, "wall", ["01:00:00"]),
    (SPRING, 1, 59, "once", ["00:59:00"]),
    (AUTUMN, 2, 30, "once", ["00:30:00"]),
    (AUTUMN, 2, 30, "wall", ["00:30:00", "01:30:00"]),
    (AUTUMN, 2, 0, "once", ["00:00:00"]),
    (AUTUMN, 2, 0, "wall", ["00:00:00", "01:00:00"]),
    (AUTUMN, 3, 0, "once", ["02:00:00"]),
]


@pytest.mark.parametrize(("change", "hour", "minute", "policy", "times"), DAILY)
def test_a_daily_line_comes_as_its_policy_says(
    change: datetime, hour: int, minute: int, policy: str, times: list[str]
) -> None:
    assert around(line(hour, minute, policy), change) == times


def test_a_daily_line_that_comes_once_comes_every_day_of_a_year() -> None:
    found = line(2, 30, "once").times(*YEAR)
    assert (len(found), set(Counter(time.date() for time in found).values())) == (365, {1})


def test_half_an_hour_is_swallowed_and_repeated_too() -> None:
    begin, end = changes("Australia/Lord_Howe", *YEAR)
    found = [around(line(hour, minute, "once", "Australia/Lord_Howe"), change)
             for hour, minute, change in ((1, 45, begin), (2, 15, end))]  # fmt: skip
    assert found == [["14:45:00"], ["15:30:00"]]


@pytest.mark.parametrize("change", [SPRING, AUTUMN])
@pytest.mark.parametrize("policy", ["once", "wall"])
def test_a_look_at_every_minute_finds_what_a_look_at_every_second_does(change: datetime, policy: str) -> None:
    one = line(2, 30, policy)
    begin = change - HOUR + timedelta(seconds=17)
    assert one.times(begin, change + HOUR) == replace(one, step=SECOND).times(begin, change + HOUR)


# -- lines that come often ---------------------------------------------------------------------------------------------
def test_the_end_does_not_belong_to_it_and_the_beginning_does() -> None:
    one = line(12, 0, "once", "UTC")
    noon = datetime(2027, 6, 1, 12, tzinfo=UTC)
    assert (one.times(noon, noon + HOUR), one.times(noon - HOUR, noon)) == ([noon], [])


def test_a_line_of_seconds_begins_anew_with_each_minute() -> None:
    begin = datetime(2027, 6, 1, tzinfo=UTC)
    seconds = [(time - begin).total_seconds() for time in often(8)[7].times(begin, begin + timedelta(minutes=2))]
    assert seconds == [7, 18, 29, 40, 51, 67, 78, 89, 100, 111]


def test_there_are_lines_of_all_zones_rules_and_dialects() -> None:
    lines = often(24)
    assert {one.written["zone"] for one in lines} == set(ZONES)
    assert {(one.catch_up, "quartz" in one.written) for one in lines} == {(r, q) for r in RULES for q in (True, False)}
