"""What is dumped: the tables of this version, their columns, and how a value becomes JSON and a value again."""

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connection, models
from django.db.migrations.recorder import MigrationRecorder

from jobs.models import Leader, Token

APPS = ("jobs", "vendors")
OF_THIS_MOMENT: tuple[type[models.Model], ...] = (Leader, Token)
VERSION = re.compile(r"^## (\S+)", re.MULTILINE)

Convert = Callable[[Any], Any]


@dataclass(frozen=True)
class Table:
    model: type[models.Model]

    @property
    def name(self) -> str:
        return self.model._meta.db_table

    @property
    def member(self) -> str:
        """Its name in the file."""
        return f"{self.name}.jsonl"

    @cached_property
    def columns(self) -> list[str]:
        return [str(field.column) for field in self.model._meta.concrete_fields]

    @property
    def rows(self) -> Any:
        """Every row by its id, as a tuple of `columns`; streamed."""
        names = [field.attname for field in self.model._meta.concrete_fields]
        return self.model._base_manager.order_by("pk").values_list(*names)

    def encoders(self) -> dict[int, Convert]:
        """How to make JSON of a value, by the place of its column; others are JSON as they are."""
        return self._each(encoder)

    def decoders(self) -> dict[int, Convert]:
        """How to make what this database takes of a value of JSON."""
        return self._each(decoder)

    def _each(self, of_field: Callable[[Any], Convert | None]) -> dict[int, Convert]:
        found = {place: of_field(field) for place, field in enumerate(self.model._meta.concrete_fields)}
        return {place: convert for place, convert in found.items() if convert is not None}

    def insert_sql(self) -> str:
        names = ", ".join(connection.ops.quote_name(column) for column in self.columns)
        places = ", ".join(["%s"] * len(self.columns))
        return f"INSERT INTO {connection.ops.quote_name(self.name)} ({names}) VALUES ({places})"


def tables() -> list[Table]:
    """What is dumped, each behind those that it refers to."""
    found: list[type[models.Model]] = []
    for label in APPS:
        for model in apps.get_app_config(label).get_models():
            if model not in OF_THIS_MOMENT:
                _place(model, found)
    return [Table(model) for model in found]


def _place(model: type[models.Model], found: list[type[models.Model]]) -> None:
    if model in found:
        return
    for field in model._meta.concrete_fields:
        target = field.related_model
        if isinstance(target, type) and target is not model and target._meta.app_label in APPS:
            _place(target, found)
    found.append(model)


def encoder(field: Any) -> Convert | None:
    if isinstance(field, models.DateTimeField):
        return datetime.isoformat
    return str if isinstance(field, models.UUIDField) else None


def decoder(field: Any) -> Convert | None:
    if isinstance(field, models.DateTimeField):
        return lambda text: connection.ops.adapt_datetimefield_value(datetime.fromisoformat(text))
    if isinstance(field, models.UUIDField):
        return lambda text: field.get_db_prep_value(uuid.UUID(text), connection)
    if isinstance(field, models.JSONField):
        return lambda value: field.get_db_prep_value(value, connection)
    return None


def version() -> str:
    """Of this hub: the newest heading of the changelog."""
    match = VERSION.search((Path(settings.BASE_DIR) / "CHANGELOG.md").read_text(encoding="utf-8"))
    return match[1] if match else "unknown"


def migrations() -> list[str]:
    """What the database has been through, of the apps that are dumped."""
    applied = MigrationRecorder(connection).applied_migrations()
    return sorted(f"{app}.{name}" for app, name in applied if app in APPS)
