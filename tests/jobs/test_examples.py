"""The examples that people begin with: they can be applied as they stand, and do what they say."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.core.management import call_command

from jobs import paths
from jobs.engine.rights import operator
from jobs.engine.trigger import trigger
from jobs.models import Archive, Job, JobExecution, Project, Schedule
from jobs.paths import PathGuard
from jobs.states import State
from jobs.worker.drain import drain
from tests.trees import files_of

EXAMPLES = Path(settings.BASE_DIR) / "examples"
SUNDAY, MONDAY = 6, 0


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Jobs write into the test's own folder."""
    monkeypatch.setattr(paths, "_guard", PathGuard(allowed=(tmp_path, EXAMPLES), refused=(), data=tmp_path))
    return tmp_path


@pytest.fixture
def nightly(db: None, alpha: Project, data: Path) -> Callable[[str], Job]:
    """`nightly("full")`: a job of `examples/nightly-backup.yaml`."""
    call_command("apply", str(EXAMPLES / "nightly-backup.yaml"), f"--set=data={data}", project=alpha.name)
    return lambda name: Job.objects.select_related("project").get(name=f"nightly/{name}")


def next_days(job: Job, n: int) -> list[int]:
    schedule = Schedule.objects.get(job=job)
    times, at = [], datetime(2026, 11, 25, tzinfo=UTC)
    for _ in range(n):
        at = schedule.timetable().next_after(at)
        times.append(at.astimezone(ZoneInfo("Europe/Berlin")))
    assert {(time.hour, time.minute) for time in times} == {(2, 30)}
    return [time.weekday() for time in times]


def test_there_is_one_run_each_night(nightly: Callable[[str], Job]) -> None:
    assert next_days(nightly("full"), 2) == [SUNDAY, SUNDAY]
    assert next_days(nightly("changes"), 6) == [2, 3, 4, 5, MONDAY, 1]


@pytest.mark.django_db(transaction=True)
def test_a_full_level_is_verified_by_the_restore_behind_it(nightly: Callable[[str], Job], data: Path) -> None:
    actor = operator("test")
    trigger(nightly("full"), actor=actor)
    drain()
    trigger(nightly("changes"), actor=actor)
    drain()

    ends = JobExecution.objects.order_by("pk").values_list("job_name", "state")
    assert list(ends) == [(f"nightly/{name}", State.SUCCEEDED) for name in ("full", "verify", "changes")]
    assert sorted(Archive.objects.values_list("level", flat=True)) == [0, 1]
    assert files_of(data / "nightly-verified") == files_of(EXAMPLES / "data/garden")


def test_what_fails_is_told(nightly: Callable[[str], Job]) -> None:
    jobs = [nightly(name) for name in ("full", "changes", "verify")]

    assert [[one.words for one in job.subscriptions.all()] for job in jobs] == [[["failed", "aborted"]]] * 3
