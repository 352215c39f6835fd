"""What executions weigh in the database, told before they go."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import BigIntegerField, Count, F, Func, Sum

from jobs.models import ActionExecution, Archive, JobExecution, Output

ROW_BYTES = 1400
"""An execution's row beside its texts, with its entries in the indexes; measured with a million of them."""
STEP_BYTES = 300
PIECE_BYTES = 100
TEXTS = ("plan", "params", "message", "errors")


@dataclass
class Weight:
    """`row_bytes` is an estimate, of which a database keeps a part for new rows; the others are exact."""

    executions: int = 0
    output_bytes: int = 0
    row_bytes: int = 0
    archive_bytes: int = 0
    """On disk, where the job says `remove_archives`: at most, as a level that is kept may need some of them."""

    def __add__(self, other: "Weight") -> "Weight":
        return Weight(*(mine + theirs for mine, theirs in zip(vars(self).values(), vars(other).values(), strict=True)))


class Bytes(Func):
    """The length of a text or of JSON in UTF-8."""

    output_field = BigIntegerField()
    template = "OCTET_LENGTH((%(expressions)s)::text)"

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return super().as_sql(compiler, connection, template="LENGTH(CAST(%(expressions)s AS BLOB))", **context)


def of_executions(ids: Sequence[int]) -> dict[tuple[str, str], Weight]:
    """By the job's name and the state."""
    found: dict[tuple[str, str], Weight] = {}
    texts = sum((Bytes(F(name)) for name in TEXTS[1:]), start=Bytes(F(TEXTS[0])))
    rows = JobExecution.objects.filter(pk__in=ids).values_list("job_name", "state")
    for name, state, n, size in rows.annotate(n=Count("pk"), size=Sum(texts)):
        found[name, state] = Weight(row_bytes=n * ROW_BYTES + size)
    of_execution = ("execution__job_name", "execution__state")
    steps = ActionExecution.objects.filter(execution__in=ids).order_by().values_list(*of_execution)
    for name, state, n in steps.annotate(n=Count("pk")):
        found[name, state].row_bytes += n * STEP_BYTES
    pieces = Output.objects.filter(execution__in=ids).order_by().values_list(*of_execution)
    for name, state, n, size in pieces.annotate(n=Count("pk"), size=Sum(Bytes("text"))):
        found[name, state].output_bytes += n * PIECE_BYTES + size
    archives = Archive.objects.filter(execution__in=ids, execution__job__remove_archives=True).order_by()
    for name, state, size in archives.values_list(*of_execution).annotate(size=Sum("size_bytes")):
        found[name, state].archive_bytes += size
    return found


def of_outputs(ids: Sequence[int]) -> Weight:
    """Of the outputs alone."""
    told = Output.objects.filter(execution__in=ids).aggregate(n=Count("pk"), size=Sum(Bytes("text")))
    return Weight(output_bytes=told["n"] * PIECE_BYTES + (told["size"] or 0))
