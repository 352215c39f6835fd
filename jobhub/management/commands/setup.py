"""`manage.py setup`: make the hub ready for its first start, and for each new version."""

from typing import Any

from django.core.management.base import CommandParser

from jobhub.first_run import set_up
from jobs.management.base import HubCommand, add_json
from jobs.management.preflight import check_var


class Command(HubCommand):
    help = (
        "Bring the database up to this version. When it has no users yet, make the administrator `admin` (password "
        "from JOBHUB_ADMIN_PASSWORD, else generated and printed this once), the project `default`, and the jobs of "
        "examples/jobs.yaml. Harmless when everything is in place."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_json(parser)

    def handle(self, *_: Any, **options: Any) -> None:
        check_var()
        made = set_up(self.stderr.write if options["json"] else self.say)
        if options["json"]:
            user = {"username": "admin", "password": made.password} if made else None
            self.say_json({"first_run": made is not None, "user": user})
        elif made is None:
            self.say("everything is in place")
        elif made.password:
            self.say(f"password of admin, shown this once: {made.password}")
