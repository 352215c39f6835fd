"""`manage.py token`."""

from jobs.engine.tokens import find_token, issue
from jobs.models import Project, User
from tests.jobs.commands.conftest import Run


def login(user: User, project: Project) -> str:
    return issue(user, project, methods="password", face="identity", address="10.0.0.7")


def test_it_lists_who_is_logged_in(run: Run, alice: User, bob: User, alpha: Project) -> None:
    text = login(alice, alpha)
    login(bob, alpha)

    assert [row["user"] for row in run("token", "list", "--json").json] == ["bob", "alice"]
    assert run("token", "list", "--user", "alice").lines[1].split()[:3] == [text.partition(".")[0], "alice", "alpha"]


def test_it_shows_no_signature(run: Run, alice: User, alpha: Project) -> None:
    signature = login(alice, alpha).partition(".")[2]

    assert signature not in run("token", "list", "--json").out


def test_it_ends_a_login(run: Run, alice: User, alpha: Project) -> None:
    text = login(alice, alpha)

    assert run("token", "revoke", text).code == 0
    assert find_token(text) is None
    assert run("token", "list", "--json").json == []


def test_it_refuses_an_unknown_one(run: Run) -> None:
    assert run("token", "revoke", "abc").code == 2
