"""What the first page tells: what runs, what went wrong, what waits, and who works. A handful of indexed questions."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Case, Count, IntegerField, Min, OuterRef, QuerySet, Subquery, Value, When
from django.utils import timezone

from jobs.engine.nodes import is_silent, running_on
from jobs.engine.planned import Planned, planned
from jobs.engine.rights import Actor
from jobs.engine.waiting import waiting_for
from jobs.models import JobExecution, Node, Project
from jobs.states import ACTIVE, State

RUNNING_SHOWN = 12
FAILURES_SHOWN = 8
AT_WORK = [State.RUNNING.value, State.ABORTING.value, State.PAUSED.value]
HOURS = 24
DRAWN = [State.SUCCEEDED, State.FAILED, State.ABORTED, State.RUNNING, State.ABORTING, State.PAUSED, State.QUEUED]
"""The states in the order in which a bar stacks them, from below."""
WIDTH, HEIGHT, GAP = 720, 120, 4


@dataclass
class Segment:
    """A piece of a bar, in the units of the picture."""

    state: str
    count: int
    x: int
    y: float
    width: int
    height: float


@dataclass
class Bar:
    """An hour of the picture."""

    title: str
    x: int
    width: int
    segments: list[Segment] = field(default_factory=list)


@dataclass
class Picture:
    """The last 24 hours: by the hour in which they were queued, what became of the executions."""

    bars: list[Bar]
    totals: list[tuple[str, int]]
    most: int
    since: datetime
    width: int = WIDTH
    height: int = HEIGHT

    @property
    def total(self) -> int:
        return sum(count for _, count in self.totals)


@dataclass
class Overview:
    now: dict[str, int]
    running: list[JobExecution]
    failures: list[JobExecution]
    oldest: JobExecution | None
    nodes: list[Any]
    """Each with `n_running`, the number of its executions."""
    picture: Picture
    next_run: Planned | None
    """The next planned one of the next 24 hours."""

    @property
    def n_workers(self) -> int:
        return sum(node.workers for node in self.nodes if not is_silent(node))


def overview_of(actor: Actor) -> Overview:
    now = timezone.now()
    projects = _projects(actor)
    rows = JobExecution.objects.filter(project__in=projects.values("pk"))
    return Overview(
        now=_counts(rows.filter(state__in=[state.value for state in ACTIVE])),
        running=_newest(rows.filter(state__in=AT_WORK), RUNNING_SHOWN),
        failures=_newest(rows.filter(state=State.FAILED), FAILURES_SHOWN),
        oldest=_oldest_waiting(rows),
        nodes=_nodes(),
        picture=_picture(rows, projects, now),
        next_run=next(iter(planned(actor.visible_projects, limit=1)[0]), None),
    )


def _nodes() -> list[Any]:
    nodes: list[Any] = list(Node.objects.all())
    running = running_on(node.name for node in nodes)
    for node in nodes:
        node.n_running = running.get(node.name, 0)
    return nodes


def _projects(actor: Actor) -> QuerySet[Project]:
    rows = Project.objects.order_by()
    return rows if actor.visible_projects is None else rows.filter(pk__in=actor.visible_projects)


def _light(rows: QuerySet[Any]) -> QuerySet[Any]:
    return rows.select_related("project").defer("plan", "params", "checkpoint", "errors")


def _newest(rows: QuerySet[Any], count: int) -> list[JobExecution]:
    """The newest so many of them, by ids that come from an index alone."""
    ids = rows.order_by("-pk").values("pk")[:count]
    return list(_light(JobExecution.objects.filter(pk__in=ids)).order_by("-pk"))


def _counts(rows: QuerySet[Any]) -> dict[str, int]:
    found = dict(rows.order_by().values_list("state").annotate(n=Count("pk")))
    return {state.value: found.get(state.value, 0) for state in DRAWN if state in ACTIVE}


def _oldest_waiting(rows: QuerySet[Any]) -> JobExecution | None:
    """With the `reasons` why it waits."""
    ids = rows.filter(state=State.QUEUED).order_by("pk").values("pk")[:1]
    oldest: Any = _light(JobExecution.objects.filter(pk__in=ids)).first()
    if oldest is not None:
        oldest.reasons = waiting_for([oldest]).get(oldest.pk, [])
    return oldest


# -- the picture -------------------------------------------------------------------------------------------------------
def _picture(rows: QuerySet[Any], projects: QuerySet[Project], now: datetime) -> Picture:
    this_hour = now.replace(minute=0, second=0, microsecond=0)
    starts = [this_hour - timedelta(hours=back) for back in range(HOURS - 1, -1, -1)]
    counts = _by_hour(rows, _first_ids(projects, starts))
    most = max((sum(hour.values()) for hour in counts), default=0)
    return Picture(
        bars=[_bar(index, starts[index], hour, most) for index, hour in enumerate(counts)],
        totals=[(state.value, sum(hour.get(state.value, 0) for hour in counts)) for state in DRAWN],
        most=most,
        since=starts[0],
    )


def _first_ids(projects: QuerySet[Project], starts: list[datetime]) -> list[int | None]:
    """The first id of each hour; ids grow with time, so that the hours can be counted in an index by id."""
    found: dict[str, Any] = {}
    for index, start in enumerate(starts):
        first = JobExecution.objects.filter(project=OuterRef("pk"), queued_at__gte=start).order_by("queued_at")
        found[f"h{index}"] = Min(Subquery(first.values("pk")[:1]))
    ids = projects.aggregate(**found)
    return [ids[f"h{index}"] for index in range(len(starts))]


def _by_hour(rows: QuerySet[Any], first_ids: list[int | None]) -> list[dict[str, int]]:
    counts: list[dict[str, int]] = [{} for _ in first_ids]
    known = [(hour, first) for hour, first in enumerate(first_ids) if first is not None]
    if not known:
        return counts
    hours = [When(pk__gte=first, then=Value(hour)) for hour, first in reversed(known)]
    within = rows.filter(pk__gte=known[0][1], state__in=[state.value for state in State])
    grouped = within.annotate(hour=Case(*hours, output_field=IntegerField())).order_by().values_list("hour", "state")
    for hour, state, count in grouped.annotate(n=Count("pk")):
        counts[hour][state] = count
    return counts


def _bar(index: int, start: datetime, counts: dict[str, int], most: int) -> Bar:
    step = WIDTH // HOURS
    words = ", ".join(f"{counts[state.value]} {state.value}" for state in DRAWN if state.value in counts)
    local = timezone.localtime(start)
    bar = Bar(title=f"{local:%H:%M}: {words or 'nothing'}", x=index * step, width=step)
    y = float(HEIGHT)
    for state in DRAWN:
        if count := counts.get(state.value, 0):
            height = round(count * HEIGHT / most, 2)
            y -= height
            bar.segments.append(Segment(state.value, count, index * step + GAP // 2, round(y, 2), step - GAP, height))
    return bar
