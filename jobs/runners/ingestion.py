"""The runner `ingestion`: rows of a query into a file, a table or an index, from where the last run ended."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Annotated, Any, ClassVar, Literal

import pydantic

from jobs.errors import Invalid, RunFailed, Stopped
from jobs.runners.archive.texts import counted
from jobs.runners.base import OnLost, Result, Runner, Spec
from jobs.runners.context import Context
from jobs.runners.sql import template
from jobs.runners.sql.place import LAST_RECORD, MAX_KEY, TIMESTAMP, Place, Walk, storable
from jobs.runners.sql.sink import Drops, Sink
from jobs.runners.sql.spec import AnIndex, BatchSize, Name, Source, Table, check_file, check_rename, only_one
from jobs.runners.sql.stream import Rows, records_of, rows_of

INCREMENT = "increment"
CURSORS = "ingestion"
"""Where in the job's cursor the places of its targets are."""


class Target(Spec):
    """Where the records go: exactly one of these."""

    jsonl: str | None = None
    """A JSON Lines file: an absolute path."""
    table: Table | None = None
    index: AnIndex | None = None

    _one = pydantic.model_validator(mode="after")(only_one)

    def check(self) -> None:
        if self.jsonl is not None:
            check_file(self.jsonl, "target.jsonl")
        if self.table is not None:
            self.table.check("target.table.url")

    @property
    def identity(self) -> str:
        """Which target it is, so that a job's targets do not share a place. A digest: it may hold what is secret."""
        if self.table is not None:
            words = f"table:{self.table.identity}"
        else:
            words = f"jsonl:{self.jsonl}" if self.index is None else f"index:{self.index.name}"
        return sha256(words.encode()).hexdigest()[:32]


class IngestionSpec(Spec):
    """What to read, and how it gets where.

    With `replace` every run brings all rows of the query, and they take the place of the old ones at its end. With
    `increment` the query says by its variables where to go on: `{{max_primary_key}}` or `{{last_record.x}}` (then its
    rows come in increasing order of these columns, and a run goes on after every batch) or `{{last_record_timestamp}}`
    (when the last complete run began: then a run counts as a whole).
    """

    source: Source
    query: str
    pk_field: Name | None = None
    """The column of the query, before `rename`, that no two rows share."""
    strategy: Literal["replace", "increment"] = "replace"
    batch_size: BatchSize = 1000
    target: Target
    rename: dict[Name, Name] = {}
    """Columns that get another name in the target."""
    max_errors: Annotated[int, pydantic.Field(ge=0, le=10**9)] = 0
    """So many records that cannot be written are dropped and counted; one more ends the run."""
    warnings: Annotated[list[str], pydantic.Field(max_length=100)] = []
    """What whoever defined it has asked for in vain: each run warns of it."""

    @property
    def template(self) -> template.Template:
        return template.parse(self.query, _is_known)

    @property
    def order(self) -> tuple[str, ...]:
        """The variables whose columns order the rows; none when a run counts as a whole."""
        names = self.template.names
        if self.strategy != INCREMENT or TIMESTAMP in names:
            return ()
        return tuple(name for name in names if name != LAST_RECORD)

    @property
    def key(self) -> str | None:
        """The name of the key in the target."""
        return None if self.pk_field is None else self.rename.get(self.pk_field, self.pk_field)


def _is_known(name: str, is_section: bool) -> bool:
    if name in (MAX_KEY, TIMESTAMP):
        return True
    return name.startswith(f"{LAST_RECORD}.") or (is_section and name == LAST_RECORD)


class IngestionRunner(Runner[IngestionSpec]):
    name: ClassVar[str] = "ingestion"
    Spec: ClassVar[type[Spec]] = IngestionSpec
    on_lost: ClassVar[OnLost] = OnLost.RERUN

    def check(self, spec: IngestionSpec) -> None:
        url = spec.source.check("source")
        query = spec.template
        if url is not None:
            query.check(url.dialect)
        spec.target.check()
        check_rename(spec.rename)
        _check_strategy(spec, query.names)

    def can_pause(self, spec: IngestionSpec) -> bool:
        """Only what goes on after a batch; the others would begin anew."""
        return bool(spec.order)

    def is_inline(self, spec: IngestionSpec) -> bool:  # noqa: ARG002
        """A driver that does not come back ends with its worker."""
        return True

    def run(self, spec: IngestionSpec, context: Context) -> Result:
        return _Ingestion(spec, context).run()


def _check_strategy(spec: IngestionSpec, names: tuple[str, ...]) -> None:
    if MAX_KEY in names and spec.pk_field is None:
        raise Invalid.field("pk_field", f"{{{{{MAX_KEY}}}}} needs to know which column is the key")
    if spec.strategy != INCREMENT:
        return
    if not set(names) - {LAST_RECORD}:
        wanted = ", ".join(f"{{{{{name}}}}}" for name in (MAX_KEY, f"{LAST_RECORD}.x", TIMESTAMP))
        raise Invalid.field("query", f"the strategy increment needs one of {wanted}: where does a run go on?")
    if spec.target.index is not None and spec.pk_field is None:
        raise Invalid.field("pk_field", "an index that grows needs it: a record that comes again must find its place")


