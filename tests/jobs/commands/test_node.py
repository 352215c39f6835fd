"""`manage.py node`: how the nodes are, and drained, labelled and limited."""

import pytest

from jobs.models import Node
from jobs.states import State
from tests.conftest import MakeExecution
from tests.jobs.commands.conftest import Run

pytestmark = pytest.mark.django_db


@pytest.fixture
def north() -> Node:
    return Node.objects.create(name="north", workers=4, own_labels=["ssd"])


def test_the_list_tells_how_each_is(run: Run, north: Node, make_execution: MakeExecution) -> None:
    make_execution(state=State.RUNNING, node="north")
    run("node", "limit", "north", "--to", "3")
    run("node", "drain", "north", "--reason", "new disk")
    lines = run("node", "list").lines
    assert lines[0].split() == ["NODE", "STATE", "RUNS", "WORKERS", "LABELS", "HEARD", "OF", "WHY"]
    assert lines[1].startswith("north  draining  1 of 3  4        ssd")
    assert lines[1].endswith("new disk")


def test_without_nodes_it_says_so(run: Run) -> None:
    assert run("node", "list").err == "no node has reported yet\n"


def test_undrain_gives_it_work_again(run: Run, north: Node) -> None:
    run("node", "drain", "north")
    assert run("node", "undrain", "north", "--json").json[0]["state"] == "up"


@pytest.mark.parametrize(
    ("words", "labels"),
    [
        (["--add", "gpu", "a"], ["a", "b", "gpu"]),
        (["--remove", "a"], ["b"]),
        (["--set", "x", "y", "x"], ["x", "y"]),
        (["--set"], []),
    ],
)
def test_labels_are_set_added_and_removed(run: Run, north: Node, words: list[str], labels: list[str]) -> None:
    run("node", "label", "north", "--set", "a", "b")
    run("node", "label", "north", *words)
    assert Node.objects.get().labels == labels


def test_a_limit_is_taken_away_again(run: Run, north: Node) -> None:
    run("node", "limit", "north", "--to", "3")
    run("node", "limit", "north")
    assert Node.objects.get().max_running is None


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["drain", "south"], "there is no node 'south'"),
        (["label", "north", "--add", "GPU"], "labels.0: wanted a label"),
        (["label", "north", "--set", "a", "--add", "b"], "not beside --add"),
        (["drain", "north", "--reason", "x" * 501], "reason: "),
    ],
)
def test_a_mistake_is_told(run: Run, north: Node, words: list[str], said: str) -> None:
    done = run("node", *words)
    assert (done.code, said in done.err) == (2, True)
