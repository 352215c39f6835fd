"""`manage.py member`: who is what in which project."""

from argparse import BooleanOptionalAction
from typing import Any

from django.core.management.base import CommandParser

from jobs.engine import members
from jobs.engine.find import find_project, find_user
from jobs.management.base import HubCommand, add_deed, add_json, anywhere
from jobs.models import Membership, Role

HEAD = ("PROJECT", "USER", "ROLE", "DEFAULT")


class Command(HubCommand):
    help = (
        "Set, list and remove the members of projects. A reader sees, a member also changes and runs jobs, an admin "
        "also uses privileged runners (command, python) and manages members and keys."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        deeds = parser.add_subparsers(dest="deed", required=True, metavar="DEED")
        change = add_deed(deeds, "set", "Give a user a role in a project.")
        remove = add_deed(deeds, "remove", "End a membership; the user's keys of that project end with it.")
        for one in (change, remove):
            one.add_argument("user")
            one.add_argument("project")
            add_json(one)
        change.add_argument("role", choices=Role.values)
        change.add_argument("--default", action=BooleanOptionalAction, help="Where the user acts when none is named.")
        rows = add_deed(deeds, "list", "List memberships.")
        rows.add_argument("--project", metavar="NAME", help="Only of this project.")
        rows.add_argument("--user", help="Only of this user.")
        add_json(rows)

    def handle(self, *_: Any, **options: Any) -> None:
        if options["deed"] == "list":
            return self._list(options)
        user, project = find_user(options["user"]), find_project(options["project"])
        if options["deed"] == "remove":
            members.remove_member(user, project, actor=anywhere())
            document = {"project": project.name, "user": user.username, "role": None}
        else:
            one = members.set_member(user, project, options["role"], actor=anywhere(), is_default=options["default"])
            document = _document(one)
        if options["json"]:
            return self.say_json(document)
        return self.say(f"{user.username} is {document['role'] or 'no member any more'} of {project.name}")

    def _list(self, options: dict[str, Any]) -> None:
        rows = Membership.objects.select_related("user", "project").order_by("project__name", "user__username")
        if options["project"]:
            rows = rows.filter(project=find_project(options["project"]))
        if options["user"]:
            rows = rows.filter(user=find_user(options["user"]))
        documents = [_document(row) for row in rows]
        if options["json"]:
            self.say_json(documents)
        else:
            self.say_table(HEAD, [(*list(row.values())[:3], "yes" if row["default"] else "") for row in documents])


def _document(member: Membership) -> dict[str, Any]:
    return {
        "project": member.project.name,
        "user": member.user.username,
        "role": member.role,
        "default": member.is_default,
    }
