"""The runners by name: one line each."""

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from jobs.errors import Invalid

if TYPE_CHECKING:
    from jobs.runners.base import Runner

RUNNERS = {
    "archive_list": "jobs.runners.archive_list:ArchiveListRunner",
    "archive_prune": "jobs.runners.archive_prune:ArchivePruneRunner",
    "backup": "jobs.runners.backup:BackupRunner",
    "command": "jobs.runners.command:CommandRunner",
    "export": "jobs.runners.export:ExportRunner",
    "fail": "jobs.runners.fail:FailRunner",
    "http": "jobs.runners.http:HttpRunner",
    "ingestion": "jobs.runners.ingestion:IngestionRunner",
    "python": "jobs.runners.python:PythonRunner",
    "restore": "jobs.runners.restore:RestoreRunner",
}
"""Imported when first asked for: a child process of the python runner imports this package and needs none."""


def get(name: str) -> "Runner[Any]":
    """The runner of that name, or `Invalid` that lists what there is."""
    if name not in RUNNERS:
        raise Invalid.field("runner", f"unknown runner {name!r}; known: {', '.join(sorted(RUNNERS))}")
    return _load(RUNNERS[name])


@cache
def _load(path: str) -> "Runner[Any]":
    module, _, class_name = path.partition(":")
    runner: Runner[Any] = getattr(import_module(module), class_name)()
    return runner
