"""Routes that answer in two spellings."""

from typing import Any

from django.urls import URLPattern, path


def with_slash_or_without(route: str, view: Any, *, name: str) -> list[URLPattern]:
    """For clients that put a slash behind a path, and those that do not: both are answered, none is sent elsewhere."""
    return [path(route, view, name=name), path(f"{route}/", view, name=f"{name}-slash")]
