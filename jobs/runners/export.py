"""The runner `export`: the rows of a query in a CSV, JSON Lines or Parquet file, or in a SQL table."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Annotated, Any, ClassVar

import pydantic

from jobs.errors import Stopped
from jobs.runners.archive.texts import counted, size_text
from jobs.runners.base import OnLost, Result, Runner, Spec
from jobs.runners.context import Context
from jobs.runners.sql import template
from jobs.runners.sql.exports import Csv, JsonLines, Parquet, Writer
from jobs.runners.sql.files import beside
from jobs.runners.sql.sink import Drops
from jobs.runners.sql.spec import BatchSize, Name, Source, Table, check_file, check_rename, only_one
from jobs.runners.sql.stream import Rows, records_of, rows_of
from jobs.runners.sql.values import Record

PARAMS = "params."

Delimiter = Annotated[str, pydantic.Field(pattern=r"^[,;|\t:]$")]


class CsvFile(Spec):
    path: str
    delimiter: Delimiter = ","
    header: bool = True


def _csv(value: Any) -> Any:
    return {"path": value} if isinstance(value, str) else value


class ExportTarget(Spec):
    """Where the rows go: exactly one of these. Files are absolute paths."""

    csv: Annotated[CsvFile | None, pydantic.BeforeValidator(_csv)] = None
    """A path, or an object with it, `delimiter` and `header`."""
    jsonl: str | None = None
    parquet: str | None = None
    table: Table | None = None

    _one = pydantic.model_validator(mode="after")(only_one)

    @property
    def path(self) -> str | None:
        return self.csv.path if self.csv else self.jsonl or self.parquet

    def check(self) -> None:
        if self.path is not None:
            check_file(self.path, "target")
        if self.table is not None:
            self.table.check("target.table.url")


class ExportSpec(Spec):
    """What to read and where to put it; every run replaces what the last one made, and only when it is whole."""

    source: Source
    query: str
    """`{{params.x}}` is a parameter of the trigger, else of `params`."""
    params: dict[Name, str | int | float | bool | None] = {}
    target: ExportTarget
    rename: dict[Name, Name] = {}
    batch_size: BatchSize = 1000

    @property
    def template(self) -> template.Template:
        return template.parse(self.query, lambda name, _is_section: name.startswith(PARAMS))


class ExportRunner(Runner[ExportSpec]):
    name: ClassVar[str] = "export"
    Spec: ClassVar[type[Spec]] = ExportSpec
    on_lost: ClassVar[OnLost] = OnLost.RERUN

    def check(self, spec: ExportSpec) -> None:
        url = spec.source.check("source")
        query = spec.template
        if url is not None:
            query.check(url.dialect)
        spec.target.check()
        check_rename(spec.rename)

    def is_inline(self, spec: ExportSpec) -> bool:  # noqa: ARG002
        """A driver that does not come back ends with its worker."""
        return True

    def run(self, spec: ExportSpec, context: Context) -> Result:
        given = {**spec.params, **context.params}

        def value(name: str) -> Any:
            return given.get(name.removeprefix(PARAMS))

        with (
            rows_of(spec.source, spec.template, value, spec.batch_size, context) as rows,
            _output(spec.target, _names(rows.columns, spec.rename), context) as (write, put),
        ):
            n_rows = _copy(rows, spec, write, context)
            size = put()
        message = counted(n_rows, "row") + (f", {size_text(size)}" if size is not None else "")
        return Result(message=message, records=n_rows)


def _copy(rows: Rows, spec: ExportSpec, write: Callable[[list[Record]], None], context: Context) -> int:
    make, n_rows, volume_bytes = records_of(rows.columns, spec.rename), 0, 0
    for batch in rows:
        _go_on(context)
        write(make(batch))
        n_rows, volume_bytes = n_rows + len(batch), volume_bytes + rows.batch_bytes
        context.progress(n_rows, unit="rows")
        context.report(records=n_rows, volume_bytes=volume_bytes)
    _go_on(context)
    return n_rows


Output = tuple[Callable[[list[Record]], None], Callable[[], int | None]]
"""Writes records; puts all of them in place and returns the size of the file."""


def _names(columns: list[str], rename: dict[str, str]) -> list[str]:
    return [rename.get(name, name) for name in columns]


def _go_on(context: Context) -> None:
    if context.should_stop() or not context.lease_is_fresh():
        raise Stopped(str(context.stop_reason))


def _output(target: ExportTarget, columns: list[str], context: Context) -> AbstractContextManager[Output]:
    if target.table is not None:
        return _table(target.table, context)
    assert target.path is not None
    return _file(target, target.path, columns, context)


@contextmanager
def _file(target: ExportTarget, path: str, columns: list[str], context: Context) -> Iterator[Output]:
    with beside(path, context) as (fd, put):
        writer = _writer(target, fd, columns)

        def finish() -> int:
            writer.close()
            return put()

        yield writer.write, finish


def _writer(target: ExportTarget, fd: int, columns: list[str]) -> Writer:
    if target.csv is not None:
        return Csv(fd, columns, delimiter=target.csv.delimiter, header=target.csv.header)
    return JsonLines(fd) if target.jsonl is not None else Parquet(fd, columns)


@contextmanager
def _table(spec: Table, context: Context) -> Iterator[Output]:
    """The old rows go and the new ones come in one transaction."""
    from jobs.runners.sql.tables import TableWriter, opened

    with opened(spec, context) as connection:
        writer = TableWriter(connection, spec, Drops(context, 0), None)
        writer.check_engine()
        writer.empty()
        yield writer.write, connection.commit
