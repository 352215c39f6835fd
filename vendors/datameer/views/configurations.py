"""Import jobs, export jobs and workbooks: list, create, read, replace, delete."""

from typing import Any, ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from jobs.engine import verbs
from jobs.models import Job
from vendors.datameer import configurations, documents
from vendors.datameer.kinds import EXPORT_JOB, IMPORT_JOB, WORKBOOK, Kind, path_of, title_of
from vendors.datameer.rows import find_configuration, find_file
from vendors.datameer.vendor import VENDOR
from vendors.datameer.views.base import DatameerView, created, success, window

LISTED = ("uuid", "owner__username", "name", "description", "id")


class ConfigurationsView(DatameerView):
    """All of one kind in the acting project, by path; a new one."""

    kind: ClassVar[Kind]

    def get(self, request: Request) -> Response:
        rows = self.kind.of_project(self.actor.home).values(*LISTED)
        return Response([listed(row) for row in rows[window(request, VENDOR.paging.largest)]])

    def post(self, request: Request) -> Response:
        return created(configurations.create(self.kind, documents.parse(request.data), actor=self.actor).pk)

    def example(self, method: str, data: Any) -> Any:
        return {"file": {"path": "/Data/new"}, "properties": {}} if method == "POST" else None


def listed(row: dict[str, Any]) -> dict[str, Any]:
    """The id comes last and in a line of its own: scripts read such lists line by line."""
    return {
        "uuid": row["uuid"],
        "owner": row["owner__username"],
        "path": path_of(row["name"]),
        "description": row["description"],
        "name": title_of(row["name"]),
        "id": row["id"],
    }


class ConfigurationView(DatameerView):
    """One of them, by its configuration id."""

    kind: ClassVar[Kind]

    def get(self, request: Request, configuration: str) -> Response:
        return Response(configurations.configuration_json(self._job(configuration)))

    def put(self, request: Request, configuration: str) -> Response:
        given = documents.parse(request.data)
        configurations.replace(self._job(configuration), given, actor=self.actor)
        return success()

    def delete(self, request: Request, configuration: str) -> Response:
        verbs.delete_job(self._job(configuration), actor=self.actor)
        return success()

    def example(self, method: str, data: Any) -> Any:
        return data if method == "PUT" else None

    def _job(self, configuration: str) -> Job:
        return self.kind.require(find_configuration(configuration, self.actor))


class ImportJobsView(ConfigurationsView):
    kind = IMPORT_JOB


class ImportJobView(ConfigurationView):
    kind = IMPORT_JOB


class ExportJobsView(ConfigurationsView):
    kind = EXPORT_JOB


class ExportJobView(ConfigurationView):
    kind = EXPORT_JOB


class WorkbooksView(ConfigurationsView):
    kind = WORKBOOK


class WorkbookView(ConfigurationView):
    kind = WORKBOOK


class WorkbooksV2View(DatameerView):
    """A new workbook, as the versions from 10 on send it."""

    def post(self, request: Request) -> Response:
        job = configurations.create(WORKBOOK, documents.parse(request.data), actor=self.actor)
        ids = {"configuration-id": job.pk, "file-id": job.pk, "file-uuid": job.uuid, "file-path": path_of(job.name)}
        return Response({"status": "success", **ids})


class WorkbookV2View(DatameerView):
    """One workbook, by its file id, its uuid or its path."""

    def get(self, request: Request, file: str) -> Response:
        job = WORKBOOK.require(find_file(file, self.actor))
        return Response({documents.WRAPPER: configurations.configuration_json(job)})
