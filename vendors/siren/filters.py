"""The parameters of the lists, and Elasticsearch's words for what is wrong with them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import django_filters
from django import forms
from django.db.models import QuerySet
from rest_framework.request import Request

from jobs.errors import Invalid
from jobs.models import JobExecution
from jobs.states import FINAL, State
from vendors.siren.vendor import PAGING, STATES
from vendors.wire.times import from_epoch_millis

COMMON = frozenset({"pretty", "human", "error_trace", "filter_path", "format"})
"""Taken by every path; only `pretty` changes anything here."""
NAMED = 10
WHOLE = re.compile(r"[+-]?\d{1,19}", re.ASCII)
LONGS = range(-(2**63), 2**63)
INTS = range(-(2**31), 2**31)


def refuse_unknown(request: Request, known: frozenset[str]) -> None:
    """Raises `Invalid` naming the parameters that the path does not take."""
    names = sorted(set(request.query_params) - known - COMMON)[:NAMED]
    if names:
        told = ", ".join(f"[{name[:100]}]" for name in names)
        plural = "s" if len(names) > 1 else ""
        raise Invalid.field("", f"request [{request.path}] contains unrecognized parameter{plural}: {told}")


def whole(text: str, name: str, kind: str, within: range) -> int:
    """A whole number. Raises `Invalid` as Java's parser would have it told."""
    if WHOLE.fullmatch(text) and int(text) in within:
        return int(text)
    raise Invalid.field("", f"Failed to parse {kind} parameter [{name}] with value [{text[:100]}]")


# -- windows -----------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Window:
    """Which rows of a list are wanted."""

    start: int
    size: int

    @classmethod
    def of(cls, request: Request, default: int = PAGING.default) -> "Window":
        start = cls._number(request, PAGING.cursor, 0)
        size = cls._number(request, PAGING.limit, max(0, min(default, PAGING.largest - start)))
        if start + size > PAGING.largest:
            raise Invalid.field(
                "",
                "Result window is too large, from + size must be less than or equal to: "
                f"[{PAGING.largest}] but was [{start + size}].",
            )
        return cls(start, size)

    @staticmethod
    def _number(request: Request, name: str, default: int) -> int:
        text = request.query_params.get(name)
        found = default if text is None else whole(text, name, "int", INTS)
        if found < 0:
            raise Invalid.field("", f"[{name}] parameter cannot be negative, found [{found}]")
        return found

    @property
    def end(self) -> int:
        return self.start + self.size

    def of_rows(self, rows: Any) -> Any:
        return rows[self.start : self.end]


WINDOW = frozenset({PAGING.cursor, PAGING.limit})


# -- the job log -------------------------------------------------------------------------------------------------------
class MillisField(forms.CharField):
    def to_python(self, value: Any) -> Any:
        if value in self.empty_values:
            return None
        if WHOLE.fullmatch(str(value)) and int(value) in LONGS:
            return int(value)
        raise forms.ValidationError("not a long")


class MillisFilter(django_filters.Filter):
    """Milliseconds since 1970. `later` says by how many the time begins that is compared with."""

    field_class = MillisField

    def __init__(self, *args: Any, later: int = 0, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.later = later

    def filter(self, qs: QuerySet[Any], value: int | None) -> QuerySet[Any]:
        found: QuerySet[Any] = super().filter(qs, None if value is None else from_epoch_millis(value + self.later))
        return found


class LogFilters(django_filters.FilterSet):
    """The five filters of the job log, all of which must fit."""

    start_time_from = MillisFilter("began_at", "gte", label="Started in this millisecond or later.")
    start_time_to = MillisFilter("began_at", "lt", later=1, label="Started in this millisecond or earlier.")
    type = django_filters.CharFilter("kind", label="What the job is, such as `ingestion`.")
    state = django_filters.CharFilter(method="of_state", label="`successful`, `error` or `aborted`.")
    id = django_filters.CharFilter("job_name", label="The id of the job.")

    class Meta:
        model = JobExecution
        fields: list[str] = []

    def of_state(self, rows: QuerySet[Any], name: str, word: str) -> QuerySet[Any]:  # noqa: ARG002
        """Left to the log, which reads each state by itself."""
        return rows

    @property
    def states(self) -> list[State]:
        """The states that are asked for; none for a word that no ended job has."""
        word = self.data.get("state")
        return sorted(STATES.back.get(word, frozenset()) & FINAL if word else FINAL)

    def checked(self) -> QuerySet[Any]:
        """The rows that match. Raises `Invalid` for a value that cannot be read."""
        for message in self._wrong():
            raise Invalid.field("", message)
        rows: QuerySet[Any] = self.qs
        return rows

    def _wrong(self) -> Iterator[str]:
        for name in self.errors:
            kind = "long" if isinstance(self.filters[name], MillisFilter) else "string"
            yield f"Failed to parse {kind} parameter [{name}] with value [{self.data[name][:100]}]"


LOG = frozenset(LogFilters.base_filters) | WINDOW
