"""What else there is: nodes, projects, archives, and where things are."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from jobs.engine.nodes import drain
from jobs.engine.rights import operator
from jobs.models import Archive, Membership, Node, Project, Role, User
from jobs.states import State
from tests.conftest import ClientOf, MakeExecution
from tests.vendors.conftest import basic, fields_of

URL = "/hub/v1"


def archive(project: Project, number: int, **fields: object) -> Archive:
    given = {"job_name": "nightly/db", "container": "c", "name": "db", "level": 0, "size_bytes": 1, "sha256": "0" * 64}
    return Archive.objects.create(project=project, path=f"p{number}", created_at=timezone.now(), **{**given, **fields})


def test_the_root_leads_everywhere(client: APIClient) -> None:
    places = client.get(f"{URL}/").json()

    assert len(places) == 11
    assert {client.get(url).status_code for url in places.values()} == {200}


def test_a_node_that_was_heard_of_is_live(client: APIClient) -> None:
    Node.objects.create(name="a", workers=2)
    Node.objects.create(name="b", workers=2, seen_at=timezone.now() - timedelta(minutes=1))
    shown = client.get(f"{URL}/nodes").json()["results"]

    assert [(node["name"], node["workers"], node["is_live"]) for node in shown] == [("a", 2, True), ("b", 2, False)]


def test_a_node_tells_how_it_is(client: APIClient, make_execution: MakeExecution) -> None:
    node = Node.objects.create(name="north", workers=2, own_labels=["ssd"], max_running=1)
    make_execution(state=State.RUNNING, node="north")
    drain(node, actor=operator("test"), reason="new disk")
    shown = client.get(f"{URL}/nodes/north").json()

    assert {name: shown[name] for name in ("state", "running", "max_running", "own_labels", "drain_reason")} == {
        "state": "draining",
        "running": 1,
        "max_running": 1,
        "own_labels": ["ssd"],
        "drain_reason": "new disk",
    }


def test_a_superuser_drains_labels_and_limits(root: User, alpha: Project) -> None:
    Node.objects.create(name="north", workers=2)
    superuser = APIClient(HTTP_AUTHORIZATION=basic("root"))
    superuser.post(f"{URL}/nodes/north/drain", {"reason": "new disk"}, format="json")
    changed = superuser.patch(f"{URL}/nodes/north", {"labels": ["gpu"], "max_running": 3}, format="json").json()

    assert (changed["state"], changed["labels"], changed["max_running"]) == ("drained", ["gpu"], 3)
    assert superuser.post(f"{URL}/nodes/north/undrain").json()["state"] == "up"


@pytest.mark.parametrize(
    ("body", "field"), [({"labels": ["GPU"]}, "labels.0"), ({"max_running": 0}, "max_running"), ({"name": "x"}, "name")]
)
def test_a_wrong_change_of_a_node_is_named(root: User, alpha: Project, body: dict, field: str) -> None:
    Node.objects.create(name="north", workers=2)
    answer = APIClient(HTTP_AUTHORIZATION=basic("root")).patch(f"{URL}/nodes/north", body, format="json")

    assert fields_of(answer) == [field]


def test_one_sees_ones_own_projects_and_what_one_may_there(alice: User, beta: Project) -> None:
    Project.objects.create(name="gamma")
    Membership.objects.create(user=alice, project=beta, role=Role.READER)
    client = APIClient(HTTP_AUTHORIZATION=basic("alice"))
    shown = client.get(f"{URL}/projects").json()["results"]

    assert [(project["name"], project["right"]) for project in shown] == [("alpha", "admin"), ("beta", "see")]
    assert client.get(f"{URL}/projects/gamma").status_code == 404


def test_a_superuser_sees_all_projects(root: User, alpha: Project, beta: Project) -> None:
    shown = APIClient(HTTP_AUTHORIZATION=basic("root")).get(f"{URL}/projects").json()["results"]

    assert [(project["name"], project["right"]) for project in shown] == [("alpha", "admin"), ("beta", "admin")]


def test_a_project_is_found_by_any_of_its_names(client: APIClient, alpha: Project) -> None:
    refs = (alpha.name, alpha.pk, alpha.uuid)

    assert [client.get(f"{URL}/projects/{ref}").json()["name"] for ref in refs] == ["alpha"] * 3


def test_archives_come_newest_first_and_can_be_searched(client: APIClient, alpha: Project, beta: Project) -> None:
    archive(alpha, 1, name="db", container="a")
    archive(alpha, 2, name="web", container="b", job_name="other")
    archive(beta, 3)

    def names(**query: str) -> list[str]:
        return [one["name"] for one in client.get(f"{URL}/archives", query).json()["results"]]

    assert names() == ["web", "db"]
    assert (names(name="db"), names(job="other"), names(container="a"), names(name="x")) == (
        ["db"],
        ["web"],
        ["db"],
        [],
    )


def test_lists_cost_no_more_for_more(
    client: APIClient, alpha: Project, django_assert_max_num_queries: Callable
) -> None:
    for number in range(10):
        archive(alpha, number)
        Node.objects.create(name=f"node-{number}")
    client.get(f"{URL}/")

    for path, queries in (("archives", 2), ("nodes", 3), ("projects", 2), ("me", 2)):
        with django_assert_max_num_queries(queries):
            client.get(f"{URL}/{path}")


def test_a_key_sees_its_own_project_only(alice: User, beta: Project, client_of: ClientOf) -> None:
    Membership.objects.create(user=alice, project=beta, role=Role.ADMIN)
    shown = client_of(alice).get(f"{URL}/projects").json()["results"]

    assert [project["name"] for project in shown] == ["alpha"]
