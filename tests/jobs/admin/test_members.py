"""Users, projects and members in the admin, all saved through the engine."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry

from jobs.models import AuditEvent, Membership, Project, Role, User
from tests.conftest import PASSWORD, MakeJob
from tests.jobs.admin.conftest import Look, page, told

STRONG = "a long enough pass phrase"


def project_form(project: Project | None, *members: dict[str, Any], **fields: Any) -> dict[str, Any]:
    there = [m for m in members if m.get("id")]
    data: dict[str, Any] = {"name": project.name if project else "", "description": "", **fields}
    data |= {"memberships-TOTAL_FORMS": len(members), "memberships-INITIAL_FORMS": len(there)}
    for number, member in enumerate(members):
        given = {**member, "project": project.pk if project else ""}
        data |= {f"memberships-{number}-{name}": value for name, value in given.items()}
    return data


def user_form(user: User, **fields: Any) -> dict[str, Any]:
    flags = {name: "on" for name in ("is_active", "is_staff", "is_superuser") if getattr(user, name)}
    names = {"email": user.email, "first_name": user.first_name, "last_name": user.last_name}
    none = {"memberships-TOTAL_FORMS": 0, "memberships-INITIAL_FORMS": 0}
    data = {**names, **flags, **none, **fields}
    return {name: value for name, value in data.items() if value is not None}


def role_of(user: User, project: Project) -> str | None:
    return Membership.objects.filter(user=user, project=project).values_list("role", flat=True).first()


# -- projects ----------------------------------------------------------------------------------------------------------
def test_a_project_is_made_with_its_members(look: Look, root: User, bob: User) -> None:
    data = project_form(None, {"user": bob.pk, "role": "admin"}, name="gamma")
    look(root).post("/admin/jobs/project/add/", data)
    assert role_of(bob, Project.objects.get(name="gamma")) == Role.ADMIN
    deeds = list(AuditEvent.objects.filter(face="admin").order_by("pk").values_list("deed", flat=True))
    assert deeds == ["create project", "set member"]


def test_members_are_added_changed_and_removed_on_the_page(
    look: Look, alice: User, bob: User, rita: User, charlie: User, alpha: Project
) -> None:
    row = {user: Membership.objects.get(user=user, project=alpha).pk for user in (bob, rita)}
    data = project_form(
        alpha,
        {"id": row[bob], "user": bob.pk, "role": "admin"},
        {"id": row[rita], "user": rita.pk, "role": "reader", "DELETE": "on"},
        {"user": charlie.pk, "role": "reader"},
    )
    answer = look(alice).post(f"/admin/jobs/project/{alpha.pk}/change/", data)
    assert answer.status_code == 302, answer.context["errors"]
    assert [role_of(user, alpha) for user in (bob, rita, charlie)] == ["admin", None, "reader"]


def test_a_member_cannot_change_the_project(look: Look, bob: User, alpha: Project) -> None:
    client = look(bob)
    url = f"/admin/jobs/project/{alpha.pk}/change/"
    assert 'name="_save"' not in page(client, url)
    assert client.post(url, project_form(alpha, name="mine")).status_code == 403
    assert client.get("/admin/jobs/project/add/").status_code == 403


def test_a_bad_name_is_told_at_the_field(look: Look, root: User) -> None:
    answer = look(root).post("/admin/jobs/project/add/", project_form(None, name="/12"))
    assert "must not start with '/' or be a number" in answer.context["adminform"].errors["name"]


def test_a_project_with_history_is_not_deleted(look: Look, root: User, alpha: Project, make_job: MakeJob) -> None:
    make_job()
    assert look(root).post(f"/admin/jobs/project/{alpha.pk}/delete/", {"post": "yes"}).status_code == 403
    assert Project.objects.filter(pk=alpha.pk).exists()


def test_an_empty_project_is_deleted(look: Look, root: User, beta: Project) -> None:
    look(root).post(f"/admin/jobs/project/{beta.pk}/delete/", {"post": "yes"})
    assert not Project.objects.filter(pk=beta.pk).exists()


# -- memberships -------------------------------------------------------------------------------------------------------
def test_a_membership_is_made_changed_and_ended(look: Look, alice: User, charlie: User, alpha: Project) -> None:
    client, url = look(alice), "/admin/jobs/membership/"
    client.post(f"{url}add/", {"user": charlie.pk, "project": alpha.pk, "role": "reader"})
    member = Membership.objects.get(user=charlie, project=alpha)
    client.post(f"{url}{member.pk}/change/", {"role": "member"})
    assert role_of(charlie, alpha) == "member"
    client.post(f"{url}{member.pk}/delete/", {"post": "yes"})
    assert role_of(charlie, alpha) is None


def test_the_project_in_which_a_user_acts_can_be_chosen(look: Look, root: User, bob: User, beta: Project) -> None:
    second = Membership.objects.create(user=bob, project=beta, role=Role.READER)
    data = {"action": "make_default", "_selected_action": [second.pk], "index": 0}
    assert "From now on bob acts in beta" in told(look(root).post("/admin/jobs/membership/", data))
    assert bob.memberships.get(is_default=True).project == beta


def test_only_admins_of_the_project_manage_its_members(look: Look, bob: User, charlie: User, alpha: Project) -> None:
    url = "/admin/jobs/membership/"
    assert look(bob).get(url).status_code == 403
    answer = look(charlie).post(f"{url}add/", {"user": charlie.pk, "project": alpha.pk, "role": "admin"})
    assert "project" in answer.context["adminform"].errors
    own = Membership.objects.get(user=bob, project=alpha)
    assert look(charlie).post(f"{url}{own.pk}/change/", {"role": "admin"}).status_code == 302
    assert (role_of(charlie, alpha), role_of(bob, alpha)) == (None, "member")


# -- users -------------------------------------------------------------------------------------------------------------
def test_a_user_is_made_and_can_log_in(look: Look, root: User) -> None:
    data = {"username": "dora", "password1": STRONG, "password2": STRONG, "usable_password": "true"}
    answer = look(root).post("/admin/jobs/user/add/", data)
    dora = User.objects.get(username="dora")
    assert answer.headers["Location"] == f"/admin/jobs/user/{dora.pk}/change/"
    assert dora.check_password(STRONG)
    assert AuditEvent.objects.filter(deed="create user", subject="dora", username="root").exists()


def test_a_user_is_changed(look: Look, root: User, bob: User) -> None:
    data = user_form(bob, email="bob@example.org", is_staff="on")
    look(root).post(f"/admin/jobs/user/{bob.pk}/change/", data)
    bob.refresh_from_db()
    assert (bob.email, bob.is_staff, bob.is_superuser) == ("bob@example.org", True, False)
    assert bob.check_password(PASSWORD)
    assert AuditEvent.objects.filter(deed="edit user", subject="bob").exists()


def test_the_last_superuser_stays(look: Look, root: User) -> None:
    data = user_form(root, is_superuser=None)
    answer = look(root).post(f"/admin/jobs/user/{root.pk}/change/", data)
    assert "root is the last active superuser" in told(answer)
    root.refresh_from_db()
    assert root.is_superuser


def test_a_password_is_set_and_audited(look: Look, root: User, bob: User) -> None:
    data = {"password1": STRONG, "password2": STRONG, "usable_password": "true", "set-password": "1"}
    look(root).post(f"/admin/jobs/user/{bob.pk}/password/", data)
    bob.refresh_from_db()
    assert bob.check_password(STRONG)
    assert AuditEvent.objects.filter(deed="set password", subject="bob", username="root").exists()


def test_users_are_deactivated_and_never_deleted(look: Look, root: User, bob: User) -> None:
    client = look(root)
    assert client.post(f"/admin/jobs/user/{bob.pk}/delete/", {"post": "yes"}).status_code == 403
    client.post("/admin/jobs/user/", {"action": "deactivate_selected", "_selected_action": [bob.pk], "index": 0})
    bob.refresh_from_db()
    assert not bob.is_active


@pytest.mark.parametrize("path", ["", "add/", "{pk}/change/", "{pk}/password/"])
def test_users_are_for_superusers_only(look: Look, alice: User, path: str) -> None:
    assert look(alice).get(f"/admin/jobs/user/{path.format(pk=alice.pk)}").status_code == 403
    alice.refresh_from_db()
    assert not alice.is_superuser


def test_the_audit_is_the_only_log(look: Look, root: User, bob: User) -> None:
    look(root).post(f"/admin/jobs/user/{bob.pk}/change/", user_form(bob, email="b@example.org"))
    assert not LogEntry.objects.exists()
