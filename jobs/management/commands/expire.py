"""`manage.py expire`: delete the history whose time is over."""

from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.template.defaultfilters import filesizeformat

from jobs.engine.archives import remove_expired
from jobs.engine.logs import LOGS
from jobs.engine.retention import Expired, expire
from jobs.engine.weights import Weight
from jobs.management.base import HubCommand, add_json, anywhere

HEAD = ("JOB", "STATE", "EXECUTIONS", "OUTPUT", "ROWS", "ARCHIVES")


class Command(HubCommand):
    help = (
        "Delete ended executions and outputs whose time is over, as the workers do every hour: JOBHUB_KEEP_DAYS, "
        "JOBHUB_KEEP_LAST and JOBHUB_OUTPUT_DAYS, or what a job's `keep` says; what is old in the logs of notices, of "
        "missed and skipped times and, after JOBHUB_AUDIT_DAYS, of the audit; and this node's archives of expired "
        "backups, where a job says `remove_archives`."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Only say what would go, and how much that frees.")
        add_json(parser)

    def handle(self, *_: Any, **options: Any) -> None:
        expired = expire(actor=anywhere(), dry_run=options["dry_run"])
        freed = 0 if options["dry_run"] else remove_expired(settings.NODE, actor=anywhere())
        if options["json"]:
            self.say_json(_document(expired, freed))
            return
        self._tell(expired, "would delete" if options["dry_run"] else "deleted", is_weighed=options["dry_run"])
        if freed:
            self.say(f"removed archives of {filesizeformat(freed)}")

    def _tell(self, expired: Expired, verb: str, *, is_weighed: bool) -> None:
        outputs = f" ({filesizeformat(expired.of_outputs.output_bytes)})" if is_weighed and expired.outputs else ""
        self.say(f"{verb} {expired.executions} executions and the output of {expired.outputs}{outputs}")
        for name, number in expired.of_logs.items():
            if number:
                self.say(f"{verb} {number} {LOGS[name].words}")
        if expired.by_job:
            head = HEAD if is_weighed else HEAD[:3]
            rows = [(*key, *_cells(weight)) for key, weight in sorted(expired.by_job.items())]
            total = sum(expired.by_job.values(), start=Weight())
            self.say_table(head, [row[: len(head)] for row in [*rows, ("all", "", *_cells(total))]])


def _cells(weight: Weight) -> tuple[Any, ...]:
    sizes = (weight.output_bytes, weight.row_bytes, weight.archive_bytes)
    return (weight.executions, *(filesizeformat(size) if size else "-" for size in sizes))


def _document(expired: Expired, freed: int) -> dict[str, Any]:
    return {
        "executions": expired.executions,
        "outputs": expired.outputs,
        **expired.of_logs,
        "output_bytes": expired.of_outputs.output_bytes,
        "freed_archive_bytes": freed,
        "by_job": [{"job": job, "state": state, **vars(weight)} for (job, state), weight in expired.by_job.items()],
    }
