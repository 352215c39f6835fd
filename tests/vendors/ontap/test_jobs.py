"""`GET /api/cluster/jobs`: what the list shows, and how it is cut into pages."""

from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from jobs.models import JobExecution, Project, Role, User
from jobs.states import State
from tests.conftest import ClientOf, MakeExecution, MakeJob, join
from tests.vendors.ontap.conftest import HAL, JOBS, error
from tests.vendors.ontap.rights import UNKNOWN
from vendors.ontap import views


@pytest.fixture
def three(make_job: MakeJob, make_execution: MakeExecution) -> list[str]:
    """The uuids of three jobs, as they are listed."""
    runs = [make_execution(make_job(f"job/{letter}"), State.SUCCEEDED) for letter in "cab"]
    return sorted(str(run.uuid) for run in runs)


def pages(client: APIClient, url: str, **headers: str) -> list[Any]:
    """All pages, by the links between them; a client stops where a link leads to itself."""
    found, seen = [], set[str]()
    while url:
        assert url not in seen, "the link leads back"
        seen.add(url)
        found.append(client.get(url, headers=headers).json())
        url = found[-1].get("_links", {}).get("next", {}).get("href", "")
    return found


def uuids(bodies: list[Any]) -> list[str]:
    return [record["uuid"] for body in bodies for record in body["records"]]


# -- what it shows -----------------------------------------------------------------------------------------------------
def test_the_documented_envelope(client: APIClient, three: list[str]) -> None:
    response = client.get(f"{JOBS}?max_records=1")
    first, second, _ = three

    assert response.headers["Content-Type"] == HAL
    assert response.json() == {
        "records": [{"uuid": first, "_links": {"self": {"href": f"{JOBS}/{first}"}}}],
        "num_records": 1,
        "_links": {
            "self": {"href": f"{JOBS}?max_records=1"},
            "next": {"href": f"{JOBS}?start.uuid={second}&max_records=1"},
        },
    }


def test_the_order_of_its_members(client: APIClient, three: list[str]) -> None:
    assert list(client.get(JOBS).json()) == ["records", "num_records", "_links"]


def test_nothing_there_is_no_error(client: APIClient) -> None:
    body = client.get(f"{JOBS}?state=paused").json()

    assert body == {"records": [], "num_records": 0, "_links": {"self": {"href": f"{JOBS}?state=paused"}}}


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["uuid"]),
        ("state=success", ["uuid", "state"]),
        ("state=success&code=0", ["uuid", "state", "code"]),
        ("order_by=description", ["uuid", "description"]),
        ("svm.name=alpha", ["uuid", "svm"]),
        ("fields=code", ["uuid", "code"]),
        ("fields=code&state=success", ["uuid", "code"]),
        ("fields=*", ["uuid", "description", "state", "message", "code", "start_time", "end_time", "svm"]),
        ("fields=**", ["uuid", "description", "state", "message", "code", "start_time", "end_time", "svm", "node"]),
    ],
)
def test_what_a_record_has(query: str, names: list[str], client: APIClient, three: list[str]) -> None:
    assert list(client.get(f"{JOBS}?{query}").json()["records"][0]) == [*names, "_links"]


def test_a_query_on_a_part_shows_that_part(client: APIClient, three: list[str]) -> None:
    assert client.get(f"{JOBS}?svm.name=alpha").json()["records"][0]["svm"] == {"name": "alpha"}


def test_a_whole_record_is_as_the_job_alone(client: APIClient, three: list[str]) -> None:
    record = client.get(f"{JOBS}?fields=*&uuid={three[0]}").json()["records"][0]

    assert record == client.get(f"{JOBS}/{three[0]}").json()


def test_json_has_no_link_but_the_next_page(client: APIClient, three: list[str]) -> None:
    response = client.get(f"{JOBS}?max_records=2&fields=*", headers={"Accept": "application/json"})
    body = response.json()

    assert response.headers["Content-Type"] == "application/json"
    assert body.pop("_links") == {"next": {"href": f"{JOBS}?start.uuid={three[2]}&max_records=2&fields=*"}}
    assert "_links" not in str(body)


