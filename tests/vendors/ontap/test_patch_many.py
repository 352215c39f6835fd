"""`PATCH /api/cluster/jobs?<query>&action=…`: the same for all jobs that a query selects."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from jobs.engine import aborts
from jobs.models import JobExecution, Project, Role, User
from jobs.states import State
from tests.conftest import ClientOf, MakeExecution, MakeJob, join
from tests.vendors.ontap.conftest import JOBS, error
from tests.vendors.ontap.rights import UNKNOWN
from vendors.ontap import actions


@pytest.fixture
def runs(make_job: MakeJob, make_execution: MakeExecution) -> dict[str, JobExecution]:
    """Two that wait, one that runs and one that has ended."""
    states = {"one": State.QUEUED, "two": State.QUEUED, "three": State.RUNNING, "four": State.SUCCEEDED}
    return {name: make_execution(make_job(name), state) for name, state in states.items()}


def states() -> dict[str, str]:
    return dict(JobExecution.objects.values_list("job_name", "state"))


UNTOUCHED = {"one": "queued", "two": "queued", "three": "running", "four": "succeeded"}


def patch(client: APIClient, query: str, body: Any = None) -> Any:
    return client.patch(f"{JOBS}?{query}", {} if body is None else body, format="json")


# -- it works ----------------------------------------------------------------------------------------------------------
def test_all_that_the_query_selects(client: APIClient, runs: dict[str, JobExecution]) -> None:
    query = "state=queued%7Crunning&action=cancel"
    response = patch(client, query)

    assert response.json() == {"num_records": 3, "_links": {"self": {"href": f"{JOBS}?{query}"}}}
    assert states() == {**UNTOUCHED, "one": "aborted", "two": "aborted", "three": "aborting"}


def test_nothing_fits(client: APIClient, runs: dict[str, JobExecution]) -> None:
    assert patch(client, "description=nothing&action=cancel").json()["num_records"] == 0
    assert states() == UNTOUCHED


def test_no_action_is_asked_for(client: APIClient, runs: dict[str, JobExecution]) -> None:
    assert patch(client, "state=queued").json()["num_records"] == 2
    assert states() == UNTOUCHED


def test_the_records_are_returned_on_wish(client: APIClient, runs: dict[str, JobExecution]) -> None:
    body = patch(client, "state=queued&action=cancel&return_records=true").json()
    uuids = sorted(str(runs[name].uuid) for name in ("one", "two"))

    assert body["records"] == [{"uuid": uuid, "_links": {"self": {"href": f"{JOBS}/{uuid}"}}} for uuid in uuids]
    assert list(body) == ["records", "num_records", "_links"]


def test_without_links(client: APIClient, runs: dict[str, JobExecution]) -> None:
    response = client.patch(f"{JOBS}?state=queued&action=cancel", headers={"Accept": "application/json"})

    assert response.json() == {"num_records": 2}


def test_those_that_the_body_names(client: APIClient, runs: dict[str, JobExecution]) -> None:
    body = {"records": [{"uuid": str(runs[name].uuid)} for name in ("one", "three")]}

    assert patch(client, "action=cancel", body).json()["num_records"] == 2
    assert states() == {**UNTOUCHED, "one": "aborted", "three": "aborting"}


def test_more_than_at_once_are_done_link_by_link(
    client: APIClient, runs: dict[str, JobExecution], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vendors.ontap.views.jobs.AT_ONCE", 2)
    first = patch(client, "state=queued%7Crunning&action=cancel").json()
    second = client.patch(first["_links"]["next"]["href"]).json()

    assert (first["num_records"], second["num_records"]) == (2, 1)
    assert "next" not in second["_links"]
    assert states() == {**UNTOUCHED, "one": "aborted", "two": "aborted", "three": "aborting"}


# -- when something fails ----------------------------------------------------------------------------------------------
def test_it_stops_at_the_first_failure(client: APIClient, runs: dict[str, JobExecution]) -> None:
    in_order = sorted(runs.values(), key=lambda run: run.uuid)
    before = [run for run in in_order if run.uuid < runs["four"].uuid]
    status, said = error(patch(client, "uuid=*&action=cancel"))

    assert (status, said["code"]) == (409, "458762")
    assert [name for name, state in states().items() if state != UNTOUCHED[name]] == [
        name for name in states() if runs[name] in before
    ]


def test_it_goes_on_after_a_failure(client: APIClient, runs: dict[str, JobExecution]) -> None:
    body = patch(client, "uuid=*&action=cancel&continue_on_failure=true").json()

    assert body["num_records"] == 3
    assert states() == {**UNTOUCHED, "one": "aborted", "two": "aborted", "three": "aborting"}


def test_nothing_could_be_done(client: APIClient, runs: dict[str, JobExecution]) -> None:
    response = patch(client, "state=queued%7Crunning&action=resume&continue_on_failure=true")

    assert error(response) == (409, {"message": "The specified job is running.", "code": "458771"})


def test_what_ends_meanwhile_is_no_failure(
    client: APIClient, runs: dict[str, JobExecution], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = min((runs["one"], runs["two"]), key=lambda run: run.uuid)
    abort = aborts.abort

    def raced(execution: JobExecution, **more: Any) -> None:
        if execution.pk == first.pk:
            JobExecution.objects.get(pk=execution.pk).move(State.FAILED)
        abort(execution, **more)

    monkeypatch.setitem(actions.ACTIONS, "cancel", raced)
    body = patch(client, "state=queued&action=cancel").json()

    assert body["num_records"] == 1
    assert sorted([states()["one"], states()["two"]]) == ["aborted", "failed"]


def test_a_named_one_that_is_not_there(client: APIClient, runs: dict[str, JobExecution]) -> None:
    body = {"records": [{"uuid": str(runs["one"].uuid)}, {"uuid": UNKNOWN}]}

    assert error(patch(client, "action=cancel", body))[1]["code"] == "4"
    assert states() == UNTOUCHED
    assert patch(client, "action=cancel&continue_on_failure=true", body).json()["num_records"] == 1


# -- who may -----------------------------------------------------------------------------------------------------------
def test_only_where_one_may(
    alice: User, beta: Project, make_job: MakeJob, make_execution: MakeExecution, runs: dict[str, JobExecution]
) -> None:
    join(alice, beta, Role.READER)
    make_execution(make_job("foreign", project=beta))
    client = APIClient()
    client.force_login(alice)

    assert patch(client, "svm.name=*&state=queued&action=cancel").json()["num_records"] == 2
    assert states()["foreign"] == "queued"


def test_a_reader_is_told_so_before_anything_else(client_of: ClientOf, rita: User) -> None:
    assert error(patch(client_of(rita), "nonsense=1&action=explode"))[1]["code"] == "6"


# -- what is refused ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("query", "code", "target"),
    [
        ("action=cancel", "2", "query"),
        ("", "2", "query"),
        ("action=cancel&return_timeout=0", "2", "query"),
        ("state=queued&action=explode", "2", "action"),
        ("state=explode&action=cancel", "2", "state"),
        ("state=queued&action=cancel&continue_on_failure=x", "2", "continue_on_failure"),
        ("state=queued&action=cancel&serial_records=x", "2", "serial_records"),
        ("state=queued&action=cancel&return_timeout=x", "2", "return_timeout"),
        ("state=queued&action=cancel&start.uuid=x", "2", "start.uuid"),
        ("state=queued&action=cancel&start.state=queued", "262179", None),
        ("state=queued&action=cancel&nonsense=1", "262179", None),
        ("nonsense=queued&action=cancel&ignore_unknown_fields=true", "2", "query"),
        ("ignore_unknown_fields=true&action=cancel&" + "description=*&" * 20 + "state=queued", "262179", None),
        ("state=queued&action=cancel&order_by=state", "262179", None),
        ("state=queued&action", "262248", None),
    ],
)
def test_a_bad_query(
    query: str, code: str, target: str | None, client: APIClient, runs: dict[str, JobExecution]
) -> None:
    status, said = error(patch(client, query))

    assert (status, said["code"], said.get("target")) == (400, code, target)
    assert states() == UNTOUCHED


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"state": "paused"}, "262196"),
        ({"records": [{"uuid": UNKNOWN, "state": "paused"}]}, "262196"),
        ({"records": []}, "2"),
        ({"records": {}}, "2"),
        ({"records": [1]}, "2"),
        ({"records": [{}]}, "2"),
        ({"records": [{"uuid": 1}]}, "2"),
        ({"records": [{"uuid": "x"}]}, "2"),
        ({"records": [{"uuid": UNKNOWN}] * 1001}, "2"),
        ([], "2"),
    ],
)
def test_a_bad_body(body: Any, code: str, client: APIClient) -> None:
    status, said = error(patch(client, "state=queued&action=cancel", body))

    assert (status, said["code"]) == (400, code)
