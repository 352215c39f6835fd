"""Executions that were taken out of one face; the others still show them."""

from django.db.models import Exists, OuterRef

from jobs.engine.rights import Actor, Right, audit
from jobs.models import JobExecution
from vendors.models import Hidden


def is_hidden(face: str) -> Exists:
    """A condition on executions."""
    return Exists(Hidden.objects.filter(execution=OuterRef("pk"), face=face))


def hide(execution: JobExecution, *, actor: Actor) -> None:
    """Take it out of the actor's face; call it in a transaction. Twice is once."""
    actor.require(Right.EDIT, execution.project_id, "deleting")
    _, is_new = Hidden.objects.get_or_create(face=actor.face, execution=execution)
    if is_new:
        audit(actor, "hide", execution.handle, execution.project_id)
