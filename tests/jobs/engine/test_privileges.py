"""A member gains no privileged runner: not by editing, sharing, moving, borrowing, renaming, applying or waiting."""

from collections.abc import Callable
from typing import Any

import pytest

from jobs.engine import aborts, retries
from jobs.engine.apply import apply
from jobs.engine.define import define, define_action, patch
from jobs.engine.documents import ActionDocument, document_of
from jobs.engine.keys import create_key, find_key
from jobs.engine.members import remove_member, set_member
from jobs.engine.rights import Actor, actor_for
from jobs.engine.trigger import trigger
from jobs.errors import Forbidden, Invalid, NotFound
from jobs.models import Action, AuditEvent, Job, JobExecution, Membership, Project, Role, User
from jobs.worker.drain import drain
from tests.conftest import NOOP, join

COMMAND = {"runner": "command", "spec": {"argv": ["true"]}}
PLAIN = {"runner": "archive_list", "spec": {"container": "none"}}


@pytest.fixture
def admin(alice: User) -> Actor:
    return actor_for(alice, face="test")


@pytest.fixture
def member(bob: User) -> Actor:
    return actor_for(bob, face="test")


@pytest.fixture
def job(admin: Actor) -> Job:
    """An admin's, with a privileged runner."""
    return define({"name": "secret/ops", "actions": [COMMAND], "params": {"a": 1}}, actor=admin)[0]


def shared(actor: Actor, action: dict[str, Any], key: str = "step") -> Action:
    document = ActionDocument.parse(action)
    assert isinstance(document, ActionDocument)
    assert actor.project_id is not None
    return define_action(document, actor=actor, project_id=actor.project_id, key=key)


def ran(job: Job, actor: Actor) -> JobExecution:
    execution, _ = trigger(job, actor=actor)
    drain()
    execution.refresh_from_db()
    return execution


# -- the ways in -------------------------------------------------------------------------------------------------------
WAYS: dict[str, Callable[[Job, Actor], Any]] = {
    "defining": lambda job, actor: define({"name": "mine", "actions": [COMMAND]}, actor=actor),
    "replacing": lambda job, actor: define({"name": job.name, "actions": [PLAIN]}, actor=actor, job=job),
    "replacing by name": lambda job, actor: define({"name": job.name, "actions": [PLAIN]}, actor=actor),
    "copying": lambda job, actor: define({**document_of(job), "name": "copy"}, actor=actor),
    "patching its actions": lambda job, actor: patch(job, {"actions": [COMMAND]}, actor=actor),
    "patching its params": lambda job, actor: patch(job, {"params": {"a": 2}}, actor=actor),
    "patching its node": lambda job, actor: patch(job, {"node": "elsewhere"}, actor=actor),
    "renaming": lambda job, actor: patch(job, {"name": "mine"}, actor=actor),
    "sharing": lambda job, actor: shared(actor, COMMAND),
    "sharing within a job": lambda job, actor: define(
        {"name": "mine", "actions": [{**COMMAND, "key": "new"}]}, actor=actor
    ),
    "borrowing": lambda job, actor: define({"name": "mine", "actions": [{"use": "theirs"}]}, actor=actor),
    "borrowing beside another": lambda job, actor: define(
        {"name": "mine", "actions": [PLAIN, {"use": "theirs", "mandatory": True}]}, actor=actor
    ),
    "overwriting a shared one": lambda job, actor: shared(actor, PLAIN, "theirs"),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_member_is_refused(way: str, job: Job, admin: Actor, member: Actor) -> None:
    shared(admin, COMMAND, "theirs")
    with pytest.raises(Forbidden):
        WAYS[way](job, member)

    assert Job.objects.values_list("name", "last_editor__username").get() == ("secret/ops", "alice")
    assert Action.objects.filter(is_shared=True).values_list("key", "runner").get() == ("theirs", "command")


@pytest.mark.parametrize(
    "file",
    [
        {"jobs": [{"name": "mine", "actions": [COMMAND]}]},
        {"jobs": [{"name": "secret/ops", "actions": [PLAIN]}]},
        {"actions": [{**COMMAND, "key": "new"}]},
        {"actions": [{**PLAIN, "key": "theirs"}]},
        {"jobs": [{"name": "mine", "actions": [{"use": "theirs"}]}]},
    ],
)
def test_a_member_is_refused_a_file(file: Any, job: Job, admin: Actor, member: Actor) -> None:
    shared(admin, COMMAND, "theirs")
    with pytest.raises(Invalid, match="admin"):
        apply(file, actor=member)

    assert Job.objects.count() == 1


def test_a_file_for_a_foreign_project_is_refused(member: Actor, beta: Project) -> None:
    with pytest.raises(NotFound):
        apply({"project": "beta"}, actor=member)

    assert not AuditEvent.objects.filter(project=beta).exists()


def test_an_action_of_another_project_cannot_be_borrowed(charlie: User, member: Actor) -> None:
    shared(actor_for(charlie, face="test"), PLAIN, "foreign")
    with pytest.raises(Invalid, match="no shared action"):
        define({"name": "mine", "actions": [{"use": "foreign"}]}, actor=member)


@pytest.mark.parametrize(("level", "role"), [("admin", Role.MEMBER), ("normal", Role.ADMIN), ("admin", Role.READER)])
def test_a_key_is_worth_no_more_than_its_user(level: str, role: Role, alpha: Project, dora: User, op: Actor) -> None:
    join(dora, alpha, role)
    holder = find_key(create_key(dora, alpha, level, actor=op)[1])
    assert holder is not None
    with pytest.raises(Forbidden):
        define({"name": "mine", "actions": [COMMAND]}, actor=holder.actor("test"))


@pytest.fixture
def dora(db: None) -> User:
    return User.objects.create(username="dora")


# -- what runs is what an admin wrote ----------------------------------------------------------------------------------
def test_params_and_retries_change_no_program(job: Job, member: Actor) -> None:
    first, _ = trigger(job, actor=member, params={"a": "x", "argv": "rm", "runner": "python"})
    aborts.abort(first, actor=member)
    second = retries.retry(first, actor=member)

    assert [one.plan["actions"][0]["spec"] for one in (first, second)] == [COMMAND["spec"]] * 2


@pytest.mark.usefixtures("quiet")
def test_a_member_that_uses_what_became_privileged_is_refused_at_the_claim(admin: Actor, member: Actor) -> None:
    shared(member, PLAIN)
    mine, _ = define({"name": "mine", "actions": [{"use": "step"}]}, actor=member)
    shared(admin, COMMAND)

    assert "its last editor is no longer an admin" in ran(mine, member).message


# -- old plans ---------------------------------------------------------------------------------------------------------
def demote(user: User, project: Project) -> None:
    Membership.objects.filter(user=user, project=project).update(role=Role.MEMBER)


def leave(user: User, project: Project) -> None:
    Membership.objects.filter(user=user, project=project).delete()


def deactivate(user: User, project: Project) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)


