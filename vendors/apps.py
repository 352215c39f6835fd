"""The Django app of the faces."""

from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

from django.apps import AppConfig

if TYPE_CHECKING:
    from jobs.engine.messages import Writer


class VendorsConfig(AppConfig):
    name = "vendors"
    verbose_name = "Faces"

    def ready(self) -> None:
        from jobs.engine import messages

        messages.configure(writer_of)


@cache
def writer_of(face: str) -> "Writer | None":
    """`message` of the face's module `notices`, if it has one; loaded when there is something to write."""
    name = f"vendors.{face}.notices"
    if find_spec(f"vendors.{face}") is None or find_spec(name) is None:
        return None
    writer: Writer = import_module(name).message
    return writer
