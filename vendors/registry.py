"""The faces that this hub shows, by the list in its settings."""

from collections.abc import Iterator
from functools import cache
from importlib import import_module
from typing import Any

from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path

from jobs.models import JobExecution
from vendors.wire.mounts import namespace
from vendors.wire.vendor import Seen, Vendor


@cache
def faces() -> tuple[Vendor, ...]:
    """Every face's page of data."""
    return tuple(import_module(f"vendors.{name}.vendor").VENDOR for name in settings.FACES)


def urlpatterns() -> list[URLPattern | URLResolver]:
    """Every face below each of its mounts."""
    return [
        path(mount, include(f"vendors.{face.name}.urls", namespace=namespace(face, mount)))
        for face in faces()
        for mount in face.mounts
    ]


def owner_of(path: str) -> Vendor | None:
    """The face that answers for a path: the one with the longest place above it."""
    found = [(len(place), face) for face in faces() for place in face.places if _is_below(path, place)]
    return max(found, key=lambda item: item[0])[1] if found else None


def _is_below(path: str, place: str) -> bool:
    return f"{path.lstrip('/')}/".startswith(place)


def seen_by_all(execution: JobExecution) -> Iterator[tuple[Vendor, Seen]]:
    """An execution as each face shows it; a face that does not show it is left out.

    A face tells it in its module `seen`: `seen(execution) -> Seen | None`.
    """
    for face in faces():
        view: Any = import_module(f"vendors.{face.name}.seen")
        found: Seen | None = view.seen(execution)
        if found is not None:
            yield face, found
