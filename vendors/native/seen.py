"""An execution as this face shows it."""

from jobs.engine.execution_shape import fresh_json
from jobs.models import JobExecution
from vendors.wire.vendor import Seen


def seen(execution: JobExecution) -> Seen:
    return Seen(id=str(execution.pk), path=f"executions/{execution.pk}", body=fresh_json(execution))