def test_the_last_page_of_json_has_no_links_at_all(client: APIClient, three: list[str]) -> None:
    body = client.get(JOBS, headers={"Accept": "application/json"}).json()

    assert list(body) == ["records", "num_records"]


@pytest.mark.parametrize(("query", "number"), [("", 3), ("description=*b", 1), ("max_records=1", 3), ("code=7", 0)])
def test_a_count_of_all_without_records(query: str, number: int, client: APIClient, three: list[str]) -> None:
    body = client.get(f"{JOBS}?return_records=false&{query}").json()

    assert (body["num_records"], "records" in body) == (number, False)


# -- whose ones --------------------------------------------------------------------------------------------------------
@pytest.fixture
def in_two(alice: User, beta: Project, make_job: MakeJob, make_execution: MakeExecution) -> APIClient:
    """Alice with her password, who may edit in `alpha` and read in `beta`."""
    join(alice, beta, Role.READER)
    make_execution(make_job("of alpha"))
    make_execution(make_job("of beta", project=beta))
    client = APIClient()
    client.force_login(alice)
    return client


@pytest.mark.parametrize(
    ("query", "headers", "names"),
    [
        ("", {}, ["of alpha"]),
        ("", {"X-Dot-SVM-Name": "beta"}, ["of beta"]),
        ("", {"X-JobHub-Project": "beta"}, ["of beta"]),
        ("svm.name=beta", {}, ["of beta"]),
        ("svm.name=*", {}, ["of alpha", "of beta"]),
        ("svm.name=!alpha", {}, ["of beta"]),
        ("svm.name=gamma", {}, []),
        ("svm.name=beta&svm.uuid=" + UNKNOWN, {}, []),
    ],
)
def test_of_which_svm(query: str, headers: dict[str, str], names: list[str], in_two: APIClient) -> None:
    records = in_two.get(f"{JOBS}?fields=description&order_by=description&{query}", headers=headers).json()["records"]

    assert [record["description"] for record in records] == names


def test_the_svms_uuid_does_as_well(in_two: APIClient, beta: Project) -> None:
    by_header = in_two.get(f"{JOBS}?fields=description", headers={"X-Dot-SVM-UUID": str(beta.uuid)}).json()
    by_query = in_two.get(f"{JOBS}?fields=description&svm.uuid={beta.uuid}").json()

    assert by_header["records"] == by_query["records"] != []


def test_an_svm_that_one_may_not_see(in_two: APIClient, db: None) -> None:
    Project.objects.create(name="gamma")

    assert error(in_two.get(JOBS, headers={"X-Dot-SVM-Name": "gamma"}))[0] == 404
    assert in_two.get(f"{JOBS}?svm.name=gamma").json()["num_records"] == 0


def test_strangers_see_nothing(client_of: ClientOf, charlie: User, three: list[str]) -> None:
    assert client_of(charlie).get(f"{JOBS}?svm.name=*").json()["num_records"] == 0


def test_a_superuser_sees_every_svm(root: User, in_two: APIClient) -> None:
    in_two.force_login(root)

    assert in_two.get(f"{JOBS}?svm.name=*").json()["num_records"] == 2


# -- pages -------------------------------------------------------------------------------------------------------------
@pytest.fixture
def seven(make_job: MakeJob, make_execution: MakeExecution) -> list[JobExecution]:
    """Five that ended, of two jobs, and two that wait."""
    one, other = make_job("one"), make_job("other")
    ended = [make_execution(job, State.SUCCEEDED) for job in (one, other, other, one, other)]
    return [*ended, make_execution(make_job("waits")), make_execution(make_job("waits too"))]


