"""Events of jobs that a scheduler runs: they wait until it has fetched them, and a late PATCH loses none."""

from typing import Any

import pytest

from jobs.engine import aborts
from jobs.engine.rights import Actor
from jobs.engine.trigger import trigger
from jobs.models import JobExecution, User
from tests.vendors.freezer.conftest import Api, Scheduler, engine_job, runs_of, states_of


# -- an event and a poll -----------------------------------------------------------------------------------------------
def test_a_start_is_a_queued_execution_and_an_event(api: Api, scheduler: Scheduler) -> None:
    job_id = api.make()
    answers = [api.event(job_id, "start"), api.event(job_id, "start")]

    assert answers == ["success", "start already requested"]
    assert (states_of(job_id), api.schedule(job_id)["event"]) == (["queued"], "start")


def test_a_fetched_event_is_gone_once_its_node_says_so(api: Api, scheduler: Scheduler) -> None:
    job_id = api.make()
    api.event(job_id, "start")
    fetched = [job["job_schedule"]["event"] for job in scheduler.poll()]
    scheduler.tell(job_id, status="scheduled")

    assert (fetched, api.schedule(job_id)["event"]) == (["start"], "")


@pytest.mark.parametrize("event", ["start", "stop", "abort"])
def test_an_event_outlives_a_patch_that_does_not_know_it(api: Api, scheduler: Scheduler, event: str) -> None:
    job_id = api.make()
    scheduler.poll()
    api.event(job_id, event)
    scheduler.tell(job_id, status="scheduled")

    assert api.schedule(job_id)["event"] == event


def test_an_event_after_the_fetched_one_outlives_its_end(api: Api, scheduler: Scheduler) -> None:
    job_id = api.make()
    api.event(job_id, "start")
    scheduler.poll()
    api.event(job_id, "stop")
    scheduler.tell(job_id, status="scheduled")

    assert api.schedule(job_id)["event"] == "stop"


def test_only_a_poll_delivers(api: Api, scheduler: Scheduler) -> None:
    job_id = api.make()
    api.event(job_id, "stop")
    for search in ({"match": [{"client_id": "shop"}]}, {"match_not": [{"status": "completed"}]}, None):
        api.get("jobs?limit=10", search)
    api.get(f"jobs/{job_id}")
    scheduler.tell(job_id, status="scheduled")

    assert api.schedule(job_id)["event"] == "stop"


def test_a_reader_takes_no_events_away(api: Api, api_of: Any, rita: User, scheduler: Scheduler) -> None:
    job_id = api.make()
    api.event(job_id, "stop")
    Scheduler(api_of(rita)).poll()
    scheduler.tell(job_id, status="scheduled")

    assert api.schedule(job_id)["event"] == "stop"


def test_a_start_of_a_job_that_ended_meanwhile_is_still_found(api: Api, scheduler: Scheduler) -> None:
    job_id = api.make()
    began = scheduler.begin(job_id)
    api.event(job_id, "start")
    scheduler.finish(job_id, began)

    assert [job["job_schedule"]["event"] for job in scheduler.poll()] == ["start"]


def test_the_last_event_wins(api: Api, scheduler: Scheduler) -> None:
    job_id = api.make()
    for event in ("start", "stop", "abort"):
        api.event(job_id, event)

    assert [job["job_schedule"]["event"] for job in scheduler.poll()] == ["stop"]
    assert api.schedule(job_id)["event"] == "abort"


def test_a_scheduler_always_finds_an_event_in_a_job(api: Api, scheduler: Scheduler) -> None:
    """19.0.0 stops looking at all the jobs behind one without it."""
    job_id = api.make()

    assert [job["job_schedule"]["event"] for job in scheduler.poll()] == [""]
    assert "event" not in api.schedule(job_id)


def test_an_abort_of_what_has_a_process_is_an_abort(api: Api, scheduler: Scheduler) -> None:
    job_id = api.make()
    scheduler.begin(job_id)
    scheduler.tell(job_id, current_pid=4242)
    api.event(job_id, "abort")

    assert [job["job_schedule"]["event"] for job in scheduler.poll()] == ["abort"]