def delete(user: User, project: Project) -> None:
    user.delete()


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("lose", [demote, leave, deactivate, delete])
def test_a_plan_of_somebody_who_lost_the_role_is_refused_at_the_claim(
    lose: Callable[[User, Project], None], job: Job, alice: User, alpha: Project, member: Actor
) -> None:
    execution, _ = trigger(job, actor=member)
    lose(alice, alpha)
    drain()
    execution.refresh_from_db()

    assert (execution.state, execution.steps.count()) == ("failed", 0)
    assert "its last editor is no longer an admin" in execution.message


@pytest.mark.usefixtures("quiet")
def test_a_shared_action_is_as_good_as_its_own_editor(alice: User, alpha: Project, admin: Actor, op: Actor) -> None:
    shared(op, NOOP)
    job, _ = define({"name": "operators", "actions": [{"use": "step"}]}, actor=op)
    shared(admin, COMMAND)
    assert ran(job, op).state == "succeeded"
    demote(alice, alpha)

    assert "a shared action uses a privileged runner" in ran(job, op).message


# -- rights that would outlive the role --------------------------------------------------------------------------------
def test_an_admin_makes_no_admin_key_of_another(
    admin: Actor, alice: User, dora: User, root: User, alpha: Project
) -> None:
    join(dora, alpha, Role.ADMIN)
    for user in (dora, root):
        with pytest.raises(Forbidden, match="another admin"):
            create_key(user, alpha, "admin", actor=admin)

    assert create_key(dora, alpha, "normal", actor=admin)
    assert create_key(alice, alpha, "admin", actor=admin)


def test_keys_end_with_the_membership_for_ever(
    bob: User, alpha: Project, op: Actor, key_of: Callable[..., str]
) -> None:
    text = key_of(bob)
    remove_member(bob, alpha, actor=op)
    set_member(bob, alpha, "admin", actor=op)

    assert find_key(text) is None


def test_nobody_else_chooses_where_a_user_acts(alice: User, charlie: User, beta: Project, root: User) -> None:
    intruder = actor_for(charlie, face="test")
    with pytest.raises(Forbidden):
        set_member(alice, beta, "member", actor=intruder, is_default=True)
    set_member(alice, beta, "member", actor=intruder)

    assert alice.memberships.get(is_default=True).project.name == "alpha"
    assert set_member(alice, beta, "member", actor=actor_for(root, face="test"), is_default=True).is_default
