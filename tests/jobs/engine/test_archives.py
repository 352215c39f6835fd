"""Archives on disk that expire with their executions."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from jobs import paths
from jobs.engine import archives, retention
from jobs.engine.rights import Actor
from jobs.engine.trigger import trigger
from jobs.models import Archive, AuditEvent, Job, JobExecution
from jobs.paths import PathGuard
from jobs.runners.archive.store import Home
from jobs.worker.drain import drain
from tests.conftest import MakeJob

PAST = timezone.now() - timedelta(days=1)


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Any, quiet: None) -> Path:
    guard = PathGuard(allowed=(tmp_path,), refused=(tmp_path / "hub",), data=tmp_path)
    monkeypatch.setattr(paths, "_guard", guard)
    settings.HUB_DIR = tmp_path / "hub"
    settings.HUB = {**settings.HUB, "KEEP_LAST": 0}
    (tmp_path / "source").mkdir()
    return tmp_path


@pytest.fixture
def backups(place: Path, make_job: MakeJob, op: Actor) -> Any:
    """`backups(n, remove_archives=True, **spec)`: so many runs of one job, each after a change."""

    def make(n: int, *, remove_archives: bool = True, **spec: Any) -> list[JobExecution]:
        given = {"source": str(place / "source"), "container": str(place / "box"), "backup_name": "b", **spec}
        step = {"runner": "backup", "spec": given}
        job = make_job("nightly", actions=[step], remove_archives=remove_archives)
        made = []
        for number in range(n):
            (place / "source" / f"{number}.txt").write_text(str(number))
            made.append(trigger(job, actor=op)[0])
            drain()
        assert set(JobExecution.objects.values_list("state", flat=True)) == {"succeeded"}
        return made

    return make


def expire(*executions: JobExecution) -> int:
    """These have expired; what was freed on this node's disks."""
    JobExecution.objects.filter(pk__in=[one.pk for one in executions]).update(expires_at=PAST)
    retention.expire()
    return archives.remove_expired(_node())


def _node() -> str:
    return Archive.objects.values_list("node", flat=True).order_by("node").first() or ""


def levels(place: Path) -> list[int]:
    """What lies on the disk, the oldest first."""
    return [level.manifest.level for level in Home(place / "box", "b").listing().levels]


def test_an_expired_backup_goes_from_disk(place: Path, backups: Any) -> None:
    first, second = backups(2)
    freed = expire(first)
    assert (levels(place), Archive.objects.get().execution) == ([0], second)
    assert freed > 0
    assert AuditEvent.objects.filter(deed="remove archive", username="operator").exists()


def test_without_the_word_it_stays(place: Path, backups: Any) -> None:
    first, _ = backups(2, remove_archives=False)
    assert (expire(first), levels(place), Archive.objects.count()) == (0, [0, 0], 2)


def test_what_a_kept_level_needs_stays_until_that_goes(place: Path, backups: Any) -> None:
    full, increment, newest = backups(3, max_level=1)
    assert levels(place) == [0, 1, 0]
    expire(full)
    assert (levels(place), Archive.objects.filter(is_expired=True).count()) == ([0, 1, 0], 1)
    expire(increment)
    assert (levels(place), Archive.objects.get().execution) == ([0], newest)


def test_the_newest_level_always_stays(place: Path, backups: Any) -> None:
    expire(*backups(2))
    assert (levels(place), Archive.objects.filter(is_expired=True).count()) == ([0], 1)


def test_another_nodes_archives_are_left_to_it(place: Path, backups: Any) -> None:
    first, _ = backups(2)
    node = _node()
    JobExecution.objects.filter(pk=first.pk).update(expires_at=PAST)
    retention.expire()
    assert archives.remove_expired("elsewhere") == 0
    assert (archives.are_expired("elsewhere"), archives.are_expired(node), levels(place)) == (False, True, [0, 0])


def test_while_the_backup_is_written_it_waits(place: Path, backups: Any) -> None:
    first, _ = backups(2)
    with Home(place / "box", "b").locked():
        assert expire(first) == 0
    assert archives.remove_expired(_node()) > 0


def test_a_container_that_is_away_is_waited_for(place: Path, backups: Any) -> None:
    first, _ = backups(2)
    (place / "box").rename(place / "away")
    assert (expire(first), Archive.objects.count()) == (0, 2)
    (place / "away").rename(place / "box")
    assert archives.remove_expired(_node()) > 0


def test_a_forbidden_container_is_not_touched(place: Path, backups: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    first, _ = backups(2)
    other = place / "other"
    monkeypatch.setattr(paths, "_guard", PathGuard(allowed=(other,), refused=(), data=other))
    assert (expire(first), Archive.objects.count()) == (0, 2)


def test_what_is_gone_already_is_forgotten(place: Path, backups: Any) -> None:
    first, second = backups(2)
    archive = Archive.objects.get(execution=first)
    home = Home(place / "box", "b")
    home.remove(home.listing().levels[0])
    assert str(home.path) in archive.path
    expire(first)
    assert Archive.objects.get().execution == second


def test_a_damaged_young_level_keeps_all(place: Path, backups: Any) -> None:
    first, _, third = backups(3)
    Path(Archive.objects.get(execution=third).path, "manifest.json").write_text("{")
    expire(first)
    assert len(list((place / "box" / "b").glob("2*"))) == 3


def test_the_rule_of_the_job_of_today_counts(place: Path, backups: Any) -> None:
    first, _ = backups(2)
    Job.objects.update(remove_archives=False)
    expire(first)
    assert levels(place) == [0, 0]
