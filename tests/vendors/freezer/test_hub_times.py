"""Times of jobs on the hub's own nodes that were changed in the hub, or are refused."""

from pathlib import Path
from typing import Any

import pytest

from jobs.engine.define import patch
from jobs.engine.rights import Actor, operator
from jobs.engine.trigger import trigger
from jobs.models import Job, Node
from jobs.states import State
from tests.vendors.freezer.conftest import Api, engine_job, states_of
from tests.vendors.freezer.making import HUB
from tests.vendors.freezer.test_hub import backup, end, told
from vendors.models import FreezerJob

EVERY_5 = {"schedule_interval": "5 minutes"}
IN_HUB = [
    {"name": "freezer", "interval": "2 hours"},
    {"name": "freezer", "cron": "0 4 * * *"},
    {"name": "other", "cron": "0 4 * * *"},
]


@pytest.fixture
def make(api: Api, node: Node, tmp_path: Path) -> Any:
    return lambda **more: api.make(client_id=HUB, job_actions=[backup(tmp_path)], **more)


def says(job: Job) -> list[tuple[str, Any, bool]]:
    return [(one.name, one.value, one.enabled) for one in job.schedules.all()]


@pytest.fixture(params=IN_HUB, ids=["told", "not told", "another"])
def changed(request: pytest.FixtureRequest, make: Any, op: Actor) -> str:
    """A job whose times somebody has changed in the hub."""
    job_id: str = make(job_schedule=EVERY_5)
    patch(engine_job(job_id), {"schedules": [request.param]}, actor=op)
    return job_id


def test_a_document_that_comes_back_leaves_them_alone(api: Api, changed: str) -> None:
    before = says(engine_job(changed))
    api.post(f"jobs/{changed}", api.get(f"jobs/{changed}"))

    assert says(engine_job(changed)) == before


def test_a_schedule_that_comes_back_leaves_them_alone(api: Api, changed: str) -> None:
    before = says(engine_job(changed))
    api.ask("PATCH", f"jobs/{changed}", {"job_schedule": api.schedule(changed)}, status=200)

    assert says(engine_job(changed)) == before


def test_other_steps_leave_them_alone(api: Api, changed: str, tmp_path: Path) -> None:
    before = says(engine_job(changed))
    api.ask("PATCH", f"jobs/{changed}", {"job_actions": [backup(tmp_path)]}, status=200)

    assert says(engine_job(changed)) == before


def test_a_stop_and_a_start_switch_them(api: Api, changed: str) -> None:
    ((name, value, _),) = says(engine_job(changed))
    api.event(changed, "stop")
    stopped = says(engine_job(changed))
    api.event(changed, "start")

    assert (stopped, says(engine_job(changed))) == ([(name, value, False)], [(name, value, True)])
    assert states_of(changed) == []


def test_new_times_take_the_place_of_its_own(api: Api, changed: str) -> None:
    api.ask("PATCH", f"jobs/{changed}", {"job_schedule": {"schedule_hour": "3"}}, status=200)

    assert ("freezer", {"hour": "3"}, True) in says(engine_job(changed))


def test_a_stop_while_it_runs_is_new_once(api: Api, make: Any) -> None:
    job_id = make(job_schedule=EVERY_5)
    _run(job_id)

    assert [api.event(job_id, "stop"), api.event(job_id, "stop")] == ["success", "stop already requested"]


def test_a_start_behind_a_stop_counts_while_it_runs(api: Api, make: Any) -> None:
    job_id = make(job_schedule=EVERY_5)
    _run(job_id)
    api.event(job_id, "stop")

    assert (api.event(job_id, "start"), told(api, job_id)[0]) == ("success", "running")
    assert engine_job(job_id).schedules.get().enabled


def _run(job_id: str) -> None:
    trigger(engine_job(job_id), actor=operator("test"))
    end(job_id, State.RUNNING)


REFUSED = [
    ({"schedule_hour": "25"}, "job_schedule.schedule_hour: '25' is not within 0-23"),
    ({"schedule_interval": "0 seconds"}, "job_schedule.schedule_interval: wanted an interval"),
    ({"schedule_date": "2001-01-01T00:00:00"}, "job_schedule.schedule_date: '2001-01-01T00:00:00' has passed"),
    ({"schedule_month": "6", "schedule_week": "53"}, "job_schedule: month=6, week=53 never comes"),
    (
        {**EVERY_5, "schedule_start_date": "2099-02-01T00:00:00", "schedule_end_date": "2099-01-01T00:00:00"},
        "job_schedule.schedule_end_date: is before its start",
    ),
]


@pytest.mark.parametrize(("schedule", "why"), REFUSED)
def test_what_never_comes_is_refused_in_its_words(
    api: Api, make: Any, tmp_path: Path, schedule: dict[str, str], why: str
) -> None:
    job_id = make(job_schedule=EVERY_5)
    changed = api.ask("PATCH", f"jobs/{job_id}", {"job_schedule": schedule}, status=422).json()
    new = api.post("jobs", {"client_id": HUB, "job_actions": [backup(tmp_path)], "job_schedule": schedule}, 422)

    assert (why in changed["description"], why in new["description"]) == (True, True)
    assert FreezerJob.objects.count() == 1


def test_what_a_scheduler_tells_with_a_whole_document_counts(api: Api, shop: Any) -> None:
    job_id = api.make(job_schedule={})
    document = api.get(f"jobs/{job_id}")
    api.post(
        f"jobs/{job_id}", {**document, "job_schedule": {**document["job_schedule"], "time_started": 1_700_000_000}}
    )

    assert api.schedule(job_id)["time_started"] == 1_700_000_000
