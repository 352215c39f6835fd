"""Answers: the vendor's own bytes for clients, pages for browsers."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import orjson
from rest_framework.renderers import BaseRenderer, BrowsableAPIRenderer


def compact(value: Any) -> bytes:
    """JSON without blanks; times as RFC 3339 in UTC. Integers of any size."""
    try:
        return orjson.dumps(value, option=orjson.OPT_UTC_Z)
    except TypeError:
        return json.dumps(value, default=str, ensure_ascii=True, separators=(",", ":")).encode()


def pretty(value: Any) -> bytes:
    """The same for eyes: a key a line, two blanks deep."""
    try:
        return orjson.dumps(value, option=orjson.OPT_UTC_Z | orjson.OPT_INDENT_2)
    except TypeError:
        return json.dumps(json.loads(compact(value)), indent=2, ensure_ascii=False).encode("utf-8", "replace")


def indented(blanks: int, *, sort_keys: bool = False) -> Callable[[Any], bytes]:
    """JSON over many lines, in ASCII, as Python's own module writes it."""

    def style(value: Any) -> bytes:
        plain = json.loads(compact(value))
        return json.dumps(plain, indent=blanks, sort_keys=sort_keys).encode()

    return style


class Json(BaseRenderer):
    """JSON in the style of the face that answers."""

    media_type = "application/json"
    format = "json"
    charset: str | None = None

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,  # noqa: ARG002
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        if data is None:
            return b""
        style = renderer_context["view"].vendor.json if renderer_context else pretty
        return style(data)


class Browsable(BrowsableAPIRenderer):
    """DRF's browsable API. Its forms hold the view's own example of a body."""

    template = "wire/api.html"

    def get_raw_data_form(self, data: Any, view: Any, method: str, request: Any) -> Any:
        form = super().get_raw_data_form(data, view, method, request)
        if form and (example := view.example(method, data)) is not None:
            form.fields["_content"].initial = pretty(example).decode()
        return form

    def get_content(
        self,
        renderer: Any,  # noqa: ARG002
        data: Any,
        accepted_media_type: str | None,  # noqa: ARG002
        renderer_context: Mapping[str, Any] | None,  # noqa: ARG002
    ) -> str:
        return "" if data is None else pretty(data).decode()
