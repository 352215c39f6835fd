"""An execution as this face shows it."""

from jobs.models import JobExecution
from vendors.datameer.rows import newest_of
from vendors.datameer.shapes import seen_as
from vendors.wire.vendor import Seen


def seen(execution: JobExecution) -> Seen:
    last = newest_of(execution.job) if execution.job else None
    return seen_as(vars(execution), is_newest=last is not None and last["id"] == execution.pk)
