"""Times on the wire."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from vendors.wire.times import epoch_millis, from_epoch_millis, parse_rfc3339, rfc3339

EIGHT = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (EIGHT, "2026-11-22T08:00:00Z"),
        (EIGHT.replace(microsecond=250000), "2026-11-22T08:00:00.250000Z"),
        (EIGHT.astimezone(timezone(timedelta(hours=14))), "2026-11-22T08:00:00Z"),
        (None, None),
    ],
)
def test_it_writes_utc(at: datetime | None, text: str | None) -> None:
    assert rfc3339(at) == text


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-22T08:00:00Z",
        "2026-11-22t08:00:00z",
        "2026-11-22 08:00:00Z",
        "2026-11-22T09:30:00+01:30",
        "2026-11-22T08:00:00.000000000Z",
        "2026-11-21T20:00:00-12:00",
    ],
)
def test_it_reads_every_form_of_rfc_3339(text: str) -> None:
    assert parse_rfc3339(text) == EIGHT


def test_milliseconds_since_1970() -> None:
    at = datetime(2018, 10, 5, 9, 20, 28, 589_999, tzinfo=UTC)

    assert (epoch_millis(at), epoch_millis(None)) == (1_538_731_228_589, None)
    assert from_epoch_millis(1_538_731_228_589) == at.replace(microsecond=589_000)
    assert epoch_millis(datetime(1969, 12, 31, 23, 59, 59, 999_500, tzinfo=UTC)) == -1


def test_times_beyond_all_calendars_are_the_first_and_the_last() -> None:
    first, last = (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))

    assert [from_epoch_millis(sign * 2**63) for sign in (-1, 1)] == [first, last]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2026-11-22",
        "2026-11-22T08:00:00",
        "2026-11-22T08:00Z",
        "20261122T080000Z",
        "2026-W47-7T08:00:00Z",
        "2026-13-22T08:00:00Z",
        "2026-11-22T25:00:00Z",
        "2026-11-22T08:00:00+25:00",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "२०२६-11-22T08:00:00Z",
        "1700000000",
    ],
)
def test_it_refuses_everything_else(text: str) -> None:
    with pytest.raises(ValueError, match="wanted a time with its zone"):
        parse_rfc3339(text)
