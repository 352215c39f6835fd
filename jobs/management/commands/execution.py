"""`manage.py execution`: show, pause, resume, retry and delete executions."""

from collections.abc import Callable
from typing import Any

from django.core.management.base import CommandParser

from jobs.engine import verbs
from jobs.engine.find import find_execution
from jobs.management.base import HubCommand, add_json, anywhere
from jobs.management.show import documents
from jobs.models import JobExecution


def pause(execution: JobExecution) -> str:
    verbs.pause(execution, actor=anywhere())
    return f"{execution.handle}: asked to pause"


def resume(execution: JobExecution) -> str:
    verbs.resume(execution, actor=anywhere())
    return f"{execution.handle}: queued"


def retry(execution: JobExecution) -> str:
    return f"{execution.handle}: runs again as {verbs.retry(execution, actor=anywhere()).handle}"


def delete(execution: JobExecution) -> str:
    verbs.delete_execution(execution, actor=anywhere())
    return f"{execution.handle}: deleted"


DEEDS: dict[str, tuple[str, Callable[[JobExecution], str]]] = {
    "pause": ("Ask a running execution to save a checkpoint and leave its worker.", pause),
    "resume": ("Queue a paused execution again.", resume),
    "retry": ("Run the job of an ended execution again, with the same params.", retry),
    "delete": ("Delete the history of an ended execution.", delete),
}


class Command(HubCommand):
    help = "Look at an execution, or pause, resume, retry or delete some, named by id, uuid or handle."

    def add_arguments(self, parser: CommandParser) -> None:
        deeds = parser.add_subparsers(dest="deed", required=True, metavar="DEED")
        show = deeds.add_parser("show", help="Print all that is known about executions, as JSON.")
        show.add_argument("refs", metavar="REF", nargs="+", help="Executions by id, uuid or handle.")
        for name, (text, _) in DEEDS.items():
            deed = deeds.add_parser(name, help=text, description=text)
            deed.add_argument("refs", metavar="REF", nargs="+", help="Executions by id, uuid or handle.")
            add_json(deed)

    def handle(self, *_: Any, **options: Any) -> None:
        executions = [find_execution(ref, actor=anywhere()) for ref in options["refs"]]
        if options["deed"] == "show":
            self.say_json(documents(executions))
            return
        do = DEEDS[options["deed"]][1]
        said = [do(execution) for execution in executions]
        if options["json"]:
            self.say_json([{"handle": one.handle, "did": text} for one, text in zip(executions, said, strict=True)])
        else:
            self.say("\n".join(said))
