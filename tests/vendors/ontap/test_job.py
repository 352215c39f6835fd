"""`GET /api/cluster/jobs/{uuid}`."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from jobs.models import ActionExecution, JobExecution, User
from jobs.states import State
from tests.conftest import ClientOf, MakeExecution, MakeJob
from tests.vendors.conftest import basic
from tests.vendors.ontap.conftest import HAL, JOBS, error
from tests.vendors.ontap.rights import UNKNOWN

STARTED = datetime(2026, 11, 22, 8, 1, 39, 250_000, tzinfo=UTC)
ENDED = STARTED + timedelta(seconds=61)
USUAL = ["uuid", "description", "state", "message", "code", "start_time", "svm", "_links"]
WHOLE = ["uuid", "description", "state", "message", "code", "start_time", "end_time", "error", "svm"]


def path(execution: JobExecution, query: str = "") -> str:
    return f"{JOBS}/{execution.uuid}{query and '?'}{query}"


# -- what it shows -----------------------------------------------------------------------------------------------------
def test_a_failure_with_all_there_is(client: APIClient, make_job: MakeJob, make_execution: MakeExecution) -> None:
    run = make_execution(make_job("nightly/db"), State.FAILED, message="disk full", exit_code=3)
    JobExecution.objects.filter(pk=run.pk).update(started_at=STARTED)
    with time_machine.travel(run.finished_at, tick=False):
        body = client.get(path(run, "fields=**")).json()
    project = {"name": "alpha", "uuid": str(run.project.uuid)}
    svm = {**project, "_links": {"self": {"href": f"/api/svm/svms/{run.project.uuid}"}}}

    assert body.pop("end_time") == f"{run.finished_at:%Y-%m-%dT%H:%M:%S}+00:00"
    assert body == {
        "uuid": str(run.uuid),
        "description": "nightly/db",
        "state": "failure",
        "message": "disk full",
        "code": 459753,
        "start_time": "2026-11-22T08:01:39+00:00",
        "error": {
            "message": "disk full",
            "code": "459753",
            "arguments": [{"code": "exit_status", "message": "3"}],
        },
        "svm": svm,
        "node": {"name": "node-1"},
        "_links": {"self": {"href": path(run)}},
    }


@pytest.mark.parametrize(
    ("state", "more"),
    [
        (State.RUNNING, []),
        (State.PAUSED, []),
        (State.ABORTING, []),
        (State.SUCCEEDED, ["end_time"]),
        (State.FAILED, ["end_time", "error"]),
        (State.ABORTED, ["end_time", "error"]),
    ],
)
def test_it_has_these_members_in_this_order(
    state: State, more: list[str], client: APIClient, make_execution: MakeExecution
) -> None:
    wanted = [*USUAL[:6], *more, *USUAL[6:]]

    assert list(client.get(path(make_execution(state=state))).json()) == wanted


def test_a_queued_one_has_no_times_and_no_message(client: APIClient, make_execution: MakeExecution) -> None:
    body = client.get(path(make_execution())).json()

    assert list(body) == ["uuid", "description", "state", "code", "svm", "_links"]
    assert (body["state"], body["code"]) == ("queued", 0)


@pytest.mark.parametrize(
    ("state", "message", "code"),
    [
        (State.RUNNING, "running", 0),
        (State.ABORTING, "running", 0),
        (State.PAUSED, "paused", 0),
        (State.SUCCEEDED, "success", 0),
        (State.FAILED, "failed", 459753),
        (State.ABORTED, "aborted", 458785),
    ],
)
def test_it_says_something_though_the_run_said_nothing(
    state: State, message: str, code: int, client: APIClient, make_execution: MakeExecution
) -> None:
    body = client.get(path(make_execution(state=state, message=""))).json()

    assert (body["message"], body["code"]) == (message, code)


def test_a_running_one_tells_its_step(client: APIClient, make_execution: MakeExecution) -> None:
    run = make_execution(state=State.RUNNING, position=1)
    for position, runner in enumerate(["http", "backup"]):
        ActionExecution.objects.create(execution=run, position=position, attempt=1, key="x", runner=runner)

    assert client.get(path(run)).json()["message"] == "step 2: backup"


def test_a_runs_own_message_goes_before_its_step(client: APIClient, make_execution: MakeExecution) -> None:
    run = make_execution(state=State.RUNNING, message="7 of 9 files")
    ActionExecution.objects.create(execution=run, position=0, attempt=1, key="x", runner="backup")

    assert client.get(path(run)).json()["message"] == "7 of 9 files"


def test_a_products_own_code_is_shown_as_it_is(client: APIClient, make_execution: MakeExecution) -> None:
    body = client.get(path(make_execution(state=State.FAILED, message="no", exit_code=2432836))).json()

    assert (body["code"], body["error"]["code"]) == (2432836, "2432836")


@pytest.mark.parametrize("exit_code", [3, 4, 6, 255, 0, -9])
def test_an_exit_status_is_never_taken_for_one_of_ontaps_codes(
    exit_code: int, client: APIClient, make_execution: MakeExecution
) -> None:
    body = client.get(path(make_execution(state=State.FAILED, message="no", exit_code=exit_code))).json()

    assert (body["code"], body["error"]["code"]) == (459753, "459753")
    assert body["error"]["arguments"] == [{"code": "exit_status", "message": str(exit_code)}]


def test_what_was_cancelled_before_it_ran_starts_at_its_end(client: APIClient, make_execution: MakeExecution) -> None:
    body = client.get(path(make_execution(state=State.ABORTED))).json()

    assert body["start_time"] == body["end_time"]


def test_times_are_in_the_hubs_zone(client: APIClient, make_execution: MakeExecution, settings: Any) -> None:
    run = make_execution(state=State.RUNNING)
    JobExecution.objects.filter(pk=run.pk).update(started_at=STARTED)
    settings.TIME_ZONE = "America/New_York"

    assert client.get(path(run)).json()["start_time"] == "2026-11-22T03:01:39-05:00"


@pytest.mark.parametrize("state", State)
def test_nothing_is_null(state: State, client: APIClient, make_execution: MakeExecution) -> None:
    body = client.get(path(make_execution(state=state), "fields=**")).content

    assert b"null" not in body
    assert b'""' not in body


# -- how it is asked ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("fields=state", ["uuid", "state"]),
        ("fields=message%2Cstate", ["uuid", "state", "message"]),
        ("fields=state&fields=message", ["uuid", "state", "message"]),
        ("fields=state,%20message", ["uuid", "state", "message"]),
        ("fields=uuid", ["uuid"]),
        ("fields=_links", ["uuid"]),
        ("fields=error.target", ["uuid"]),
        ("fields=error", ["uuid", "error"]),
        ("fields=*,node", [*WHOLE, "node"]),
        ("fields=%2A%2A", [*WHOLE, "node"]),
        ("fields=*", WHOLE),
        ("fields=", WHOLE),
        ("fields=nonsense,state&ignore_unknown_fields=true", ["uuid", "state"]),
    ],
)
def test_the_wish_list(query: str, names: list[str], client: APIClient, make_execution: MakeExecution) -> None:
    body = client.get(path(make_execution(state=State.FAILED), query)).json()

    assert list(body) == [*names, "_links"]


@pytest.mark.parametrize(
    ("query", "member", "names"),
    [
        ("fields=svm.name", "svm", ["name"]),
        ("fields=svm.name,svm.uuid", "svm", ["name", "uuid"]),
        ("fields=svm.name,svm", "svm", ["name", "uuid", "_links"]),
        ("fields=svm,svm.name", "svm", ["name", "uuid", "_links"]),
        ("fields=svm.*", "svm", ["name", "uuid", "_links"]),
        ("fields=svm._links", "svm", ["_links"]),
        ("fields=error.code", "error", ["code"]),
        ("fields=node.name", "node", ["name"]),
    ],
)
def test_a_wish_for_a_part(
    query: str, member: str, names: list[str], client: APIClient, make_execution: MakeExecution
) -> None:
    body = client.get(path(make_execution(state=State.FAILED), query)).json()

    assert list(body) == ["uuid", member, "_links"]
    assert list(body[member]) == names


def test_a_wish_for_a_part_of_each_argument(client: APIClient, make_execution: MakeExecution) -> None:
    run = make_execution(state=State.FAILED, exit_code=7)

    assert client.get(path(run, "fields=error.arguments.message")).json()["error"] == {"arguments": [{"message": "7"}]}


@pytest.mark.parametrize("query", ["max_records=10000", "return_timeout=120", "return_records=false", "order_by=x"])
def test_parameters_of_lists_mean_nothing_to_one(query: str, client: APIClient, make_execution: MakeExecution) -> None:
    run = make_execution()

    assert client.get(path(run, query)).json() == client.get(path(run)).json()


def test_the_uuid_may_be_in_capitals(client: APIClient, make_execution: MakeExecution) -> None:
    run = make_execution()
    response = client.get(f"{JOBS}/{str(run.uuid).upper()}")

    assert response.json()["uuid"] == str(run.uuid)


@pytest.mark.parametrize("form", ["/api//cluster///jobs/{}", "/api/cluster/jobs/{}/"])
def test_odd_slashes_change_nothing(form: str, client: APIClient, make_execution: MakeExecution) -> None:
    run = make_execution()

    assert client.get(form.format(run.uuid)).json() == client.get(path(run)).json()


def test_links_stay_below_the_mount_that_was_asked(client: APIClient, make_execution: MakeExecution) -> None:
    run = make_execution()
    body = client.get(f"/ontap{path(run)}").json()

    assert body["_links"]["self"]["href"] == f"/ontap{path(run)}"
    assert body["svm"]["_links"]["self"]["href"] == f"/ontap/api/svm/svms/{run.project.uuid}"


# -- HAL or not --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("accept", ["", "*/*", HAL, "text/plain", "application/hal+json, application/json", "nonsense"])
def test_it_has_links_unless_they_are_not_wanted(accept: str, client: APIClient, make_execution: MakeExecution) -> None:
    response = client.get(path(make_execution()), headers={"Accept": accept} if accept else {})

    assert response.headers["Content-Type"] == HAL
    assert "_links" in response.json()


@pytest.mark.parametrize("accept", ["application/json", "Application/JSON", "application/json; charset=utf-8"])
def test_json_has_no_links_anywhere(accept: str, client: APIClient, make_execution: MakeExecution) -> None:
    response = client.get(path(make_execution(), "fields=**"), headers={"Accept": accept})

    assert response.headers["Content-Type"] == "application/json"
    assert b"_links" not in response.content


def test_head_tells_the_headers_only(client: APIClient, make_execution: MakeExecution) -> None:
    run = make_execution()
    response = client.head(path(run))

    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["Content-Type"] == HAL


def test_options_tells_the_methods(client: APIClient, make_execution: MakeExecution) -> None:
    response = client.options(path(make_execution()))

    assert (response.status_code, response.content) == (200, b"{\n}")
    assert response.headers["Allow"] == "GET, PATCH, HEAD, OPTIONS"


def test_nobody_may_keep_it(client: APIClient, make_execution: MakeExecution) -> None:
    headers = client.get(path(make_execution())).headers

    assert headers["Cache-Control"] == "no-cache,no-store,must-revalidate"
    assert headers["X-Content-Type-Options"] == "nosniff"


# -- how long it is shown ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("state", [State.SUCCEEDED, State.FAILED, State.ABORTED])
@pytest.mark.parametrize(("seconds", "status"), [(299.999, 200), (300, 404), (300.001, 404)])
def test_an_ended_one_goes_after_300_seconds(
    seconds: float, status: int, state: State, client: APIClient, make_execution: MakeExecution
) -> None:
    run = make_execution(state=state)
    with time_machine.travel(run.finished_at + timedelta(seconds=seconds), tick=False):
        one = client.get(path(run))
        many = client.get(JOBS).json()["records"]

    assert one.status_code == status
    assert [UUID(record["uuid"]) for record in many] == ([run.uuid] if status == 200 else [])


def test_the_other_faces_go_on_showing_it(client: APIClient, make_execution: MakeExecution) -> None:
    run = make_execution(state=State.SUCCEEDED)
    with time_machine.travel(run.finished_at + timedelta(seconds=301), tick=False):
        faces = client.get(f"/hub/v1/executions/{run.pk}/faces").json()["results"]

    assert "ontap" not in [one["face"] for one in faces]
    assert "native" in [one["face"] for one in faces]


def test_how_long_is_a_setting(client: APIClient, make_execution: MakeExecution, settings: Any) -> None:
    run = make_execution(state=State.SUCCEEDED)
    settings.HUB = {**settings.HUB, "ONTAP_JOB_TTL": 20}
    with time_machine.travel(run.finished_at + timedelta(seconds=20), tick=False):
        assert client.get(path(run)).status_code == 404


def test_an_old_one_that_still_runs_stays(client: APIClient, make_execution: MakeExecution) -> None:
    run = make_execution(state=State.RUNNING)
    with time_machine.travel(run.started_at + timedelta(days=2), tick=False):
        assert client.get(path(run)).status_code == 200


# -- what is refused ---------------------------------------------------------------------------------------------------
def test_an_unknown_one(client: APIClient) -> None:
    wanted = {"message": "entry doesn't exist", "code": "4", "target": "uuid"}

    assert error(client.get(f"{JOBS}/{uuid4()}")) == (404, wanted)


def test_a_foreign_one(client_of: ClientOf, charlie: User, make_execution: MakeExecution) -> None:
    assert error(client_of(charlie).get(path(make_execution())))[1]["code"] == "4"


@pytest.mark.parametrize("text", ["1", "b5145e1d", "00000000000040008000000000000000", "{" + UNKNOWN + "}", "x" * 5000])
def test_a_malformed_uuid(text: str, client: APIClient) -> None:
    status, said = error(client.get(f"{JOBS}/{text}"))

    assert (status, said["code"], said["target"]) == (404, "2", "uuid")
    assert said["message"].endswith('" is an invalid value for field "uuid" (<UUID>)')


def test_an_unknown_field(client: APIClient, make_execution: MakeExecution) -> None:
    wanted = {"message": 'The value "nonsense" is invalid for field "fields"', "code": "262197", "target": "fields"}

    assert error(client.get(path(make_execution(), "fields=state,nonsense"))) == (400, wanted)


@pytest.mark.parametrize("name", ["nonsense", "state", "uuid", "action"])
def test_a_parameter_that_is_none(name: str, client: APIClient, make_execution: MakeExecution) -> None:
    wanted = {"message": f'Unexpected argument "{name}".', "code": "262179"}

    assert error(client.get(path(make_execution(), f"{name}=1"))) == (400, wanted)


def test_a_parameter_without_a_delimiter(client: APIClient, make_execution: MakeExecution) -> None:
    wanted = {"message": "Unexpected parameter missing a delimiter.", "code": "262248"}

    assert error(client.get(path(make_execution(), "fields"))) == (400, wanted)


# -- what it costs -----------------------------------------------------------------------------------------------------
def test_one_query_beside_those_of_the_password(alice: User, make_execution: MakeExecution) -> None:
    client = APIClient(HTTP_AUTHORIZATION=basic("alice"))
    run = make_execution()
    client.get(path(run))
    with CaptureQueriesContext(connection) as asked:
        client.get(path(run))

    assert len(asked) == 3
