"""Logins and logouts of browsers, and passwords that people change themselves: into the audit."""

from typing import Any

from django.contrib.admin.forms import AdminPasswordChangeForm
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.contrib.auth.views import PasswordChangeView
from django.db import transaction
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse

from jobs.engine import refusals
from jobs.engine.rights import Actor, audit

ADMIN = "/admin/"


def face_of(request: HttpRequest) -> str:
    """The admin, or the login page of the faces."""
    return "admin" if request.path.startswith(ADMIN) else "session"


def _actor(request: HttpRequest, user: Any) -> Actor:
    address = request.META.get("REMOTE_ADDR", "")
    return Actor(name=user.username, face=face_of(request), user_id=user.pk, address=address)


@receiver(user_logged_in)
def _on_login(request: HttpRequest, user: Any, **_: Any) -> None:
    audit(_actor(request, user), "log in", user.username)


@receiver(user_logged_out)
def _on_logout(request: HttpRequest, user: Any, **_: Any) -> None:
    if user is not None:
        audit(_actor(request, user), "log out", user.username)


@receiver(user_login_failed)
def _on_refusal(credentials: dict[str, Any], request: HttpRequest | None = None, **_: Any) -> None:
    if request is not None:
        name, address = str(credentials.get("username", "")), request.META.get("REMOTE_ADDR", "")
        refusals.note(refusals.LOGIN, subject=name, face=face_of(request), address=address)


class OwnPasswordChange(PasswordChangeView):
    """Changing one's own password, with its row in the audit."""

    form_class = AdminPasswordChangeForm

    def form_valid(self, form: Any) -> HttpResponse:
        with transaction.atomic():
            answer: HttpResponse = super().form_valid(form)
            audit(_actor(self.request, form.user), "set password", form.user.username)
        return answer
