"""`manage.py up`, `web` and `setup`: started, stopped and killed as real processes."""

import json
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import psutil
import pytest

from tests.jobhub.hub import Hub
from tests.programs import are_gone, is_gone
from tests.waiting import eventually

pytestmark = pytest.mark.cluster


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Hub]:
    """A hub before its first start."""
    hub = Hub(tmp_path)
    yield hub
    hub.close()


@pytest.fixture
def hub(bare: Hub, installed: Path) -> Hub:
    """A hub that was set up."""
    shutil.copytree(installed, bare.env["JOBHUB_VAR"])
    return bare


# -- it works ----------------------------------------------------------------------------------------------------------
def test_the_first_start_runs_the_examples_and_ctrl_c_leaves_nothing(bare: Hub) -> None:
    main = bare.up()
    examples = ("ask", "backup", "count", "ingest", "export", "report")
    for name in examples:
        eventually(
            lambda name=name: bare.states(f"examples/{name}") == ["succeeded"], what=f"the end of examples/{name}"
        )
    family = bare.family(main)

    main.send_signal(signal.SIGINT)

    assert main.wait(30) == 0
    assert are_gone(family)
    assert bare.get("/healthz") is None


def test_the_examples_bring_data_and_the_next_run_only_what_is_new(bare: Hub) -> None:
    bare.up()
    made = Path(bare.env["JOBHUB_VAR"]) / "data"
    eventually(lambda: bare.states("examples/export") == ["succeeded"], what="the end of the export")
    eventually(lambda: bare.states("examples/ingest") == ["succeeded"], what="the end of the ingestion")

    again = bare.run("trigger", "examples/ingest", "--wait")

    assert again.returncode == 0
    assert [json.loads(line)["id"] for line in (made / "harvest.jsonl").read_text().splitlines()] == [*range(1, 61)]
    assert len((made / "harvest.csv").read_text().splitlines()) == 7


def test_the_second_start_finds_everything_in_place(bare: Hub) -> None:
    first = bare.run("setup", "--json").stdout
    before = bare.content()

    again = bare.run("setup", "--json").stdout

    assert '"first_run": true' in first
    assert '"first_run": false' in again
    assert len(before["jobs_jobexecution"]) == 6
    assert bare.content() == before


def test_the_admin_has_its_style_and_a_login(hub: Hub) -> None:
    hub.up()

    assert [hub.get(path) for path in ("/admin/login/", "/static/admin/css/base.css", "/readyz")] == [200, 200, 200]


def test_a_generated_password_is_told_once(bare: Hub) -> None:
    bare.env["JOBHUB_ADMIN_PASSWORD"] = ""

    first, again = bare.run("setup").stdout, bare.run("setup").stdout

    assert "password of admin, shown this once: " in first
    assert again == "everything is in place\n"


def test_web_alone_serves_until_it_is_told_to_stop(hub: Hub) -> None:
    main = hub.start("web")
    eventually(lambda: hub.get("/healthz") == 200, what="an answer")
    family = hub.family(main)

    main.send_signal(signal.SIGTERM)

    assert main.wait(30) == 0
    assert are_gone(family)
    assert hub.said == f"the web server answers at http://127.0.0.1:{hub.port}\nstopped\n"


def test_the_workers_alone_say_when_they_begin_and_end(hub: Hub) -> None:
    main = hub.start("worker")
    eventually(lambda: "look for work" in hub.said and hub.content()["jobs_node"], what="a node")

    main.send_signal(signal.SIGTERM)

    assert main.wait(30) == 0
    assert hub.said.splitlines()[-1] == "stopped"
    assert [node["workers"] for node in json.loads(hub.run("node", "list", "--json").stdout)] == [0]


# -- what dies ---------------------------------------------------------------------------------------------------------
def test_a_part_that_dies_is_started_again(hub: Hub) -> None:
    main = hub.up()
    old = psutil.Process(main.pid).children()

    for part in old:
        part.kill()

    eventually(lambda: are_gone(old) and len(psutil.Process(main.pid).children()) == 2, what="two new parts")
    eventually(lambda: hub.get("/readyz") == 200, what="a ready hub")


def test_a_web_process_that_dies_is_replaced(hub: Hub) -> None:
    main = hub.up()
    server = next(one for one in psutil.Process(main.pid).children() if one.children()[0].num_threads() > 3)
    victim = server.children()[0]

    victim.kill()

    eventually(lambda: is_gone(victim) and len(server.children()) == 2, what="another web process")


def test_kill_9_of_the_main_process_leaves_none(hub: Hub) -> None:
    main = hub.up()
    eventually(lambda: len(hub.family(main)) > 6, what="all its processes")
    family = hub.family(main)

    main.kill()

    eventually(lambda: are_gone(family), within_s=10, what="the end of all")


