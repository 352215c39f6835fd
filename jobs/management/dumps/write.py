"""Write a dump while the hub runs."""

import contextlib
import hashlib
import json
import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from jobs import secrets
from jobs.errors import Conflict
from jobs.management.dumps.progress import Advance
from jobs.management.dumps.tables import Table, migrations, tables, version

FORMAT = 1
MANIFEST = "manifest.json"
KEYS = "secret.keys"
CHUNK_ROWS = 1000
COMPRESSION_LEVEL = 1

Manifest = dict[str, Any]


def dump(path: Path, *, with_keys: bool, advance: Advance) -> Manifest:
    """Write the hub's data to a new file that only its owner can read; returns the manifest.

    The file is there when it is whole, or not at all. Raises `Conflict` when there is one already.
    """
    if path.exists():
        raise Conflict(f"{str(path)!r} exists already; name a new file")
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(fd, "wb") as file:
            manifest = _write(file, with_keys=with_keys, advance=advance)
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except FileExistsError:
        raise Conflict(f"{str(path)!r} exists already; name a new file") from None
    finally:
        draft.unlink()
    return manifest


def _write(file: Any, *, with_keys: bool, advance: Advance) -> Manifest:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=COMPRESSION_LEVEL) as archive:
        with contextlib.ExitStack() as stack:
            keys = secrets.keys()
            with keys.alone() if with_keys else contextlib.nullcontext():  # no rotation between rows and keys
                stack.enter_context(snapshot())
                key_text = keys.path.read_bytes() if with_keys and keys.exists() else None
            manifest = _manifest()
            for table in tables():
                manifest["tables"][table.name] = _table(archive, table, advance)
        if key_text is not None:
            archive.writestr(KEYS, key_text)
            manifest["keys"] = hashlib.sha256(key_text).hexdigest()
        archive.writestr(MANIFEST, json.dumps(manifest, indent=2))
    return manifest


def _manifest() -> Manifest:
    return {
        "product": "JobHub",
        "format": FORMAT,
        "version": version(),
        "migrations": migrations(),
        "made_at": timezone.now().isoformat(),
        "database": connection.vendor,
        "keys": None,
        "tables": {},
    }


def _table(archive: zipfile.ZipFile, table: Table, advance: Advance) -> dict[str, Any]:
    digest, n_rows, encoders = hashlib.sha256(), 0, table.encoders()
    with archive.open(table.member, "w", force_zip64=True) as member:
        for rows in _chunks(table):
            text = b"".join(_line(row, encoders) for row in rows)
            digest.update(text)
            member.write(text)
            n_rows += len(rows)
            advance(table.name, len(rows))
    return {"rows": n_rows, "sha256": digest.hexdigest(), "columns": table.columns}


def _chunks(table: Table) -> Iterator[list[tuple[Any, ...]]]:
    rows: list[tuple[Any, ...]] = []
    for row in table.rows.iterator(chunk_size=CHUNK_ROWS):
        rows.append(row)
        if len(rows) == CHUNK_ROWS:
            yield rows
            rows = []
    if rows:
        yield rows


def _line(row: tuple[Any, ...], encoders: Any) -> bytes:
    values = list(row)
    for place, encode in encoders.items():
        if values[place] is not None:
            values[place] = encode(values[place])
    return json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def n_rows() -> int:
    """How many rows a dump has about."""
    return sum(table.model._base_manager.count() for table in tables())


@contextmanager
def snapshot() -> Iterator[None]:
    """The database as it is at this moment, for as long as it takes; nobody waits for it."""
    if connection.vendor == "sqlite":
        with _sqlite_snapshot():
            yield
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        cursor.execute("SELECT 1 FROM django_migrations LIMIT 1")
        yield


@contextmanager
def _sqlite_snapshot() -> Iterator[None]:
    """By hand: Django's own transactions take the write lock at once. The first read fixes what is seen."""
    with connection.cursor() as cursor:
        cursor.execute("BEGIN DEFERRED")
        try:
            cursor.execute("SELECT 1 FROM django_migrations LIMIT 1")
            cursor.fetchall()
            yield
        finally:
            cursor.execute("ROLLBACK")
