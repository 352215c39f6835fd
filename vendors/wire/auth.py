"""Who asks: a key, a name with its password, or a browser's session, made into an `Actor` of the engine."""

import base64
import binascii
import contextlib
import re
import uuid
from dataclasses import dataclass
from typing import Any, ClassVar

from django.conf import settings
from django.utils.functional import SimpleLazyObject
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated, PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from jobs.engine.documents import is_uuid
from jobs.engine.keys import Holder, find_key
from jobs.engine.rights import Actor, actor_for
from jobs.engine.tokens import Bearer
from jobs.errors import NotFound
from jobs.models import Project, User
from vendors.wire import passwords, refusals

PROJECT_HEADER = "HTTP_X_JOBHUB_PROJECT"
KEY_ID = re.compile(r"[0-9a-f]{16}")
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
REFUSED = "these credentials are not valid"
"""The same words whatever was wrong with them."""


@dataclass(frozen=True)
class Credentials:
    """What `request.auth` is: who acts, and by which key or token."""

    actor: Actor
    key: Holder | None = None
    bearer: Bearer | None = None
    """What a token says, of those who came with one."""


Found = tuple[Any, Credentials]


class Authentication(BaseAuthentication):
    """One way to say who one is. `challenge` is what a 401 offers."""

    challenge: ClassVar[str] = ""

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002
        return self.challenge

    def refuse(self, request: Request, name: str) -> AuthenticationFailed:
        refusals.note_login(request, name, face_of(request))
        return AuthenticationFailed(REFUSED)


class KeyAuthentication(Authentication):
    """`Authorization: Bearer <id>.<secret>`; a face with another way to send a key overrides `given`."""

    challenge = 'Bearer realm="JobHub"'

    def given(self, request: Request) -> str | None:
        """The key's text, `None` where the request brings none in this way."""
        scheme, _, text = header_text(request, "HTTP_AUTHORIZATION").partition(" ")
        return text if scheme.lower() == "bearer" else None

    def authenticate(self, request: Request) -> Found | None:
        text = self.given(request)
        if text is None:
            return None
        text = text.strip()
        holder = find_key(text)
        if holder is None:
            raise self.refuse(request, key_id_of(text))
        return key_credentials(request, holder)


class BasicAuthentication(Authentication):
    """`Authorization: Basic …` with the name and password of a user."""

    challenge = 'Basic realm="JobHub", charset="UTF-8"'
    encodings: ClassVar[tuple[str, ...]] = ("utf-8",)
    """What the face's clients send texts in; a text that differs in them is tried in each."""

    def authenticate(self, request: Request) -> Found | None:
        scheme, _, text = header_text(request, "HTTP_AUTHORIZATION").partition(" ")
        if scheme.lower() != "basic":
            return None
        name = "unreadable"
        for login in self._logins(text):
            name, _, password = login.partition(":")
            user = passwords.user_with(name, password, address_of(request))
            if user is not None:
                return user, Credentials(acting(request, user))
        raise self.refuse(request, name)

    def _logins(self, text: str) -> list[str]:
        try:
            raw = base64.b64decode(text.strip(), validate=True)
        except (binascii.Error, ValueError):
            return []
        found = dict[str, None]()
        for encoding in self.encodings:
            with contextlib.suppress(UnicodeDecodeError):
                found[raw.decode(encoding)] = None
        return list(found)


class BrowserSession(Authentication):
    """A session made by the login page. Unsafe requests need its CSRF token."""

    def authenticate(self, request: Request) -> Found | None:
        found = SessionAuthentication().authenticate(request)
        if found is None:
            return None
        user: User = found[0]
        return user, Credentials(acting(request, user))


class AnyScheme(Authentication):
    """Comes last: refuses credentials of a scheme that the face does not speak, instead of overlooking them."""

    def authenticate(self, request: Request) -> Found | None:
        if request.META.get("HTTP_AUTHORIZATION"):
            raise AuthenticationFailed("this kind of credentials is not spoken here")
        return None


class LoggedIn(BasePermission):
    """Somebody; what they may do is the engine's to decide."""

    def has_permission(self, request: Request, view: Any) -> bool:  # noqa: ARG002
        if request.auth is None:
            raise NotAuthenticated("log in with a key, or with a name and a password")
        return True


def credentials_of(request: Request) -> Credentials:
    """Of a request that `LoggedIn` let pass."""
    found: Any = request.auth
    assert isinstance(found, Credentials)
    return found


def face_of(request: Request) -> str:
    name: str = request.parser_context["view"].vendor.name
    return name


def address_of(request: Request) -> str:
    return str(request.META.get("REMOTE_ADDR", ""))


def key_id_of(text: str) -> str:
    """What may be told of a key that does not fit: never a text that could be its secret."""
    key_id, point, _ = text.partition(".")
    return key_id if point and KEY_ID.fullmatch(key_id) else "unreadable"


def header_text(request: Request, name: str) -> str:
    """A header as text; WSGI gives bytes dressed up as Latin-1."""
    return str(request.META.get(name, "")).encode("latin-1", "replace").decode("utf-8", "replace")


def key_credentials(request: Request, holder: Holder) -> Found:
    """A key acts in its own project; naming another one finds nothing."""
    wanted = named_project(request)
    if wanted is not None and wanted.pk != holder.project_id:
        raise NotFound(f"this key does not belong to the project {wanted.name!r}")
    return lazy_user(holder.user_id), Credentials(holder.actor(face_of(request), address_of(request)), holder)


def lazy_user(pk: int) -> Any:
    """The user, read when somebody looks."""
    return SimpleLazyObject(lambda: User.objects.get(pk=pk))


def acting(request: Request, user: User) -> Actor:
    return actor_for(user, face=face_of(request), project=named_project(request), address=address_of(request))


def named_project(request: Request) -> Project | None:
    """The project that `X-JobHub-Project`, or a header of the face, names by name or uuid; `None` without one."""
    headers = (PROJECT_HEADER, *request.parser_context["view"].vendor.project_headers)
    ref = next((text for header in headers if (text := header_text(request, header).strip())), "")
    if not ref:
        return None
    wanted = {"uuid": uuid.UUID(ref)} if is_uuid(ref) else {"name": ref}
    project = Project.objects.filter(**wanted).first() if "\0" not in ref else None
    if project is None:
        raise NotFound("there is no project of yours as the request's headers name it")
    return project


def refuse_foreign_origin(request: Request) -> None:
    """Raises `PermissionDenied` when another site's page makes a browser change something here.

    Also with credentials in a header: a browser may hold them for this site.
    """
    if request.method in SAFE_METHODS:
        return
    if request.META.get("HTTP_SEC_FETCH_SITE") == "cross-site":
        raise PermissionDenied("requests from other sites may not change anything")
    origin = request.META.get("HTTP_ORIGIN")
    if origin is None or origin in settings.CSRF_TRUSTED_ORIGINS:
        return
    if origin.partition("://")[2] != request.get_host():
        raise PermissionDenied(f"the origin {origin[:200]!r} may not change anything here")