# -- what the events mean for executions -------------------------------------------------------------------------------
def test_an_abort_of_what_runs(api: Api, scheduler: Scheduler) -> None:
    job_id = api.make()
    scheduler.begin(job_id)

    assert api.event(job_id, "abort") == "success"
    assert (states_of(job_id), api.event(job_id, "abort")) == (["aborting"], "abort already requested")


def test_a_stop_takes_back_what_has_not_begun(api: Api, scheduler: Scheduler) -> None:
    job_id = api.make()
    api.event(job_id, "start")
    api.event(job_id, "stop")

    assert (states_of(job_id), api.schedule(job_id)["event"]) == (["aborted"], "stop")


def test_a_stop_leaves_what_runs(api: Api, scheduler: Scheduler) -> None:
    job_id = api.make()
    scheduler.begin(job_id)
    api.event(job_id, "stop")

    assert states_of(job_id) == ["running"]


def test_a_second_start_makes_no_second_run_to_wait(api: Api, scheduler: Scheduler) -> None:
    job_id = api.make()
    api.event(job_id, "start")
    scheduler.poll()
    scheduler.tell(job_id, status="scheduled")
    api.event(job_id, "start")

    assert states_of(job_id) == ["queued"]


# -- other faces -------------------------------------------------------------------------------------------------------
def test_a_trigger_of_another_face_is_a_start(api: Api, scheduler: Scheduler, op: Actor) -> None:
    job_id = api.make()
    began = scheduler.begin(job_id)
    scheduler.finish(job_id, began)
    trigger(engine_job(job_id), actor=op)
    schedule = api.schedule(job_id)

    assert (schedule["event"], schedule["status"], schedule["result"]) == ("start", "", "")
    assert [job["job_id"] for job in scheduler.poll()] == [job_id]


def test_an_abort_of_another_face_is_an_event(api: Api, scheduler: Scheduler, op: Actor) -> None:
    job_id = api.make()
    scheduler.begin(job_id)
    aborts.abort(runs_of(job_id)[0], actor=op)

    assert (states_of(job_id), api.schedule(job_id)["event"]) == (["aborting"], "abort")


def test_a_start_that_is_taken_back_before_it_was_seen_starts_nothing(
    api: Api, scheduler: Scheduler, op: Actor
) -> None:
    job_id = api.make()
    execution, _ = trigger(engine_job(job_id), actor=op)
    aborts.abort(execution, actor=op)
    (job,) = scheduler.poll()

    assert (job["job_schedule"]["event"], job["job_schedule"]["status"]) == ("", "stop")


def test_a_start_that_is_taken_back_after_it_was_seen_is_an_abort(api: Api, scheduler: Scheduler, op: Actor) -> None:
    job_id = api.make()
    execution, _ = trigger(engine_job(job_id), actor=op)
    scheduler.poll()
    scheduler.tell(job_id, status="scheduled")
    aborts.abort(execution, actor=op)

    assert api.schedule(job_id)["event"] == "abort"


def test_a_job_with_times_goes_on_with_them_when_a_start_is_taken_back(
    api: Api, scheduler: Scheduler, op: Actor
) -> None:
    job_id = api.make(job_schedule={"schedule_interval": "5 minutes"})
    scheduler.tell(job_id, status="scheduled")
    execution, _ = trigger(engine_job(job_id), actor=op)
    aborts.abort(execution, actor=op)
    schedule = api.schedule(job_id)

    assert (schedule["event"], schedule["status"]) == ("", "")


def test_what_waited_behind_a_run_is_started_after_it(api: Api, scheduler: Scheduler, op: Actor) -> None:
    job_id = api.make()
    first, _ = trigger(engine_job(job_id), actor=op)
    scheduler.poll()
    began = scheduler.begin(job_id)
    trigger(engine_job(job_id), actor=op)
    scheduler.poll()
    scheduler.finish(job_id, began)

    assert (states_of(job_id), api.schedule(job_id)["event"]) == (["succeeded", "queued"], "start")
    assert JobExecution.objects.get(pk=first.pk).state == "succeeded"
