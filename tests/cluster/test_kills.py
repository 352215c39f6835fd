"""Nothing is lost and nothing runs twice at once, whatever is killed."""

import os
import random
import signal
import time

import psutil
import pytest

from tests.cluster import marks
from tests.cluster.conftest import MakeHub, postgres, redis_broker
from tests.cluster.hub import Hub
from tests.waiting import eventually

N_KILLS = 20
N_EXECUTIONS = 40
SECONDS = 0.8
MOST_LOST = 3

pytestmark = [pytest.mark.cluster, pytest.mark.long]


def kill_one(hub: Hub, dice: random.Random) -> str:
    """Kill -9 something; a killed main is started again, as a service manager would. Empty if it was not there."""
    main = hub.mains[-1]
    victim = dice.choice(["busy", "busy", "idle", "idle", "cluster", "main"])
    try:
        if victim in ("busy", "idle"):
            dice.choice(hub.busy(main) if victim == "busy" else hub.idle(main)).kill()
        elif victim == "cluster":
            os.killpg(hub.pool(main).pid, signal.SIGKILL)
        else:
            main.kill()
            main.wait()
            hub.start()
    except (IndexError, ProcessLookupError, psutil.NoSuchProcess):
        return ""
    return victim


def check_kills(hub: Hub) -> None:
    seed = int(time.time())
    dice = random.Random(seed)
    wanted = set(hub.seed("marked", n=N_EXECUTIONS, seconds=SECONDS, marks=str(hub.marks)))
    hub.start()
    killed: list[str] = []
    while len(killed) < N_KILLS:
        time.sleep(dice.uniform(0.2, 1.2))
        killed += filter(None, [kill_one(hub, dice)])
    eventually(lambda: not hub.n_active(), within_s=180, what=f"the end of all executions (seed {seed}, {killed})")
    runs = marks.read(hub.marks)
    rows = hub.rows("SELECT uuid, state, n_lost, message FROM jobs_jobexecution")
    ended = {str(uuid).replace("-", ""): tuple(rest) for uuid, *rest in rows}
    assert {uuid.replace("-", "") for uuid in wanted} == set(ended), "an execution is gone"
    for uuid in wanted:
        state, n_lost, message = ended[uuid.replace("-", "")]
        attempts = runs.get(uuid, [])
        assert [run.n_starts for run in attempts] == [1] * len(attempts), (seed, killed, attempts)
        assert marks.overlaps(attempts) == [], (seed, killed)
        if state == "succeeded":
            assert attempts[-1].ended, (seed, killed, attempts)
        else:
            assert (state, n_lost) == ("failed", MOST_LOST), (message, seed, killed, attempts)
    eventually(lambda: not hub.programs(), within_s=5, what=f"the end of all programs (seed {seed}, {killed})")


def test_kills_lose_nothing_embedded(make_hub: MakeHub) -> None:
    check_kills(make_hub(workers=4))


@pytest.mark.postgres
def test_kills_lose_nothing_on_postgresql(make_hub: MakeHub) -> None:
    check_kills(make_hub(workers=4, database=postgres()))


@pytest.mark.postgres
@pytest.mark.redis
def test_kills_lose_nothing_with_redis(make_hub: MakeHub) -> None:
    check_kills(make_hub(workers=4, database=postgres(), broker=redis_broker()))
