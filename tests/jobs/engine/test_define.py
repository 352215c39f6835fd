"""Definitions: validated as a whole, saved as a whole, by who may."""

from typing import Any

import pytest
from django.db import DatabaseError

from jobs.engine import verbs
from jobs.engine.define import define, define_action, patch
from jobs.engine.documents import ActionDocument, document_of
from jobs.engine.rights import Actor, actor_for
from jobs.errors import Conflict, Forbidden, Invalid, NotFound
from jobs.models import Action, AuditEvent, Job, Project, User
from tests.conftest import NOOP, MakeJob
from tests.jobs import conftest
from tests.jobs.puppets import at_once

MakeAction = conftest.Action


def of(user: User) -> Actor:
    return actor_for(user, face="test")


def fields_of(document: Any, op: Actor) -> list[str]:
    with pytest.raises(Invalid) as refusal:
        define(document, actor=op)
    return [error.field for error in refusal.value.errors]


# -- it works --------------------------------------------------------------------------------------------------
def test_it_makes_a_job_of_a_document(op: Actor, alpha: Project) -> None:
    job, is_new = define({"name": "nightly/db", "actions": [NOOP]}, actor=op)
    assert (job.project, job.name, job.kind, is_new) == (alpha, "nightly/db", "python", True)


def test_a_job_of_several_actions_is_a_workbook(make_job: MakeJob) -> None:
    assert make_job(actions=[NOOP, NOOP]).kind == "workbook"


def test_the_same_name_replaces_the_job(op: Actor) -> None:
    first, _ = define({"name": "job", "actions": [NOOP]}, actor=op)
    second, is_new = define({"name": "job", "actions": [NOOP, NOOP], "priority": 4}, actor=op)
    assert (first.pk, is_new, second.priority, second.steps.count()) == (second.pk, False, 4, 2)


def test_a_replaced_job_leaves_no_action_behind(op: Actor) -> None:
    for _ in range(2):
        define({"name": "job", "actions": [NOOP, NOOP]}, actor=op)
    assert Action.objects.count() == 2


def test_a_document_comes_back_as_it_can_be_given_again(op: Actor, make_job: MakeJob) -> None:
    job = make_job(params={"a": 1}, retries=3, actions=[{**NOOP, "timeout_s": 5, "mandatory": True}])
    before = document_of(job)
    again, _ = define(before, actor=op, job=job)
    assert document_of(again) == before


def test_an_edit_makes_a_new_version(op: Actor, make_job: MakeJob) -> None:
    job = make_job()
    assert patch(job, {"priority": 1}, actor=op).version == job.version + 1


def test_a_patch_leaves_the_rest(op: Actor, make_job: MakeJob) -> None:
    job = patch(make_job(retries=3, params={"a": 1}), {"priority": 7}, actor=op)
    assert (job.priority, job.retries, job.params) == (7, 3, {"a": 1})


def test_a_patch_does_not_undo_what_somebody_else_has_just_changed(op: Actor, make_job: MakeJob) -> None:
    mine = make_job()
    patch(Job.objects.get(pk=mine.pk), {"retries": 9}, actor=op)
    assert patch(mine, {"priority": 7}, actor=op).retries == 9


def test_an_edit_does_not_undo_a_hold(op: Actor, make_job: MakeJob) -> None:
    mine = make_job()
    verbs.hold(Job.objects.get(pk=mine.pk), actor=op)
    patch(mine, {"priority": 7}, actor=op)
    assert Job.objects.get().is_held


def test_an_edit_does_not_undo_a_cursor(op: Actor, make_job: MakeJob) -> None:
    mine = make_job()
    Job.objects.update(cursor={"row": 7})
    patch(mine, {"priority": 7}, actor=op)
    assert Job.objects.get().cursor == {"row": 7}


def test_a_shared_action_can_be_used_by_another_job(op: Actor, make_job: MakeJob) -> None:
    make_job(actions=[{**NOOP, "key": "tidy"}])
    other = make_job(actions=[{"use": "tidy"}])
    assert list(other.actions.values_list("key", flat=True)) == ["tidy"]


def test_an_edited_shared_action_stays_the_same_one(op: Actor, alpha: Project) -> None:
    documents = [ActionDocument.parse({**NOOP, "retries": number}) for number in (1, 2)]
    first, second = (define_action(one, actor=op, project_id=alpha.pk, key="tidy") for one in documents)
    assert (first.pk, first.created_at, second.retries) == (second.pk, second.created_at, 2)


def test_the_deed_is_audited(op: Actor, make_job: MakeJob) -> None:
    patch(make_job("job"), {"priority": 1}, actor=op)
    assert list(AuditEvent.objects.order_by("pk").values_list("deed", "subject")) == [
        ("create", "job"),
        ("edit", "job"),
    ]


