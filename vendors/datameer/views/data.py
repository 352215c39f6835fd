"""What the runs of a job have brought, and what the licence says."""

from datetime import timedelta
from typing import Any, ClassVar

from django.db.models import Q, Sum
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from jobs.models import Job, JobExecution, Project
from jobs.states import State
from vendors.datameer.kinds import IMPORT_JOB, WORKBOOK, Kind, path_of
from vendors.datameer.rows import find_configuration
from vendors.datameer.times import medium
from vendors.datameer.vendor import VENDOR
from vendors.datameer.views.base import DatameerView, window

LISTED = 100
COUNTED = 10_000
"""So many imports are counted at most, the newest."""
MONTH = timedelta(days=30)
CENTURY = timedelta(days=36_500)
NO_LIMIT = -1
"""As the vendor says it of licences without one."""


class DataView(DatameerView):
    """The data of a job: what each of its successful runs has brought, the newest first."""

    kind: ClassVar[Kind]

    def get(self, request: Request, configuration: str) -> Response:
        job = self.kind.require(find_configuration(configuration, self.actor))
        runs = JobExecution.objects.filter(job=job, state=State.SUCCEEDED.value).order_by("-id")
        found = list(runs.values("id", "finished_at", "records")[window(request, LISTED)])
        datas = [
            {"timestamp": medium(run["finished_at"]), "record-count": run["records"] or 0, "id": run["id"]}
            for run in found
        ]
        return Response([{"path": path_of(job.name), "record-count": _total(job, datas), "datas": datas}])


def _total(job: Job, datas: list[dict[str, Any]]) -> int:
    """Of an increment all of them together, else only the newest: it has replaced the others."""
    counts = [data["record-count"] for data in datas]
    specs = job.actions.values_list("spec", flat=True)
    grows = any(spec.get("strategy") == "increment" for spec in specs)
    return sum(counts) if grows else sum(counts[:1])


class ImportDataView(DataView):
    kind = IMPORT_JOB


class WorkbookDataView(DataView):
    kind = WORKBOOK


class LicenseView(DatameerView):
    """There is nothing to license here; what was imported in the last 30 days is real."""

    def get(self, request: Request) -> Response:
        project = Project.objects.get(pk=self.actor.home)
        return Response(
            {
                "ProductId": project.uuid,
                "ProductVersion": VENDOR.versions[1],
                "LicenseHolder": f"CN={project.name},O=JobHub",
                "LicenseType": "Enterprise",
                "LicenseStartDate": medium(project.created_at),
                "LicenseExpirationDate": medium(project.created_at + CENTURY),
                "LicenseVolumePeriodInMonths": 1,
                "LicenseVolumelimitInBytes": NO_LIMIT,
                "TotalVolumeConsumedInBytes": _consumed(project),
            }
        )


def _consumed(project: Project) -> int:
    imports = JobExecution.objects.filter(project=project, kind=IMPORT_JOB.kind).order_by("-id")[:COUNTED]
    recent = Sum("volume_bytes", filter=Q(finished_at__gte=timezone.now() - MONTH))
    return imports.aggregate(total=recent)["total"] or 0


class EmptyView(DatameerView):
    """Dashboards and infographics: what the hub has none of, for those who count everything."""

    def get(self, request: Request) -> Response:
        return Response([])
