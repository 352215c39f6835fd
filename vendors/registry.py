"""The faces that this hub shows, by the list in its settings."""

from functools import cache
from importlib import import_module

from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path

from vendors.wire.vendor import Vendor


@cache
def faces() -> tuple[Vendor, ...]:
    """Every face's page of data."""
    return tuple(import_module(f"vendors.{name}.vendor").VENDOR for name in settings.FACES)


def urlpatterns() -> list[URLPattern | URLResolver]:
    """Every face below each of its mounts."""
    return [path(mount, include(f"vendors.{face.name}.urls")) for face in faces() for mount in face.mounts]


def owner_of(path: str) -> Vendor | None:
    """The face that answers for a path: the one with the longest mount above it."""
    found = [(len(mount), face) for face in faces() for mount in face.mounts if _is_below(path, mount)]
    return max(found, key=lambda item: item[0])[1] if found else None


def _is_below(path: str, mount: str) -> bool:
    return f"{path.lstrip('/')}/".startswith(mount)
