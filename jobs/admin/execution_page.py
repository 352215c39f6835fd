"""What the page of one execution shows."""

import json
from dataclasses import dataclass
from typing import Any

from jobs.engine.waiting import waiting_for
from jobs.models import ActionExecution, Dependency, JobExecution, Output
from jobs.states import ACTIVE, FINAL, State

TAIL_CHARS = 65536
TAIL_PIECES = 1000
RELATED = 20
OUTPUT_URL = "/hub/v1/executions/{}/output"
"""Where the follower asks for what is new: the hub's own API, which takes the admin's session."""
VERBS_OF_STATE = {
    State.QUEUED: ["abort"],
    State.RUNNING: ["pause", "abort"],
    State.PAUSED: ["resume", "abort"],
    State.ABORTING: [],
    State.SUCCEEDED: ["retry"],
    State.FAILED: ["retry", "restart"],
    State.ABORTED: ["retry", "restart"],
}
LABELS = {"restart": "Retry from the failed action", "unkeep": "Let it expire"}


@dataclass
class Tail:
    """The end of an output: its pieces, up to which sequence it goes, and whether something came before it."""

    pieces: list[Output]
    last_seq: int
    is_cut: bool


def page_of(execution: JobExecution, *, may_act: bool) -> dict[str, Any]:
    """The context of the page's template."""
    verbs = [*VERBS_OF_STATE[State(execution.state)], "unkeep" if execution.is_kept else "keep"]
    return {
        "execution": execution,
        "is_active": execution.state in ACTIVE,
        "verbs": [(verb, LABELS.get(verb, verb.capitalize())) for verb in verbs] if may_act else [],
        "reasons": waiting_for([execution]).get(execution.pk, []),
        "steps": _timeline(execution),
        "predecessors": list(_related(execution, "execution", "after")),
        "successors": list(_related(execution, "after", "execution")),
        "first": _named(execution.first) if execution.first != execution.retry_of_id else None,
        "starter": _named(execution.triggered_by),
        "retries": list(execution.retried_by.only("handle", "state").order_by("pk")[:RELATED]),
        "archives": list(execution.archives.order_by("pk")[:RELATED]) if execution.state in FINAL else [],
        "notices": list(execution.deliveries.select_related("subscription").order_by("pk")[:RELATED]),
        "tail": tail_of(execution),
        "output_url": OUTPUT_URL.format(execution.pk),
        "params": pretty(execution.params),
        "plan": pretty(execution.plan),
    }


def _named(pk: int | None) -> JobExecution | None:
    """One that may have expired."""
    return JobExecution.objects.filter(pk=pk or 0).only("handle", "state").first()


def pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True)


def tail_of(execution: JobExecution) -> Tail:
    """The last 64 Ki characters of its output."""
    pieces: list[Output] = []
    length = 0
    for piece in execution.output.order_by("-seq")[:TAIL_PIECES]:
        pieces.append(piece)
        length += len(piece.text)
        if length >= TAIL_CHARS:
            piece.text = piece.text[length - TAIL_CHARS :]
            break
    pieces.reverse()
    is_cut = length >= TAIL_CHARS or len(pieces) == TAIL_PIECES
    return Tail(pieces=pieces, last_seq=pieces[-1].seq if pieces else 0, is_cut=is_cut)


def _timeline(execution: JobExecution) -> list[dict[str, Any]]:
    """The steps that an earlier execution did, those that ran, then those of the plan that did not run yet."""
    ran = list(ActionExecution.objects.filter(execution=execution))
    done_before = enumerate(execution.plan.get("actions", [])[: execution.first_action])
    lines: list[dict[str, Any]] = [
        {"step": None, "runner": planned["runner"], "position": position, "is_done": True}
        for position, planned in done_before
    ]
    lines += [{"step": step, "state": step.state, "runner": step.runner} for step in ran]
    started = {step.position for step in ran if step.attempt == execution.attempt}
    for position, planned in enumerate(execution.plan.get("actions", [])):
        if position not in started and position >= execution.position and execution.state in ACTIVE:
            lines.append({"step": None, "state": "", "runner": planned["runner"], "position": position})
    return lines


def _related(execution: JobExecution, mine: str, other: str) -> list[dict[str, Any]]:
    rows = Dependency.objects.filter(**{mine: execution}).order_by("pk")
    names = ("condition", f"{other}_id", f"{other}__handle", f"{other}__state")
    return [
        {"condition": condition, "pk": pk, "handle": handle, "state": state}
        for condition, pk, handle, state in rows.values_list(*names)[:RELATED]
    ]
