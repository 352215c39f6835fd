"""Notices: which executions are told of, to whom, and what is refused."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from jobs.engine import aborts, deliveries, limits, notices, verbs
from jobs.engine.define import define, patch
from jobs.engine.documents import document_of
from jobs.engine.notices import note, subscribe, unsubscribe
from jobs.engine.pace import Pace
from jobs.engine.report import fail_silent_nodes, register_node, report
from jobs.engine.rights import Actor, actor_for
from jobs.engine.trigger import trigger
from jobs.errors import Conflict, Forbidden, Invalid, NotFound
from jobs.models import AuditEvent, Delivery, Node, Notice, Project, Secret, Subscription, User
from jobs.states import FINAL, State
from jobs.worker.report import WorkerContext
from jobs.worker.ticker import rescue
from tests.conftest import NOOP, MakeExecution, MakeJob
from tests.jobs.receivers import tell

URL = "https://hooks.example.org/x"
ALL = ["succeeded", "failed", "aborted", "soft_timeout"]
HOOK = {"webhook": URL, "events": ALL}
PAST = timezone.now() - timedelta(minutes=1)


@pytest.fixture
def hook(op: Actor) -> Subscription:
    return subscribe(HOOK, actor=op)


@pytest.fixture
def door(op: Actor) -> None:
    """A secret of that name, whose value nobody asks for."""
    Secret.objects.create(project_id=op.home, name="door", ciphertext="x", created_by="x", updated_by="x")


def told() -> list[tuple[str, str]]:
    """(handle, event) of every delivery, oldest first."""
    deliveries.make(Pace())
    return list(Delivery.objects.order_by("pk").values_list("execution__handle", "event"))


# -- every end is told -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("to", sorted(FINAL))
def test_a_workers_end_is_told(hook: Subscription, make_execution: MakeExecution, to: State) -> None:
    execution = make_execution(state=State.ABORTING if to is State.ABORTED else State.RUNNING)
    WorkerContext(execution).end(to)
    assert told() == [(execution.handle, to)]


def test_an_abort_before_the_start_is_told(hook: Subscription, make_execution: MakeExecution, op: Actor) -> None:
    execution = make_execution()
    aborts.abort(execution, actor=op)
    assert told() == [(execution.handle, "aborted")]


def test_who_waited_in_vain_is_told_as_well(hook: Subscription, make_execution: MakeExecution, op: Actor) -> None:
    first = make_execution()
    second, _ = trigger(first.job, actor=op, after=[first])
    aborts.abort(first, actor=op)
    assert told() == [(first.handle, "aborted"), (second.handle, "aborted")]


def test_lost_work_that_failed_is_told(hook: Subscription, make_job: MakeJob, make_execution: MakeExecution) -> None:
    execution = make_execution(make_job(on_lost="fail"), State.RUNNING, lease_until=PAST)
    rescue()
    assert told() == [(execution.handle, "failed")]


def test_lost_work_that_runs_again_is_not(hook: Subscription, make_job: MakeJob, make_execution: MakeExecution) -> None:
    make_execution(make_job(on_lost="rerun"), State.RUNNING, lease_until=PAST)
    rescue()
    assert told() == []


def test_a_nodes_report_is_told_once(hook: Subscription, make_job: MakeJob, op: Actor) -> None:
    job = make_job()
    for _ in range(2):
        execution = report(job, actor=op, remote_ref="run-1", node="shop", state=State.SUCCEEDED)
    assert told() == [(execution.handle, "succeeded")]


def test_the_run_of_a_silent_node_is_told(hook: Subscription, make_job: MakeJob, op: Actor) -> None:
    register_node("shop", interval_s=1)
    execution = report(make_job(), actor=op, remote_ref="run-1", node="shop", state=State.RUNNING)
    Node.objects.update(seen_at=PAST)
    fail_silent_nodes()
    assert told() == [(execution.handle, "failed")]


def test_a_soft_timeout_is_told(hook: Subscription, make_job: MakeJob, make_execution: MakeExecution) -> None:
    job = make_job(timeout_s=9, soft_timeout_s=3)
    execution = make_execution(job, State.RUNNING, place="remote", soft_timeout_at=PAST)
    limits.tell_remote_soft_timeouts()
    assert told() == [(execution.handle, "soft_timeout")]


def test_an_end_that_is_undone_is_not_told(hook: Subscription, make_execution: MakeExecution) -> None:
    execution = make_execution(state=State.RUNNING)
    context = WorkerContext(execution)
    with pytest.raises(RuntimeError), context.written():
        notices.note(execution, "failed")
        raise RuntimeError("the database refuses")
    assert told() == []


# -- who is told -------------------------------------------------------------------------------------------------------
def test_only_the_wanted_events_are_told(op: Actor, make_execution: MakeExecution) -> None:
    subscribe({"webhook": URL}, actor=op)
    for event in ALL:
        note(make_execution(), event)
    assert sorted(event for _, event in told()) == ["failed", "soft_timeout"]


def test_another_projects_executions_are_not_told(
    beta: Project, hook: Subscription, make_job: MakeJob, make_execution: MakeExecution
) -> None:
    note(make_execution(make_job(project=beta)), "failed")
    assert told() == []


def test_a_job_is_told_by_its_own_notify(make_job: MakeJob, make_execution: MakeExecution) -> None:
    job, other = make_job(notify=[HOOK]), make_job()
    executions = [make_execution(one) for one in (job, other)]
    for execution in executions:
        note(execution, "failed")
    assert told() == [(executions[0].handle, "failed")]


def test_each_receiver_gets_its_own(op: Actor, make_job: MakeJob, make_execution: MakeExecution) -> None:
    for number in range(3):
        subscribe({"webhook": f"{URL}{number}", "events": ALL}, actor=op)
    tell(make_execution(make_job(notify=[HOOK])), "aborted")
    assert len(set(Delivery.objects.values_list("uuid", flat=True))) == 4


def test_a_disabled_one_is_told_nothing(hook: Subscription, make_execution: MakeExecution, op: Actor) -> None:
    notices.change(hook, {"enabled": False}, actor=op)
    note(make_execution(), "failed")
    assert told() == []


def test_an_end_costs_one_query_and_one_row_however_many_are_told(
    make_execution: MakeExecution, django_assert_num_queries: Callable[..., Any], op: Actor
) -> None:
    execution = make_execution()
    with django_assert_num_queries(1):
        note(execution, "failed")
    for number in range(50):
        subscribe({"webhook": f"{URL}{number}"}, actor=op)
    with django_assert_num_queries(2):
        note(execution, "failed")
    assert (Notice.objects.count(), len(told()), Notice.objects.count()) == (1, 50, 0)


def test_two_couriers_make_each_delivery_once(
    hook: Subscription, make_execution: MakeExecution, monkeypatch: pytest.MonkeyPatch
) -> None:
    note(make_execution(), "failed")
    stale = list(Notice.objects.values_list("pk", flat=True))
    assert len(told()) == 1
    deliveries._make(stale)
    assert len(told()) == 1


def test_who_has_left_meanwhile_is_told_nothing(hook: Subscription, make_execution: MakeExecution, op: Actor) -> None:
    note(make_execution(), "failed")
    unsubscribe(hook, actor=op)
    assert (told(), Notice.objects.count()) == ([], 0)


# -- the notify of a job -----------------------------------------------------------------------------------------------
def test_a_job_gives_its_notify_back(make_job: MakeJob) -> None:
    assert document_of(make_job(notify=[HOOK]))["notify"] == [{**HOOK, "secret": ""}]


def test_what_stays_keeps_its_log(make_job: MakeJob, make_execution: MakeExecution, op: Actor) -> None:
    job = make_job(notify=[HOOK, {"webhook": f"{URL}y"}])
    tell(make_execution(job), "failed")
    patch(job, {"notify": [{"webhook": URL, "events": ["failed"]}]}, actor=op)
    kept = Subscription.objects.get()
    assert (kept.words, kept.deliveries.count()) == (["failed"], 1)


def test_a_deleted_jobs_notify_goes_with_it(make_job: MakeJob, op: Actor) -> None:
    verbs.delete_job(make_job(notify=[HOOK]), actor=op)
    assert not Subscription.objects.exists()


def test_a_jobs_notify_is_changed_in_the_job(make_job: MakeJob, op: Actor) -> None:
    make_job("nightly", notify=[HOOK])
    with pytest.raises(Conflict, match="'nightly': change the job's 'notify'"):
        unsubscribe(Subscription.objects.get(), actor=op)


# -- what is refused ---------------------------------------------------------------------------------------------------
BAD: dict[str, tuple[Any, str]] = {
    "nothing": ({}, "either 'webhook' or 'email'"),
    "both": ({"webhook": URL, "email": ["a@example.org"]}, "either 'webhook' or 'email'"),
    "no object": ("x", "wanted an object"),
    "no event": ({"webhook": URL, "events": []}, "events"),
    "unknown event": ({"webhook": URL, "events": ["started"]}, "events.0"),
    "unknown field": ({"webhook": URL, "x": 1}, "x: unknown field"),
    "no URL": ({"webhook": "hooks"}, "webhook: wanted a URL"),
    "a password in it": ({"webhook": "https://a:b@example.org/"}, "must not hold a user or password"),
    "a file": ({"webhook": "file:///etc/passwd"}, "webhook: wanted a URL"),
    "loopback": ({"webhook": "http://127.0.0.1/"}, "not an allowed target"),
    "loopback in disguise": ({"webhook": "http://0x7f.1/"}, "not an allowed target"),
    "NUL": ({"webhook": f"{URL}\0"}, "webhook|NUL"),
    "a surrogate": ({"webhook": f"{URL}\ud800"}, "surrogate"),
    "too long": ({"webhook": f"{URL}{'x' * 2000}"}, "at most 2000"),
    "unknown secret": ({"webhook": URL, "secret": "window"}, "secret: there is no secret 'window'"),
    "unknown URL": ({"webhook": {"secret": "window"}}, "webhook: there is no secret 'window'"),
    "NUL in a secret": ({"webhook": URL, "secret": "\0"}, "secret"),
    "no mail here": ({"email": ["a@example.org"]}, "JOBHUB_EMAIL_URL"),
    "signed mail": ({"email": ["a@example.org"], "secret": "door"}, "not signed"),
    "a number": ({"webhook": 5}, "webhook"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_is_refused(case: str, op: Actor, door: None) -> None:
    raw, text = BAD[case]
    with pytest.raises(Invalid, match=text):
        subscribe(raw, actor=op)
    assert not Subscription.objects.exists()


@pytest.mark.parametrize("address", ["x", "a@b\nBcc: c@example.org", "a b@example.org", "@example.org"])
def test_what_is_no_address_is_refused(address: str, op: Actor, settings: Any) -> None:
    settings.EMAIL_IS_ON = True
    with pytest.raises(Invalid, match=r"email\.0"):
        subscribe({"email": [address]}, actor=op)


def test_a_jobs_bad_notify_is_refused_by_its_place(op: Actor) -> None:
    document = {"name": "x", "actions": [NOOP], "notify": [HOOK, {"webhook": "http://localhost/"}]}
    with pytest.raises(Invalid, match=r"notify\.1\.webhook: 'localhost' is not an allowed target"):
        define(document, actor=op)


def test_a_secret_may_hold_the_url(op: Actor, door: None) -> None:
    row = subscribe({"webhook": {"secret": "door"}, "secret": "door"}, actor=op)
    assert notices.document_of(row)["webhook"] == {"secret": "door"}


def test_there_is_an_end_to_subscriptions(op: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notices, "MOST", 1)
    subscribe(HOOK, actor=op)
    with pytest.raises(Conflict, match="at most 1"):
        subscribe(HOOK, actor=op)


# -- who may -----------------------------------------------------------------------------------------------------------
def test_a_reader_may_not_subscribe(rita: User) -> None:
    with pytest.raises(Forbidden):
        subscribe(HOOK, actor=actor_for(rita, face="test"))


def test_a_stranger_does_not_see_it(charlie: User, hook: Subscription) -> None:
    with pytest.raises(NotFound):
        unsubscribe(hook, actor=actor_for(charlie, face="test"))


def test_it_is_in_the_audit(bob: User) -> None:
    row = subscribe(HOOK, actor=actor_for(bob, face="test"))
    unsubscribe(row, actor=actor_for(bob, face="test"))
    found = AuditEvent.objects.order_by("pk").values_list("deed", "subject", "username")
    assert list(found) == [("subscribe", f"webhook to {URL}", "bob"), ("unsubscribe", f"webhook to {URL}", "bob")]


# -- a face's own ------------------------------------------------------------------------------------------------------
def test_a_face_has_its_own_subscriptions(hook: Subscription, op: Actor) -> None:
    own = subscribe(HOOK, actor=op, face="vertica", extras={"host": "hooks", "port": 443})
    assert list(notices.subscriptions(op.home, face="vertica")) == [own]
    assert list(notices.subscriptions(op.home)) == [hook]
    assert Subscription.objects.get(pk=own.pk).extras == {"host": "hooks", "port": 443}
