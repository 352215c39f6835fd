"""`manage.py secret`: passwords and keys that jobs need."""

import getpass
import sys
from typing import Any

from django.core.management.base import CommandParser

from jobs.engine import secrets
from jobs.engine.find import find_project
from jobs.errors import Invalid
from jobs.management.base import HubCommand, acting, add_deed, add_json, add_project, anywhere
from jobs.management.show import moment

HEAD = ("PROJECT", "NAME", "UPDATED", "BY")


class Command(HubCommand):
    help = (
        'Keep secrets, encrypted with the keys in VAR/hub/secret.keys. Jobs of the project name them as {"secret": '
        '"NAME"}; they are masked in all that a run reports, and nothing ever shows them.'
    )

    def add_arguments(self, parser: CommandParser) -> None:
        deeds = parser.add_subparsers(dest="deed", required=True, metavar="DEED")
        text = (
            "Keep a value: asked for on a terminal, else read from standard input; one newline at its end is left out."
        )
        change = add_deed(deeds, "set", text)
        change.add_argument("name")
        remove = add_deed(deeds, "delete", "Delete secrets; jobs that refer to them fail from then on.")
        remove.add_argument("names", metavar="NAME", nargs="+")
        rows = add_deed(deeds, "list", "List the names.")
        rows.add_argument("--project", metavar="NAME", help="Only of this project.")
        text = "Encrypt all with a new key and forget the old ones. A crash at any moment loses nothing."
        rotation = add_deed(deeds, "rotate", text)
        for one in (change, remove):
            add_project(one)
        for one in (change, remove, rows, rotation):
            add_json(one)

    def handle(self, *_: Any, **options: Any) -> None:
        deeds = {"set": self._set, "delete": self._delete, "list": self._list, "rotate": self._rotate}
        deeds[options["deed"]](options)

    def _set(self, options: dict[str, Any]) -> None:
        name, actor = options["name"], acting(options)
        is_new = secrets.set_secret(name, _value(), actor=actor)
        self._tell(options, {"name": name, "is_new": is_new}, f"{name}: {'kept' if is_new else 'replaced'}")

    def _delete(self, options: dict[str, Any]) -> None:
        names, actor = options["names"], acting(options)
        for name in names:
            secrets.delete_secret(name, actor=actor)
        self._tell(options, {"deleted": names}, "\n".join(f"{name}: deleted" for name in names))

    def _list(self, options: dict[str, Any]) -> None:
        project_id = find_project(options["project"]).pk if options["project"] else None
        rows = secrets.list_secrets(actor=anywhere(), project_id=project_id)
        if options["json"]:
            return self.say_json([{name.partition("__")[0]: value for name, value in row.items()} for row in rows])
        cells = [(row["project__name"], row["name"], moment(row["updated_at"]), row["updated_by"]) for row in rows]
        return self.say_table(HEAD, cells)

    def _rotate(self, options: dict[str, Any]) -> None:
        n_secrets = secrets.rotate(actor=anywhere())
        self._tell(options, {"rotated": n_secrets}, f"secrets encrypted with a new key: {n_secrets}")

    def _tell(self, options: dict[str, Any], document: dict[str, Any], text: str) -> None:
        if options["json"]:
            self.say_json(document)
        else:
            self.say(text)


def _value() -> str:
    """Never from the command line, which every process of the machine can read."""
    if sys.stdin.isatty():
        return getpass.getpass("value: ")
    try:
        return sys.stdin.read().removesuffix("\n")
    except UnicodeDecodeError:
        raise Invalid.field("value", "wanted UTF-8") from None
