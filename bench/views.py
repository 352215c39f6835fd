"""What Django itself needs for the row of an execution: nobody is asked who they are, and nothing is looked after."""

from django.http import HttpRequest, JsonResponse

from jobs.engine.execution_shape import EXECUTION
from jobs.models import JobExecution


def bare(request: HttpRequest, pk: int) -> JsonResponse:  # noqa: ARG001
    return JsonResponse(JobExecution.objects.values(*EXECUTION).get(pk=pk))
