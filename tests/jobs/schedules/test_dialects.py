"""What each dialect takes and refuses, with reasons that a person can act on."""

from datetime import UTC, datetime
from typing import Any

import pytest

from jobs.errors import Invalid
from jobs.schedules import check, describe, next_times

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)

SAME = [
    ("cron", "0 9 * * mon-fri", "0 9 * * 1-5"),
    ("cron", "0 9 * * 7", "0 9 * * sun"),
    ("cron", "0 9 * * 5-7", "0 9 * * 0,5,6"),
    ("cron", "5/20 * * * *", "5,25,45 * * * *"),
    ("cron", "*/90 * * * *", "0 * * * *"),
    ("cron", " 0  9 * JAN\t* ", "0 9 * 1 *"),
    ("quartz", "0 0 12 ? * 2", "0 0 12 ? * MON"),
    ("quartz", "0 0 12 ? * fri-mon", "0 0 12 ? * 1,2,6,7"),
    ("quartz", "0 0 22-2 * * ? *", "0 0 0,1,2,22,23 * * ?"),
    ("quartz", "0 0 12 ? * 6L", "0 0 12 ? * FRIL"),
    ("quartz", "0 0 12 ? * L", "0 0 12 ? * SAT"),
    ("quartz", "0 0 12 L-0 * ?", "0 0 12 L * ?"),
    ("fields", {"day_of_week": "0", "hour": 5}, {"day_of_week": "MON", "hour": "5", "minute": 0, "month": None}),
    ("fields", {"month": "feb"}, {"year": "*", "month": 2, "day": 1, "hour": 0, "minute": 0, "second": 0}),
    ("fields", {"hour": "8-17/3"}, {"hour": "8,11,14,17"}),
    ("fields", {"hour": 3, "minute": "", "second": " "}, {"hour": 3}),
    ("interval", "1h 30m", "5400 seconds"),
    ("interval", "1 week", "7d"),
    ("at", "2027-03-01 06:00", "2027-03-01T06:00:00Z"),
    ("at", "2027-03-01", "2027-03-01T01:00:00+01:00"),
]

REFUSED = [
    ("cron", "0 0 * *", "wanted five fields"),
    ("cron", "0 0 0 * * *", "say quartz"),
    ("cron", "@daily", "write five fields"),
    ("cron", "0 22-2 * * *", "goes down"),
    ("cron", "0 9 * * fri-mon", "goes down"),
    ("cron", "*/0 * * * *", "at least 1"),
    ("cron", "60 * * * *", "not within 0-59"),
    ("cron", "0 9 * * 8", "not within 0-7"),
    ("cron", "0 9 * * monday", "no number, nor one of sun"),
    ("cron", "0 9 L * *", "say quartz instead"),
    ("cron", "0 9 ? * 1", "say quartz instead"),
    ("cron", "0 9 * * 5#3", "say quartz instead"),
    ("cron", "0 9 15W * *", "say quartz instead"),
    ("cron", "0 9 1, * *", "no number"),
    ("cron", "0 9 *-5 * *", "no number"),
    ("cron", "0 9 \u0663 * *", "no number"),
    ("cron", "\udc80 * * * *", "no number"),
    ("cron", "0 0 31 2 *", "31 February never comes"),
    ("cron", "0 0 31 2,4 *", "31 February and April never come"),
    ("cron", "* " * 300, "at most 500"),
    ("cron", {}, "wanted a text"),
    ("quartz", "0 0 12 * *", "five fields are plain cron"),
    ("quartz", "0 0 12 * * *", "exactly one"),
    ("quartz", "0 0 12 ? * ?", "exactly one"),
    ("quartz", "@daily", "write six fields"),
    ("quartz", "0 0 12 C * ?", "no number"),
    ("quartz", "H 0 12 * * ?", "no number"),
    ("quartz", "0 0 12 30W * ?", "LW"),
    ("quartz", "0 0 12 1W,15W * ?", "stand alone"),
    ("quartz", "0 0 12 L,15 * ?", "stand alone"),
    ("quartz", "0 0 12 L-31 * ?", "before the first"),
    ("quartz", "0 0 12 ? * 6L,2", "stand alone"),
    ("quartz", "0 0 12 ? * 6#1,6#3", "stand alone"),
    ("quartz", "0 0 12 ? * 6#0", "not #0"),
    ("quartz", "0 0 12 ? * 6#6", "not #6"),
    ("quartz", "0 0 12 ? * 0", "not within 1-7"),
    ("quartz", "0 0/60 12 * * ?", "longer than the whole range"),
    ("quartz", "0 */0 12 * * ?", "at least 1"),
    ("quartz", "0 0 12 31 2 ?", "31 February never comes"),
    ("quartz", "0 0 12 * * ? 2020", "never comes"),
    ("quartz", "0 0 12 * * ? 2030-2028", "goes down"),
    ("quartz", "0 0 12 L-30 2 ?", "never comes"),
    ("fields", {}, "at least one field"),
    ("fields", {"hour": None}, "at least one field"),
    ("fields", {"hour": " "}, "at least one field"),
    ("fields", {"hours": 5}, "unknown field"),
    ("fields", {"hour": True}, "a text or a number"),
    ("fields", {"hour": 5.5}, "a text or a number"),
    ("fields", {"hour": 24}, "not within 0-23"),
    ("fields", {"hour": "9" * 5000}, "at most 200"),
    ("fields", {"day_of_week": "mon-fri/2"}, "no steps"),
    ("fields", {"day_of_week": "0-fri"}, "no name"),
    ("fields", {"day_of_week": 7}, "not within 0-6"),
    ("fields", {"day_of_week": "fri-mon"}, "goes down"),
    ("fields", {"day": "last-1"}, "nor last, 1st mon to 5th sun, or last fri"),
    ("fields", {"day": "lastx"}, "no number"),
    ("fields", {"day": "1st 0"}, "nor last, 1st mon to 5th sun, or last fri"),
    ("fields", {"hour": "last"}, "no number"),
    ("fields", {"hour": "*/24"}, "longer than its range"),
    ("fields", {"hour": "5-7/3"}, "longer than its range"),
    ("fields", {"month": 6, "week": 53}, "never comes"),
    ("fields", {"month": 2, "day": 30}, "30 February never comes"),
    ("fields", {"year": 2020}, "never comes"),
    ("fields", "hour=5", "wanted an object"),
    ("interval", "", "wanted an interval"),
    ("interval", "15", "wanted an interval"),
    ("interval", "5 fortnights", "no unit of time"),
    ("interval", "0s", "from one second"),
    ("interval", "200000d", "to a hundred years"),
    ("at", "tomorrow", "wanted a date"),
    ("at", "2027-02-30", "wanted a date"),
    ("at", "1969-01-01", "from 1970 to 2199"),
    ("at", "2026-11-22T11:59:59Z", "has passed"),
    ("rrule", "FREQ=DAILY", "wanted one of"),
]


