"""`manage.py token`: who is logged in through the identity service."""

from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from jobs.engine.find import find_user
from jobs.engine.tokens import revoke_token
from jobs.management.base import HubCommand, add_deed, add_json, anywhere
from jobs.management.show import moment
from jobs.models import Token

FIELDS = ("token_id", "user__username", "project__name", "methods", "created_at", "expires_at", "address")
HEAD = ("TOKEN", "USER", "PROJECT", "METHODS", "CREATED", "EXPIRES", "ADDRESS")


class Command(HubCommand):
    help = "List and revoke tokens, the logins of OpenStack's clients. They end by themselves after JOBHUB_TOKEN_S."

    def add_arguments(self, parser: CommandParser) -> None:
        deeds = parser.add_subparsers(dest="deed", required=True, metavar="DEED")
        rows = add_deed(deeds, "list", "List the tokens that are valid.")
        rows.add_argument("--user", help="Only of this user.")
        add_json(rows)
        revoke = add_deed(deeds, "revoke", "End tokens at once.")
        revoke.add_argument("tokens", metavar="TOKEN", nargs="+", help="Their ids: what stands before the point.")
        add_json(revoke)

    def handle(self, *_: Any, **options: Any) -> None:
        deeds = {"list": self._list, "revoke": self._revoke}
        deeds[options["deed"]](options)

    def _list(self, options: dict[str, Any]) -> None:
        tokens = Token.objects.filter(revoked_at=None, expires_at__gt=timezone.now())
        if options["user"]:
            tokens = tokens.filter(user=find_user(options["user"]))
        rows = list(tokens.values(*FIELDS))
        if options["json"]:
            self.say_json([{name.partition("__")[0]: value for name, value in row.items()} for row in rows])
        else:
            self.say_table(HEAD, [_cells(row) for row in rows])

    def _revoke(self, options: dict[str, Any]) -> None:
        ids = [text.partition(".")[0] for text in options["tokens"]]
        for token_id in ids:
            revoke_token(token_id, actor=anywhere())
        if options["json"]:
            self.say_json([{"token_id": token_id} for token_id in ids])
        else:
            self.say("\n".join(f"{token_id}: revoked" for token_id in ids))


def _cells(row: dict[str, Any]) -> list[Any]:
    return [moment(value) if name.endswith("_at") else value for name, value in row.items()]
