"""Schedules of a job, and the runs to come."""

from dataclasses import replace
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from jobs.engine import schedules, slots
from jobs.engine.execution_shape import fresh_json
from jobs.engine.find import find_job
from jobs.engine.planned import planned
from jobs.engine.schedules import find_schedule
from jobs.models import Job, Schedule
from vendors.native import parameters
from vendors.native.documents import EarlyRun, Hold, MovedRun, OneRun, PlannedQuery, SkippedRun
from vendors.native.schedules import planned_json, schedule_json
from vendors.native.serializers import (
    AllPlannedSerializer,
    ExecutionSerializer,
    ProblemSerializer,
    ScheduleSerializer,
)
from vendors.native.views.base import NativeView, NativeViewSet
from vendors.wire.lookups import EVERYWHERE, find_project
from vendors.wire.vendor import Page

SLOT = {"slot_at": "2027-03-01T06:00:00Z"}
EXAMPLES: dict[str, Any] = {
    "pause": {"reason": "holidays", "until": "2027-01-07T00:00:00Z"},
    "release": None,
    "skip": {**SLOT, "reason": "holiday"},
    "move": {**SLOT, "to": "2027-03-01T09:00:00Z"},
    "run": {},
    "reinstate": SLOT,
}
CONFLICT = {409: ProblemSerializer}


class ScheduleViewSet(NativeViewSet):
    """The schedules of a job: they are set with the job itself, and paused and steered here."""

    queryset = Schedule.objects.all()

    def visible(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows.filter(job=find_job(self.kwargs["ref"], actor=self.actor))

    @extend_schema(
        summary="List the schedules of a job",
        description="With their meaning in words, the next five times, and what was skipped, missed or moved.",
        operation_id="jobs_schedules",
        parameters=[OpenApiParameter(name, exclude=True) for name in ("cursor", "limit")],  # it has one page
        responses=ScheduleSerializer(many=True),
    )
    def list(self, request: Request, ref: str) -> Response:
        rows = [schedule_json(one) for one in self.get_queryset()]
        return Response(self.vendor.envelope(Page(rows, None, None)))

    @extend_schema(
        summary="Pause a schedule",
        description="Its times pass without a run; what becomes of them says its `catch_up` when the pause is over.",
        operation_id="jobs_schedules_pause",
        request=Hold,
        responses={200: ScheduleSerializer, **CONFLICT},
    )
    def pause(self, request: Request, ref: str, name: str) -> Response:
        wanted = Hold.parse(request.data)
        schedule = self._schedule(ref, name)
        schedules.pause(schedule, actor=self.actor, reason=wanted.reason, until=wanted.until)
        return Response(schedule_json(schedule))

    @extend_schema(
        summary="End the pause of a schedule",
        operation_id="jobs_schedules_release",
        request=None,
        responses={200: ScheduleSerializer, **CONFLICT},
    )
    def release(self, request: Request, ref: str, name: str) -> Response:
        schedule = self._schedule(ref, name)
        schedules.release(schedule, actor=self.actor)
        return Response(schedule_json(schedule))

    @extend_schema(
        summary="Leave out one planned run",
        operation_id="jobs_schedules_skip",
        request=SkippedRun,
        responses={200: ScheduleSerializer, **CONFLICT},
    )
    def skip(self, request: Request, ref: str, name: str) -> Response:
        wanted = SkippedRun.parse(request.data)
        schedule = self._schedule(ref, name)
        slots.skip(schedule, wanted.slot_at, actor=self.actor, reason=wanted.reason)
        return Response(schedule_json(schedule))

    @extend_schema(
        summary="Give one planned run another time",
        operation_id="jobs_schedules_move",
        request=MovedRun,
        responses={200: ScheduleSerializer, **CONFLICT},
    )
    def move(self, request: Request, ref: str, name: str) -> Response:
        wanted = MovedRun.parse(request.data)
        schedule = self._schedule(ref, name)
        slots.move(schedule, wanted.slot_at, wanted.to, actor=self.actor, reason=wanted.reason)
        return Response(schedule_json(schedule))

    @extend_schema(
        summary="Start one planned run now",
        description="Instead of at its time; default: the next one.",
        operation_id="jobs_schedules_run",
        request=EarlyRun,
        responses={202: ExecutionSerializer, **CONFLICT},
    )
    def run(self, request: Request, ref: str, name: str) -> Response:
        wanted = EarlyRun.parse(request.data)
        execution = slots.run(self._schedule(ref, name), wanted.slot_at, actor=self.actor)
        return self.accepted(fresh_json(execution), execution.pk)

    @extend_schema(
        summary="Let a planned run come at its own time after all",
        description="One that was skipped or moved.",
        operation_id="jobs_schedules_reinstate",
        request=OneRun,
        responses={200: ScheduleSerializer, **CONFLICT},
    )
    def reinstate(self, request: Request, ref: str, name: str) -> Response:
        wanted = OneRun.parse(request.data)
        schedule = self._schedule(ref, name)
        slots.reinstate(schedule, wanted.slot_at, actor=self.actor)
        return Response(schedule_json(schedule))

    def example(self, method: str, data: Any) -> Any:
        return EXAMPLES.get(self.action_map.get("post", "")) if method == "POST" else None

    def _schedule(self, ref: str, name: str) -> Schedule:
        return find_schedule(find_job(ref, actor=self.actor), name)


class PlannedView(NativeView):
    """What will run, as far as it can be known: computed when one looks."""

    @extend_schema(
        summary="List the runs to come",
        description="Soonest first, at most 1000; what is skipped, paused or held stands among them and says why.",
        operation_id="planned_list",
        parameters=[
            OpenApiParameter(
                "hours", OpenApiTypes.DOUBLE, description="How far to look ahead; default 24, at most 8784."
            ),
            OpenApiParameter("job", OpenApiTypes.STR, description="Only of this job: its id, its uuid, or its name."),
            parameters.PROJECT,
        ],
        responses=AllPlannedSerializer,
    )
    def get(self, request: Request) -> Response:
        wanted = PlannedQuery.parse(request.query_params.dict())
        job = self._job(wanted.job, wanted.project) if wanted.job else None
        projects = [job.project_id] if job and wanted.project is None else self._projects(wanted.project)
        runs, is_complete = planned(projects, hours=wanted.hours, of=job)
        return Response({"results": planned_json(runs), "is_complete": is_complete})

    def _job(self, ref: str, project: str | None) -> Job:
        """Its name is one of the project that is named, else of the acting one."""
        if project in (None, EVERYWHERE):
            return find_job(ref, actor=self.actor)
        return find_job(ref, actor=replace(self.actor, project_id=find_project(project, self.actor).pk))

    def _projects(self, ref: str | None) -> list[int] | None:
        if ref == EVERYWHERE:
            return self.actor.visible_projects
        return [self.actor.home if ref is None else find_project(ref, self.actor).pk]