# -- what is refused, and by which field -----------------------------------------------------------------------
@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": " a"}, "name"),
        ({"name": "/a"}, "name"),
        ({"name": "123"}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"name": "a\0b"}, "name"),
        ({"name": "\ud800"}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"name": "6f1c1e9e-2f0b-4c57-9f0e-0a8f3a1f7a11"}, "name"),
        ({"name": "6f1c1e9e2f0b4c579f0e0a8f3a1f7a11"}, "name"),
        ({"name": None}, "name"),
        ({"kind": "Bad Kind"}, "kind"),
        ({"actions": []}, "actions"),
        ({"actions": [NOOP] * 101}, "actions"),
        ({"actions": [{"runner": "nothing"}]}, "actions.0.runner"),
        ({"actions": [{"runner": "python", "spec": {}}]}, "actions.0.spec.callable"),
        ({"actions": [NOOP, {"runner": "python", "spec": {"callable": "noop", "x": 1}}]}, "actions.1.spec.x"),
        ({"actions": [{**NOOP, "timeout_s": 0}]}, "actions.0.timeout_s"),
        ({"actions": [{}]}, "actions.0"),
        ({"actions": [{"use": "nobody"}]}, "actions.0.use"),
        ({"actions": [{"use": "a", "retries": 1}]}, "actions.0"),
        ({"params": {"a": []}}, "params.a.str"),
        ({"params": {"a": float("nan")}}, "params"),
        ({"params": {"a": "\0"}}, "params"),
        ({"priority": 101}, "priority"),
        ({"timeout_s": 0}, "timeout_s"),
        ({"timeout_s": 60, "soft_timeout_s": 60}, "soft_timeout_s"),
        ({"retries": -1}, "retries"),
        ({"when_active": "sometimes"}, "when_active"),
        ({"on_lost": "x"}, "on_lost"),
        ({"concurrency_limit": -1}, "concurrency_limit"),
        ({"colour": "red"}, "colour"),
    ],
    ids=lambda value: repr(value)[:50],
)
def test_a_wrong_field_is_named(op: Actor, change: dict[str, Any], field: str) -> None:
    assert fields_of({"name": "job", "actions": [NOOP], **change}, op)[0] == field


def test_all_wrong_fields_are_named_at_once(op: Actor) -> None:
    assert fields_of({"name": "", "actions": [NOOP], "priority": 500, "x": 1}, op) == ["name", "priority", "x"]


@pytest.mark.parametrize("document", [None, [], "job", 7])
def test_what_is_no_object_is_refused(op: Actor, document: Any) -> None:
    assert fields_of(document, op) == [""]


@pytest.mark.parametrize("bad", ["\0", "\udc80", float("nan")], ids=["NUL", "surrogate", "NaN"])
def test_a_spec_that_no_database_keeps_is_refused(op: Actor, bad: Any) -> None:
    spec = {"callable": "sleep", "args": {"seconds": [{"deep": bad}]}}
    assert fields_of({"name": "job", "actions": [{"runner": "python", "spec": spec}]}, op) == ["actions.0.spec"]


def test_the_name_of_another_job_is_refused(op: Actor, make_job: MakeJob) -> None:
    make_job("taken")
    with pytest.raises(Conflict, match="taken"):
        patch(make_job("mine"), {"name": "taken"}, actor=op)


def test_the_key_of_another_job_is_refused(op: Actor) -> None:
    define({"name": "one", "actions": [NOOP]}, actor=op, key="k")
    with pytest.raises(Conflict):
        define({"name": "two", "actions": [NOOP]}, actor=op, key="k")


@pytest.mark.parametrize("key", ["x" * 65, "a\0"], ids=["too long", "NUL"])
def test_a_key_that_cannot_be_kept_is_refused(op: Actor, key: str) -> None:
    with pytest.raises(Invalid):
        define({"name": "one", "actions": [NOOP]}, actor=op, key=key)


def test_extras_that_cannot_be_kept_are_refused(op: Actor) -> None:
    with pytest.raises(Invalid):
        define({"name": "one", "actions": [NOOP]}, actor=op, extras={"deep": ["\0"]})


def test_a_job_that_was_deleted_meanwhile_is_not_made_again(op: Actor, make_job: MakeJob) -> None:
    job = make_job()
    Job.objects.get(pk=job.pk).delete()
    with pytest.raises(NotFound):
        patch(job, {"priority": 1}, actor=op)


def test_a_shared_action_is_not_defined_by_use(op: Actor, alpha: Project) -> None:
    with pytest.raises(Invalid, match="use"):
        define_action(ActionDocument.parse({"use": "x"}), actor=op, project_id=alpha.pk, key="tidy")


def test_names_with_odd_characters_are_names(op: Actor) -> None:
    name = "größe/ñ '\"%s {x} \U0001f600 -- ;"
    assert define({"name": name, "actions": [NOOP]}, actor=op)[0].name == name


# -- nothing half-written --------------------------------------------------------------------------------------
def counts() -> tuple[int, ...]:
    return Job.objects.count(), Action.objects.count(), AuditEvent.objects.count()


