"""Rules by state and number, executions that are kept, and what is never touched because something needs it."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from jobs.engine import keeps, retention, retries, verbs
from jobs.engine.define import define, patch
from jobs.engine.documents import document_of
from jobs.engine.notices import note, subscribe
from jobs.engine.pace import Pace
from jobs.engine.rights import Actor, actor_for
from jobs.errors import Forbidden, Invalid
from jobs.models import ActionExecution, Archive, AuditEvent, Delivery, Job, JobExecution, Output, User
from jobs.states import State
from jobs.worker.report import WorkerContext
from tests.conftest import NOOP, MakeExecution, MakeJob
from tests.jobs.receivers import tell
from vendors.models import Hidden

NOW = timezone.now()
PAST = NOW - timedelta(days=1)


@pytest.fixture(autouse=True)
def rules(settings: Any) -> None:
    settings.HUB = {**settings.HUB, "KEEP_LAST": 0, "KEEP_DAYS": 90, "OUTPUT_DAYS": 14}


@pytest.fixture
def ended(make_execution: MakeExecution) -> Any:
    """`ended(job, state, days=3)`: one that ended so many days ago, as the rule of that day has it."""

    def make(job: Job, state: str = "succeeded", *, days: float = 0, **fields: Any) -> JobExecution:
        execution = make_execution(job, state, **fields)
        ago = timedelta(days=days)
        expires_at = execution.expires_at and execution.expires_at - ago
        times = {"finished_at": execution.finished_at - ago, "expires_at": expires_at}
        JobExecution.objects.filter(pk=execution.pk).update(**times)
        return execution

    return make


def left() -> list[int]:
    retention.expire(now=timezone.now() + timedelta(seconds=1))
    return list(JobExecution.objects.order_by("pk").values_list("pk", flat=True))


# -- by state, age and number ------------------------------------------------------------------------------------------
def test_each_state_has_its_own_age(make_job: MakeJob, ended: Any) -> None:
    job = make_job(keep={"days": 2, "failed": {"days": 365}})
    made = [ended(job, state, days=3).pk for state in ("succeeded", "failed", "aborted")]
    assert left() == [made[1]]


def test_each_state_has_its_own_number(make_job: MakeJob, ended: Any) -> None:
    job = make_job(keep={"last": 1, "failed": {"last": 2}})
    made = [ended(job, state).pk for state in ("failed", "failed", "failed", "succeeded", "aborted")]
    assert left() == [made[1], made[2], made[4]]


def test_by_number_alone_age_does_not_count(make_job: MakeJob, ended: Any) -> None:
    job = make_job(keep={"last": 2})
    made = [ended(job, days=days).pk for days in (900, 800, 0)]
    assert left() == made[1:]


def test_by_age_alone_the_number_does_not_count(make_job: MakeJob, ended: Any, settings: Any) -> None:
    settings.HUB = {**settings.HUB, "KEEP_LAST": 10}
    ended(make_job(keep={"days": 2}), days=3)
    assert left() == []


def test_by_both_either_keeps_it(make_job: MakeJob, ended: Any) -> None:
    job = make_job(keep={"days": 2, "last": 2})
    made = [ended(job, days=days).pk for days in (9, 8, 1, 7)]
    assert left() == made[2:]


def test_what_is_active_takes_no_place_of_an_ended_one(
    make_job: MakeJob, ended: Any, make_execution: MakeExecution
) -> None:
    job = make_job(keep={"last": 1})
    made = [ended(job).pk, make_execution(job, "running").pk]
    assert left() == made


# -- a rule that is changed --------------------------------------------------------------------------------------------
def test_a_new_rule_counts_for_what_ended_before(make_job: MakeJob, ended: Any, op: Actor) -> None:
    job = make_job(keep={"days": 365})
    made = [ended(job, state, days=9).pk for state in ("succeeded", "failed")]
    patch(job, {"keep": {"days": 7, "failed": {"days": 0}}}, actor=op)
    assert left() == made[1:]
    assert JobExecution.objects.get().expires_at is None
    assert not Job.objects.get().keep_is_new


def test_a_longer_rule_saves_what_was_about_to_go(make_job: MakeJob, ended: Any, op: Actor) -> None:
    job = make_job(keep={"days": 7})
    made = [ended(job, days=9).pk]
    patch(job, {"keep": {"days": 30}}, actor=op)
    assert left() == made


def test_saving_the_same_rule_is_no_change(make_job: MakeJob, op: Actor) -> None:
    job = make_job(keep={"days": 7})
    patch(job, {"description": "new"}, actor=op)
    assert not Job.objects.get().keep_is_new


def test_the_rule_of_a_gone_job_is_that_of_its_last_run(make_job: MakeJob, ended: Any, op: Actor) -> None:
    job = make_job(keep={"last": 2})
    made = [ended(job).pk for _ in range(3)]
    verbs.delete_job(job, actor=op)
    assert left() == made[1:]


@pytest.mark.parametrize(
    ("keep", "field"),
    [
        ({"days": -1}, "keep.days"),
        ({"last": 0}, "keep.last"),
        ({"failed": {}}, "keep.failed"),
        ({"failed": 3}, "keep.failed"),
        ({"running": {"days": 3}}, "keep.running"),
        ({"days": 1e99}, "keep.days"),
        (3, "keep"),
    ],
)
def test_a_rule_that_cannot_be_is_refused(keep: Any, field: str, op: Actor) -> None:
    with pytest.raises(Invalid) as caught:
        define({"name": "x", "actions": [NOOP], "keep": keep}, actor=op)
    assert [error.field for error in caught.value.errors] == [field]


def test_a_job_gives_its_rule_back(make_job: MakeJob) -> None:
    keep = {"days": 30, "last": 10, "failed": {"days": 365}}
    assert document_of(make_job(keep=keep))["keep"] == keep


# -- what is kept ------------------------------------------------------------------------------------------------------
def test_what_somebody_keeps_stays_with_its_output(make_job: MakeJob, ended: Any, op: Actor) -> None:
    execution = ended(make_job(keep={"days": 1}), days=9, output_seq=1, output_expires_at=PAST)
    Output.objects.create(execution=execution, seq=1, stream="stdout", text="hello")
    keeps.keep_execution(execution, actor=op)
    assert (left(), Output.objects.count()) == ([execution.pk], 1)
    keeps.unkeep_execution(execution, actor=op)
    assert left() == []


def test_keeping_is_audited_once(make_execution: MakeExecution, bob: User) -> None:
    execution = make_execution()
    for _ in range(2):
        keeps.keep_execution(execution, actor=actor_for(bob, face="test"))
    assert AuditEvent.objects.filter(deed="keep", username="bob", subject=execution.handle).count() == 1


def test_a_reader_may_not_keep(make_execution: MakeExecution, rita: User) -> None:
    with pytest.raises(Forbidden):
        keeps.keep_execution(make_execution(), actor=actor_for(rita, face="test"))


# -- what something needs ----------------------------------------------------------------------------------------------
def test_what_an_active_one_retries_stays(make_execution: MakeExecution, op: Actor) -> None:
    execution = make_execution(state="failed", expires_at=PAST)
    again = retries.retry(execution, actor=op)
    assert left() == [execution.pk, again.pk]
    again.move(State.ABORTED)
    assert left() == [again.pk]


def test_what_belongs_to_an_active_chain_run_stays(make_execution: MakeExecution) -> None:
    first = make_execution(state="succeeded", expires_at=PAST)
    second = make_execution(state="running")
    JobExecution.objects.filter(pk__in=[first.pk, second.pk]).update(chain=first.pk)
    assert left() == [first.pk, second.pk]


def test_what_is_still_to_be_told_stays(make_execution: MakeExecution, op: Actor) -> None:
    subscribe({"webhook": "https://hooks.example.org/"}, actor=op)
    execution = make_execution(state="failed", expires_at=PAST)
    note(execution, "failed")
    assert left() == [execution.pk]
    tell(execution, "failed")
    assert left() == [execution.pk]
    Delivery.objects.update(next_at=None)
    assert (left(), Delivery.objects.count()) == ([], 0)


def test_all_that_belongs_to_it_goes_with_it(make_execution: MakeExecution) -> None:
    execution = make_execution(state="succeeded", expires_at=PAST)
    ActionExecution.objects.create(execution=execution, position=0, attempt=1, key="a", runner="python")
    Hidden.objects.create(face="vertica", execution=execution)
    assert (left(), ActionExecution.objects.count(), Hidden.objects.count()) == ([], 0, 0)


# -- looking first -----------------------------------------------------------------------------------------------------
def test_a_dry_run_weighs_by_job_and_state(make_job: MakeJob, make_execution: MakeExecution, op: Actor) -> None:
    job = make_job("nightly", remove_archives=True)
    execution = make_execution(job, "running")
    context = WorkerContext(execution)
    context.log("ä" * 1000)
    context.end(State.SUCCEEDED)
    make_execution(job, "failed", message="m" * 5000)
    place = {"container": "c", "name": "n", "path": "/p", "sha256": "0" * 64, "job_name": "nightly"}
    Archive.objects.create(
        project=job.project, execution=execution, level=0, size_bytes=7_000_000, created_at=PAST, **place
    )
    JobExecution.objects.update(expires_at=PAST)
    weights = retention.expire(dry_run=True).by_job
    done, failed = weights["nightly", "succeeded"], weights["nightly", "failed"]
    assert (done.executions, done.archive_bytes, 2000 <= done.output_bytes < 2300) == (1, 7_000_000, True)
    assert (failed.output_bytes, 6000 < failed.row_bytes < 9000) == (0, True)
    assert JobExecution.objects.count() == 2


# -- in pieces ---------------------------------------------------------------------------------------------------------
def test_pieces_shrink_when_they_are_slow_and_grow_when_they_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr("jobs.engine.pace.time.monotonic", lambda: clock[0])
    naps: list[float] = []
    monkeypatch.setattr("jobs.engine.pace.time.sleep", naps.append)
    cost, sizes = [0.1], list[int]()

    def deed(piece: list[int]) -> None:
        sizes.append(len(piece))
        clock[0] += len(piece) * cost[0]
        cost[0] = 0.0001

    assert Pace().work(list(range(400)), deed) == 400
    assert sizes[:4] == [20, 10, 20, 40]
    assert naps[0] == pytest.approx(2.0)


def test_it_stops_between_two_pieces() -> None:
    done: list[int] = []
    assert Pace(should_stop=lambda: bool(done)).work(list(range(400)), done.extend) == 20


def test_a_stop_in_the_midst_leaves_the_rest_for_later(make_job: MakeJob, ended: Any, op: Actor) -> None:
    job = make_job(keep={"days": 365})
    ended(job, days=9)
    patch(job, {"keep": {"days": 7}}, actor=op)
    retention.expire(should_stop=lambda: True)
    assert Job.objects.get().keep_is_new
    assert left() == []
