"""Reads that are compiled once."""

from jobs.models import JobExecution
from jobs.models.prepared import Prepared
from tests.conftest import MakeExecution, MakeJob


def test_a_limit_gives_the_first_of_the_order(make_job: MakeJob, make_execution: MakeExecution) -> None:
    job, other = make_job(), make_job()
    ids = [make_execution(job).pk for _ in range(3)]
    make_execution(other)
    newest = Prepared(JobExecution.objects.order_by("-id").values("id"), "job", limit=2)

    assert [row["id"] for row in newest.all(job.pk)] == [ids[2], ids[1]]
