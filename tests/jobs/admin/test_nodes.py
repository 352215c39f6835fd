"""Nodes in the admin: seen by everybody, changed by superusers."""

import pytest

from jobs.models import Node, User
from jobs.states import State
from tests.conftest import MakeExecution
from tests.jobs.admin.conftest import Look, page, told

LIST = "/admin/jobs/node/"
pytestmark = pytest.mark.django_db


@pytest.fixture
def north() -> Node:
    return Node.objects.create(name="north", workers=4, own_labels=["ssd"])


def url_of(node: Node, what: str = "change") -> str:
    return f"{LIST}{node.pk}/{what}/"


def test_a_node_is_drained_with_a_reason(look: Look, root: User, north: Node, make_execution: MakeExecution) -> None:
    make_execution(state=State.RUNNING, node="north")
    look(root).post(url_of(north, "drain"), {"reason": "new disk"})
    shown = page(look(root), LIST)
    assert "draining" in shown and "new disk" in shown
    look(root).post(url_of(north, "undrain"))
    assert Node.objects.get().drained_at is None


def test_labels_and_limit_are_saved_by_the_engine(look: Look, root: User, north: Node) -> None:
    look(root).post(url_of(north), {"labels": "gpu,  fast gpu", "max_running": "2"})
    north.refresh_from_db()
    assert (north.labels, north.max_running, north.own_labels) == (["gpu", "fast"], 2, ["ssd"])
    assert 'value="gpu, fast"' in page(look(root), url_of(north))


@pytest.mark.parametrize(("given", "field"), [({"labels": "GPU"}, "labels"), ({"max_running": "-1"}, "max_running")])
def test_a_wrong_value_is_told_at_its_field(
    look: Look, root: User, north: Node, given: dict[str, str], field: str
) -> None:
    answer = look(root).post(url_of(north), {"labels": "", "max_running": "", **given})
    assert field in answer.context["adminform"].form.errors


def test_a_limit_of_nothing_is_told_above_the_page(look: Look, root: User, north: Node) -> None:
    assert "wanted at least 1" in told(look(root).post(url_of(north), {"labels": "", "max_running": "0"}))


def test_who_is_no_superuser_drains_nothing(look: Look, alice: User, north: Node) -> None:
    assert "is for superusers only" in told(look(alice).post(url_of(north, "drain")))
    select = {"action": "drain_selected", "_selected_action": [north.pk], "index": 0}
    assert "is for superusers only" in told(look(alice).post(LIST, select))
    assert Node.objects.get().drained_at is None
