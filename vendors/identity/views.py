"""Keystone's calls: which versions there are, and tokens made, read and revoked."""

import uuid
from typing import Any

from django.urls import reverse
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from jobs.engine import tokens
from jobs.engine.documents import is_uuid
from jobs.engine.tokens import Bearer, find_token
from jobs.errors import NotFound
from jobs.models import Membership, Project, User
from vendors.identity.documents import Login, Named, WithPassword, token_json, version
from vendors.identity.vendor import VENDOR
from vendors.wire import passwords
from vendors.wire.auth import REFUSED, Authentication, BrowserSession, address_of, header_text
from vendors.wire.pagination import absolute
from vendors.wire.parsers import AnyTypeParser
from vendors.wire.refusals import note_login
from vendors.wire.tokens import challenge, token_id_of
from vendors.wire.views import FaceView

SUBJECT = "X-Subject-Token"
NOBODY = ""
"""A name that no user can have."""


def for_anybody() -> list[Authentication]:
    """Credentials are not looked at, but what a browser sends along by itself needs its CSRF token all the same."""
    return [BrowserSession()]


class IdentityView(FaceView):
    vendor = VENDOR
    parser_classes = [AnyTypeParser]

    def challenge(self) -> str:
        return challenge(self.request)

    def url(self, route: str) -> str:
        return absolute(self.request, reverse(f"identity:{route}"))


class VersionsView(IdentityView):
    """Which versions of the API there are."""

    permission_classes = [AllowAny]

    def get_authenticators(self) -> list[Authentication]:  # type: ignore[override]
        return for_anybody()

    def get(self, request: Request) -> Response:  # noqa: ARG002
        return Response({"versions": {"values": [version(self.url("v3"))]}}, status=300)


class VersionView(VersionsView):
    """This version of the API."""

    def get(self, request: Request) -> Response:  # noqa: ARG002
        return Response({"version": version(self.url("v3"))})


class TokensView(IdentityView):
    """Tokens: POST a name and a password, or another token; read or revoke the one in `X-Subject-Token`."""

    def get_authenticators(self) -> list[Authentication]:  # type: ignore[override]
        return for_anybody() if self.request.method == "POST" else super().get_authenticators()

    def get_permissions(self) -> Any:
        return [] if self.request.method == "POST" else super().get_permissions()

    def post(self, request: Request) -> Response:
        login = Login.parse(request.data)
        user, methods, expires_at = self._who(login)
        project = self._project(user, login)
        try:
            text = tokens.issue(
                user,
                project,
                methods=methods,
                face=VENDOR.name,
                address=address_of(request),
                expires_at=expires_at,
            )
        except NotFound:
            raise self._refusal(user.username) from None
        return self._answer(find_token(text), text, status=201)

    def get(self, request: Request) -> Response:
        bearer = self._subject(request)
        return self._answer(bearer, header_text(request, "HTTP_X_SUBJECT_TOKEN"))

    def delete(self, request: Request) -> Response:
        tokens.revoke_token(self._subject(request).token_id, actor=self.actor)
        return Response(status=204)

    # -- a login ---------------------------------------------------------------------------------------------------
    def _who(self, login: Login) -> tuple[User, str, Any]:
        """The user, by which methods, and until when at most."""
        identity = login.auth.identity
        if identity.methods == ["password"] and identity.password is not None:
            return self._by_password(identity.password.user), "password", None
        if identity.methods == ["token"] and identity.token is not None:
            return self._by_token(identity.token.id)
        raise AuthenticationFailed(REFUSED)

    def _by_password(self, given: WithPassword) -> User:
        name = _username(given)
        user = passwords.user_with(name, given.password, address_of(self.request))
        if user is None:
            raise self._refusal(name or str(given.id))
        return user

    def _by_token(self, text: str) -> tuple[User, str, Any]:
        bearer = find_token(text)
        if bearer is None:
            raise self._refusal(token_id_of(text))
        methods = ",".join(["token", *(one for one in bearer.methods.split(",") if one != "token")])
        return User.objects.get(pk=bearer.user_id), methods, bearer.expires_at

    def _project(self, user: User, login: Login) -> Project | None:
        """The one that is named, else the user's default one."""
        scope = login.auth.scope
        if login.auth.is_unscoped:
            return None
        if scope is None:
            default = Membership.objects.select_related("project").filter(user=user, is_default=True).first()
            return default.project if default else None
        wanted = None if isinstance(scope, str) else scope.project
        found = _find_project(wanted) if wanted else None
        if found is None:
            raise self._refusal(user.username)
        return found

    def _refusal(self, name: str) -> AuthenticationFailed:
        note_login(self.request, name, VENDOR.name)
        return AuthenticationFailed(REFUSED)

    # -- a token ---------------------------------------------------------------------------------------------------
    def _subject(self, request: Request) -> Bearer:
        """The token in question: one's own, or as a service or superuser anybody's."""
        found = find_token(header_text(request, "HTTP_X_SUBJECT_TOKEN").strip())
        if found is None:
            raise NotFound("Could not find token.")
        if found.user_id != self.actor.user_id and self.actor.visible_projects is not None:
            raise self.actor.refusal("reading another one's token", "You are not authorized to perform this action.")
        return found

    def _answer(self, bearer: Bearer | None, text: str, status: int = 200) -> Response:
        if bearer is None:
            raise NotFound("Could not find token.")
        base = absolute(self.request, "/").rstrip("/")
        body = token_json(bearer, base, with_catalog="nocatalog" not in self.request.query_params)
        return Response(body, status=status, headers={SUBJECT: text, "Vary": "X-Auth-Token"})


def _username(given: Named) -> str:
    if not given.domain.is_known:
        return NOBODY
    if given.name is not None:
        return given.name
    wanted = str(given.id)
    found = User.objects.filter(uuid=uuid.UUID(wanted)).first() if is_uuid(wanted) else None
    return found.username if found else NOBODY


def _find_project(wanted: Named) -> Project | None:
    if not wanted.domain.is_known:
        return None
    if wanted.id is not None:
        return Project.objects.filter(uuid=uuid.UUID(wanted.id)).first() if is_uuid(wanted.id) else None
    return Project.objects.filter(name=wanted.name).first()
