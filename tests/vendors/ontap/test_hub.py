"""`GET /api/cluster`, its nodes, and the SVMs: what clients look at before they do anything."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from rest_framework.test import APIClient

from jobs.models import Node, Project, User
from tests.conftest import ClientOf
from tests.vendors.ontap.conftest import error
from tests.vendors.ontap.rights import UNKNOWN
from vendors.ontap.hub import CLUSTER, NODES, SVMS

VERSION = {"full": "NetApp Release 9.15.1: JobHub", "generation": 9, "major": 15, "minor": 1}
SELF = {"self": {"href": "/api/cluster"}}


# -- the cluster -------------------------------------------------------------------------------------------------------
def test_the_cluster(client: APIClient) -> None:
    body = client.get("/api/cluster").json()

    assert UUID(body.pop("uuid")).version == 4
    assert body == {"name": "jobhub", "version": VERSION, "_links": SELF}


def test_its_version_as_ansible_asks_for_it(client: APIClient) -> None:
    assert client.get("/api/cluster?fields=version").json() == {"version": VERSION, "_links": SELF}


def test_a_part_of_its_version(client: APIClient) -> None:
    assert client.get("/api/cluster?fields=version.full").json()["version"] == {"full": VERSION["full"]}


def test_it_is_always_the_same_one(client: APIClient, settings: Any) -> None:
    first = client.get("/api/cluster").json()["uuid"]
    again = client.get("/api/cluster").json()["uuid"]
    settings.SECRET_KEY = "another hub's"

    assert again == first != client.get("/api/cluster").json()["uuid"]


def test_what_ontap_has_beside_that_is_left_out(client: APIClient) -> None:
    assert list(client.get("/api/cluster?fields=name,contact,metric.latency.read").json()) == ["name", "_links"]


@pytest.mark.parametrize("query", ["fields=nonsense", "fields=version.patch"])
def test_a_field_that_is_none(query: str, client: APIClient) -> None:
    assert error(client.get(f"/api/cluster?{query}"))[1]["code"] == "262197"


@pytest.mark.parametrize("method", ["post", "patch", "put", "delete"])
def test_it_cannot_be_changed(method: str, client: APIClient) -> None:
    response = getattr(client, method)("/api/cluster")

    assert error(response) == (405, {"message": "This operation is not supported.", "code": "3"})
    assert response.headers["Allow"] == "GET, HEAD, OPTIONS"


# -- its nodes ---------------------------------------------------------------------------------------------------------
@pytest.fixture
def nodes(db: None) -> list[Node]:
    return [Node.objects.create(name=name) for name in ("left", "right")]


def test_the_nodes_with_their_version(client: APIClient, nodes: list[Node]) -> None:
    body = client.get("/api/cluster/nodes?fields=version&order_by=name").json()

    assert body["num_records"] == 2
    assert body["records"][0] == {
        "uuid": str(nodes[0].uuid),
        "name": "left",
        "version": VERSION,
        "_links": {"self": {"href": f"/api/cluster/nodes/{nodes[0].uuid}"}},
    }


def test_one_node(client: APIClient, nodes: list[Node]) -> None:
    body = client.get(f"/api/cluster/nodes/{nodes[1].uuid}").json()

    assert (body["name"], body["version"]) == ("right", VERSION)


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("name=left", ["left"]),
        ("name=l*|*t", ["left", "right"]),
        ("version.generation=>=9", ["left", "right"]),
        ("version.full=*9.15*", ["left", "right"]),
        ("version.minor=2", []),
        ("model=null", ["left", "right"]),
        ("model=FAS", []),
    ],
)
def test_nodes_are_searched_like_jobs(query: str, names: list[str], client: APIClient, nodes: list[Node]) -> None:
    records = client.get(f"/api/cluster/nodes?{query}").json()["records"]

    assert sorted(record["name"] for record in records) == names


def test_nodes_have_pages(client: APIClient, nodes: list[Node]) -> None:
    first = client.get("/api/cluster/nodes?max_records=1&order_by=name%20desc").json()
    second = client.get(first["_links"]["next"]["href"]).json()

    assert [page["records"][0]["name"] for page in (first, second)] == ["right", "left"]


# -- SVMs --------------------------------------------------------------------------------------------------------------
def test_the_svms_are_the_projects_that_one_may_see(client: APIClient, alpha: Project, beta: Project) -> None:
    body = client.get("/api/svm/svms?fields=*").json()

    assert body["records"] == [
        {
            "uuid": str(alpha.uuid),
            "name": "alpha",
            "state": "running",
            "_links": {"self": {"href": f"/api/svm/svms/{alpha.uuid}"}},
        }
    ]


def test_an_svms_comment(client: APIClient, alpha: Project) -> None:
    Project.objects.filter(pk=alpha.pk).update(description="Nightly work")

    assert client.get(f"/api/svm/svms/{alpha.uuid}").json()["comment"] == "Nightly work"
    assert client.get("/api/svm/svms?comment=*work").json()["num_records"] == 1


def test_a_foreign_svm(client_of: ClientOf, charlie: User, alpha: Project) -> None:
    wanted = {"message": "entry doesn't exist", "code": "4", "target": "uuid"}

    assert error(client_of(charlie).get(f"/api/svm/svms/{alpha.uuid}")) == (404, wanted)


@pytest.mark.parametrize("path", ["/api/cluster/nodes", "/api/svm/svms"])
def test_what_is_not_there(path: str, client: APIClient) -> None:
    codes = [error(client.get(f"{path}/{ref}"))[1]["code"] for ref in (UNKNOWN, "1")]

    assert codes == ["4", "2"]


# -- what the client library knows -------------------------------------------------------------------------------------
@pytest.mark.parametrize("resource", [CLUSTER, NODES, SVMS], ids=lambda one: one.path)
def test_every_field_is_known_on_the_wish_list(resource: Any, fields_of: Callable[[Any], list[str]]) -> None:
    assert fields_of(resource)
    assert resource.wished(fields_of(resource))


@pytest.fixture
def fields_of() -> Callable[[Any], list[str]]:
    return lambda resource: [*(field.name for field in resource.fields), *resource.unset, "_links", "*", "**"]
