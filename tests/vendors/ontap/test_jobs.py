"""`GET /api/cluster/jobs`: what the list shows, and whose jobs."""

import gzip

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from jobs.models import JobExecution, Project, Role, User
from tests.conftest import ClientOf, MakeExecution, MakeJob, join
from tests.vendors.ontap.conftest import HAL, JOBS, error, pages, uuids
from tests.vendors.ontap.rights import UNKNOWN
from vendors.ontap import views


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
        ("svm.name=*", {"X-Dot-SVM-Name": "beta"}, ["of beta"]),
        ("svm.name=alpha", {"X-Dot-SVM-Name": "beta"}, []),
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


def test_it_is_compressed_on_wish(client: APIClient, three: list[str]) -> None:
    plain = client.get(f"{JOBS}?fields=*")
    packed = client.get(f"{JOBS}?fields=*", headers={"Accept-Encoding": "gzip"})

    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.content) == plain.content
    assert "Content-Encoding" not in plain.headers


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
