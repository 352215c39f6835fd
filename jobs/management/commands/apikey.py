"""`manage.py apikey`: keys for programs."""

from typing import Any

from django.core.management.base import CommandParser

from jobs.engine.find import find_project, find_user
from jobs.engine.keys import create_key, revoke_key
from jobs.errors import NotFound
from jobs.management.base import HubCommand, acting, add_deed, add_json, add_project, anywhere
from jobs.management.options import moment_option
from jobs.management.show import moment
from jobs.models import ApiKey, Level, Project

FIELDS = ("key_id", "name", "user__username", "project__name", "level", "expires_at", "last_used_at", "revoked_at")
HEAD = ("KEY", "NAME", "USER", "PROJECT", "LEVEL", "EXPIRES", "LAST USED", "REVOKED")


class Command(HubCommand):
    help = "Make, list and revoke the keys with which programs call the hub. A key belongs to one project."

    def add_arguments(self, parser: CommandParser) -> None:
        deeds = parser.add_subparsers(dest="deed", required=True, metavar="DEED")
        text = "Make a key and print it this once: `Authorization: Bearer <key>`."
        create = add_deed(deeds, "create", text)
        create.add_argument("--user", required=True, help="Whose key it is: it may do what this user may, at most.")
        create.add_argument(
            "--level",
            choices=Level.values,
            default=Level.NORMAL,
            help="restricted: see and trigger; normal: also change; admin: also privileged runners. Default: normal.",
        )
        create.add_argument("--name", default="", help="What it is for.")
        create.add_argument("--expires", metavar="TIME", type=moment_option, help="When it ends; also 90d, 12h.")
        add_project(create)
        add_json(create)
        rows = add_deed(deeds, "list", "List the keys with their last use.")
        rows.add_argument("--user", help="Only of this user.")
        rows.add_argument("--project", metavar="NAME", help="Only of this project.")
        add_json(rows)
        revoke = add_deed(deeds, "revoke", "End keys at once.")
        revoke.add_argument("keys", metavar="KEY", nargs="+", help="Their ids: what stands before the point.")
        add_json(revoke)

    def handle(self, *_: Any, **options: Any) -> None:
        deeds = {"create": self._create, "list": self._list, "revoke": self._revoke}
        deeds[options["deed"]](options)

    def _create(self, options: dict[str, Any]) -> None:
        actor = acting(options)
        key, text = create_key(
            find_user(options["user"]),
            Project.objects.get(pk=actor.home),
            options["level"],
            options["name"],
            options["expires"],
            actor=actor,
        )
        if options["json"]:
            self.say_json({"key_id": key.key_id, "key": text, "level": key.level, "expires_at": key.expires_at})
        else:
            self.stderr.write("the key, shown this once:")
            self.say(text)

    def _list(self, options: dict[str, Any]) -> None:
        keys = ApiKey.objects.all()
        if options["user"]:
            keys = keys.filter(user=find_user(options["user"]))
        if options["project"]:
            keys = keys.filter(project=find_project(options["project"]))
        rows = list(keys.values(*FIELDS))
        if options["json"]:
            self.say_json([{name.partition("__")[0]: value for name, value in row.items()} for row in rows])
        else:
            self.say_table(HEAD, [_cells(row) for row in rows])

    def _revoke(self, options: dict[str, Any]) -> None:
        keys = [_find(text) for text in options["keys"]]
        for key in keys:
            revoke_key(key, actor=anywhere())
        if options["json"]:
            self.say_json([{"key_id": key.key_id, "revoked_at": key.revoked_at} for key in keys])
        else:
            self.say("\n".join(f"{key.key_id}: revoked" for key in keys))


def _find(text: str) -> ApiKey:
    """By its id; a whole key is taken as well, without looking at its secret."""
    key = ApiKey.objects.filter(key_id=text.partition(".")[0]).first()
    if key is None:
        raise NotFound(f"there is no key {text.partition('.')[0]!r}")
    return key


def _cells(row: dict[str, Any]) -> list[Any]:
    return [moment(value) if name.endswith("_at") else value for name, value in row.items()]
