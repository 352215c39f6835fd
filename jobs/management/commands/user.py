"""`manage.py user`: who can log in."""

import secrets
import sys
from argparse import BooleanOptionalAction
from getpass import getpass
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import transaction

from jobs.engine import members
from jobs.engine.find import find_project, find_user
from jobs.management.base import EXIT_REFUSED, HubCommand, add_deed, add_json, anywhere
from jobs.management.show import moment
from jobs.models import Role, User

PASSWORD_BYTES = 12
HEAD = ("USER", "EMAIL", "ACTIVE", "SUPERUSER", "LAST LOGIN", "PROJECTS")


class Command(HubCommand):
    help = (
        "Make, list and change users. A password is never an argument: it is asked for on a terminal, read from "
        "standard input with --password-stdin, or generated and printed once."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        deeds = parser.add_subparsers(dest="deed", required=True, metavar="DEED")
        create = add_deed(deeds, "create", "Make a user.")
        create.add_argument("--project", metavar="NAME", help="Make it a member of this project ...")
        create.add_argument("--role", choices=Role.values, default=Role.MEMBER, help="... as this; default: member.")
        change = add_deed(deeds, "set", "Change a user; without an option: make a new password.")
        for one in (create, change):
            one.add_argument("username")
            one.add_argument("--email")
            one.add_argument("--password-stdin", action="store_true", help="Read the password from standard input.")
            one.add_argument("--generate", action="store_true", help="Generate a password and print it this once.")
            one.add_argument("--superuser", action=BooleanOptionalAction, help="May do everything everywhere.")
            one.add_argument(
                "--service", action=BooleanOptionalAction, help="A program that sees, triggers and reports everywhere."
            )
            one.add_argument("--active", action=BooleanOptionalAction, help="May log in and use keys.")
            add_json(one)
        add_json(add_deed(deeds, "list", "List users with their roles."))

    def handle(self, *_: Any, **options: Any) -> None:
        deeds = {"create": self._create, "list": self._list, "set": self._set}
        deeds[options["deed"]](options)

    def _create(self, options: dict[str, Any]) -> None:
        project = find_project(options["project"]) if options["project"] else None
        password, is_generated = self._password(options)
        with transaction.atomic():
            user = members.create_user(options["username"], actor=anywhere(), password=password, **_fields(options))
            if project is not None:
                members.set_member(user, project, options["role"], actor=anywhere())
        self._tell(user, password if is_generated else None, options)

    def _set(self, options: dict[str, Any]) -> None:
        user, fields = find_user(options["username"]), _fields(options)
        password, is_generated = None, False
        if not fields or options["password_stdin"] or options["generate"]:
            password, is_generated = self._password(options)
        members.set_user(user, actor=anywhere(), password=password, **fields)
        self._tell(user, password if is_generated else None, options)

    def _password(self, options: dict[str, Any]) -> tuple[str, bool]:
        """The password, and whether nobody knows it yet."""
        if options["password_stdin"]:
            return sys.stdin.readline().rstrip("\r\n"), False
        if options["generate"] or not sys.stdin.isatty():
            return secrets.token_urlsafe(PASSWORD_BYTES), True
        password = getpass(f"New password of {options['username']} (empty: generate one): ")
        if not password:
            return secrets.token_urlsafe(PASSWORD_BYTES), True
        if password != getpass("The same again: "):
            raise CommandError("the two passwords differ; nothing was changed", returncode=EXIT_REFUSED)
        return password, False

    def _tell(self, user: User, password: str | None, options: dict[str, Any]) -> None:
        if options["json"]:
            self.say_json({**_document(user), **({"password": password} if password else {})})
        elif password:
            self.stderr.write(f"password of {user.username}, shown this once:")
            self.say(password)
        else:
            self.say(f"{user.username}: saved")

    def _list(self, options: dict[str, Any]) -> None:
        users = User.objects.order_by("username").prefetch_related("memberships__project")
        if options["json"]:
            self.say_json([_document(user) for user in users])
        else:
            self.say_table(HEAD, [_cells(user) for user in users])


def _fields(options: dict[str, Any]) -> dict[str, Any]:
    names = {"email": "email", "superuser": "is_superuser", "service": "is_service", "active": "is_active"}
    return {field: options[name] for name, field in names.items() if options[name] is not None}


def _document(user: User) -> dict[str, Any]:
    return {
        "username": user.username,
        "uuid": user.uuid,
        "email": user.email,
        "active": user.is_active,
        "superuser": user.is_superuser,
        "service": user.is_service,
        "last_login": user.last_login,
        "projects": {one.project.name: one.role for one in user.memberships.all()},
    }


def _cells(user: User) -> tuple[Any, ...]:
    roles = ", ".join(f"{one.project.name} ({one.role})" for one in user.memberships.all())
    is_active, is_superuser = ("yes" if flag else "no" for flag in (user.is_active, user.is_superuser))
    return user.username, user.email, is_active, is_superuser, moment(user.last_login), roles
