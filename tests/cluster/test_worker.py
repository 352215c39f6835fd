"""What `manage.py worker` promises: side by side, a bounded drain, no orphans, a watchdog."""

import os
import signal
from pathlib import Path

import psutil
import pytest

from tests.cluster import marks
from tests.cluster.conftest import MakeHub
from tests.cluster.hub import Hub
from tests.programs import are_gone, is_pid_gone
from tests.waiting import eventually

pytestmark = pytest.mark.cluster

STUBBORN = """
trap '' TERM
echo $$ > "$MARKS/leader"
sh -c 'trap "" TERM; echo $$ > "$MARKS/child"; while :; do sleep 1; done' &
setsid sh -c 'trap "" TERM; echo $$ > "$MARKS/stray"; while :; do sleep 1; done' &
while :; do sleep 1; done
"""


def stubborn(hub: Hub, **fields: object) -> str:
    """A command that ignores TERM, with a child and a stray in a session of its own; gives its UUID once all stand."""
    spec = {"argv": STUBBORN, "shell": True, "env": {"MARKS": str(hub.marks)}, "grace_s": 1}
    uuid = hub.seed("command", name="stubborn", spec=spec, **fields)
    eventually(lambda: len(list(hub.marks.iterdir())) == 3, within_s=30, what="all processes of the command")
    return str(uuid)


def pids(folder: Path) -> list[int]:
    return [int(path.read_text()) for path in folder.iterdir()]


def alive(folder: Path) -> list[int]:
    return [pid for pid in pids(folder) if not is_pid_gone(pid)]


def ended(hub: Hub) -> bool:
    return not hub.n_active()


# -- it works ----------------------------------------------------------------------------------------------------------
def test_four_long_jobs_run_side_by_side(make_hub: MakeHub) -> None:
    hub = make_hub(workers=4)
    hub.start()
    hub.seed("marked", n=4, seconds=3, marks=str(hub.marks))
    eventually(lambda: hub.states().get("running") == 4, within_s=15, what="four running at once")
    eventually(lambda: ended(hub), within_s=30, what="their end")
    runs = [attempts[0] for attempts in marks.read(hub.marks).values()]
    assert max(run.first for run in runs) < min(run.last for run in runs)


def test_an_idle_worker_starts_at_once_what_another_process_triggers(make_hub: MakeHub) -> None:
    hub = make_hub()
    hub.start()
    hub.seed("command", name="quick", spec={"argv": ["true"]})
    eventually(lambda: hub.states() == {"succeeded": 1}, within_s=10, what="the end of a quick command")


# -- abort -------------------------------------------------------------------------------------------------------------
def test_an_abort_leaves_no_process_of_a_stubborn_command(make_hub: MakeHub) -> None:
    hub = make_hub()
    hub.start()
    uuid = stubborn(hub)
    assert hub.seed("abort", uuid=uuid) == "aborting"
    eventually(lambda: hub.states() == {"aborted": 1}, within_s=15, what="the abort")
    assert alive(hub.marks) == []


def test_an_abort_of_a_dead_workers_run_ends_it(make_hub: MakeHub) -> None:
    hub = make_hub()
    main = hub.start()
    uuid = stubborn(hub)
    os.kill(main.pid, signal.SIGSTOP)
    hub.busy(main)[0].kill()
    hub.seed("abort", uuid=uuid)
    os.kill(main.pid, signal.SIGCONT)
    eventually(lambda: hub.states() == {"aborted": 1}, within_s=15, what="the abort")
    eventually(lambda: not alive(hub.marks), within_s=5, what="no process of the command")


# -- stopping ----------------------------------------------------------------------------------------------------------
def test_term_lets_running_work_end(make_hub: MakeHub) -> None:
    hub = make_hub(drain_s=20)
    main = hub.start()
    hub.seed("marked", n=3, seconds=2, marks=str(hub.marks))
    eventually(lambda: hub.states().get("running") == 2, within_s=15, what="two at work")
    main.terminate()
    assert main.wait(timeout=60) == 0
    assert hub.states() == {"succeeded": 2, "queued": 1}


def test_term_to_the_whole_group_drains_as_well(make_hub: MakeHub) -> None:
    hub = make_hub(drain_s=20)
    main = hub.start()
    hub.seed("marked", n=2, seconds=2, marks=str(hub.marks))
    eventually(lambda: hub.states().get("running") == 2, within_s=15, what="two at work")
    for process in [*psutil.Process(main.pid).children(), *hub.workers(main), psutil.Process(main.pid)]:
        process.send_signal(signal.SIGTERM)
    assert main.wait(timeout=60) == 0
    assert hub.states() == {"succeeded": 2}


def test_the_drain_is_bounded_and_work_that_may_run_again_is_queued(make_hub: MakeHub) -> None:
    hub = make_hub(drain_s=1)
    main = hub.start()
    stubborn(hub, on_lost="rerun")
    main.terminate()
    assert main.wait(timeout=60) == 0
    assert hub.states() == {"queued": 1}
    assert alive(hub.marks) == []


def test_the_drain_fails_work_that_may_not_run_again(make_hub: MakeHub) -> None:
    hub = make_hub(drain_s=1)
    main = hub.start()
    stubborn(hub, on_lost="fail")
    main.terminate()
    assert main.wait(timeout=60) == 0
    assert hub.rows("SELECT state, message FROM jobs_jobexecution") == [
        ("failed", "its worker was stopped before it could end")
    ]


def test_kill_of_the_main_process_leaves_no_process(make_hub: MakeHub) -> None:
    hub = make_hub()
    main = hub.start()
    stubborn(hub)
    family = psutil.Process(main.pid).children(recursive=True)
    main.kill()
    main.wait()
    assert len(family) > 5
    eventually(lambda: are_gone(family), within_s=10, what="the end of all")
    eventually(lambda: not alive(hub.marks), within_s=5, what="no process of the command")


# -- watching ----------------------------------------------------------------------------------------------------------
def test_the_watchdog_restarts_a_pool_that_does_nothing(make_hub: MakeHub) -> None:
    hub = make_hub(watchdog_s=2)
    main = hub.start()
    silent = hub.workers(main)
    for process in silent:
        process.suspend()
    hub.seed("command", name="quick", spec={"argv": ["true"]})
    eventually(lambda: hub.states() == {"succeeded": 1}, within_s=20, what="the command, by a fresh pool")
    assert are_gone(silent)


def test_work_is_not_silence(make_hub: MakeHub) -> None:
    hub = make_hub(watchdog_s=2, workers=1)
    main = hub.start()
    hub.seed("marked", n=2, seconds=5, marks=str(hub.marks))
    eventually(lambda: hub.states().get("running") == 1, within_s=15, what="one at work")
    pool = hub.pool(main)
    eventually(lambda: ended(hub), within_s=30, what="the end of both")
    assert hub.pool(main) == pool
    assert [run.attempt for attempts in marks.read(hub.marks).values() for run in attempts] == [1, 1]
