"""The three kinds of job configurations, and which of the hub's jobs each of them shows."""

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from jobs.errors import NotFound
from jobs.models import Job

SUFFIXES = (".imp", ".lnk", ".upl", ".exp", ".wbk", ".dst")
"""What the vendor puts behind the names of its files."""


@dataclass(frozen=True)
class Kind:
    """`kind` is the hub's word; no kind has the workbooks, which are everything else."""

    word: str
    kind: str
    class_name: str

    def of_project(self, project_id: int) -> QuerySet[Job]:
        """By path."""
        jobs = Job.objects.filter(project_id=project_id).order_by("name")
        own = [other.kind for other in OF_ONE_RUNNER]
        return jobs.filter(kind=self.kind) if self in OF_ONE_RUNNER else jobs.exclude(kind__in=own)

    def require(self, job: Job) -> Job:
        """The job, if it is shown as one of these."""
        if kind_of(job) is not self:
            raise NotFound(f"there is no {self.word} '{job.pk}'")
        return job

    def template(self) -> dict[str, Any]:
        """What stands around the file and the properties of a job that no document of the vendor's has made."""
        return {
            "version": "10.1.2",
            "className": f"datameer.dap.common.entity.{self.class_name}",
            "file": {},
            "pullType": "MANUALLY",
            "minKeepCount": 1,
            "properties": {},
            "hadoopProperties": "",
        }


IMPORT_JOB = Kind("import-job", "ingestion", "DataSourceConfigurationImpl")
EXPORT_JOB = Kind("export-job", "export", "FileDataSinkImpl")
WORKBOOK = Kind("workbook", "workbook", "WorkbookConfigurationImpl")
OF_ONE_RUNNER = (IMPORT_JOB, EXPORT_JOB)


def kind_of(job: Job) -> Kind:
    return next((kind for kind in OF_ONE_RUNNER if kind.kind == job.kind), WORKBOOK)


def path_of(name: str) -> str:
    """A job's name as a path."""
    return f"/{name}"


def title_of(path: str) -> str:
    """The last part of a path, without what the vendor puts behind it."""
    last = path.rpartition("/")[2]
    return next((last.removesuffix(suffix) for suffix in SUFFIXES if last.endswith(suffix)), last)
