"""API keys in the admin: the secret is shown once."""

from datetime import timedelta
from typing import Any

from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from jobs.engine.keys import find_key
from jobs.models import ApiKey, AuditEvent, Project, User
from tests.jobs.admin.conftest import Look, page, told

LIST = "/admin/jobs/apikey/"


def make(client: Client, user: User, project: Project, **fields: Any) -> Any:
    return client.post(f"{LIST}add/", {"user": user.pk, "project": project.pk, "level": "normal", **fields})


def test_the_secret_is_on_the_page_after_the_creation_and_works(
    look: Look, alice: User, bob: User, alpha: Project
) -> None:
    answer = make(look(alice), bob, alpha, name="ci")
    text = answer.context["text"]
    assert f'value="{text}"' in answer.content.decode()
    assert "no-store" in answer.headers["Cache-Control"]
    assert APIClient(HTTP_AUTHORIZATION=f"Bearer {text}").get("/hub/v1/me").status_code == 200
    assert AuditEvent.objects.filter(deed="create key", username="alice", face="admin").exists()


def test_the_secret_is_never_seen_again(look: Look, alice: User, bob: User, alpha: Project) -> None:
    client = look(alice)
    text = make(client, bob, alpha, name="ci").context["text"]
    key, secret = ApiKey.objects.get(), text.partition(".")[2]
    for url in (LIST, f"{LIST}{key.pk}/change/", "/admin/", "/admin/jobs/auditevent/"):
        assert secret not in page(client, url)
        assert key.digest not in page(client, url)
    assert secret not in str(dict(client.session))


def test_the_list_tells_what_a_key_is_and_when_it_ends(look: Look, alice: User, bob: User, alpha: Project) -> None:
    client, now = look(alice), timezone.localtime()
    make(client, bob, alpha, name="soon", expires_at=f"{now + timedelta(days=3):%Y-%m-%dT%H:%M}")
    make(client, bob, alpha, name="later", expires_at=f"{now + timedelta(days=90):%Y-%m-%dT%H:%M}")
    text = page(client, LIST)
    assert '<span class="hub-state hub-paused">expires in 2 d 23 h</span>' in text
    assert "expires in 89 d 23 h" in text
    assert "never" in text


def test_a_revoked_key_is_refused_at_once(look: Look, alice: User, bob: User, alpha: Project) -> None:
    client = look(alice)
    text = make(client, bob, alpha).context["text"]
    key = ApiKey.objects.get()
    data = {"action": "revoke_selected", "_selected_action": [key.pk], "index": 0}
    assert "Revoked" in told(client.post(LIST, data))
    assert find_key(text) is None
    assert "has been revoked before" in told(client.post(LIST, data))
    assert "revoked</span>" in page(client, LIST)


def test_wrong_fields_are_told_at_the_fields(
    look: Look, root: User, alice: User, charlie: User, alpha: Project
) -> None:
    client = look(root)
    stranger = make(client, charlie, alpha).context["form"].errors
    past = make(client, alice, alpha, expires_at="2020-01-01T00:00").context["form"].errors
    assert stranger["user"] == ["charlie is no member of alpha"]
    assert past["expires_at"] == ["wanted a time in the future"]
    assert not ApiKey.objects.exists()


def test_only_admins_of_the_project_make_keys(
    look: Look, bob: User, charlie: User, alpha: Project, alice: User
) -> None:
    assert look(bob).get(LIST).status_code == 403
    assert make(look(bob), bob, alpha).status_code == 403
    assert "project" in make(look(charlie), charlie, alpha).context["form"].errors
    assert not ApiKey.objects.exists()


def test_a_key_cannot_be_changed_or_deleted(look: Look, root: User, bob: User, alpha: Project) -> None:
    client = look(root)
    make(client, bob, alpha)
    key = ApiKey.objects.get()
    answers = [client.post(f"{LIST}{key.pk}/{what}/", {"level": "admin"}).status_code for what in ("change", "delete")]
    assert answers == [403, 403]
    assert ApiKey.objects.get().level == "normal"


def test_strangers_do_not_see_a_key(look: Look, root: User, bob: User, charlie: User, alpha: Project) -> None:
    make(look(root), bob, alpha, name="secretive")
    client = look(charlie)
    assert "secretive" not in page(client, LIST)
    assert client.get(f"{LIST}{ApiKey.objects.get().pk}/change/").status_code == 302