ORDERS = [
    "",
    "description",
    "description desc",
    "start_time",
    "start_time desc",
    "end_time desc,description",
    "state,code desc",
    "message",
    "svm.name",
    "node.name desc",
    "uuid desc",
    "error.code,uuid",
]


def test_pages_are_the_list_cut_in_pieces(client: APIClient, seven: list[JobExecution]) -> None:
    cut = {
        (order, size): pages(client, f"{JOBS}?max_records={size}&order_by={quote(order)}")
        for order in ORDERS
        for size in (1, 2, 3, 6, 7, 8)
    }
    whole = {order: uuids([client.get(f"{JOBS}?order_by={quote(order)}").json()]) for order in ORDERS}

    assert {key: uuids(bodies) for key, bodies in cut.items()} == {key: whole[key[0]] for key in cut}
    assert {len(set(found)) for found in whole.values()} == {7}
    assert [body["num_records"] for body in cut["", 3]] == [3, 3, 1]


def test_a_link_repeats_the_parameters_as_they_were_sent(client: APIClient, seven: list[JobExecution]) -> None:
    sent = "fields=%2A%2A&state=success%7Cqueued&max_records=1&return_records=true"
    href = client.get(f"{JOBS}?{sent}").json()["_links"]["next"]["href"]
    after = client.get(href).json()["_links"]

    assert href.startswith(f"{JOBS}?start.uuid=")
    assert href.endswith(f"&{sent}")
    assert after["self"]["href"] == href
    assert after["next"]["href"].endswith(f"&{sent}")
    assert after["next"]["href"].count("start.uuid") == 1


def test_a_link_holds_the_sort_key(client: APIClient, make_job: MakeJob, make_execution: MakeExecution) -> None:
    runs = [make_execution(make_job(name)) for name in ("a&b", "c=d+e")]
    href = client.get(f"{JOBS}?max_records=1&order_by=description").json()["_links"]["next"]["href"]

    assert href == (
        f"{JOBS}?start.uuid={runs[1].uuid}&start.description=%22c%3Dd%2Be%22&max_records=1&order_by=description"
    )


@pytest.mark.parametrize("order", ["", "description", "start_time desc", "end_time", "message desc"])
def test_pages_go_on_where_a_record_has_expired(order: str, client: APIClient, seven: list[JobExecution]) -> None:
    query = f"max_records=2&order_by={quote(order)}" if order else "max_records=2"
    before = uuids([client.get(f"{JOBS}?order_by={quote(order)}" if order else JOBS).json()])
    first = client.get(f"{JOBS}?{query}").json()
    gone = JobExecution.objects.get(uuid=before[2])
    JobExecution.objects.filter(pk=gone.pk).delete()
    rest = pages(client, first["_links"]["next"]["href"])

    assert uuids(rest) == before[3:]


def test_pages_go_on_when_everything_ended_meanwhile(client: APIClient, seven: list[JobExecution]) -> None:
    first = client.get(f"{JOBS}?max_records=2&order_by=end_time%20desc").json()
    with time_machine.travel(seven[4].finished_at + timedelta(seconds=301), tick=False):  # type: ignore[operator]
        rest = pages(client, first["_links"]["next"]["href"])

    assert uuids(rest) == sorted(str(run.uuid) for run in seven[5:])


def test_a_link_that_kept_the_uuid_only_is_enough(client: APIClient, seven: list[JobExecution]) -> None:
    wanted = uuids([client.get(f"{JOBS}?order_by=description%20desc").json()])
    body = client.get(f"{JOBS}?start.uuid={wanted[3]}&order_by=description%20desc").json()

    assert uuids([body]) == wanted[3:]


def test_also_when_its_record_has_expired(client: APIClient, seven: list[JobExecution]) -> None:
    wanted = uuids([client.get(f"{JOBS}?order_by=start_time").json()])
    expired = JobExecution.objects.get(uuid=wanted[3])
    JobExecution.objects.filter(pk=expired.pk).update(finished_at=expired.finished_at - timedelta(hours=1))  # type: ignore[operator]

    assert uuids([client.get(f"{JOBS}?start.uuid={wanted[3]}&order_by=start_time").json()]) == wanted[4:]


