"""Executions: `/hub/v1/executions` and `/hub/v1/executions/{ref}`."""

from collections.abc import Callable
from datetime import timedelta
from urllib.parse import quote

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from jobs.models import JobExecution, Project, User
from jobs.states import State
from tests.conftest import ClientOf, MakeExecution, MakeJob
from tests.vendors.conftest import fields_of

URL = "/hub/v1/executions"
FIELDS = [
    "id",
    "uuid",
    "handle",
    "project",
    "job",
    "job_id",
    "kind",
    "state",
    "attempt",
    "progress",
    "records",
    "last_id",
    "n_dropped",
    "volume_bytes",
    "message",
    "errors",
    "n_warnings",
    "exit_code",
    "params",
    "priority",
    "run_at",
    "queued_at",
    "started_at",
    "finished_at",
    "expires_at",
    "is_kept",
    "requested_by",
    "node",
    "retry_of",
    "first",
    "triggered_by",
    "chain",
    "waiting_for",
]


# -- one ---------------------------------------------------------------------------------------------------------------
def test_it_shows_exactly_these_fields(client: APIClient, make_execution: MakeExecution) -> None:
    assert list(client.get(f"{URL}/{make_execution().pk}").json()) == FIELDS


def test_it_shows_how_far_it_is(client: APIClient, make_execution: MakeExecution) -> None:
    done = {"progress_done": 40, "progress_total": 200, "progress_unit": "files", "message": "packing", "records": 7}
    shown = client.get(f"{URL}/{make_execution(state=State.RUNNING, **done).pk}").json()

    assert shown["progress"] == {"done": 40, "total": 200, "unit": "files"}
    assert (shown["message"], shown["records"], shown["waiting_for"]) == ("packing", 7, [])


@pytest.mark.parametrize("ref", ["pk", "uuid", "handle"])
def test_it_is_found_by_any_of_its_names(
    ref: str, client: APIClient, make_execution: MakeExecution, make_job: MakeJob
) -> None:
    execution = make_execution(make_job("50% & more?/x"))
    name = quote(str(getattr(execution, ref)), safe="")

    assert client.get(f"{URL}/{name}").json()["uuid"] == str(execution.uuid)


@pytest.mark.parametrize("state", list(State))
def test_an_unchanged_one_is_not_sent_again(state: State, client: APIClient, make_execution: MakeExecution) -> None:
    url = f"{URL}/{make_execution(state=state).pk}"
    etag = client.get(url).headers["ETag"]
    again = client.get(url, headers={"If-None-Match": etag})

    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", etag)


@pytest.mark.parametrize("given", ["W/{}", '"other", {}', "*"])
def test_every_form_of_an_etag_is_understood(given: str, client: APIClient, make_execution: MakeExecution) -> None:
    url = f"{URL}/{make_execution(state=State.RUNNING).pk}"
    etag = client.get(url).headers["ETag"]

    assert client.get(url, headers={"If-None-Match": given.format(etag)}).status_code == 304


def test_a_move_changes_the_etag(client: APIClient, make_execution: MakeExecution) -> None:
    execution = make_execution(state=State.RUNNING)
    url = f"{URL}/{execution.pk}"
    etag = client.get(url).headers["ETag"]
    execution.move(State.SUCCEEDED)

    assert client.get(url, headers={"If-None-Match": etag}).json()["state"] == "succeeded"


def test_another_reason_to_wait_changes_the_etag(
    client: APIClient, make_job: MakeJob, make_execution: MakeExecution
) -> None:
    job = make_job()
    running, queued = make_execution(job, State.RUNNING), make_execution(job)
    url = f"{URL}/{queued.pk}"
    first = client.get(url)
    running.move(State.SUCCEEDED)
    second = client.get(url, headers={"If-None-Match": first.headers["ETag"]})

    assert [one.json()["waiting_for"][0]["kind"] for one in (first, second)] == ["slot", "worker"]


@pytest.mark.parametrize(
    "ref", ["0", "999999", "9" * 18, "9" * 19, "9" * 5000, "-1", "nope", "a\0b", "²", "1.0", "x" * 3000]
)
def test_an_unknown_one_is_404(ref: str, client: APIClient) -> None:
    response = client.get(f"{URL}/{quote(ref)}")

    assert (response.status_code, response.headers["Content-Type"]) == (404, "application/problem+json")


def test_a_foreign_one_is_unknown(charlie: User, client_of: ClientOf, make_execution: MakeExecution) -> None:
    execution = make_execution()
    stranger = client_of(charlie)
    refs = [str(execution.pk), str(execution.uuid), quote(execution.handle)]
    answers = [stranger.get(f"{URL}/{ref}") for ref in refs]

    assert [answer.status_code for answer in answers] == [404] * 3
    assert "there is no execution" in answers[0].json()["detail"]


