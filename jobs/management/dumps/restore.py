"""Put a dump into a database, all of it or nothing."""

from typing import Any

from django.apps import apps
from django.core.management.color import no_style
from django.db import connection, transaction
from django.db.models import Model

from jobs import secrets
from jobs.engine.rights import Actor, audit
from jobs.errors import Conflict, KeysUnfit
from jobs.management.dumps.progress import Advance
from jobs.management.dumps.read import Dump
from jobs.management.dumps.tables import OF_THIS_MOMENT, Table, tables
from jobs.models import Secret, User

ALSO_EMPTIED = ("sessions.Session", "django_q.OrmQ", "django_q.Task", "django_q.Schedule", "admin.LogEntry")
"""What refers to the rows that go, or is a thing of the moment."""


def restore(dump: Dump, *, replace: bool, actor: Actor, advance: Advance) -> None:
    """Fill an empty database, or one that is emptied first, in one transaction.

    Raises `Conflict` when it is not empty and shall not be emptied.
    """
    keys = dump.keys()
    with transaction.atomic():
        _lock()
        filled = [table.name for table in tables() if table.model._base_manager.exists()]
        if filled and not replace:
            raise Conflict(
                f"this hub has data already ({', '.join(filled)}); restore into an empty one (another JOBHUB_VAR, or "
                "another JOBHUB_DATABASE_URL), or say --replace everything"
            )
        _empty()
        for table in tables():
            _fill(table, dump, advance)
        _reset_sequences()
        audit(actor, "restore", f"a dump of {dump.manifest['made_at'][:19]}Z", rows=dump.n_rows)
        if keys is not None:
            _place(keys)


def _lock() -> None:
    """A worker that starts meanwhile waits; on SQLite a transaction of Django's is alone from its begin."""
    if connection.vendor == "postgresql":
        names = ", ".join(connection.ops.quote_name(table.name) for table in tables())
        with connection.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {names} IN ACCESS EXCLUSIVE MODE")


def _empty() -> None:
    beside: list[type[Model]] = [apps.get_model(name) for name in ALSO_EMPTIED]
    of_users: list[Any] = [field.remote_field.through for field in User._meta.local_many_to_many]
    mine = [table.model for table in reversed(tables())]
    for model in [*beside, *OF_THIS_MOMENT, *of_users, *mine]:
        model._base_manager.all()._raw_delete("default")


def _fill(table: Table, dump: Dump, advance: Advance) -> None:
    sql = table.insert_sql()
    with connection.cursor() as cursor:
        for rows in dump.rows(table):
            cursor.executemany(sql, rows)
            advance(table.name, len(rows))


def _reset_sequences() -> None:
    """The next id is behind the last one that came."""
    with connection.cursor() as cursor:
        for sql in connection.ops.sequence_reset_sql(no_style(), [table.model for table in tables()]):
            cursor.execute(sql)


def _place(text: bytes) -> None:
    """Put the keys that came along before those that are there: what either of them encrypted can be read."""
    keys = secrets.keys()
    with keys.alone():
        keys.merge(text.split())


def unreadable_secrets() -> list[str]:
    """The names of secrets that no key of this hub opens."""
    keys, found = secrets.keys(), []
    for secret in Secret.objects.select_related("project").order_by("project__name", "name"):
        try:
            keys.decrypt(secret.ciphertext)
        except KeysUnfit:
            found.append(f"{secret.project.name}/{secret.name}")
    return found
