"""Start a task, and ask whether it has run: the least that a client needs."""

from django.http import HttpRequest, JsonResponse
from django_q.models import Task
from django_q.tasks import async_task


def trigger(request: HttpRequest) -> JsonResponse:  # noqa: ARG001
    return JsonResponse({"id": async_task("bench.peer.tasks.noop")}, status=202)


def status(request: HttpRequest, task_id: str) -> JsonResponse:  # noqa: ARG001
    """django-q2 knows only tasks that have ended."""
    row = Task.objects.filter(id=task_id).values("id", "name", "success", "started", "stopped").first()
    if row is None:
        return JsonResponse({"id": task_id, "state": "queued"})
    return JsonResponse({**row, "state": "succeeded" if row["success"] else "failed"})
