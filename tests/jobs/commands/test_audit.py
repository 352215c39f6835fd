"""`manage.py audit`: who did what."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from jobs.engine import pace, retention
from jobs.engine.rights import audit, operator
from jobs.models import AuditEvent, Project
from tests.conftest import MakeJob
from tests.jobs.commands.conftest import Run


def test_it_lists_the_newest_first(run: Run, make_job: MakeJob) -> None:
    make_job("one")
    make_job("two")
    done = run("audit")

    assert [line.split()[2:6:3] for line in done.lines[1:]] == [["UTC", "two"], ["UTC", "one"]]
    assert done.lines[0].split() == ["AT", "WHO", "DEED", "SUBJECT", "PROJECT", "FACE", "FROM", "TIMES"]


def test_it_can_be_searched(run: Run, make_job: MakeJob, alpha: Project) -> None:
    make_job("one")
    audit(operator("shell"), "create key", "k")

    assert [row["subject"] for row in run("audit", "--json", "--deed", "create").json] == ["one"]
    assert [row["subject"] for row in run("audit", "--json", "--subject", "k").json] == ["k"]
    assert [row["project"] for row in run("audit", "--json", "--project", "alpha").json] == ["alpha"]
    assert run("audit", "--json", "--who", "nobody").json == []
    assert run("audit", "--json", "--to", "1h").json == []
    assert len(run("audit", "--json", "--from", "1h", "--limit", "1").json) == 1


def test_an_unknown_project_is_refused(run: Run) -> None:
    assert run("audit", "--project", "no").code == 2


@pytest.mark.django_db
def test_it_plays_no_tricks_with_a_terminal(run: Run) -> None:
    audit(operator("shell"), "create", "\x1b[2J")

    assert "\x1b" not in run("audit").out


# -- how long they are kept --------------------------------------------------------------------------------------------
def age(days: float) -> AuditEvent:
    at = timezone.now() - timedelta(days=days)
    return AuditEvent.objects.create(at=at, username="x", face="x", deed="x", subject=f"{days}")


@pytest.mark.django_db
def test_old_events_go_and_their_going_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FIRST", "SMALLEST", "LARGEST"):
        monkeypatch.setattr(pace, name, 2)
    for days in (364, 366, 400, 500):
        age(days)
    expired = retention.expire()

    assert expired.of_logs["events"] == 3
    told = list(AuditEvent.objects.order_by("pk").values_list("deed", "subject"))
    assert told == [("x", "364"), ("expire", "2 audit events"), ("expire", "1 audit events")]


@pytest.mark.django_db
def test_a_dry_run_and_zero_days_delete_none(monkeypatch: pytest.MonkeyPatch) -> None:
    age(400)
    assert retention.expire(dry_run=True).of_logs["events"] == 1
    monkeypatch.setitem(settings.HUB, "AUDIT_DAYS", 0)

    assert retention.expire().of_logs["events"] == 0
    assert AuditEvent.objects.count() == 1


@pytest.mark.django_db
def test_expiry_in_the_far_future_ends() -> None:
    age(1)

    assert retention.expire(now=timezone.now() + timedelta(days=4000)).of_logs["events"] == 1
