"""A past: many ended executions, copied by the database itself from one that really ran."""

from typing import Any

PREFIX = "Past-"
"""What their handles begin with."""
JOBS = 200
"""So many jobs share them; all but the template's own are gone."""
STATES = "CASE WHEN n % 20 = 0 THEN 'failed' WHEN n % 20 = 1 THEN 'aborted' ELSE 'succeeded' END"
KINDS = "CASE n % 4 WHEN 0 THEN 'backup' WHEN 1 THEN 'ingestion' WHEN 2 THEN 'command' ELSE 'python' END"
SQLITE = {
    "uuid": "lower(hex(randomblob(16)))",
    "time": "strftime('%Y-%m-%d %H:%M:%S', 'now', '-' || (({n} - n) * 20 + {late}) || ' seconds')",
}
POSTGRES = {
    "uuid": "gen_random_uuid()",
    "time": "now() - ((({n} - n) * 20 + {late}) || ' seconds')::interval",
}
"""One each 20 seconds, the newest ended a minute ago."""


def fill(*, n: int) -> int:
    """Copy the newest ended execution of the stack so often; returns how many there are then."""
    from django.db import connection

    from jobs.models import JobExecution
    from jobs.states import FINAL

    template = JobExecution.objects.filter(state__in=[state.value for state in FINAL]).latest("pk")
    columns = [str(field.column) for field in JobExecution._meta.concrete_fields if not field.primary_key]
    own = _own(POSTGRES if connection.vendor == "postgresql" else SQLITE, n)
    values = ", ".join(own.get(column, f"one.{column}") for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {n}) "
            f"INSERT INTO jobs_jobexecution ({', '.join(columns)}) SELECT {values} "
            f"FROM jobs_jobexecution one CROSS JOIN numbers WHERE one.id = {template.pk} ORDER BY n"
        )
        if connection.vendor == "postgresql":  # where autovacuum would; SQLite never does it by itself
            cursor.execute("ANALYZE")
    return JobExecution.objects.count()


def _own(words: dict[str, str], n: int) -> dict[str, Any]:
    """What differs from the template, by column."""
    times = {"queued_at": 62, "started_at": 61, "finished_at": 60}
    return {
        "uuid": words["uuid"],
        "log_uuid": words["uuid"],
        "handle": f"'{PREFIX}{n}-' || n",
        "idempotency_key": "NULL",
        "job_id": f"CASE WHEN n % {JOBS} = 0 THEN one.job_id END",
        "job_name": f"'past/job-' || (n % {JOBS})",
        "kind": KINDS,
        "state": STATES,
        **{column: words["time"].format(n=n, late=late) for column, late in times.items()},
        "expires_at": "NULL",
    }
