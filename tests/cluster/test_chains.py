"""Every end starts what comes after it exactly once, whatever is killed."""

import random
import time

import pytest

from tests.cluster.conftest import MakeHub, postgres
from tests.cluster.hub import Hub, eventually
from tests.cluster.test_kills import kill_one

N_KILLS = 5
N_EXECUTIONS = 24
SECONDS = 0.2

pytestmark = pytest.mark.cluster


def runs_of(hub: Hub, job: str) -> list[tuple[int, int | None, str]]:
    return hub.rows(f"SELECT id, triggered_by, state FROM jobs_jobexecution WHERE job_name = '{job}' ORDER BY id")


def check_chains(hub: Hub) -> None:
    seed = int(time.time())
    dice = random.Random(seed)
    hub.seed("chained", n=N_EXECUTIONS, seconds=SECONDS, marks=str(hub.marks))
    hub.start()
    killed = []
    for _ in range(N_KILLS):
        time.sleep(dice.uniform(0.1, 0.8))
        killed.append(kill_one(hub, dice))
    eventually(lambda: not hub.n_active(), within_s=120, what=f"the end of all executions (seed {seed}, {killed})")
    first, second, third = (runs_of(hub, job) for job in ("marked", "second", "third"))
    assert len(first) == N_EXECUTIONS
    assert sorted(by or 0 for _, by, _ in second) == [pk for pk, _, _ in first], (seed, killed)
    assert sorted(by or 0 for _, by, _ in third) == [pk for pk, _, _ in second], (seed, killed)


def test_kills_break_no_chain_embedded(make_hub: MakeHub) -> None:
    check_chains(make_hub(workers=4))


@pytest.mark.postgres
def test_kills_break_no_chain_on_postgresql(make_hub: MakeHub) -> None:
    check_chains(make_hub(workers=4, database=postgres()))