# -- stopping ----------------------------------------------------------------------------------------------------------
SLEEP = "jobs: [{name: sleep, actions: [{runner: command, spec: {argv: [sleep, '600'], grace_s: 1}}]}]\n"
SLEEP += "triggers: [{job: sleep}]\n"


def sleeping(hub: Hub) -> subprocess.Popen[bytes]:
    main = hub.up()
    path = Path(hub.env["JOBHUB_VAR"]) / "sleep.yaml"
    path.write_text(SLEEP)
    hub.run("apply", str(path))
    eventually(lambda: hub.states("sleep") == ["running"], what="a running job")
    return main


def test_the_web_server_answers_while_work_is_drained(hub: Hub) -> None:
    main = sleeping(hub)

    main.send_signal(signal.SIGTERM)

    with pytest.raises(subprocess.TimeoutExpired):
        main.wait(2)
    assert hub.get("/healthz") == 200


def test_a_second_ctrl_c_hurries(hub: Hub) -> None:
    main = sleeping(hub)

    main.send_signal(signal.SIGINT)
    with pytest.raises(subprocess.TimeoutExpired):
        main.wait(1)
    main.send_signal(signal.SIGINT)

    assert main.wait(15) == 0
    assert hub.states("sleep") == ["failed"]


def test_it_is_not_ready_while_redis_is_away(hub: Hub) -> None:
    hub.env["JOBHUB_REDIS_URL"] = "redis://127.0.0.1:1/0"
    hub.start("web")
    eventually(lambda: hub.get("/healthz") == 200, what="an answer")

    with pytest.raises(HTTPError) as refused:
        urlopen(f"http://127.0.0.1:{hub.port}/readyz", timeout=10)
    assert (refused.value.code, list(json.load(refused.value)["missing"])) == (503, ["broker", "workers"])


# -- what is refused ---------------------------------------------------------------------------------------------------
def test_a_port_in_use_is_refused_with_the_way_out(hub: Hub) -> None:
    with socket.create_server(("127.0.0.1", hub.port)):
        done = hub.run("up")

    assert (done.returncode, done.stderr) == (2, f"up: port {hub.port} is in use; set JOBHUB_PORT to a free one\n")


def test_an_address_of_another_machine_is_refused(hub: Hub) -> None:
    hub.env["JOBHUB_BIND"] = "192.0.2.1"

    assert "set JOBHUB_BIND to an address of this machine" in hub.run("web").stderr


@pytest.mark.parametrize("command", ["up", "worker"])
def test_a_redis_that_does_not_answer_is_refused(hub: Hub, command: str) -> None:
    hub.env["JOBHUB_REDIS_URL"] = "redis://127.0.0.1:1/0"
    done = hub.run(command)

    assert (done.returncode, done.stderr.splitlines()[-1]) == (
        2,
        f"{command}: Redis does not answer; start it, or set JOBHUB_REDIS_URL to where it is, or to nothing",
    )


def test_a_database_without_tables_is_refused(bare: Hub) -> None:
    done = bare.run("up")

    assert done.returncode == 2
    assert "run `manage.py setup`" in done.stderr


def test_a_command_on_a_database_without_tables_says_what_to_do(bare: Hub) -> None:
    done = bare.run("executions")

    assert done.returncode == 5
    assert done.stderr.startswith("executions: the database is not set up for this version")
    assert done.stderr.count("\n") == 1


def test_a_second_cluster_on_the_same_file_is_refused(hub: Hub) -> None:
    main = hub.up()
    hub.env["JOBHUB_PORT"] = "1"

    refused = [hub.run(command) for command in ("worker", "up")]

    assert [done.returncode for done in refused] == [2, 2]
    assert all(f"another cluster (process {main.pid})" in done.stderr for done in refused)


def test_a_database_that_does_not_answer_is_refused(hub: Hub) -> None:
    hub.env["JOBHUB_DATABASE_URL"] = "postgresql://127.0.0.1:1/nothing"

    done = hub.run("worker")

    assert done.returncode == 5
    assert "see JOBHUB_DATABASE_URL" in done.stderr
    assert done.stderr.count("\n") == 1


# -- in a container ----------------------------------------------------------------------------------------------------
@pytest.mark.skipif(os.geteuid() != 0, reason="only root may make a process space")
def test_it_runs_as_the_first_process_of_a_container(hub: Hub) -> None:
    main = hub.start("up", before=["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"])

    eventually(lambda: "JobHub is ready" in hub.said or main.poll() is not None, what="a ready hub")

    assert "has ended" not in hub.said
    assert hub.get("/readyz") == 200
