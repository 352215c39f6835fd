"""Files that an export makes: CSV, JSON Lines and Parquet, written beside and put in place at the end."""

import csv
import io
import os
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any, Protocol

from jobs.errors import RunFailed
from jobs.runners.sql.files import write_all
from jobs.runners.sql.values import Record, Unwritable, dump, dump_line, text_of

ARROW_TYPES = (type(None), bool, int, float, str, bytes, Decimal, date, time, timedelta)
GROUP_ROWS = 10_000
"""So many rows are written at once, and tell the types of the columns."""
INSTALL_PYARROW = "Parquet files need pyarrow: pip install pyarrow"


class Writer(Protocol):
    """Takes records of the same columns, batch by batch."""

    def write(self, records: list[Record]) -> None: ...

    def close(self) -> None:
        """Nothing more comes, and the file is to be whole."""
        ...


def _told(record: Record, error: Unwritable) -> RunFailed:
    return RunFailed(f"a record cannot be written: {error}", causes=[f"{record!r:.500}"])


class JsonLines:
    def __init__(self, fd: int) -> None:
        self._fd = fd

    def write(self, records: list[Record]) -> None:
        write_all(self._fd, b"".join(map(self._line, records)))

    def _line(self, record: Record) -> bytes:
        try:
            return dump_line(record)
        except Unwritable as error:
            raise _told(record, error) from None

    def close(self) -> None:
        pass


class Csv:
    """As RFC 4180 says, with `\\n` at the end of lines. NULL and the empty text are both an empty field."""

    def __init__(self, fd: int, columns: list[str], *, delimiter: str, header: bool) -> None:
        self._fd = fd
        self._text = io.StringIO()
        self._writer = csv.writer(self._text, delimiter=delimiter, lineterminator="\n")
        if header:
            self._writer.writerow(columns)

    def write(self, records: list[Record]) -> None:
        for record in records:
            try:
                self._writer.writerow([_cell(value) for value in record.values()])
            except Unwritable as error:
                raise _told(record, error) from None
        self._flush()

    def _flush(self) -> None:
        try:
            write_all(self._fd, self._text.getvalue().encode())
        except UnicodeEncodeError as error:
            raise RunFailed(f"a record cannot be written: its text is not valid UTF-8: {error.reason}") from None
        self._text.seek(0)
        self._text.truncate()

    def close(self) -> None:
        self._flush()


def _cell(value: Any) -> Any:
    if value is None or isinstance(value, str):
        return value
    return dump(value).decode() if isinstance(value, dict | list) else text_of(value)


class Parquet:
    """Columns have the types of the first rows; a later value that does not fit ends the run."""

    def __init__(self, fd: int, columns: list[str]) -> None:
        try:
            import pyarrow
            import pyarrow.parquet
        except ImportError as error:
            raise RunFailed(INSTALL_PYARROW, causes=[str(error)]) from None
        self._arrow: Any = pyarrow
        self._file: Any = os.fdopen(fd, "wb", closefd=False)
        self._writer: Any = None
        self._columns = columns
        self._waiting: list[Record] = []

    def write(self, records: list[Record]) -> None:
        self._waiting += [{name: _arrow_value(value) for name, value in record.items()} for record in records]
        if len(self._waiting) >= GROUP_ROWS:
            self._write()

    def _write(self) -> None:
        try:
            schema = self._writer.schema if self._writer else None
            table = self._arrow.Table.from_pylist(self._waiting, schema=schema)
            if self._writer is None:
                self._open(table.schema)
            self._writer.write_table(table.cast(self._writer.schema))
        except (self._arrow.ArrowException, OverflowError, UnicodeEncodeError) as error:
            raise RunFailed(f"a record does not fit the columns of the file: {error}", causes=[str(error)]) from error
        self._waiting = []

    def _open(self, schema: Any) -> None:
        null, text = self._arrow.null(), self._arrow.string()
        fields = [field.with_type(text) if field.type == null else field for field in schema]
        self._writer = self._arrow.parquet.ParquetWriter(self._file, self._arrow.schema(fields))

    def close(self) -> None:
        if self._waiting:
            self._write()
        if self._writer is None:
            self._open(self._arrow.schema([(name, self._arrow.string()) for name in self._columns]))
        self._writer.close()
        self._file.flush()


def _arrow_value(value: Any) -> Any:
    """Documents and what Arrow does not know are texts."""
    if isinstance(value, dict | list):
        return dump(value).decode()
    return value if isinstance(value, ARROW_TYPES) else str(value)
