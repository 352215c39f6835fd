"""The ways in that Elasticsearch's clients know."""

import base64
import binascii
from dataclasses import replace

from django.conf import settings
from rest_framework.request import Request

from jobs.engine.keys import holder_of
from jobs.models import Level
from vendors.wire import auth
from vendors.wire.auth import Found, header_text, key_credentials


class ApiKey(auth.KeyAuthentication):
    """`Authorization: ApiKey <base64 of id:secret>`: a key of the hub, cut at its point."""

    challenge = "ApiKey"

    def given(self, request: Request) -> str | None:
        scheme, _, text = header_text(request, "HTTP_AUTHORIZATION").partition(" ")
        if scheme.lower() != "apikey":
            return None
        try:
            key_id, _, secret = base64.b64decode(text.strip(), validate=True).decode().partition(":")
        except (binascii.Error, ValueError):
            return ""
        return f"{key_id}.{secret}"


class BasicAuthentication(auth.BasicAuthentication):
    challenge = 'Basic realm="security" charset="UTF-8"'


class Bearer(auth.KeyAuthentication):
    challenge = 'Bearer realm="security"'


class Anonymous(auth.Authentication):
    """Comes last: who brings no credentials acts by the key that `JOBHUB_SIREN_ANONYMOUS` names, as a normal one at
    most. One that has ended lets nobody in.

    For scripts that call `es.transport.perform_request`: since 8.0 that sends no credentials of its own.
    """

    def authenticate(self, request: Request) -> Found | None:
        key_id = settings.HUB["SIREN_ANONYMOUS"]
        holder = holder_of(key_id) if key_id else None
        if holder is None:
            return None
        level = Level.NORMAL if holder.level == Level.ADMIN else holder.level
        return key_credentials(request, replace(holder, level=level))