def test_there_are_cases_of_every_dialect() -> None:
    assert {dialect for dialect, *_ in REFUSED} == {"interval", "cron", "quartz", "fields", "at", "rrule"}


@pytest.mark.parametrize(("dialect", "one", "other"), SAME)
def test_these_two_say_the_same(dialect: str, one: Any, other: Any) -> None:
    assert next_times(dialect, one, after=NOW, start=NOW) == next_times(dialect, other, after=NOW, start=NOW)


@pytest.mark.parametrize(("dialect", "value", "why"), REFUSED)
def test_it_refuses_and_says_why(dialect: str, value: Any, why: str) -> None:
    with pytest.raises(Invalid) as caught:
        check(dialect, value, now=NOW)

    assert why in caught.value.message
    assert all(error.field.startswith(dialect) for error in caught.value.errors)


def test_a_wrong_field_is_named() -> None:
    with pytest.raises(Invalid) as caught:
        check("fields", {"hour": 24, "minute": "x"}, now=NOW)

    assert [error.field for error in caught.value.errors] == ["fields.hour", "fields.minute"]


@pytest.mark.parametrize("zone", ["Berlin", "../../etc/passwd", "", "U\0", "\udc80", "right/UTC", "localtime"])
def test_it_refuses_a_zone_that_iana_does_not_know(zone: str) -> None:
    with pytest.raises(Invalid, match="zone"):
        check("cron", "0 9 * * *", zone=zone)


def test_it_refuses_a_local_time_that_does_not_exist() -> None:
    with pytest.raises(Invalid, match="does not exist in Europe/Berlin"):
        check("at", "2027-03-28T02:30", zone="Europe/Berlin", now=NOW)


def test_it_refuses_what_does_not_come_before_its_end() -> None:
    with pytest.raises(Invalid, match="does not come between"):
        check("cron", "0 0 1 1 *", end=datetime(2026, 12, 1, tzinfo=UTC), now=NOW)


def test_it_refuses_an_unknown_policy() -> None:
    with pytest.raises(Invalid, match="once or wall"):
        check("cron", "0 0 1 1 *", policy="twice")


IN_WORDS = [
    ("cron", "30 2 * * *", "at 02:30"),
    ("cron", "0 9 13 * 5", "at 09:00, on day 13 of the month, or on Friday"),
    ("cron", "*/90 * * * *", "every hour"),
    ("quartz", "0 0 12 ? * 2", "at 12:00, only on Monday"),
    ("quartz", "0 0 12 ? * 6#3", "at 12:00, on the third Friday of the month"),
    ("quartz", "0 0 12 ? * L", "at 12:00, only on Saturday"),
    ("quartz", "0 0 12 L-3W * ?", "at 12:00, 3 days before the last day of the month (the working day nearest to it)"),
    ("fields", {"day": "1st mon,last", "hour": 3}, "at 03:00, on the first Monday and the last day of the month"),
    ("fields", {"day_of_week": "mon-fri", "hour": "*/2"}, "every 2 hours, on Monday to Friday"),
    (
        "fields",
        {"month": "2-8/2", "day": 15},
        "at 00:00, on day 15 of the month, in every 2 months from February to August",
    ),
    ("fields", {"year": 2027, "week": "1,*/2"}, "at 00:00, in week 1 and every 2 weeks, in 2027"),
    ("interval", "90m", "every 90 minutes"),
    ("interval", "3600s", "every hour"),
    ("interval", "continuous", "again as soon as the last run has ended"),
    ("at", "2027-03-01T06:00", "once, at 2027-03-01 06:00"),
    ("cron", "nonsense", "nonsense"),
    ("fields", {"hours": 1}, "{'hours': 1}"),
]


@pytest.mark.parametrize(("dialect", "value", "words"), IN_WORDS)
def test_it_says_in_words(dialect: str, value: Any, words: str) -> None:
    assert describe(dialect, value) == words
