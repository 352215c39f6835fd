"""An execution as this face shows it: its job, in Freezer's words."""

from jobs.models import Job, JobExecution
from vendors.freezer import hub, rows
from vendors.freezer.documents import documents_of_others, job_documents
from vendors.wire.vendor import Seen


def seen(execution: JobExecution) -> Seen | None:
    job = Job.objects.select_related("project", "last_editor").filter(pk=execution.job_id or 0).first()
    if job is None:
        return None
    found = list(rows.of(job=job))
    documents = job_documents(found) if found else documents_of_others([job], hub.own_nodes())
    return Seen(id=job.key, path=f"v2/{job.project.uuid.hex}/jobs/{job.key}", body=documents[0])
