"""When jobs run: five dialects read into one form, and one engine for their times. It knows no Django and no vendor.

    check("quartz", "0 0 2 ? * MON-FRI", zone="Europe/Berlin")      raises Invalid("quartz: …") with the reason
    check("fields", {"day": "last sun", "hour": 3})
    next_times("cron", "30 2 * * *", zone="Europe/Berlin", n=5)     the next five times, aware UTC

`Dialect` lists the dialects, `parse` gives a `Timetable`. Which libraries were measured instead, and how they lose days
when the clocks change, is told in `docs/decisions`.
"""

from jobs.schedules.describe import describe
from jobs.schedules.timetable import Dialect, Policy, Timetable, check, moment, next_times, parse

__all__ = ["Dialect", "Policy", "Timetable", "check", "describe", "moment", "next_times", "parse"]
