"""Webhooks: who gets a POST when a job ends."""

import uuid
from typing import Any
from urllib.parse import urlsplit

from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.response import Response

from jobs.engine import notices
from jobs.engine.rights import Right
from jobs.errors import Invalid, NotFound
from jobs.models import Event, Subscription
from vendors.vertica.vendor import VENDOR, enveloped
from vendors.vertica.views.base import AgentViewSet

ENDS = [Event.SUCCEEDED, Event.FAILED, Event.ABORTED]
LINKS = ("/subscribe", "/:subscriber_id")
PORTS = {"http": 80, "https": 443}


class WebhookViewSet(AgentViewSet):
    """The subscribers of the acting project. The reference gives every call the level `restricted`."""

    queryset = Subscription.objects.all()

    def list(self, request: Request) -> Response:
        rows = notices.subscriptions(self.actor.home, face=VENDOR.name)
        return Response(enveloped([_item(row) for row in rows], "/webhooks", links=LINKS, kind="webhooks"))

    def subscribe(self, request: Request) -> HttpResponse:
        """Answers with the bare id, as plain text."""
        url = self.given(request).get("url")
        if not isinstance(url, str) or not url:
            raise Invalid.field("url", "this parameter is required")
        document = {"webhook": url, "events": ENDS}
        row = notices.subscribe(document, actor=self.actor, face=VENDOR.name, need=Right.TRIGGER)
        return HttpResponse(row.uuid.hex, content_type="text/plain")

    def destroy(self, request: Request, subscriber_id: str) -> HttpResponse:
        rows = notices.subscriptions(self.actor.home, face=VENDOR.name)
        row = rows.filter(uuid=_uuid(subscriber_id)).first()
        if row is None:
            raise NotFound(f"there is no subscriber {subscriber_id!r}")
        notices.unsubscribe(row, actor=self.actor, need=Right.TRIGGER)
        return HttpResponse(content_type="text/plain")


def _uuid(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise NotFound(f"there is no subscriber {text!r}") from None


def _item(row: Subscription) -> dict[str, Any]:
    url = urlsplit(str(row.target))
    return {
        "host": url.hostname,
        "id": row.uuid.hex,
        "port": url.port or PORTS.get(url.scheme, 0),
        "timestamp": f"{row.created_at:%Y-%m-%d %H:%M:%S.%f}",
        "url": f"{url.path or '/'}{'?' + url.query if url.query else ''}",
    }