class _Ingestion:
    """One run."""

    def __init__(self, spec: IngestionSpec, context: Context) -> None:
        self.spec = spec
        self.context = context
        self.drops = Drops(context, spec.max_errors)
        self.began_at = datetime.now(UTC)

    def run(self) -> Result:
        for text in self.spec.warnings:
            self.context.warn(text)
        with self._sink() as sink:
            place = self._start(sink)
            query = self.spec.template
            with rows_of(self.spec.source, query, place.value, self.spec.batch_size, self.context) as rows:
                walk = Walk(rows.columns, pk_field=self.spec.pk_field, order=self.spec.order, place=place)
                self._copy(rows, walk, sink)
            if not self.spec.order:
                self._commit(walk, sink)
            return self._end(walk, place)

    @contextmanager
    def _sink(self) -> Iterator[Sink]:
        with self._open() as sink:
            yield sink

    def _open(self) -> AbstractContextManager[Any]:
        target, drops, key, context = self.spec.target, self.drops, self.spec.key, self.context
        is_new = self.spec.strategy != INCREMENT
        if target.jsonl is not None:
            from jobs.runners.sql import lines

            return (lines.replacing if is_new else lines.growing)(target.jsonl, drops, key, context)
        if target.table is not None:
            from jobs.runners.sql.bookkeeping import table_sink

            overwrite = self.spec.order != (MAX_KEY,)
            return table_sink(target.table, drops, key, context, replace=is_new, overwrite=overwrite)
        from jobs.runners.sql.index import index_sink

        assert target.index is not None
        return index_sink(target.index, drops, key, context, replace=is_new)

    # -- the place -----------------------------------------------------------------------------------------------------
    def _start(self, sink: Sink) -> Place:
        place = sink.start(self._kept())
        execution = self.context.info.execution
        if place.execution != execution or not execution:
            place = replace(place, execution=execution, count=0, dropped=0, volume_bytes=0)
        self.drops.count = place.dropped
        if self.spec.strategy == INCREMENT:
            self._keep(place)
        return place

    def _cursors(self) -> dict[str, Any]:
        cursor = self.context.cursor
        found = cursor.get(CURSORS) if isinstance(cursor, dict) else None
        return found if isinstance(found, dict) else {}

    def _kept(self) -> Place | None:
        raw = self._cursors().get(self.spec.target.identity)
        try:
            return None if raw is None else Place.from_json(raw)
        except (KeyError, TypeError, ValueError, AttributeError):
            raise RunFailed("the job's cursor is not what this runner wrote; set it to null to begin anew") from None

    def _keep(self, place: Place) -> None:
        rest = self.context.cursor if isinstance(self.context.cursor, dict) else {}
        cursors = {**self._cursors(), self.spec.target.identity: storable(place)}
        self.context.save_cursor({**rest, CURSORS: cursors})

    # -- the rows ------------------------------------------------------------------------------------------------------
    def _copy(self, rows: Rows, walk: Walk, sink: Sink) -> None:
        make = records_of(rows.columns, self.spec.rename)
        for batch in rows:
            self._go_on()
            if fresh := walk.take(batch, rows.batch_bytes):
                sink.write(make(fresh))
                if self.spec.order:
                    self._commit(walk, sink)
                self._report(walk)
        self._go_on()

    def _go_on(self) -> None:
        if self.context.should_stop() or not self.context.lease_is_fresh():
            raise Stopped(str(self.context.stop_reason))

    def _commit(self, walk: Walk, sink: Sink) -> None:
        self._go_on()
        place = replace(walk.place, dropped=self.drops.count)
        if not self.spec.order:
            place = replace(place, timestamp=self.began_at.isoformat())
        walk.place = sink.commit(place)
        self._keep(walk.place)

    def _report(self, walk: Walk) -> None:
        self.context.progress(walk.place.count, unit="rows")
        place, n_dropped = walk.place, self.drops.count
        self.context.report(
            records=place.count - n_dropped,
            last_id=walk.last_id(),
            n_dropped=n_dropped,
            volume_bytes=place.volume_bytes,
        )

    def _end(self, walk: Walk, before: Place) -> Result:
        self._report(walk)
        self._warn(walk, before)
        count = walk.place.count - self.drops.count
        dropped = f", {counted(self.drops.count, 'record')} dropped" if self.drops.count else ""
        return Result(message=f"{counted(count, 'record')}{dropped}", records=count, last_id=walk.last_id())

    def _warn(self, walk: Walk, before: Place) -> None:
        if self.drops.count:
            self.context.warn(f"{counted(self.drops.count, 'record')} could not be written")
        unset = [name for name in self.spec.template.names if before.value(name) is None]
        if unset and not walk.place.count and self.spec.strategy == INCREMENT:
            name = unset[0]
            self.context.warn(
                f"no row came, and {{{{{name}}}}} has no value before the first: write the condition as "
                f"{{{{#{name}}}}}WHERE … {{{{{name}}}}}{{{{/{name}}}}}"
            )
