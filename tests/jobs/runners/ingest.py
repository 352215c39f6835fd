"""Shorthand of the tests of ingestion and export."""

import json
from pathlib import Path
from typing import Any

from jobs.runners.base import Result
from jobs.runners.context import Context, Stop
from jobs.runners.ingestion import IngestionRunner
from tests.databases import Database

NEXT = "SELECT id, name FROM t {{#max_primary_key}}WHERE id > {{max_primary_key}}{{/max_primary_key}} ORDER BY id"
EVERYTHING = "SELECT id, name FROM t ORDER BY id"


def spec_of(source: Database | dict[str, Any], target: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """An increment by the key, unless told otherwise."""
    return {
        "source": source.url if isinstance(source, Database) else source,
        "query": NEXT,
        "pk_field": "id",
        "strategy": "increment",
        "batch_size": 10,
        "target": target,
        **fields,
    }


def ingest(raw: dict[str, Any], context: Context) -> Result:
    runner = IngestionRunner()
    return runner.run(runner.validate(raw), context)


def lines_of(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def ids_of(path: Path) -> list[int]:
    return [line["id"] for line in lines_of(path)]


class Stopping(Context):
    """Is told to stop once so many cursors were saved."""

    after = 1
    reason = Stop.ABORT

    def save_cursor(self, value: Any) -> None:
        super().save_cursor(json.loads(json.dumps(value)))
        self.after -= 1
        if self.after == 0:
            self.stop(self.reason)


class Crash(BaseException):
    """A kill -9, as far as one process can play it: nothing is tidied up by words that know of it."""


class Crashing(Context):
    """Dies instead of saving the cursor for the n-th time."""

    after = 1

    def save_cursor(self, value: Any) -> None:
        self.after -= 1
        if self.after == 0:
            raise Crash
        super().save_cursor(json.loads(json.dumps(value)))
