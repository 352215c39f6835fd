"""`manage.py execution`: show, pause, resume, retry, keep and delete executions."""

from collections.abc import Callable
from typing import Any

from django.core.management.base import CommandError, CommandParser

from jobs.engine import keeps, retries, verbs
from jobs.engine.execution_shape import all_fresh_json
from jobs.engine.find import find_execution, find_project
from jobs.management.base import EXIT_REFUSED, HubCommand, add_deed, add_json, anywhere
from jobs.management.options import past_moment_option
from jobs.models import JobExecution


def pause(execution: JobExecution) -> str:
    verbs.pause(execution, actor=anywhere())
    return "asked to pause"


def resume(execution: JobExecution) -> str:
    verbs.resume(execution, actor=anywhere())
    return "queued"


def delete(execution: JobExecution) -> str:
    verbs.delete_execution(execution, actor=anywhere())
    return "deleted"


def keep(execution: JobExecution) -> str:
    keeps.keep_execution(execution, actor=anywhere())
    return "kept for ever"


def unkeep(execution: JobExecution) -> str:
    keeps.unkeep_execution(execution, actor=anywhere())
    return "kept as its job's rule says"


DEEDS: dict[str, tuple[str, Callable[[JobExecution], str]]] = {
    "pause": ("Ask a running execution to save a checkpoint and leave its worker.", pause),
    "resume": ("Queue a paused execution again.", resume),
    "keep": ("Never let an execution expire.", keep),
    "unkeep": ("Let an execution expire by its job's rule again.", unkeep),
    "delete": ("Delete the history of an ended execution.", delete),
}
REFS = "Executions by id, uuid or handle."
RETRY = (
    "Run the jobs of ended executions again, with the same params: of those that are named, or of all that failed "
    "since a time and have not been retried yet."
)


class Command(HubCommand):
    help = "Look at an execution, or pause, resume, retry, keep or delete some, named by id, uuid or handle."

    def add_arguments(self, parser: CommandParser) -> None:
        deeds = parser.add_subparsers(dest="deed", required=True, metavar="DEED")
        show = add_deed(deeds, "show", "Print all that is known about executions, as JSON.")
        show.add_argument("refs", metavar="REF", nargs="+", help=REFS)
        for name, (text, _) in DEEDS.items():
            deed = add_deed(deeds, name, text)
            deed.add_argument("refs", metavar="REF", nargs="+", help=REFS)
            add_json(deed)
        self._add_retry(add_deed(deeds, "retry", RETRY))

    @staticmethod
    def _add_retry(retry: CommandParser) -> None:
        retry.add_argument("refs", metavar="REF", nargs="*", help=REFS)
        retry.add_argument(
            "--failed-since", metavar="TIME", type=past_moment_option, help="All that failed since then; also 90m, 2d."
        )
        retry.add_argument("--job", metavar="NAME", help="Of those only the executions of this job.")
        retry.add_argument("--project", metavar="NAME", help="Of those only the executions of this project.")
        retry.add_argument(
            "--from",
            dest="begin",
            choices=["start", "failed"],
            default="start",
            help="Where they begin: `failed` is the first action that did not succeed; default: start.",
        )
        retry.add_argument("--dry-run", action="store_true", help="Only say which.")
        add_json(retry)

    def handle(self, *_: Any, **options: Any) -> None:
        if options["deed"] == "retry":
            return self._retry(options)
        executions = [find_execution(ref, actor=anywhere()) for ref in options["refs"]]
        if options["deed"] == "show":
            return self.say_json(all_fresh_json(executions))
        do = DEEDS[options["deed"]][1]
        return self._say({one.handle: do(one) for one in executions}, options)

    def _retry(self, options: dict[str, Any]) -> None:
        executions = _to_retry(options)
        retried = retries.would_retry(executions) if options["dry_run"] else _retried(executions, options)
        if options["json"]:
            self.say_json(retried.document(len(executions)))
        else:
            said = {
                old.handle: f"runs again as {new.handle}" if new else "would run again" for old, new in retried.done
            }
            self._say(said | {one.handle: f"refused: {reason}" for one, reason in retried.refused}, options)
        if retried.refused:
            raise CommandError(f"{len(retried.refused)} of {len(executions)} refused", returncode=EXIT_REFUSED)

    def _say(self, said: dict[str, str], options: dict[str, Any]) -> None:
        if options["json"]:
            self.say_json([{"handle": handle, "did": text} for handle, text in said.items()])
        elif said:
            self.say("\n".join(f"{handle}: {text}" for handle, text in said.items()))
        else:
            self.stderr.write("nothing to retry")


def _retried(executions: list[JobExecution], options: dict[str, Any]) -> retries.Retried:
    """Those that are named even when they were retried before, and the first refusal ends it."""
    how = {"actor": anywhere(), "from_failed": options["begin"] == "failed"}
    if options["refs"]:
        return retries.Retried([(one, retries.retry(one, **how)) for one in executions])
    return retries.retry_all(executions, **how)


def _to_retry(options: dict[str, Any]) -> list[JobExecution]:
    since, named = options["failed_since"], options["refs"]
    if bool(named) == (since is not None) or (named and (options["job"] or options["project"])):
        text = "name executions, or say which with --failed-since, --job and --project; not both"
        raise CommandError(text, returncode=EXIT_REFUSED)
    if named:
        return [find_execution(ref, actor=anywhere()) for ref in named]
    rows = retries.to_retry(JobExecution.objects.select_related("job__project")).filter(finished_at__gte=since)
    if options["job"]:
        rows = rows.filter(job_name=options["job"])
    return list(rows.filter(project=find_project(options["project"])) if options["project"] else rows)
