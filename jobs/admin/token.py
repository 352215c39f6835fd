"""Tokens: who is logged in through the identity service; superusers may end a login."""

from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from jobs.admin import show
from jobs.admin.base import HubAdmin, actor_of
from jobs.admin.deeds import LIMIT, perform
from jobs.engine.tokens import revoke_token
from jobs.models import Token


@admin.register(Token)
class TokenAdmin(HubAdmin):
    project_path = ""
    ordering = ("-pk",)
    list_display = ("token_id", "user", "project", "health", "created", "address")
    list_select_related = ("user", "project")
    search_fields = ("=token_id", "user__username")
    search_help_text = "A part of a user's name, or a token's whole id"
    sortable_by = ("created",)
    actions = ("revoke_selected",)
    fields = ("token_id", "user", "project", "methods", "health", "created", "expires", "address")
    readonly_fields = fields

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return actor_of(request).sees_all

    @admin.display(description="validity")
    def health(self, token: Token) -> SafeString:
        now = timezone.now()
        if token.revoked_at:
            return format_html('<span class="hub-state hub-aborted">revoked</span> {}', show.ago(token.revoked_at))
        if token.expires_at <= now:
            return format_html('<span class="hub-state hub-failed">expired</span> {}', show.ago(token.expires_at))
        return format_html("expires in {}", show.span(token.expires_at - now))

    @admin.display(description="created", ordering="pk")
    def created(self, token: Token) -> SafeString:
        return show.moment(token.created_at)

    @admin.display(description="expires")
    def expires(self, token: Token) -> SafeString:
        return show.moment(token.expires_at)

    @admin.action(description="Revoke the selected tokens")
    def revoke_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        def deed(token: Token) -> str:
            revoke_token(token.token_id, actor=actor_of(request))
            return f"Revoked {token}"

        perform(request, queryset.order_by("pk")[:LIMIT], deed)
