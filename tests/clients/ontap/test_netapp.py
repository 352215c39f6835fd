"""netapp-ontap, unmodified, watches and stops the hub's work as jobs of a cluster."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.clients.hub import ClientsHub
from tests.clients.ontap.conftest import Program
from tests.waiting import eventually

Apply = Callable[..., None]


def command(name: str, script: str) -> dict[str, Any]:
    return {"name": name, "actions": [{"runner": "command", "spec": {"argv": ["sh", "-c", script]}}]}


@pytest.fixture
def prefix(request: pytest.FixtureRequest) -> str:
    """A name for this test's jobs, other for each release of the library."""
    return f"{request.node.originalname[5:30]}-{request.node.callspec.id}"


@pytest.fixture
def five(hub: ClientsHub, apply: Apply, prefix: str) -> list[str]:
    """The names of five jobs that have just run."""
    names = [f"{prefix}/{letter}" for letter in "dbeca"]
    apply(*(command(name, "true") for name in names))
    for name in names:
        hub.ask("POST", f"jobs/{name}/trigger", {})
    for name in names:
        hub.wait_for_end(name)
    return names


def test_a_job_is_started_and_followed_to_its_end(netapp: Program, apply: Apply, prefix: str) -> None:
    apply(command(f"{prefix}/short", "sleep 0.5"))
    polled, job = netapp(f"""
answer = trigger("{prefix}/short")
polled = utils.poll(answer, conn).http_response.json()
job = Job(uuid=answer.json()["job"]["uuid"])
job.get()
tell(polled, job.to_dict())
""")

    assert (polled["state"], polled["message"]) == ("success", "success")
    assert (job["state"], job["code"], job["description"]) == ("success", 0, f"{prefix}/short")
    assert (job["svm"]["name"], sorted(job)) == (
        "default",
        ["_links", "code", "description", "end_time", "message", "start_time", "state", "svm", "uuid"],
    )


def test_a_failure_is_raised(netapp: Program, apply: Apply, prefix: str) -> None:
    apply(command(f"{prefix}/bad", "echo no; exit 4"))
    (said,) = netapp(f"""
try:
    utils.poll(trigger("{prefix}/bad"), conn)
except NetAppRestError as error:
    tell(str(error))
""")

    assert "Job failed" in said
    assert "4" in said


def test_a_list_by_pages_of_two(netapp: Program, five: list[str], prefix: str) -> None:
    up, down, raw = netapp(f"""
query = dict(description="{prefix}/*", max_records=2)
up = [job.description for job in Job.get_collection(order_by="description", **query)]
down = [job.description for job in Job.get_collection(fields="*", order_by="description desc,start_time", **query)]
tell(up, down, [job.uuid for job in Job.get_collection(**query)])
""")

    assert (up, down) == (sorted(five), sorted(five, reverse=True))
    assert raw == sorted(raw)
    assert len(set(raw)) == 5


def test_filters(netapp: Program, five: list[str], prefix: str) -> None:
    found = netapp(f"""
queries = [
    dict(state="success"), dict(state="success|failure"), dict(state="!success"), dict(code=">0"), dict(code="0"),
    dict(description="{prefix}/a|{prefix}/b"), dict(end_time="!null"), dict(end_time="null"), dict(message="succ*"),
    {{"svm.name": "default"}}, {{"svm.name": "other"}}, {{"error.code": "null"}}, {{"node.name": "!null"}},
]
tell(*[len(list(Job.get_collection(**{{"description": "{prefix}/*", **query}}))) for query in queries])
""")

    assert found == [5, 5, 0, 0, 5, 2, 5, 0, 5, 5, 0, 5, 5]


def test_a_time_and_a_count(netapp: Program, five: list[str], prefix: str) -> None:
    equal, later, count, one = netapp(f"""
job = Job.find(description="{prefix}/c")
at = job.start_time.isoformat()
equal = [one.description for one in Job.get_collection(description="{prefix}/*", start_time=at)]
later = Job.count_collection(description="{prefix}/*", start_time=f">={{at}}")
tell(equal, later, Job.count_collection(description="{prefix}/*"), job.description)
""")

    assert f"{prefix}/c" in equal
    assert 1 <= later <= 5
    assert (count, one) == (5, f"{prefix}/c")


