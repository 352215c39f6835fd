"""The Django app of the faces."""

from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

from django.apps import AppConfig
from django.conf import settings

if TYPE_CHECKING:
    from jobs.engine.messages import Writer


class VendorsConfig(AppConfig):
    name = "vendors"
    verbose_name = "Faces"

    def ready(self) -> None:
        from jobs.engine import messages

        messages.configure(writer_of)
        for face in settings.FACES:
            if _has(face, "mailbox"):
                import_module(f"vendors.{face}.mailbox")


@cache
def writer_of(face: str) -> "Writer | None":
    """`message` of the face's module `notices`, if it has one; loaded when there is something to write."""
    if not _has(face, "notices"):
        return None
    writer: Writer = import_module(f"vendors.{face}.notices").message
    return writer


def _has(face: str, module: str) -> bool:
    return find_spec(f"vendors.{face}") is not None and find_spec(f"vendors.{face}.{module}") is not None