def test_it_costs_two_queries_with_a_key(
    client: APIClient, make_execution: MakeExecution, django_assert_max_num_queries: Callable
) -> None:
    url = f"{URL}/{make_execution(state=State.RUNNING).pk}"
    etag = client.get(url).headers["ETag"]

    with django_assert_max_num_queries(2):
        client.get(url)
    with django_assert_max_num_queries(2):
        client.get(url, headers={"If-None-Match": etag})


# -- lists -------------------------------------------------------------------------------------------------------------
def test_the_newest_comes_first(client: APIClient, make_execution: MakeExecution) -> None:
    made = [make_execution().pk for _ in range(3)]
    shown = client.get(URL).json()

    assert [one["id"] for one in shown["results"]] == made[::-1]
    assert list(shown) == ["results", "next", "previous"]


def test_pages_follow_one_another_both_ways(client: APIClient, make_execution: MakeExecution) -> None:
    made = [make_execution().pk for _ in range(5)][::-1]
    first = client.get(URL, {"limit": 2, "state": "queued"}).json()
    second = client.get(first["next"]).json()
    third = client.get(second["next"]).json()
    back = client.get(third["previous"]).json()

    pages = [[one["id"] for one in page["results"]] for page in (first, second, third, back)]
    assert pages == [made[:2], made[2:4], made[4:], made[2:4]]
    assert (first["previous"], third["next"]) == (None, None)


def test_pages_of_several_states_follow_one_another(client: APIClient, make_execution: MakeExecution) -> None:
    states = [State.QUEUED, State.FAILED, State.RUNNING, State.FAILED, State.QUEUED]
    made = {make_execution(state=state).pk: state for state in states}
    wanted = [pk for pk, state in made.items() if state is not State.RUNNING][::-1]
    first = client.get(URL, {"limit": 2, "state": ["failed", "queued"], "kind": "python"}).json()
    second = client.get(first["next"]).json()
    back = client.get(second["previous"]).json()

    assert [[one["id"] for one in page["results"]] for page in (first, second, back)] == [
        wanted[:2],
        wanted[2:],
        wanted[:2],
    ]
    assert (first["previous"], second["next"]) == (None, None)


def test_a_new_one_does_not_shift_the_pages(client: APIClient, make_execution: MakeExecution) -> None:
    made = [make_execution().pk for _ in range(4)][::-1]
    first = client.get(URL, {"limit": 2}).json()
    make_execution()

    assert [one["id"] for one in client.get(first["next"]).json()["results"]] == made[2:]


def test_it_filters_by_state(client: APIClient, make_execution: MakeExecution) -> None:
    made = {state: make_execution(state=state).pk for state in State}

    assert len(made) == 7
    for state, pk in made.items():
        assert [one["id"] for one in client.get(URL, {"state": state.value}).json()["results"]] == [pk]
    several = client.get(URL, {"state": ["running", "failed"]}).json()["results"]
    assert {one["state"] for one in several} == {"running", "failed"}


@pytest.mark.parametrize(
    ("field", "value"),
    [("job", "nightly/db"), ("kind", "report"), ("node", "node-7"), ("requested_by", "bob")],
)
def test_it_filters_by_words(
    field: str, value: str, client: APIClient, make_job: MakeJob, make_execution: MakeExecution
) -> None:
    column = {"job": "job_name"}.get(field, field)
    wanted = make_execution(make_job("nightly/db"), **{column: value})
    make_execution()

    assert [one["id"] for one in client.get(URL, {field: value}).json()["results"]] == [wanted.pk]
    assert client.get(URL, {field: "nobody"}).json()["results"] == []


def test_it_filters_by_chain_run(client: APIClient, make_execution: MakeExecution) -> None:
    first = make_execution()
    wanted = {make_execution(chain=first.pk).pk for _ in range(2)}

    assert {one["id"] for one in client.get(URL, {"chain": first.pk}).json()["results"]} == wanted


