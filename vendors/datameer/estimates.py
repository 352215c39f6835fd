"""How long a run will still take, and how far it is."""

from datetime import timedelta

from django.utils import timezone

from jobs.models import JobExecution
from jobs.models.prepared import Prepared
from jobs.states import State
from vendors.datameer.rows import Row

PAST_RUNS = 5
_SUCCESSES = JobExecution.objects.filter(state=State.SUCCEEDED.value, started_at__isnull=False).order_by("-id")
_PAST = Prepared(_SUCCESSES.values("started_at", "finished_at"), "job", limit=PAST_RUNS)


def estimate_time(row: Row) -> str:
    """What is left of the usual time of its job, else by the run's own pace: `11s`. Nothing known, or overdue: `0s`."""
    elapsed = timezone.now() - (row["started_at"] or timezone.now())
    past = [one["finished_at"] - one["started_at"] for one in _PAST.all(row["job_id"])]
    if past:
        left = sum(past, timedelta()) / len(past) - elapsed
    else:
        done, total = row["progress_done"] or 0, row["progress_total"] or 0
        left = elapsed * max(total - done, 0) / done if done > 0 else timedelta()
    return f"{max(0, round(left.total_seconds()))}s"


def progress(row: Row) -> str:
    """Percent, as text."""
    done, total = row["progress_done"] or 0, row["progress_total"] or 0
    return str(max(0, min(100, 100 * done // total)) if total > 0 else 0)
