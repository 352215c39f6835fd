"""Documents of a face that are no jobs: kept whole, versioned, each change by compare-and-set and in the audit."""

from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from jobs.engine.rights import Actor, Right, audit
from jobs.errors import Conflict, Invalid, NotFound
from jobs.texts import check_json, check_text
from vendors.models import VendorDocument

LONGEST_KEY = 255
RACES = 5


@dataclass(frozen=True)
class Shelf:
    """One kind of a face's documents: `Shelf("siren", "datasource")`."""

    face: str
    kind: str

    def all(self, project_id: int) -> QuerySet[VendorDocument]:
        """Those of a project, by key."""
        rows = VendorDocument.objects.filter(project_id=project_id, face=self.face, kind=self.kind)
        return rows.order_by("key")

    def find(self, key: str, project_id: int) -> VendorDocument | None:
        return None if "\0" in key else self.all(project_id).filter(key=key).first()

    def get(self, key: str, *, actor: Actor) -> VendorDocument:
        """In the acting project. Raises `NotFound`."""
        found = self.find(key, actor.home)
        if found is None:
            raise NotFound(f"there is no {self.kind} {key!r}")
        return found

    def put(
        self, key: str, body: dict[str, Any], *, actor: Actor, create_only: bool = False, expected: int | None = None
    ) -> tuple[VendorDocument, bool]:
        """Create or replace it in the acting project; returns it and whether it is new.

        Raises `Conflict` when it exists with `create_only`, or has another version than the `expected` one; `Invalid`
        for what cannot be stored.
        """
        actor.require(Right.EDIT, actor.home, f"keeping a {self.kind}")
        _check(key, body)
        for _ in range(RACES):
            try:
                with transaction.atomic():
                    return self._put(key, body, actor, create_only=create_only, expected=expected)
            except IntegrityError:
                continue
        raise Conflict(f"the {self.kind} {key!r} is changed by too many at once; try again")

    def _put(
        self, key: str, body: dict[str, Any], actor: Actor, *, create_only: bool, expected: int | None
    ) -> tuple[VendorDocument, bool]:
        old = self.all(actor.home).select_for_update().filter(key=key).first()
        if old is not None and create_only:
            raise Conflict(f"there is already a {self.kind} {key!r}")
        if expected is not None and (old is None or old.version != expected):
            raise Conflict(f"the {self.kind} {key!r} is not at version {expected}")
        audit(actor, "edit" if old else "create", f"{self.face} {self.kind} {key}", actor.home)
        if old is None:
            made = VendorDocument(face=self.face, kind=self.kind, project_id=actor.home, key=key, body=body)
            made.save(force_insert=True)
            return made, True
        old.body, old.version, old.updated_at = body, old.version + 1, timezone.now()
        old.save(update_fields=["body", "version", "updated_at"])
        return old, False

    def delete(self, key: str, *, actor: Actor) -> bool:
        """Whether there was one."""
        actor.require(Right.EDIT, actor.home, f"deleting a {self.kind}")
        with transaction.atomic():
            found = self.find(key, actor.home)
            if found is None:
                return False
            found.delete()
            audit(actor, "delete", f"{self.face} {self.kind} {key}", actor.home)
        return True


def _check(key: str, body: dict[str, Any]) -> None:
    try:
        check_text(key)
        check_json(body)
    except ValueError as error:
        raise Invalid.field("", str(error)) from None
    if not key or len(key) > LONGEST_KEY:
        raise Invalid.field("", f"wanted a name of 1 to {LONGEST_KEY} characters")
