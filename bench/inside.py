"""What is done inside a stack, with its own settings: `python -m bench.inside NAME JSON`."""

import json
import sys
from typing import Any

import django

JOB = {
    "name": "bench/noop",
    "actions": [{"runner": "python", "spec": {"callable": "noop"}}],
    "concurrency_limit": 0,
    "keep": {"days": 0},
}


def prepare_hub() -> dict[str, Any]:
    """What `manage.py setup` makes, a job that does nothing, and a key of the administrator."""
    from jobhub.first_run import set_up
    from jobs.engine.define import define
    from jobs.engine.find import default_project, find_user
    from jobs.engine.keys import create_key
    from jobs.engine.rights import operator
    from jobs.models import Level

    set_up(lambda _: None)
    project = default_project()
    actor = operator("bench", project)
    job, _ = define(JOB, actor=actor)
    _, text = create_key(find_user("admin"), project, Level.ADMIN, "bench", actor=actor)
    return {"job": job.pk, "key": text, "in_force": in_force()}


def prepare_peer() -> dict[str, Any]:
    """Its tables."""
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    return {"in_force": in_force()}


def backlog(*, n: int) -> int:
    """Trigger the job so often, as every face does."""
    from jobs.engine.find import default_project
    from jobs.engine.rights import operator
    from jobs.engine.trigger import trigger
    from jobs.models import Job

    job = Job.objects.select_related("project").get(name=JOB["name"])
    actor = operator("bench", default_project())
    for _ in range(n):
        trigger(job, actor=actor)
    return n


def ingest(*, spec: dict[str, Any]) -> float:
    """Let the workers do it; the seconds from its start to its end."""
    import time

    from jobs.engine.define import define
    from jobs.engine.find import default_project
    from jobs.engine.rights import operator
    from jobs.engine.trigger import trigger
    from jobs.states import FINAL, State

    actor = operator("bench", default_project())
    job, _ = define({"name": "bench/ingestion", "actions": [{"runner": "ingestion", "spec": spec}]}, actor=actor)
    execution, _ = trigger(job, actor=actor)
    while execution.state not in FINAL:
        time.sleep(0.2)
        execution.refresh_from_db()
    if execution.state != State.SUCCEEDED:
        raise RuntimeError(f"it {execution.state}: {execution.message}")
    return float((execution.finished_at - execution.started_at).total_seconds())


def past(*, n: int) -> int:
    """So many ended executions."""
    from bench.past import fill

    return fill(n=n)


def polled(*, n: int) -> int:
    """So many more jobs of a client that polls."""
    from bench.polled import fill

    return fill(n=n)


def age(*, n: int) -> dict[str, Any]:
    """The time of the oldest so many is over."""
    from bench import old

    return old.age(n=n)


def expire_history() -> dict[str, Any]:
    """Delete what is over."""
    from bench import old

    return old.expire_history()


def still_there(*, ids: list[int]) -> dict[str, int]:
    """What has not been deleted."""
    from bench import old

    return old.still_there(ids=ids)


def tell(*, urls: list[str]) -> int:
    """These receivers, and no others, are told of every end."""
    from jobs.engine.find import default_project
    from jobs.engine.notices import subscribe
    from jobs.engine.rights import operator
    from jobs.models import Subscription

    Subscription.objects.all().delete()
    actor = operator("bench", default_project())
    return len([subscribe({"webhook": url, "events": ["succeeded"]}, actor=actor) for url in urls])


def write_lines(*, lines: dict[str, Any], marks: str) -> int:
    """A job for each of these schedules, whose runs write down their own starts and last so many seconds."""
    from jobs.engine.define import define
    from jobs.engine.find import default_project
    from jobs.engine.rights import operator

    actor = operator("bench", default_project())
    rules = {"concurrency_limit": 0, "keep": JOB["keep"], "on_lost": "rerun"}
    for name, (written, lasts_s) in lines.items():
        argv = f'echo "$JOBHUB_EXECUTION" >> "$MARKS"; exec sleep {lasts_s}'
        actions = [{"runner": "command", "spec": {"argv": argv, "shell": True, "env": {"MARKS": marks}}}]
        define({"name": name, "actions": actions, "schedules": [written], **rules}, actor=actor)
    return len(lines)


def pause_lines() -> int:
    """Nothing more is started by the clock."""
    from jobs.models import Schedule

    return Schedule.objects.update(is_paused=True)


def peer_backlog(*, n: int) -> int:
    """So many tasks in the peer's queue, one message each."""
    from django_q.brokers import get_broker
    from django_q.tasks import async_task

    broker = get_broker()
    for _ in range(n):
        async_task("bench.peer.tasks.noop", broker=broker)
    return n


def in_force() -> dict[str, Any]:
    """The settings that decide about the figures, as the stack itself reads them."""
    from django.conf import settings
    from django.db import connection
    from django_q.conf import Conf

    return {
        "database": connection.settings_dict["ENGINE"].rpartition(".")[2],
        "conn_max_age": connection.settings_dict["CONN_MAX_AGE"],
        "broker": "redis" if Conf.REDIS else Conf.BROKER_CLASS or "orm",
        **{name: getattr(Conf, name.upper()) for name in ("workers", "poll", "save_limit", "queue_limit", "bulk")},
        "middleware": len(settings.MIDDLEWARE),
        **(
            _hub_in_force()
            if hasattr(settings, "HUB")
            else {"web_workers": 2, "authentication": "none", "audit": "none"}
        ),
    }


def _hub_in_force() -> dict[str, Any]:
    from django.conf import settings

    from vendors.native.vendor import VENDOR

    return {
        "web_workers": settings.HUB["WEB_WORKERS"],
        "web_threads": settings.HUB["WEB_THREADS"],
        "authentication": ", ".join(scheme.__name__ for scheme in VENDOR.authentication),
        "audit": "a row for each trigger, in its transaction",
        "history": f"all kept (keep_days {settings.HUB['KEEP_DAYS']})",
        "lease_s": settings.HUB["LEASE_S"],
        "log_level": settings.HUB["LOG_LEVEL"],
    }


if __name__ == "__main__":
    django.setup()
    print(json.dumps(globals()[sys.argv[1]](**json.loads(sys.argv[2])), default=str))
