"""Several machines on one database: one dies as a whole, one is drained, one has a label."""

import os
import signal
import subprocess
from contextlib import suppress

import psutil
import pytest

from tests.cluster import marks
from tests.cluster.conftest import MakeHub, postgres
from tests.cluster.hub import Hub, eventually

pytestmark = [pytest.mark.cluster, pytest.mark.postgres]


@pytest.fixture
def hub(make_hub: MakeHub) -> Hub:
    return make_hub(workers=2, database=postgres())


def kill_all(main: subprocess.Popen[bytes]) -> None:
    """As when the machine loses its power."""
    family = [psutil.Process(main.pid), *psutil.Process(main.pid).children(recursive=True)]
    for process in family:
        with suppress(ProcessLookupError):  # it died with another of them
            os.kill(process.pid, signal.SIGKILL)
    main.wait()


def nodes_of(hub: Hub) -> dict[str, int]:
    """How many executions run on each node."""
    return dict(hub.rows("SELECT node, count(*) FROM jobs_jobexecution WHERE state = 'running' GROUP BY node"))


def test_the_work_of_a_machine_that_dies_is_done_by_another(hub: Hub) -> None:
    hub.start(node="north")
    south = hub.start(node="south")
    wanted = hub.seed("marked", n=8, seconds=1.5, marks=str(hub.marks))
    eventually(lambda: nodes_of(hub).get("south") == 2, within_s=30, what="work on the node that will die")
    kill_all(south)
    eventually(lambda: not hub.n_active(), within_s=60, what="the end of all executions")
    assert hub.states() == {"succeeded": 8}
    runs = marks.read(hub.marks)
    assert set(runs) == set(wanted)
    assert [marks.overlaps(attempts) for attempts in runs.values()] == [[]] * 8
    assert hub.rows("SELECT count(*) FROM jobs_jobexecution WHERE n_lost = 1 AND node = 'north'") == [(2,)]


def test_a_drained_machine_takes_no_new_work_and_a_label_leads_to_the_other(hub: Hub) -> None:
    hub.start(node="north")
    hub.start(node="south", node_labels="gpu")
    hub.manage("node", "drain", "north", "--reason", "new disk")
    hub.seed("marked", n=6, seconds=0.3, marks=str(hub.marks))
    hub.seed("command", name="labelled", spec={"argv": ["true"]}, node="label:gpu")
    hub.seed("command", name="pinned", spec={"argv": ["true"]}, node="north")
    eventually(lambda: hub.n_active() == 1, within_s=60, what="the end of all but the pinned one")
    assert hub.rows("SELECT DISTINCT node FROM jobs_jobexecution WHERE state = 'succeeded'") == [("south",)]
    assert "the node 'north', which is drained: new disk" in hub.manage("executions", "--state", "active")
    hub.manage("node", "undrain", "north")
    eventually(lambda: not hub.n_active(), within_s=30, what="the end of the pinned one")
