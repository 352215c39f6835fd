"""`manage.py expire`: delete the history whose time is over."""

from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandParser

from jobs.engine.retention import expire
from jobs.management.base import HubCommand, add_json, anywhere


class Command(HubCommand):
    help = (
        "Delete ended executions and outputs whose time is over, as the workers do every hour: JOBHUB_KEEP_DAYS, "
        "JOBHUB_KEEP_LAST and JOBHUB_OUTPUT_DAYS, or what a job says of its own; audit events after JOBHUB_AUDIT_DAYS."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Only say how many.")
        add_json(parser)

    def handle(self, *_: Any, **options: Any) -> None:
        expired = expire(actor=anywhere(), dry_run=options["dry_run"])
        if options["json"]:
            self.say_json(asdict(expired))
            return
        verb = "would delete" if options["dry_run"] else "deleted"
        self.say(f"{verb} {expired.executions} executions and the output of {expired.outputs}")
        if expired.events:
            self.say(f"{verb} {expired.events} audit events")
        for name, number in sorted(expired.by_job.items()):
            self.say(f"  {number} of {name}")
