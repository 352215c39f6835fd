"""This face shows no executions."""

from jobs.models import JobExecution


def seen(execution: JobExecution) -> None:  # noqa: ARG001
    return None
