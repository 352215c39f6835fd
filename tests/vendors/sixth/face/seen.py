"""An execution as this face shows it."""

from jobs.models import JobExecution
from vendors.kiln.shapes import firing
from vendors.wire.vendor import Seen


def seen(execution: JobExecution) -> Seen:
    return Seen(id=str(execution.pk), path=f"firings/{execution.pk}", body=firing(vars(execution)))
