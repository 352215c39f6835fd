"""Secrets of a project: who keeps them, who names them, and a rotation that can be killed at any moment."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jobs import secrets as key_module
from jobs.engine import secrets
from jobs.engine.define import define, define_action
from jobs.engine.documents import ActionDocument
from jobs.engine.rights import Actor, actor_for, operator
from jobs.errors import Forbidden, Invalid, KeysUnfit, NotFound
from jobs.models import AuditEvent, Project, Secret, User
from jobs.secrets import KeyFile
from tests.jobs.puppets import at_once

VALUE = "correct-horse-battery"


@pytest.fixture(autouse=True)
def keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KeyFile:
    file = KeyFile(tmp_path / "secret.keys")
    monkeypatch.setattr(key_module, "_keys", file)
    return file


@pytest.fixture
def kept(op: Actor, alpha: Project) -> Iterator[str]:
    """A secret of the project `alpha`."""
    secrets.set_secret("db-password", VALUE, actor=op)
    yield "db-password"


def as_user(user: User) -> Actor:
    return actor_for(user, face="test")


# -- it works ----------------------------------------------------------------------------------------------------------
def test_a_run_of_the_project_gets_the_value(kept: str, alpha: Project) -> None:
    assert secrets.reveal(kept, alpha.pk) == VALUE


def test_another_project_does_not(kept: str, beta: Project) -> None:
    with pytest.raises(NotFound, match="there is no secret 'db-password'"):
        secrets.reveal(kept, beta.pk)


def test_setting_it_again_replaces_it(kept: str, op: Actor, alpha: Project) -> None:
    assert secrets.set_secret(kept, "another-value", actor=op) is False
    assert secrets.reveal(kept, alpha.pk) == "another-value"


def test_the_list_tells_who_and_when_and_never_what(kept: str, op: Actor) -> None:
    rows = secrets.list_secrets(actor=op)
    assert [set(row) for row in rows] == [set(secrets.SHOWN)]
    assert VALUE not in str(rows)


def test_a_deleted_one_is_gone(kept: str, op: Actor) -> None:
    secrets.delete_secret(kept, actor=op)
    assert not Secret.objects.exists()


def test_deeds_are_audited_without_the_value(kept: str, op: Actor) -> None:
    secrets.set_secret(kept, VALUE, actor=op)
    secrets.delete_secret(kept, actor=op)
    events = AuditEvent.objects.order_by("pk").values_list("deed", "subject", "detail")
    assert list(events) == [(f"{deed} secret", kept, {}) for deed in ("create", "edit", "delete")]


# -- who may -----------------------------------------------------------------------------------------------------------
def test_an_admin_of_the_project_keeps_secrets(alice: User) -> None:
    assert secrets.set_secret("token", VALUE, actor=as_user(alice)) is True


@pytest.mark.parametrize("who", ["bob", "rita"])
def test_a_member_or_reader_does_not(who: str, kept: str, request: pytest.FixtureRequest) -> None:
    actor = as_user(request.getfixturevalue(who))
    with pytest.raises(Forbidden):
        secrets.set_secret("token", VALUE, actor=actor)
    with pytest.raises(Forbidden):
        secrets.delete_secret(kept, actor=actor)


def test_a_stranger_hears_of_nothing(kept: str, alpha: Project, charlie: User) -> None:
    with pytest.raises(NotFound):
        secrets.set_secret(kept, VALUE, actor=as_user(charlie), project_id=alpha.pk)
    with pytest.raises(NotFound):
        secrets.list_secrets(actor=as_user(charlie), project_id=alpha.pk)
    assert secrets.list_secrets(actor=as_user(charlie)) == []


def test_rotating_is_for_superusers(alice: User, root: User, kept: str) -> None:
    with pytest.raises(Forbidden):
        secrets.rotate(actor=as_user(alice))
    assert secrets.rotate(actor=as_user(root)) == 1


# -- what is refused ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["", " a", "a b", "-a", "a/b", "ä", "a" * 65, "a\n"])
def test_a_name_that_a_spec_could_not_write_is_refused(name: str, op: Actor) -> None:
    with pytest.raises(Invalid, match=r"^name: "):
        secrets.set_secret(name, VALUE, actor=op)


@pytest.mark.parametrize("value", ["", "abc", "with\0nul", "x" * 16385, "\ud800abc"])
def test_a_value_that_cannot_be_kept_or_masked_is_refused(value: str, op: Actor) -> None:
    with pytest.raises(Invalid, match=r"^value: ") as caught:
        secrets.set_secret("token", value, actor=op)
    assert not value or value not in caught.value.message


def test_no_second_key_file_is_begun_when_the_first_is_lost(kept: str, op: Actor, keys: KeyFile) -> None:
    keys.path.unlink()
    with pytest.raises(KeysUnfit, match=f"{keys.path} is missing"):
        secrets.set_secret("token", VALUE, actor=op)


def test_a_value_that_no_key_fits_is_named(kept: str, alpha: Project, keys: KeyFile) -> None:
    keys.path.unlink()
    keys.encrypt("a file that is not the one it was")
    with pytest.raises(KeysUnfit, match=f"'db-password' cannot be read: no key in {keys.path} fits"):
        secrets.reveal(kept, alpha.pk)


# -- specs that name one -----------------------------------------------------------------------------------------------
def job_with(spec: dict[str, Any]) -> dict[str, Any]:
    return {"name": "j", "actions": [{"runner": "command", "spec": {"argv": ["env"], **spec}}]}


def test_a_spec_may_name_a_secret_of_its_project(kept: str, op: Actor) -> None:
    assert define(job_with({"env": {"PW": {"secret": kept}}}), actor=op)[1]


def test_each_secret_that_there_is_not_is_refused_with_its_field(kept: str, op: Actor) -> None:
    spec = {"env": {"A": {"secret": kept}, "B": {"secret": "none"}}, "stdin": {"secret": "nil"}}
    with pytest.raises(Invalid) as caught:
        define(job_with(spec), actor=op)
    assert [error.field for error in caught.value.errors] == ["actions.0.spec.env.B", "actions.0.spec.stdin"]


def test_a_secret_of_another_project_is_none(kept: str, beta: Project) -> None:
    with pytest.raises(Invalid, match="there is no secret 'db-password' in this project"):
        define(job_with({"stdin": {"secret": kept}}), actor=operator("test", beta))


def test_a_shared_action_is_held_to_it_too(alpha: Project, op: Actor) -> None:
    document = ActionDocument(runner="command", spec={"argv": ["env"], "stdin": {"secret": "none"}})
    with pytest.raises(Invalid, match="there is no secret 'none'"):
        define_action(document, actor=op, project_id=alpha.pk, key="shared")


# -- rotation ----------------------------------------------------------------------------------------------------------
def values(alpha: Project) -> list[str]:
    return [secrets.reveal(name, alpha.pk) for name in Secret.objects.values_list("name", flat=True)]


def n_keys(keys: KeyFile) -> int:
    return len(keys.path.read_bytes().split())


def test_a_rotation_keeps_all_values_and_one_new_key(op: Actor, alpha: Project, keys: KeyFile) -> None:
    for number in range(3):
        secrets.set_secret(f"s{number}", f"value-{number}", actor=op)
    old = keys.path.read_bytes()
    assert secrets.rotate(actor=op) == 3
    assert values(alpha) == ["value-0", "value-1", "value-2"]
    assert (n_keys(keys), keys.path.read_bytes() == old) == (1, False)


def test_without_secrets_there_is_nothing_to_rotate(op: Actor, keys: KeyFile) -> None:
    assert (secrets.rotate(actor=op), keys.exists()) == (0, False)


class Crash(BaseException):
    """The process is gone."""


def crash(*_: Any, **__: Any) -> None:
    raise Crash


@pytest.mark.parametrize("step", ["add_key", "renew", "is_newest", "drop_old_keys"])
def test_a_crash_before_any_step_loses_nothing(
    step: str, kept: str, op: Actor, alpha: Project, keys: KeyFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch, pytest.raises(Crash):
        patch.setattr(KeyFile, step, crash)
        secrets.rotate(actor=op)
    assert values(alpha) == [VALUE]
    assert secrets.rotate(actor=op) == 1
    assert (values(alpha), n_keys(keys)) == ([VALUE], 1)


def test_a_secret_that_cannot_be_read_stops_the_rotation(kept: str, op: Actor, alpha: Project, keys: KeyFile) -> None:
    Secret.objects.create(project=alpha, name="broken", ciphertext="gAAAA")
    with pytest.raises(KeysUnfit, match="the secret 'broken' cannot be read"):
        secrets.rotate(actor=op)
    assert secrets.reveal(kept, alpha.pk) == VALUE


@pytest.mark.django_db(transaction=True)
def test_secrets_that_are_set_during_rotations_are_not_lost() -> None:
    project = Project.objects.create(name="gamma")
    op = operator("test", project)

    def deed(number: int) -> Any:
        if number % 2:
            return secrets.rotate(actor=op)
        return secrets.set_secret(f"s{number}", f"value-{number}", actor=op)

    at_once(8, deed)
    assert values(project) == [f"value-{number}" for number in (0, 2, 4, 6)]


# -- what comes with a document of a face ------------------------------------------------------------------------------
def test_a_member_keeps_one_under_its_faces_name(bob: User, alpha: Project) -> None:
    actor = as_user(bob)
    with secrets.together():
        name = secrets.keep("datasource-1", VALUE, actor=actor)

    assert name == "test:datasource-1"
    assert secrets.reveal(name, alpha.pk) == VALUE


def test_it_cannot_be_one_of_an_admins(kept: str, bob: User, alpha: Project) -> None:
    actor = as_user(bob)
    with secrets.together():
        secrets.keep(kept, "another-value", actor=actor)
    secrets.drop(kept, actor=actor)

    assert secrets.reveal(kept, alpha.pk) == VALUE


def test_a_reader_keeps_and_drops_nothing(rita: User) -> None:
    with pytest.raises(Forbidden), secrets.together():
        secrets.keep("x", VALUE, actor=as_user(rita))
    with pytest.raises(Forbidden):
        secrets.drop("x", actor=as_user(rita))


def test_it_goes_with_what_was_written_beside_it(bob: User) -> None:
    actor = as_user(bob)
    with pytest.raises(RuntimeError), secrets.together():
        secrets.keep("x", VALUE, actor=actor)
        raise RuntimeError("what refers to it cannot be written")

    assert not Secret.objects.exists()


def test_dropping_is_in_the_audit_and_twice_is_once(bob: User) -> None:
    actor = as_user(bob)
    with secrets.together():
        name = secrets.keep("x", VALUE, actor=actor)
    secrets.drop(name, actor=actor)
    secrets.drop(name, actor=actor)

    assert not Secret.objects.exists()
    assert AuditEvent.objects.filter(deed="delete secret", subject=name).count() == 1