def test_a_start_that_never_was(client: APIClient) -> None:
    assert error(client.get(f"{JOBS}?start.uuid={UNKNOWN}&order_by=state")) == (
        404,
        {"message": "entry doesn't exist", "code": "4", "target": "start.uuid"},
    )
    assert client.get(f"{JOBS}?start.uuid={UNKNOWN}").status_code == 200


@pytest.mark.parametrize(
    ("query", "code", "target"),
    [
        ("start.uuid=1", "2", "start.uuid"),
        ("start.uuid=null", "2", "start.uuid"),
        ("start.nonsense=1", "262179", None),
        ("start.state=success", "262179", None),
        ("start.state=success&order_by=state", "2", "start.uuid"),
        (f"start.end_time=yesterday&start.uuid={UNKNOWN}&order_by=end_time", "2", "start.end_time"),
    ],
)
def test_a_bad_start(query: str, code: str, target: str | None, client: APIClient) -> None:
    status, said = error(client.get(f"{JOBS}?{query}"))

    assert (status, said["code"], said.get("target")) == (400, code, target)


def test_a_page_ends_before_it_gets_too_large(
    client: APIClient, seven: list[JobExecution], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vendors.ontap.parameters.LARGEST", 4)
    cut = pages(client, f"{JOBS}?max_records=4294967295")

    assert [body["num_records"] for body in cut] == [4, 3]


def test_long_texts_are_sorted_by_their_beginnings(
    client: APIClient, make_job: MakeJob, make_execution: MakeExecution
) -> None:
    for n in range(3):
        make_execution(make_job(f"j{n}"), State.FAILED, message="x" * 5000 + str(n))
    cut = pages(client, f"{JOBS}?max_records=1&order_by=message%20desc")

    assert len(set(uuids(cut))) == 3
    assert len(cut[0]["_links"]["next"]["href"]) < 400


# -- order -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "order",
    ["description desc", "description%20desc", "description+desc", "description%20DESC", "description%20%20desc"],
)
def test_a_blank_arrives_in_many_forms(order: str, client: APIClient, seven: list[JobExecution]) -> None:
    records = client.get(f"{JOBS}?order_by={order}").json()["records"]
    names = [record["description"] for record in records]

    assert names == sorted(names, reverse=True)


@pytest.mark.parametrize("order", ["state,description%20asc", "state%20,%20description", "state%2Cdescription"])
def test_several_fields(order: str, client: APIClient, seven: list[JobExecution]) -> None:
    records = client.get(f"{JOBS}?order_by={order}").json()["records"]
    keys = [(record["state"], record["description"]) for record in records]

    assert keys == sorted(keys)


def test_what_is_not_set_comes_first_or_last(client: APIClient, seven: list[JobExecution]) -> None:
    up = [record.get("end_time") for record in client.get(f"{JOBS}?order_by=end_time").json()["records"]]
    down = [record.get("end_time") for record in client.get(f"{JOBS}?order_by=end_time%20desc").json()["records"]]

    assert (up[:2], down[-2:]) == ([None, None], [None, None])
    assert None not in (*up[2:], *down[:-2])


def test_a_field_that_is_never_set_changes_no_order(client: APIClient, three: list[str]) -> None:
    assert uuids([client.get(f"{JOBS}?order_by=error.target").json()]) == three


@pytest.mark.parametrize("order", ["nonsense", "description%20up", "description%20asc%20desc", "error", "state,x"])
def test_an_order_that_is_none(order: str, client: APIClient) -> None:
    status, said = error(client.get(f"{JOBS}?order_by={order}"))

    assert (status, said["code"], said["target"]) == (400, "262197", "order_by")


