"""Schedules as documents: `{cron: "30 2 * * *", zone: Europe/Berlin}`."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import pydantic
from django.conf import settings
from pydantic import Field

from jobs.engine.forms import Document, Key, Text
from jobs.models import Schedule
from jobs.schedules import Dialect

DIALECTS = tuple(dialect.value for dialect in Dialect)
MAX_SCHEDULES = 50
"""So many may one job have."""
RFC3339 = "%Y-%m-%dT%H:%M:%SZ"


def _plain(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, str | int | None):
        raise ValueError("wanted a text or a number")
    return value


FieldValue = Annotated[str | int | None, pydantic.BeforeValidator(_plain)]


class ScheduleDocument(Document):
    """When a job runs by itself: exactly one of `interval`, `cron`, `quartz`, `fields` and `at`."""

    name: Key | None = None
    """Unique in its job; default: its number."""
    interval: Text | None = None
    """Elapsed time: `15m`, `1h 30m`, `2 days`; `continuous`: again as soon as the last run has ended."""
    cron: Text | None = None
    """Five fields: minute, hour, day of the month, month, day of the week."""
    quartz: Text | None = None
    """Six or seven fields with seconds; `?`, `L`, `W` and `#` as Quartz has them."""
    fields: dict[str, FieldValue] | None = None
    """An object of `year`, `month`, `day`, `week`, `day_of_week`, `hour`, `minute` and `second`."""
    at: Text | None = None
    """One date and time."""
    zone: Text = Field(default_factory=lambda: settings.TIME_ZONE, max_length=64)
    """IANA's name of its time zone; default: the hub's."""
    policy: Literal["once", "wall"] = "once"
    """Of a time that the clocks show twice or leave out when they change: one run, or as the clock shows."""
    catch_up: Literal["skip", "once", "all"] = "once"
    """What becomes of times missed in an outage, a pause or a hold: no run, one for all of them, or each."""
    grace_s: int = Field(60, ge=1, le=86_400)
    """A time is missed when its run could not start within so many seconds."""
    start: Text | None = Field(None, max_length=40)
    """No run before this time; intervals are counted from it."""
    end: Text | None = Field(None, max_length=40)
    """No run after this time."""
    enabled: bool = True

    @property
    def dialect(self) -> str:
        return next(one for one in DIALECTS if getattr(self, one) is not None)

    @property
    def value(self) -> Any:
        return getattr(self, self.dialect)

    @pydantic.model_validator(mode="after")
    def _one_dialect(self) -> "ScheduleDocument":
        if sum(getattr(self, one) is not None for one in DIALECTS) != 1:
            raise ValueError(f"wanted exactly one of {', '.join(DIALECTS)}")
        return self


def schedule_document(schedule: Schedule) -> dict[str, Any]:
    """A schedule as a document that would make it again."""
    return {
        "name": schedule.name,
        schedule.dialect: schedule.value,
        "zone": schedule.zone,
        "policy": schedule.policy,
        "catch_up": schedule.catch_up,
        "grace_s": schedule.grace_s,
        "start": _text(schedule.starts_at),
        "end": _text(schedule.ends_at),
        "enabled": schedule.enabled,
    }


def _text(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).strftime(RFC3339)
