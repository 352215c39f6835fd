"""Notices of a real hub: no kill loses one, and a receiver that is down keeps nobody waiting."""

import socket
import threading
from typing import Any

import psutil
import pytest

from tests.cluster.conftest import MakeHub, postgres
from tests.cluster.hub import Hub, eventually
from tests.jobs.servers import Reply, Seen, Server, serving

NOOP = {"callable": "noop"}
N_DEAD = 50
N_JOBS = 100

pytestmark = pytest.mark.cluster


def subscribe(hub: Hub, url: str) -> None:
    hub.seed("subscribed", urls=[url])


def log_of(hub: Hub) -> list[tuple[Any, ...]]:
    """(delivered or not, tries) of each notice."""
    return hub.rows("SELECT delivered_at IS NOT NULL, n_tries FROM jobs_delivery ORDER BY id")


def kill_everything(hub: Hub) -> None:
    """The main process, and with it all that it started."""
    main = hub.mains[-1]
    family = psutil.Process(main.pid).children(recursive=True)
    main.kill()
    main.wait()
    psutil.wait_procs(family, timeout=10)
    assert not [one for one in family if one.is_running()]


class Receiver:
    """Holds its answers back until it is told to give them."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.go_on = threading.Event()
        server.replies["/hook"] = self._answer

    def _answer(self, seen: Seen) -> Reply:
        self.go_on.wait(30)
        return Reply(status=204)


def check_kill(hub: Hub) -> None:
    with serving() as server:
        receiver = Receiver(server)
        subscribe(hub, f"{server.url}/hook")
        hub.start()
        hub.seed("step", name="told", runner="python", spec=NOOP)
        eventually(lambda: server.seen, within_s=20, what="the first try")
        kill_everything(hub)
        assert log_of(hub) == [(False, 1)]
        receiver.go_on.set()
        hub.seed("forget_claims")
        hub.start()
        eventually(lambda: log_of(hub) == [(True, 2)], within_s=20, what="the second try")
    ids = [seen.headers["webhook-id"] for seen in server.seen]
    assert (len(ids), len(set(ids))) == (2, 1)


def test_a_kill_in_the_midst_of_a_delivery_loses_nothing_embedded(make_hub: MakeHub) -> None:
    check_kill(make_hub(workers=2, allowed_targets="127.0.0.1"))


@pytest.mark.postgres
def test_a_kill_in_the_midst_of_a_delivery_loses_nothing_on_postgresql(make_hub: MakeHub) -> None:
    check_kill(make_hub(workers=2, database=postgres(), allowed_targets="127.0.0.1"))


def test_a_kill_before_the_first_try_loses_nothing(make_hub: MakeHub) -> None:
    """Committed while nobody listens, and delivered by the next cluster when somebody does."""
    hub = make_hub(workers=2, allowed_targets="127.0.0.1")
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    subscribe(hub, f"http://127.0.0.1:{port}/hook")
    hub.start()
    hub.seed("step", name="told", runner="python", spec=NOOP)
    eventually(lambda: log_of(hub), within_s=20, what="the notice in the database")
    kill_everything(hub)
    with serving(port=port) as server:
        server.replies["/hook"] = Reply(status=204)
        hub.seed("forget_claims")
        hub.start()
        eventually(lambda: [done for done, _ in log_of(hub)] == [True], within_s=20, what="the delivery")
    assert len(server.seen) == 1


def test_receivers_that_are_down_keep_nobody_waiting(make_hub: MakeHub) -> None:
    """Every job ends, and the one good receiver hears of all of them, before one of the dead ones has been given up."""
    hub = make_hub(workers=2, allowed_targets="127.0.0.1")
    with serving() as server, socket.create_server(("127.0.0.1", 0), backlog=128) as deaf:
        server.replies["/hook"] = Reply(status=204)
        subscribe(hub, f"{server.url}/hook")
        hub.seed("subscribed", urls=[f"http://127.0.0.1:{deaf.getsockname()[1]}/{n}" for n in range(N_DEAD)])
        hub.seed("steps", n=N_JOBS, runner="python", spec=NOOP)
        hub.start()
        eventually(lambda: hub.states() == {"succeeded": N_JOBS}, within_s=30, what="the end of all jobs")
        eventually(lambda: len(server.seen) == N_JOBS, within_s=60, what="all notices to the good receiver")
    pending = "SELECT count(*) FROM jobs_delivery WHERE next_at IS NOT NULL"
    eventually(lambda: hub.rows(pending) == [(N_DEAD * N_JOBS,)], within_s=30, what="the notices that wait")


def test_a_drain_takes_the_courier_along(make_hub: MakeHub) -> None:
    hub = make_hub(workers=2, allowed_targets="127.0.0.1")
    with serving() as server:
        Receiver(server)
        subscribe(hub, f"{server.url}/hook")
        main = hub.start()
        hub.seed("step", name="told", runner="python", spec=NOOP)
        eventually(lambda: server.seen, within_s=20, what="the first try")
        family = psutil.Process(main.pid).children(recursive=True)
        main.terminate()
        main.wait(30)
        psutil.wait_procs(family, timeout=10)
    assert (main.returncode, [one for one in family if one.is_running()], log_of(hub)) == (0, [], [(False, 1)])
