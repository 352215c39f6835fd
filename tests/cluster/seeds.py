"""What the cluster tests have done inside a hub, each by name: `python -m tests.cluster.seeds NAME JSON`."""

import json
import sys
from typing import Any

import django

django.setup()

from jobs.engine.define import define  # noqa: E402
from jobs.engine.rights import Actor, operator  # noqa: E402
from jobs.engine.trigger import trigger  # noqa: E402
from jobs.models import Job, JobExecution, Project  # noqa: E402

NOOP = {"runner": "python", "spec": {"callable": "noop"}}
MARKED = """
mark() { echo "$1 $JOBHUB_EXECUTION $JOBHUB_ATTEMPT $(date +%s.%N)" >> "$MARKS/$JOBHUB_EXECUTION"; }
mark start
i=0
while [ $i -lt "$TENTHS" ]; do sleep 0.1; mark alive; i=$((i+1)); done
mark end
"""


def _actor() -> Actor:
    return operator("test", Project.objects.get_or_create(name="default")[0])


def marked(*, n: int, seconds: float, marks: str, **fields: Any) -> list[str]:
    """So many executions of one job whose runs write their own marks; returns their UUIDs."""
    spec = {"argv": MARKED, "shell": True, "env": {"MARKS": marks, "TENTHS": str(int(seconds * 10))}}
    document = {
        "name": "marked",
        "actions": [{"runner": "command", "spec": spec}],
        "on_lost": "rerun",
        "concurrency_limit": 0,
        **fields,
    }
    actor = _actor()
    job, _ = define(document, actor=actor)
    return [str(trigger(job, actor=actor)[0].uuid) for _ in range(n)]


def chained(*, n: int, seconds: float, marks: str) -> list[str]:
    """So many executions of `marked`, each of whose ends starts `second`, whose ends start `third`."""
    actor = _actor()
    for name, before in (("marked", []), ("second", ["marked"]), ("third", ["second"])):
        after = [{"job": job, "on": "end"} for job in before]
        define({"name": name, "actions": [NOOP], "concurrency_limit": 0, "after": after}, actor=actor)
    return marked(n=n, seconds=seconds, marks=marks)


def command(*, name: str, spec: dict[str, Any], **fields: Any) -> str:
    """One execution of a command; returns its UUID."""
    actor = _actor()
    job, _ = define({"name": name, "actions": [{"runner": "command", "spec": spec}], **fields}, actor=actor)
    return str(trigger(job, actor=actor)[0].uuid)


def step(*, name: str, runner: str, spec: dict[str, Any], **fields: Any) -> str:
    """One execution of a job of one action; returns its UUID."""
    actor = _actor()
    job, _ = define({"name": name, "actions": [{"runner": runner, "spec": spec}], **fields}, actor=actor)
    return str(trigger(job, actor=actor)[0].uuid)


def steps(*, n: int, runner: str, spec: dict[str, Any]) -> int:
    """So many executions of one job of one action."""
    actor = _actor()
    document = {"name": "steps", "actions": [{"runner": runner, "spec": spec}], "concurrency_limit": 0}
    job, _ = define(document, actor=actor)
    return len([trigger(job, actor=actor) for _ in range(n)])


def subscribed(*, urls: list[str]) -> int:
    from jobs.engine.notices import subscribe

    return len([subscribe({"webhook": url, "events": ["succeeded"]}, actor=_actor()) for url in urls])


def forget_claims() -> int:
    """As if the time of whoever was sending notices were over."""
    from django.utils import timezone

    from jobs.models import Delivery

    return Delivery.objects.exclude(next_at=None).update(next_at=timezone.now())


def again(*, name: str) -> str:
    actor = _actor()
    return str(trigger(Job.objects.get(name=name), actor=actor)[0].uuid)


def abort(*, uuid: str) -> str:
    from jobs.engine import aborts

    execution = JobExecution.objects.get(uuid=uuid)
    aborts.abort(execution, actor=_actor())
    return execution.state


if __name__ == "__main__":
    print(json.dumps(globals()[sys.argv[1]](**json.loads(sys.argv[2]))))
