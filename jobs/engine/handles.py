"""Names of executions that people can read, unique in the hub."""

from datetime import datetime

VERBS = {"backup": "CreateBackup", "restore": "RestoreBackup"}
WITH_EPOCH = frozenset({"backup"})
DEFAULT_FAMILY = "jobhub"


def handle(job_name: str, kind: str, at: datetime, verb: str = "") -> str:
    """`CreateBackup-VMart-1405012447.75` for a backup, `Command-VMart-2014-07-20 12:46:04.406637` for others.

    The form is Vertica's (its agent's job ids, REST API reference, jobs, November 2026); the middle is the first
    segment of the job's name, the first word `verb`, else the kind's.
    """
    family = job_name.split("/")[0] if "/" in job_name else DEFAULT_FAMILY
    verb = verb or VERBS.get(kind) or "".join(part.capitalize() for part in kind.replace("_", "-").split("-"))
    if kind in WITH_EPOCH:
        return f"{verb}-{family}-{at.timestamp():.2f}"
    return f"{verb}-{family}-{at:%Y-%m-%d %H:%M:%S.%f}"