def test_a_running_job_is_cancelled(netapp: Program, hub: ClientsHub, apply: Apply, prefix: str) -> None:
    apply(command(f"{prefix}/long", "exec sleep 600"))
    hub.ask("POST", f"jobs/{prefix}/long/trigger", {})
    eventually(lambda: hub.last_run(f"{prefix}/long")["state"] == "running", what="a running job")  # type: ignore[index]
    before, after = netapp(f"""
job = Job.find(description="{prefix}/long", state="running")
before = job.state
job.patch(hydrate=True, action="cancel")
try:
    utils.watch_job(f"/api/cluster/jobs/{{job.uuid}}", interval=1, timeout=60)
except NetAppRestError as error:
    tell(before, str(error))
""")

    assert before == "running"
    assert "aborted by admin" in after
    assert hub.wait_for_end(f"{prefix}/long")["state"] == "aborted"


def test_a_job_is_paused_and_resumed(netapp: Program, hub: ClientsHub, apply: Apply, prefix: str) -> None:
    spec = {"callable": "sleep", "args": {"seconds": 3}}
    apply({"name": f"{prefix}/sleep", "actions": [{"runner": "python", "spec": spec}]})
    paused, end = netapp(f"""
import time
job = Job(uuid=trigger("{prefix}/sleep").json()["job"]["uuid"])
def until(*states):
    for _ in range(600):
        job.get()
        if job.state in states:
            return job.state
        time.sleep(0.1)
until("running")
job.patch(action="pause")
paused = until("paused", "success", "failure")
job.patch(action="resume")
tell(paused, until("success", "failure"))
""")

    assert (paused, end) == ("paused", "success")


def test_all_that_a_query_selects_are_cancelled(netapp: Program, hub: ClientsHub, apply: Apply, prefix: str) -> None:
    names = [f"{prefix}/{number}" for number in range(3)]
    apply(*(command(name, "exec sleep 600") for name in names))
    for name in names:
        hub.ask("POST", f"jobs/{name}/trigger", {})
    done, named = netapp(f"""
found = list(Job.get_collection(description="{prefix}/*"))
first = Job.patch_collection({{}}, description="{prefix}/0", state="queued|running", action="cancel")
rest = Job.patch_collection({{}}, records=found[:], action="cancel", continue_on_failure="true")
tell(first.http_response.json()["num_records"], rest.http_response.json()["num_records"])
""")

    assert done == 1
    assert named in (2, 3)
    assert {hub.wait_for_end(name)["state"] for name in names} == {"aborted"}


def test_refusals(netapp: Program, five: list[str], prefix: str) -> None:
    answers = netapp(f"""
job = Job.find(description="{prefix}/a")
unknown = Job(uuid="00000000-0000-4000-8000-000000000000")


def wrong_password():
    with connect("wrong"):
        config.CONNECTION = None
        Job(uuid=job.uuid).get()


calls = [
    lambda: job.patch(action="cancel"), unknown.get, lambda: unknown.patch(action="pause"),
    lambda: job.get(fields="nonsense"), lambda: list(Job.get_collection(nonsense=1)),
    lambda: list(Job.get_collection(state="cancelled")), lambda: list(Job.get_collection(order_by="nonsense")),
    lambda: Job(uuid="1").get(), wrong_password,
]
tell(*[refused(call) for call in calls])
""")

    assert answers == [
        [409, "458762"],
        [404, "4"],
        [404, "4"],
        [400, "262197"],
        [400, "262179"],
        [400, "2"],
        [400, "262197"],
        [404, "2"],
        [401, "6691623"],
    ]


def test_what_a_job_points_to(netapp: Program, five: list[str], prefix: str) -> None:
    version, nodes, svm = netapp(f"""
cluster = Cluster()
cluster.get(fields="version")
job = Job.find(description="{prefix}/a", **{{"node.name": "!null"}})
node = next(iter(Node.get_collection(fields="version")))
svm = Svm(uuid=job.svm.uuid)
svm.get()
tell([cluster.version.generation, cluster.version.major], node.version.full, svm.name)
""")

    assert version == [9, 15]
    assert nodes.startswith("NetApp Release 9.15.1")
    assert svm == "default"
