"""`manage.py user`, `project`, `member` and `apikey`."""

from io import StringIO

import pytest

from jobs.engine.keys import find_key
from jobs.models import ApiKey, AuditEvent, Membership, Project, User
from tests.jobs.commands.conftest import Run

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", StringIO("a long enough secret\n"))


# -- user --------------------------------------------------------------------------------------------------------------
def test_a_new_user_gets_a_password_that_works(run: Run) -> None:
    password = run("user", "create", "dora", "--project", "alpha", "--role", "reader").out.strip()

    user = User.objects.get(username="dora")
    assert user.check_password(password)
    assert user.memberships.get().role == "reader"


def test_a_password_is_read_from_standard_input(run: Run) -> None:
    run("user", "create", "dora", "--password-stdin", "--superuser")

    user = User.objects.get(username="dora")
    assert user.check_password("a long enough secret")
    assert user.is_superuser and user.is_staff


def test_a_weak_password_is_refused_and_makes_no_user(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", StringIO("1234\n"))

    done = run("user", "create", "dora", "--password-stdin")

    assert done.code == 2
    assert "password: This password is too short" in done.err
    assert not User.objects.filter(username="dora").exists()


def test_set_without_options_makes_a_new_password(run: Run, bob: User) -> None:
    password = run("user", "set", "bob").out.strip()

    bob.refresh_from_db()
    assert bob.check_password(password)


def test_set_changes_what_is_named_and_keeps_the_password(run: Run, bob: User) -> None:
    before = bob.password

    run("user", "set", "bob", "--no-active", "--email", "bob@example.org")

    bob.refresh_from_db()
    assert (bob.is_active, bob.email, bob.password) == (False, "bob@example.org", before)


def test_the_last_superuser_stays(run: Run, root: User) -> None:
    done = run("user", "set", "root", "--no-superuser")

    assert done.err == "root is the last active superuser; make another one first"


def test_users_are_listed_with_their_roles(run: Run, alice: User) -> None:
    assert run("user", "list", "--json").json[0]["projects"] == {"alpha": "admin"}


def test_a_taken_name_is_refused(run: Run, bob: User) -> None:
    done = run("user", "create", "bob")

    assert (done.code, done.out) == (2, "")
    assert "username" in done.err


def test_no_password_is_written_into_the_audit(run: Run) -> None:
    password = run("user", "create", "dora").out.strip()

    assert AuditEvent.objects.filter(deed="create user", subject="dora").exists()
    assert password not in str(list(AuditEvent.objects.values()))


# -- project -----------------------------------------------------------------------------------------------------------
def test_a_project_is_made_and_renamed(run: Run) -> None:
    run("project", "create", "gamma", "--description", "third")
    run("project", "set", "gamma", "--name", "delta")

    assert Project.objects.get(name="delta").description == "third"


def test_projects_are_listed_with_what_they_hold(run: Run, alice: User) -> None:
    assert run("project", "list", "--json").json[0]["members"] == 1


@pytest.mark.parametrize("name", ["alpha", "42", "/x", ""])
def test_a_bad_project_name_is_refused(run: Run, name: str) -> None:
    done = run("project", "create", name)

    assert done.code == 2
    assert done.err.startswith("name: ")


# -- member ------------------------------------------------------------------------------------------------------------
def test_a_role_is_given_and_changed(run: Run, bob: User) -> None:
    done = run("member", "set", "bob", "alpha", "admin")

    assert done.lines == ["bob is admin of alpha"]
    assert Membership.objects.get().role == "admin"


def test_the_default_membership_moves(run: Run, bob: User, beta: Project) -> None:
    run("member", "set", "bob", "beta", "reader", "--default")

    assert [row["project"] for row in run("member", "list", "--json").json if row["default"]] == ["beta"]


def test_removing_the_default_makes_another_one(run: Run, bob: User, beta: Project) -> None:
    run("member", "set", "bob", "beta", "reader")
    run("member", "remove", "bob", "alpha")

    assert Membership.objects.get().is_default


def test_removing_nobody_is_refused(run: Run, charlie: User) -> None:
    assert run("member", "remove", "charlie", "alpha").err == "charlie is no member of alpha"


# -- apikey ------------------------------------------------------------------------------------------------------------
def test_a_key_is_printed_once_and_works(run: Run, alice: User) -> None:
    text = run(
        "apikey", "create", "--user", "alice", "--level", "admin", "--expires", "30d", "--project", "alpha"
    ).out.strip()

    holder = find_key(text)
    assert holder is not None and holder.username == "alice"
    assert text not in run("apikey", "list").out


def test_a_revoked_key_is_found_no_more(run: Run, alice: User) -> None:
    text = run("apikey", "create", "--user", "alice", "--json").json["key"]

    run("apikey", "revoke", text.partition(".")[0])

    assert find_key(text) is None


def test_keys_are_listed_with_their_last_use(run: Run, alice: User) -> None:
    find_key(run("apikey", "create", "--user", "alice").out.strip())

    assert run("apikey", "list", "--user", "alice", "--json").json[0]["last_used_at"]


def test_a_key_for_a_stranger_is_refused(run: Run, charlie: User, alpha: Project) -> None:
    done = run("apikey", "create", "--user", "charlie", "--project", "alpha")

    assert done.err == "user: charlie is no member of alpha"
    assert not ApiKey.objects.exists()


def test_revoking_an_unknown_key_is_refused(run: Run) -> None:
    assert run("apikey", "revoke", "abc.def").err == "there is no key 'abc'"
