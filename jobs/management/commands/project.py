"""`manage.py project`: the owners of jobs."""

from typing import Any

from django.core.management.base import CommandParser
from django.db.models import Count

from jobs.engine import members
from jobs.engine.find import find_project
from jobs.management.base import HubCommand, add_deed, add_json, anywhere
from jobs.management.show import moment
from jobs.models import Project

HEAD = ("ID", "PROJECT", "JOBS", "MEMBERS", "MADE", "DESCRIPTION")


class Command(HubCommand):
    help = "Make, list and change projects. Jobs, executions and keys belong to one; users are members of some."

    def add_arguments(self, parser: CommandParser) -> None:
        deeds = parser.add_subparsers(dest="deed", required=True, metavar="DEED")
        create = add_deed(deeds, "create", "Make a project.")
        create.add_argument("name")
        create.add_argument("--description", default="")
        change = add_deed(deeds, "set", "Change a project.")
        change.add_argument("name", help="Its name, id or uuid.")
        change.add_argument("--description")
        change.add_argument("--name", dest="new_name", metavar="NAME", help="Its new name.")
        for one in (create, change, add_deed(deeds, "list", "List projects.")):
            add_json(one)

    def handle(self, *_: Any, **options: Any) -> None:
        if options["deed"] == "list":
            return self._list(options)
        if options["deed"] == "create":
            project = members.create_project(options["name"], actor=anywhere(), description=options["description"])
        else:
            project = find_project(options["name"])
            fields = {"name": options["new_name"], "description": options["description"]}
            given = {name: value for name, value in fields.items() if value is not None}
            members.set_project(project, actor=anywhere(), **given)
        if options["json"]:
            return self.say_json(_document(project))
        return self.say(f"{project.name}: saved")

    def _list(self, options: dict[str, Any]) -> None:
        rows = Project.objects.annotate(
            n_jobs=Count("jobs", distinct=True), n_members=Count("memberships", distinct=True)
        )
        if options["json"]:
            self.say_json([{**_document(row), "jobs": row.n_jobs, "members": row.n_members} for row in rows])
        else:
            cells = [(row.pk, row.name, row.n_jobs, row.n_members, row.created_at, row.description) for row in rows]
            self.say_table(HEAD, [(*row[:4], moment(row[4]), row[5]) for row in cells])


def _document(project: Project) -> dict[str, Any]:
    return {"id": project.pk, "name": project.name, "uuid": project.uuid, "description": project.description}
