"""What this face keeps in the wire's shelves: sessions, backups, and the ids that are gone for ever."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from jobs.engine.rights import Right, audit
from jobs.errors import Conflict, NotFound
from vendors.freezer.scope import Scope
from vendors.models import VendorDocument

FACE = "freezer"
Json = dict[str, Any]


class Tombstones:
    """Ids of deleted jobs: the server never gives one out again."""

    kind = "deleted job"

    def find(self, key: str, project_id: int) -> bool:
        rows = VendorDocument.objects.filter(project_id=project_id, face=FACE, kind=self.kind, key=key)
        return "\0" not in key and rows.exists()

    def keep(self, key: str, project_id: int) -> None:
        VendorDocument.objects.get_or_create(project_id=project_id, face=FACE, kind=self.kind, key=key)


TOMBSTONES = Tombstones()


@dataclass(frozen=True)
class Kept:
    """One kind of documents, each given back in the order in which it was sent, with who wrote it."""

    kind: str
    right: Right = Right.EDIT

    def all(self, project_id: int) -> QuerySet[VendorDocument]:
        return VendorDocument.objects.filter(project_id=project_id, face=FACE, kind=self.kind).order_by("pk")

    def find(self, key: str, project_id: int) -> VendorDocument | None:
        return None if "\0" in key else self.all(project_id).filter(key=key).first()

    def create(self, key: str, document: Json, scope: Scope, **beside: Any) -> None:
        """Raises `Conflict` when there is one."""
        scope.actor.require(self.right, scope.project_id, f"keeping a {self.kind}")
        body = {**packed(document, scope.user), **beside}
        fields = {"project_id": scope.project_id, "face": FACE, "kind": self.kind, "key": key}
        with transaction.atomic():
            _, is_new = VendorDocument.objects.get_or_create(**fields, defaults={"body": body})
            if not is_new:
                raise Conflict(f"{self.kind.capitalize()} already registered with ID {key}")
            audit(scope.actor, "create", f"freezer {self.kind} {key}", scope.project_id)

    def change(
        self,
        key: str,
        make: Callable[[Json], Json],
        scope: Scope,
        *,
        is_edit: bool = True,
        right: Right | None = None,
    ) -> Json:
        """Put in its place what `make` makes of a document, which nobody else can change meanwhile; returns it.

        What is only told (`is_edit=False`) changes no author and leaves no row in the audit. Raises `NotFound`.
        """
        scope.actor.require(right or self.right, scope.project_id, f"keeping a {self.kind}")
        with transaction.atomic():
            document = self.make_of(key, make, scope.project_id, user=scope.user if is_edit else None)
            if is_edit:
                audit(scope.actor, "edit", f"freezer {self.kind} {key}", scope.project_id)
        return document

    def make_of(self, key: str, make: Callable[[Json], Json], project_id: int, *, user: str | None = None) -> Json:
        """`change` without the questions of right; call it in a transaction."""
        rows = self.all(project_id).select_for_update()
        row = rows.filter(key=key).first() if "\0" not in key else None
        if row is None:
            raise NotFound(f"No {self.kind} found with ID {key}")
        document = make(unpacked(row))
        row.body = packed(document, user or row.body["user"])
        row.version, row.updated_at = row.version + 1, timezone.now()
        row.save(update_fields=["body", "version", "updated_at"])
        return document

    def delete(self, key: str, scope: Scope) -> bool:
        scope.actor.require(self.right, scope.project_id, f"deleting a {self.kind}")
        with transaction.atomic():
            row = self.find(key, scope.project_id)
            if row is not None:
                row.delete()
                audit(scope.actor, "delete", f"freezer {self.kind} {key}", scope.project_id)
        return row is not None


def packed(document: Json, user: str) -> Json:
    """As text: jsonb forgets the order of names."""
    return {"user": user, "text": json.dumps(document)}


def unpacked(row: VendorDocument) -> Json:
    document: Json = json.loads(row.body["text"])
    return document


SESSIONS = Kept("session")
BACKUPS = Kept("backup", right=Right.TRIGGER)
