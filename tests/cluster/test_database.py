"""The database goes away under running work, and nothing is lost."""

from collections.abc import Callable, Iterator

import pytest

from tests.cluster import marks
from tests.cluster.conftest import MakeHub
from tests.cluster.postgres import Server
from tests.waiting import eventually

pytestmark = [pytest.mark.cluster, pytest.mark.postgres]


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


def restart(mode: str) -> Callable[[Server], None]:
    def do(server: Server) -> None:
        server.stop(mode)
        server.start()

    return do


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(restart("fast"), id="restarted"),
        pytest.param(restart("immediate"), id="crashed"),
        pytest.param(Server.kill_a_backend, id="a session killed"),
    ],
)
def test_running_work_survives_its_database(
    server: Server, make_hub: MakeHub, trouble: Callable[[Server], None]
) -> None:
    hub = make_hub(database=server.url, workers=2, lease_s=30)
    main = hub.start()
    hub.seed("marked", n=6, seconds=2, marks=str(hub.marks))
    eventually(lambda: hub.states().get("running") == 2, within_s=15, what="two at work")
    trouble(server)
    eventually(lambda: hub.states() == {"succeeded": 6}, within_s=40, what="the success of all")
    assert main.poll() is None
    assert [run.attempt for attempts in marks.read(hub.marks).values() for run in attempts] == [1] * 6


def test_a_database_that_is_away_for_long_loses_nothing(server: Server, make_hub: MakeHub) -> None:
    hub = make_hub(database=server.url, workers=2, lease_s=3)
    hub.start()
    wanted = hub.seed("marked", n=4, seconds=2, marks=str(hub.marks))
    eventually(lambda: hub.states().get("running") == 2, within_s=15, what="two at work")
    server.stop("fast")
    eventually(lambda: not hub.programs(), within_s=10, what="the end of programs whose lease ran out")
    server.start()
    eventually(lambda: hub.states() == {"succeeded": 4}, within_s=40, what="the success of all")
    runs = marks.read(hub.marks)
    assert set(runs) == set(wanted)
    assert [marks.overlaps(attempts) for attempts in runs.values()] == [[]] * 4