@pytest.mark.parametrize("name", ["queued", "started", "finished"])
def test_it_filters_by_times_from_until_before(name: str, client: APIClient, make_execution: MakeExecution) -> None:
    now = timezone.now().replace(microsecond=0)
    made = [
        make_execution(state=State.SUCCEEDED, **{f"{name}_at": now + timedelta(hours=hours)}).pk for hours in range(3)
    ]
    between = {
        f"{name}_from": (now + timedelta(hours=1)).isoformat(),
        f"{name}_to": (now + timedelta(hours=2)).isoformat().replace("+00:00", "Z"),
    }

    assert [one["id"] for one in client.get(URL, between).json()["results"]] == [made[1]]


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("foo=1", ["foo"]),
        ("State=queued", ["State"]),
        ("offset=10", ["offset"]),
        ("state=done", ["state"]),
        ("state=queued&state=", ["state"]),
        ("queued_from=yesterday", ["queued_from"]),
        ("queued_from=2026-01-01", ["queued_from"]),
        ("queued_from=2026-01-01T00:00:00", ["queued_from"]),
        ("queued_to=2026-13-01T00:00:00Z", ["queued_to"]),
        ("queued_to=0001-01-01T00:00:00%2B14:00", ["queued_to"]),
        ("queued_to=9999-12-31T23:59:59-14:00", ["queued_to"]),
        ("job=%00", ["job"]),
        ("limit=0", ["limit"]),
        ("limit=501", ["limit"]),
        ("limit=abc", ["limit"]),
        ("limit=", ["limit"]),
        ("limit=-1", ["limit"]),
        ("limit=1e2", ["limit"]),
        ("limit=%C2%B2", ["limit"]),
        ("limit=" + "9" * 5000, ["limit"]),
        ("cursor=", ["cursor"]),
        ("cursor=x", ["cursor"]),
        ("cursor=%00", ["cursor"]),
        ("cursor=W10", ["cursor"]),
        ("cursor=WyItaWQiLGZhbHNlLCJhIl0", ["cursor"]),
        ("cursor=WyJuYW1lIixmYWxzZSwxXQ", ["cursor"]),
        ("cursor=" + "A" * 5000, ["cursor"]),
        ("order=-id", ["order"]),
        ("chain=0", ["chain"]),
        ("chain=1.5", ["chain"]),
        ("chain=9223372036854775808", ["chain"]),
        ("chain=" + "9" * 5000, ["chain"]),
        ("foo=1&state=x&queued_from=1", ["foo", "queued_from", "state"]),
    ],
)
def test_it_names_every_parameter_that_is_wrong(query: str, fields: list[str], client: APIClient) -> None:
    assert sorted(fields_of(client.get(f"{URL}?{query}"))) == fields


def test_a_cursor_of_another_list_is_refused(client: APIClient, make_job: MakeJob) -> None:
    make_job()
    make_job()
    cursor = client.get("/hub/v1/jobs?limit=1").json()["next"].split("cursor=")[1].split("&")[0]

    assert fields_of(client.get(f"{URL}?cursor={cursor}")) == ["cursor"]


def test_it_shows_ones_own_project_unless_another_is_named(
    root: User, client: APIClient, make_job: MakeJob, make_execution: MakeExecution, alpha: Project, beta: Project
) -> None:
    mine, theirs = make_execution(), make_execution(make_job(project=beta))
    superuser = APIClient()
    superuser.force_login(root)

    def seen(**query: str) -> list[int]:
        return [one["id"] for one in superuser.get(URL, query).json()["results"]]

    assert (seen(), seen(project="beta"), seen(project="*")) == ([mine.pk], [theirs.pk], [theirs.pk, mine.pk])
    assert seen(project=str(beta.uuid)) == [theirs.pk]
    assert client.get(URL, {"project": "beta"}).status_code == 404
    assert [one["id"] for one in client.get(URL, {"project": "*"}).json()["results"]] == [mine.pk]


def test_a_page_costs_seven_queries_however_many_wait(
    client: APIClient, make_job: MakeJob, make_execution: MakeExecution, django_assert_max_num_queries: Callable
) -> None:
    job = make_job()
    make_execution(job, State.RUNNING)
    for _ in range(10):
        make_execution(job)
    client.get(URL)

    with django_assert_max_num_queries(7):
        assert len(client.get(URL).json()["results"]) == 11


# -- delete ------------------------------------------------------------------------------------------------------------
def test_an_ended_one_can_be_deleted(client: APIClient, make_execution: MakeExecution) -> None:
    execution = make_execution(state=State.FAILED)

    assert client.delete(f"{URL}/{execution.pk}").status_code == 204
    assert not JobExecution.objects.exists()


@pytest.mark.parametrize("state", [State.QUEUED, State.RUNNING, State.PAUSED, State.ABORTING])
def test_an_active_one_cannot_be_deleted(state: State, client: APIClient, make_execution: MakeExecution) -> None:
    response = client.delete(f"{URL}/{make_execution(state=state).pk}")

    assert (response.status_code, response.json()["type"]) == (409, "urn:jobhub:problem:illegal-move")
    assert JobExecution.objects.count() == 1