def test_a_refused_definition_writes_nothing(op: Actor, make_job: MakeJob) -> None:
    make_job(actions=[{**NOOP, "key": "tidy"}])
    before = counts()
    with pytest.raises(Conflict):
        define({"name": "job", "actions": [NOOP, {**NOOP, "key": "tidy"}]}, actor=op)
    assert counts() == before


def test_a_refused_edit_leaves_the_job_as_it_was(op: Actor, make_job: MakeJob) -> None:
    make_job(actions=[{**NOOP, "key": "tidy"}])
    job = make_job("mine", actions=[NOOP, NOOP])
    before = document_of(job)
    with pytest.raises(Conflict):
        patch(job, {"priority": 9, "actions": [{**NOOP, "key": "tidy"}]}, actor=op)
    assert document_of(Job.objects.get(pk=job.pk)) == before


# -- who may ---------------------------------------------------------------------------------------------------
def test_a_reader_may_not(rita: User) -> None:
    with pytest.raises(Forbidden):
        define({"name": "job", "actions": [NOOP]}, actor=of(rita))


def test_a_stranger_does_not_find_the_job(make_job: MakeJob, charlie: User) -> None:
    with pytest.raises(NotFound):
        patch(make_job(), {"priority": 1}, actor=of(charlie))


def test_a_member_may_define_what_is_not_privileged(bob: User, action: MakeAction) -> None:
    assert define({"name": "job", "actions": [action()]}, actor=of(bob))[1]


def test_an_admin_may_use_a_privileged_runner(alice: User, action: MakeAction) -> None:
    assert define({"name": "job", "actions": [action(runner="boss")]}, actor=of(alice))[1]


def test_a_member_may_not_use_a_privileged_runner(bob: User, action: MakeAction) -> None:
    with pytest.raises(Forbidden, match="'boss'"):
        define({"name": "job", "actions": [action(runner="boss")]}, actor=of(bob))


def test_a_member_may_not_use_it_by_way_of_a_shared_action(bob: User, make_job: MakeJob, action: MakeAction) -> None:
    make_job(actions=[action(runner="boss", key="power")])
    with pytest.raises(Forbidden):
        define({"name": "job", "actions": [{"use": "power"}]}, actor=of(bob))


@pytest.mark.parametrize("change", [{"priority": 1}, {"params": {"a": 1}}, {"actions": [NOOP]}], ids=repr)
def test_a_member_may_not_edit_a_job_that_uses_it(
    bob: User, make_job: MakeJob, action: MakeAction, change: dict[str, Any]
) -> None:
    job = make_job(actions=[action(runner="boss")])
    with pytest.raises(Forbidden):
        patch(job, change, actor=of(bob))


def test_a_member_may_not_replace_by_name_a_job_that_uses_it(bob: User, make_job: MakeJob, action: MakeAction) -> None:
    make_job("job", actions=[action(runner="boss")])
    with pytest.raises(Forbidden):
        define({"name": "job", "actions": [action()]}, actor=of(bob))


def test_a_member_may_not_define_a_shared_action_that_uses_it(bob: User, alpha: Project, action: MakeAction) -> None:
    document = ActionDocument.parse(action(runner="boss"))
    with pytest.raises(Forbidden):
        define_action(document, actor=of(bob), project_id=alpha.pk, key="power")


def test_a_member_may_not_change_a_shared_action_that_uses_it(
    bob: User, alpha: Project, make_job: MakeJob, action: MakeAction
) -> None:
    make_job(actions=[action(runner="boss", key="power")])
    with pytest.raises(Forbidden):
        define_action(ActionDocument.parse(action()), actor=of(bob), project_id=alpha.pk, key="power")


def test_shared_actions_of_another_project_are_not_found(make_job: MakeJob, beta: Project, charlie: User) -> None:
    make_job(actions=[{**NOOP, "key": "tidy"}])
    with pytest.raises(Invalid, match="no shared action"):
        define({"name": "job", "actions": [{"use": "tidy"}]}, actor=of(charlie))


# -- races -----------------------------------------------------------------------------------------------------
@pytest.mark.django_db(transaction=True)
def test_definitions_of_the_same_name_at_once_make_one_job(op: Actor) -> None:
    answers = at_once(6, lambda number: define({"name": "job", "actions": [NOOP]}, actor=op))
    bad = [one for one in answers if isinstance(one, DatabaseError)]
    assert (bad, Job.objects.count(), Action.objects.count()) == ([], 1, 1)


@pytest.mark.django_db(transaction=True)
def test_patches_of_other_fields_at_once_are_all_kept(op: Actor, make_job: MakeJob) -> None:
    job = make_job()
    changes: list[dict[str, Any]] = [{"priority": 5}, {"retries": 6}, {"description": "d"}, {"timeout_s": 7}]
    at_once(4, lambda number: patch(Job.objects.get(pk=job.pk), changes[number], actor=op))
    job.refresh_from_db()
    assert (job.priority, job.retries, job.description, job.timeout_s, job.steps.count()) == (5, 6, "d", 7, 1)
