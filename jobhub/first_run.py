"""What a hub needs before its first start: tables, an administrator, a project, something to look at."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import transaction

from jobs import targets
from jobs.engine import members
from jobs.engine.apply import apply, parse, places
from jobs.engine.find import DEFAULT_PROJECT
from jobs.engine.rights import operator
from jobs.errors import Invalid
from jobs.management.preflight import n_migrations_missing
from jobs.models import JobExecution, Project, Role, User

ADMIN = "admin"
PASSWORD_BYTES = 12

Say = Callable[[str], None]


@dataclass(frozen=True)
class FirstRun:
    """What the first start made, to be told once."""

    password: str | None
    """The generated one; `None` when the operator gave one."""
    executions: list[JobExecution]


def set_up(say: Say) -> FirstRun | None:
    """Bring the database up to this version; when it has no users yet, make the first ones and apply the examples.

    May be called before every start. Returns what was made, `None` when everything was in place.
    """
    if missing := n_migrations_missing():
        say(f"bringing the database up to date ({missing} migrations)")
        call_command("migrate", verbosity=0, interactive=False)
    with transaction.atomic():
        return None if User.objects.exists() else _begin(say)


def _begin(say: Say) -> FirstRun:
    """All of it or nothing: an interrupted first run is the first again."""
    given: str = settings.HUB["ADMIN_PASSWORD"]
    password = given or secrets.token_urlsafe(PASSWORD_BYTES)
    actor = operator("setup")
    user = members.create_user(ADMIN, actor=actor, is_superuser=True)
    user.set_password(password)
    user.save(update_fields=["password"])
    _warn_of_weak(password, user, say)
    project = Project.objects.filter(name=DEFAULT_PROJECT).first()
    project = project or members.create_project(DEFAULT_PROJECT, actor=actor)
    members.set_member(user, project, Role.ADMIN, actor=actor)
    executions = _apply_examples(project)
    say(f"made the administrator {ADMIN!r} and the project {project.name!r} with the jobs of examples/jobs.yaml")
    return FirstRun(None if given else password, executions)


def _warn_of_weak(password: str, user: User, say: Say) -> None:
    """The operator's own choice is taken, as it may be meant for a test, but not in silence."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        say(f"warning: JOBHUB_ADMIN_PASSWORD is weak: {' '.join(error.messages)}")


def _apply_examples(project: Project) -> list[JobExecution]:
    """The file that asks the hub itself only where jobs may reach it."""
    started = []
    for name in ("ask.yaml", "jobs.yaml") if _may_ask_itself() else ("jobs.yaml",):
        path = Path(settings.BASE_DIR) / "examples" / name
        raw = parse(path.read_text(encoding="utf-8"), places())
        started += apply(raw, actor=operator("setup", project)).started
    return started


def _may_ask_itself() -> bool:
    hub = urlsplit(places()["hub"])
    try:
        targets.guard().check(hub.hostname or "", hub.port or 443)
    except Invalid:
        return False
    return True
