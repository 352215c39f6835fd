"""Retries in the admin: one from its failed action, and all that failed since a time."""

from datetime import timedelta

import pytest
from django.utils import timezone

from jobs.models import JobExecution, User
from jobs.states import State
from tests.conftest import NOOP, MakeExecution, MakeJob
from tests.jobs.admin.conftest import Look, page, told

LIST = "/admin/jobs/jobexecution/"
ALL = f"{LIST}retry-failed/"
pytestmark = pytest.mark.django_db


def since(**ago: int) -> dict[str, str]:
    return {"since": f"{timezone.localtime() - timedelta(**ago):%Y-%m-%dT%H:%M}"}


def retried() -> set[int | None]:
    return set(JobExecution.objects.filter(retry_of__isnull=False).values_list("retry_of", flat=True))


@pytest.fixture
def half_done(make_job: MakeJob, make_execution: MakeExecution) -> JobExecution:
    """One that failed at the second of its two actions."""
    failed = make_execution(make_job(actions=[NOOP, NOOP]), State.FAILED)
    for position, state in enumerate(["succeeded", "failed"]):
        failed.steps.create(position=position, attempt=1, key=str(position), runner="python", state=state)
    return failed


def test_a_button_goes_on_at_the_failed_action(look: Look, bob: User, half_done: JobExecution) -> None:
    url = f"{LIST}{half_done.pk}/"
    assert "Retry from the failed action" in page(look(bob), f"{url}change/")
    look(bob).post(f"{url}restart/")
    again = JobExecution.objects.get(retry_of=half_done)
    assert again.position == 1
    assert "done before" in page(look(bob), f"{LIST}{again.pk}/change/")


def test_a_list_action_does_so_for_many(look: Look, bob: User, half_done: JobExecution) -> None:
    data = {"action": "restart_selected", "_selected_action": [half_done.pk], "index": 0}
    assert "goes on at its failed action as" in told(look(bob).post(LIST, data))


def test_all_that_failed_is_shown_first(look: Look, bob: User, make_execution: MakeExecution) -> None:
    make_execution(state=State.FAILED, finished_at=timezone.now() - timedelta(days=2))
    failed = make_execution(state=State.FAILED)
    assert f'href="{ALL}"' in page(look(bob), LIST)
    shown = look(bob).post(ALL, since(hours=1)).content.decode()
    assert "1 execution failed since then" in shown
    assert f"{LIST}{failed.pk}/change/" in shown
    assert retried() == set()


def test_all_that_failed_is_retried_when_confirmed(look: Look, bob: User, make_execution: MakeExecution) -> None:
    failed = [make_execution(state=State.FAILED) for _ in range(2)]
    answer = look(bob).post(ALL, {**since(hours=1), "_confirmed": "1"})
    assert retried() == {one.pk for one in failed}
    assert told(answer).count("runs again as") == 2


def test_a_wrong_time_is_told(look: Look, bob: User, make_execution: MakeExecution) -> None:
    make_execution(state=State.FAILED)
    answer = look(bob).post(ALL, {"since": "yesterday", "_confirmed": "1"})
    assert answer.context["form"].errors["since"]
    assert retried() == set()


@pytest.mark.parametrize("who", ["rita", "charlie"])
def test_who_may_not_retry_finds_nothing(
    look: Look, rita: User, charlie: User, make_execution: MakeExecution, who: str
) -> None:
    make_execution(state=State.FAILED)
    look({"rita": rita, "charlie": charlie}[who]).post(ALL, {**since(hours=1), "_confirmed": "1"})
    assert retried() == set()
