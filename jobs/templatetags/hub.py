"""How the admin's templates show values."""

from datetime import datetime
from typing import Any

from django import template
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString

from jobs.admin import show
from jobs.admin.base import actor_of
from jobs.admin.overview import Overview, overview_of
from jobs.engine.planned import Planned
from jobs.models import ActionExecution, JobExecution

register = template.Library()
register.filter("badge", show.badge)
register.filter("ago", show.ago)
register.filter("progress_bar", show.progress)
register.filter("note", show.note)
register.filter("local", show.local)
register.filter("planned_badge", show.planned_badge)


@register.filter
def health(node: Any) -> SafeString:
    """Of a node that knows how many executions it has."""
    return show.health(node, node.n_running)


@register.filter
def moment(at: datetime | None) -> SafeString:
    return show.moment(at)


@register.filter
def clock(at: datetime) -> str:
    """The time of the day in the hub's zone."""
    return f"{timezone.localtime(at):%H:%M}"


@register.filter
def ran_for(run: JobExecution | ActionExecution) -> str:
    return show.duration(run)


@register.simple_tag
def verb_url(execution: JobExecution, verb: str) -> str:
    return reverse(f"admin:jobs_jobexecution_{verb}", args=[execution.pk])


@register.simple_tag
def slot_url(run: Planned, verb: str, origin: str) -> str:
    """Where a run to come is skipped, moved and so on; `origin`: the page to come back to."""
    query = {"slot": f"{run.slot_at:%Y-%m-%dT%H:%M:%SZ}", **({"from": origin} if origin else {})}
    return reverse(f"admin:jobs_schedule_{verb}", args=[run.schedule.pk], query=query)


@register.simple_tag(takes_context=True)
def overview(context: dict[str, Any]) -> Overview:
    """What the first page shows to the person who asks."""
    return overview_of(actor_of(context["request"]))
