"""Ask the engine for something, for one object or for many, and tell the person what came of each."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from django.contrib import messages
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join

from jobs.errors import JobHubError

LIMIT = 500
"""So many objects one click may concern."""
NAMED = 20
"""So many messages of a kind are shown; the others are counted."""

T = TypeVar("T")


def perform(request: HttpRequest, things: Iterable[T], deed: Callable[[T], str]) -> int:
    """Do it to each thing; `deed` says what was done. A refusal of one does not stop the others.

    Returns how many were done.
    """
    done: list[str] = []
    refused: list[str] = []
    for thing in things:
        try:
            done.append(deed(thing))
        except JobHubError as error:
            refused.append(f"Refused for {thing}: {error.message}")
    _tell(request, messages.SUCCESS, done)
    _tell(request, messages.ERROR, refused)
    return len(done)


def _tell(request: HttpRequest, level: int, texts: list[str]) -> None:
    for text in texts[:NAMED]:
        messages.add_message(request, level, text)
    if len(texts) > NAMED:
        messages.add_message(request, level, f"… and {len(texts) - NAMED} more")


def named(text: str, links: Iterable[str]) -> str:
    """A message that ends with links."""
    return format_html("{} {}", text, format_html_join(", ", "{}", ((link,) for link in links)))
