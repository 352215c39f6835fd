"""What is known of archives."""

from django.db import transaction

from jobs.engine.rights import Actor, Right, audit
from jobs.models import Archive


def forget(archive: Archive, *, actor: Actor) -> None:
    """Take it out of the lists. What lies on the disk stays, and can be restored by its place."""
    actor.require(Right.EDIT, archive.project_id, "forgetting an archive")
    with transaction.atomic():
        audit(actor, "forget archive", archive.path, archive.project_id, name=archive.name, level=archive.level)
        archive.delete()
