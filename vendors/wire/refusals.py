"""Requests that are refused before anybody asks for a right: for the audit."""

from typing import Any

from jobs.engine import refusals
from jobs.engine.rights import DEED


def note_login(request: Any, name: str, face: str) -> None:
    """Somebody could not log in as `name` (a user's, or a key's id)."""
    refusals.note(refusals.LOGIN, subject=name, face=face, address=request.META.get("REMOTE_ADDR", ""))


def note_throttled(request: Any, face: str) -> None:
    """A login that was not even looked at, because too many others were wrong."""
    note_login(request, "(too many)", face)


def note_deed(request: Any, face: str) -> None:
    """A 403: of another site's page, without a CSRF token, or where one's right ends at the door."""
    match = getattr(request, "resolver_match", None)
    user: Any = getattr(request, "_user", None) or getattr(getattr(request, "_request", request), "user", None)
    pk = getattr(user, "pk", None)
    refusals.note(
        DEED,
        subject=f"{request.method} {match.view_name if match else 'an unknown path'}",
        face=face,
        address=request.META.get("REMOTE_ADDR", ""),
        username=user.username if pk else "",
        beside={"user_id": pk},
    )
