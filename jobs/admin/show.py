"""How values look on every page."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from jobs.engine.nodes import NodeState, state_of
from jobs.models import ActionExecution, JobExecution, Node
from jobs.states import ACTIVE, LIVE, State

NOTHING = mark_safe('<span class="hub-quiet">-</span>')
SECONDS = "%Y-%m-%d %H:%M:%S"
BYTES = frozenset({"byte", "bytes"})
SIGNS = {
    State.QUEUED: "◷",
    State.RUNNING: "▶",
    State.PAUSED: "❚❚",
    State.ABORTING: "◼",
    State.SUCCEEDED: "✓",
    State.FAILED: "✗",
    State.ABORTED: "⊘",
}
"""A shape for each state, so that nobody has to tell them by colour."""


def badge(state: str) -> SafeString:
    return format_html(
        '<span class="hub-state hub-{0}"><span aria-hidden="true">{1}</span> {0}</span>', state, SIGNS[State(state)]
    )


def moment(at: datetime | None) -> SafeString:
    """A time in the hub's zone, to the second, with the zone's name."""
    if at is None:
        return NOTHING
    local = timezone.localtime(at)
    return format_html('<time datetime="{}">{}</time>', local.isoformat(), f"{local:{SECONDS} %Z}")


def local(at: datetime, zone: str) -> SafeString:
    """A time in that zone, with its day of the week, and below it in UTC where that is another one."""
    there = at.astimezone(ZoneInfo(zone))
    if there.tzname() == "UTC":
        return format_html('<time datetime="{}">{}</time>', there.isoformat(), f"{there:%a {SECONDS} %Z}")
    shown = '<time datetime="{}">{}</time><br><span class="hub-quiet">{} UTC</span>'
    return format_html(shown, there.isoformat(), f"{there:%a {SECONDS} %Z}", f"{at.astimezone(UTC):{SECONDS}}")


def span(length: timedelta) -> str:
    """A duration in its two greatest units: `2 d 3 h`, `4 min 5 s`, `0.3 s`."""
    seconds = max(0.0, length.total_seconds())
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    for unit, size, lower, lower_size in (("d", 86400, "h", 3600), ("h", 3600, "min", 60), ("min", 60, "s", 1)):
        if whole >= size:
            rest = whole % size // lower_size
            return f"{whole // size} {unit} {rest} {lower}" if rest else f"{whole // size} {unit}"
    return f"{whole} s"


def ago(at: datetime | None) -> SafeString:
    if at is None:
        return NOTHING
    local = timezone.localtime(at)
    long_ago = span(timezone.now() - at)
    return format_html(
        '<time datetime="{0}" title="{1}">{2} ago</time>', local.isoformat(), f"{local:{SECONDS} %Z}", long_ago
    )


def duration(execution: JobExecution | ActionExecution) -> str:
    """How long it ran, or runs."""
    if execution.started_at is None:
        return NOTHING
    return span((execution.finished_at or timezone.now()) - execution.started_at)


def amount(count: int, unit: str) -> str:
    return filesizeformat(count) if unit in BYTES else f"{count:,}"


PLANNED_LOOKS = {"planned": "queued", "moved": "running", "skipped": "aborted", "paused": "paused", "held": "paused"}
PLANNED_SIGNS = {"planned": "◷", "moved": "↷", "skipped": "⊘", "paused": "❚❚", "held": "❚❚"}


def planned_badge(state: str) -> SafeString:
    """Of a run to come."""
    shown = '<span class="hub-state hub-{}"><span aria-hidden="true">{}</span> {}</span>'
    return format_html(shown, PLANNED_LOOKS[state], PLANNED_SIGNS[state], state)


def progress(execution: JobExecution) -> SafeString:
    """A bar while it is active, and the figures."""
    text = _figures(execution)
    label = f"Progress of {execution.job_name}"
    if execution.state not in ACTIVE or execution.state == State.QUEUED:
        return format_html("{}", text) if text else NOTHING
    if execution.progress_total:
        done = min(execution.progress_done or 0, execution.progress_total)
        bar = format_html(
            '<progress aria-label="{}" max="{}" value="{}"></progress>', label, execution.progress_total, done
        )
    elif execution.state in LIVE:
        bar = format_html('<progress aria-label="{}"></progress>', label)
    else:
        bar = SafeString("")
    return format_html('<span class="hub-progress">{} <span>{}</span></span>', bar, text)


def _figures(execution: JobExecution) -> str:
    done, total, unit = execution.progress_done, execution.progress_total, execution.progress_unit
    if done is None:
        return ""
    words = [amount(done, unit), *(["/", amount(total, unit)] if total else []), *([] if unit in BYTES else [unit])]
    return " ".join(words).strip()


def execution_url(execution: JobExecution) -> str:
    return reverse("admin:jobs_jobexecution_change", args=[execution.pk])


def execution_link(execution: JobExecution, text: str = "") -> SafeString:
    return format_html('<a href="{}">{}</a>', execution_url(execution), text or execution.handle)


def note(execution: JobExecution) -> str:
    """One line about it: why it waits, else its message, else its warnings."""
    reasons = getattr(execution, "reasons", None)
    if reasons:
        return "waits for " + "; ".join(reason["text"] for reason in reasons)
    if execution.state == State.PAUSED:
        return execution.message or "paused"
    if execution.message:
        return execution.message
    return f"{execution.n_warnings} warnings" if execution.n_warnings else ""


LOOKS = {
    NodeState.UP: ("succeeded", "✓"),
    NodeState.DRAINING: ("aborting", "◼"),
    NodeState.DRAINED: ("paused", "❚❚"),
    NodeState.SILENT: ("failed", "✗"),
}


def health(node: Node, n_running: int) -> SafeString:
    state = state_of(node, n_running)
    look, sign = LOOKS[state]
    badge = '<span class="hub-state hub-{}"><span aria-hidden="true">{}</span> {}</span>'
    return format_html(badge, look, sign, state.value)
