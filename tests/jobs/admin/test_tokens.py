"""Tokens in the admin: for superusers, who may end them."""

from jobs.engine.tokens import find_token, issue
from jobs.models import Project, Token, User
from tests.jobs.admin.conftest import Look, page

LIST = "/admin/jobs/token/"


def login(user: User, project: Project) -> str:
    return issue(user, project, methods="password", face="identity", address="10.0.0.7")


def test_a_superuser_ends_a_login(look: Look, root: User, alice: User, alpha: Project) -> None:
    text, client = login(alice, alpha), look(root)
    seen = page(client, LIST)
    client.post(LIST, {"action": "revoke_selected", "_selected_action": [Token.objects.get().pk]})

    assert text.partition(".")[0] in seen and text.partition(".")[2] not in seen
    assert find_token(text) is None
    assert "revoked" in page(client, f"{LIST}{Token.objects.get().pk}/change/")


def test_others_do_not_see_them(look: Look, alice: User, alpha: Project) -> None:
    login(alice, alpha)

    assert look(alice).get(LIST).status_code == 403