# -- parameters --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_records", "0"),
        ("max_records", "-1"),
        ("max_records", "ten"),
        ("max_records", "1.0"),
        ("max_records", "99999999999999999999"),
        ("max_records", "%D9%A3"),
        ("return_records", "maybe"),
        ("return_records", ""),
        ("return_timeout", "121"),
        ("return_timeout", "x"),
        ("ignore_unknown_fields", "2"),
    ],
)
def test_a_bad_parameter(name: str, value: str, client: APIClient) -> None:
    status, said = error(client.get(f"{JOBS}?{name}={value}"))

    assert (status, said["code"], said["target"]) == (400, "2", name)
    assert f'is an invalid value for field "{name}" (<' in said["message"]


@pytest.mark.parametrize("query", ["return_timeout=0", "return_timeout=120", "max_records=1", "return_records=TRUE"])
def test_a_good_parameter(query: str, client: APIClient) -> None:
    assert client.get(f"{JOBS}?{query}").status_code == 200


@pytest.mark.parametrize("name", ["nonsense", "fields2", "action", "format", "error", "svm", "_links", "page"])
def test_a_parameter_that_is_none(name: str, client: APIClient) -> None:
    wanted = {"message": f'Unexpected argument "{name}".', "code": "262179"}

    assert error(client.get(f"{JOBS}?{name}=1")) == (400, wanted)


def test_unknown_ones_can_be_overlooked(client: APIClient, three: list[str]) -> None:
    query = "ignore_unknown_fields=true&nonsense=1&fields=state,nonsense&order_by=nonsense"
    body = client.get(f"{JOBS}?{query}").json()

    assert list(body["records"][0]) == ["uuid", "state", "_links"]
    assert body["num_records"] == 3


@pytest.mark.parametrize("query", ["state", "fields=*&max_records", "nonsense"])
def test_a_parameter_without_a_delimiter(query: str, client: APIClient) -> None:
    assert error(client.get(f"{JOBS}?{query}"))[1]["code"] == "262248"


def test_superfluous_ampersands_do_no_harm(client: APIClient, three: list[str]) -> None:
    assert client.get(f"{JOBS}?&&state=success&").json()["num_records"] == 3


# -- the rest ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("form", ["/api//cluster/jobs", "/api/cluster/jobs/", "/api/cluster//jobs//"])
def test_odd_slashes_change_nothing(form: str, client: APIClient, three: list[str]) -> None:
    assert uuids([client.get(f"{form}?max_records=2").json()]) == three[:2]


def test_head_and_options(client: APIClient, three: list[str]) -> None:
    head, options = client.head(JOBS), client.options(JOBS)

    assert (head.status_code, head.content, head.headers["Content-Type"]) == (200, b"", HAL)
    assert (options.status_code, options.headers["Allow"]) == (200, "GET, PATCH, HEAD, OPTIONS")


def test_links_stay_below_the_mount_that_was_asked(client: APIClient, three: list[str]) -> None:
    body = client.get(f"/ontap{JOBS}?max_records=1").json()

    assert body["_links"]["next"]["href"].startswith(f"/ontap{JOBS}?start.uuid=")
    assert uuids(pages(client, f"/ontap{JOBS}?max_records=1")) == three


def test_a_long_list_costs_as_many_queries_as_a_short_one(client: APIClient, seven: list[JobExecution]) -> None:
    client.get(JOBS)
    with CaptureQueriesContext(connection) as one:
        client.get(f"{JOBS}?fields=**&max_records=1&order_by=start_time%20desc")
    with CaptureQueriesContext(connection) as all_of_them:
        client.get(f"{JOBS}?fields=**&state=!paused&order_by=start_time%20desc")

    assert len(one) == len(all_of_them) <= 4


def test_no_name_is_taken_that_makes_clients_unwrap_the_object() -> None:
    """netapp-ontap looks into `record` and `records` of a single object."""
    resources = [view.resource for view in vars(views).values() if hasattr(view, "resource")]

    assert len(resources) == 6
    assert not [name for one in resources for name in one.members if name in ("record", "records")]
