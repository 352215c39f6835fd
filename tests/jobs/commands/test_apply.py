"""`manage.py apply`: jobs as code, and `manage.py job`, which prints them so."""

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest

from jobs.models import Action, AuditEvent, Job, JobExecution, JobLink, Project, User
from tests.conftest import MakeExecution, MakeJob
from tests.jobs.commands.conftest import Run

pytestmark = pytest.mark.django_db

Write = Callable[[str], str]

NIGHTLY = """
jobs:
  - name: nightly
    timeout_s: 60
    actions:
      - runner: command
        spec: {argv: [ls, "{{data}}", "{{params.dir}}"]}
"""
CHAIN = """
actions:
  - {key: say, runner: command, spec: {argv: [echo, hi]}}
jobs:
  - {name: first, actions: [{use: say}]}
  - {name: second, actions: [{use: say}]}
triggers:
  - {job: first, params: {n: 1}}
  - {job: second, after: [first], on: end}
"""


LINKED = """
jobs:
  - {name: last, actions: [{use: say}], after: [{job: middle, on: end}, {job: first}]}
  - {name: middle, actions: [{use: say}], after: [{job: first, on: failure}]}
  - {name: first, actions: [{use: say}]}
actions:
  - {key: say, runner: command, spec: {argv: [echo, hi]}}
"""


@pytest.fixture
def file(tmp_path: Path) -> Write:
    path = tmp_path / "jobs.yaml"

    def write(text: str) -> str:
        path.write_text(text)
        return str(path)

    return write


# -- it works ----------------------------------------------------------------------------------------------------------
def test_it_creates_and_then_finds_nothing_to_do(run: Run, file: Write) -> None:
    assert run("apply", file(NIGHTLY)).lines == ["created    job nightly"]
    assert run("apply", file(NIGHTLY)).lines == ["unchanged  job nightly"]


def test_an_unchanged_job_is_not_touched(run: Run, file: Write) -> None:
    run("apply", file(NIGHTLY))
    before = Job.objects.values().get(), AuditEvent.objects.filter(subject="nightly").count()

    run("apply", file(NIGHTLY))

    assert (Job.objects.values().get(), AuditEvent.objects.filter(subject="nightly").count()) == before


def test_schedules_are_a_part_of_the_file(run: Run, file: Write) -> None:
    with_schedule = NIGHTLY + "    schedules: [{cron: 0 2 * * *}, {name: once, at: 2099-01-01, catch_up: skip}]\n"
    assert run("apply", file(with_schedule)).lines == ["created    job nightly"]
    assert run("apply", file(with_schedule)).lines == ["unchanged  job nightly"]

    done = run("apply", file(NIGHTLY))
    assert done.lines[0] == "changed    job nightly"
    assert not Job.objects.get().schedules.exists()


def test_a_job_is_shown_with_its_schedules_as_they_were_written(run: Run, file: Write) -> None:
    run("apply", file(NIGHTLY + "    schedules: [{fields: {hour: 3}}]\n"))

    assert run("job", "show", "nightly", "--json").json["jobs"][0]["schedules"] == [{"fields": {"hour": 3}}]


def test_a_schedule_that_never_comes_is_refused_by_its_place_in_the_file(run: Run, file: Write) -> None:
    done = run("apply", file(NIGHTLY + "    schedules: [{cron: 0 0 31 2 *}]\n"))

    assert done.code == 2
    assert "jobs.nightly.schedules.0.cron: 31 February never comes" in done.err


def test_places_are_filled_in_and_params_left_alone(run: Run, file: Write) -> None:
    run("apply", file(NIGHTLY), "--set", "data=/srv/data")

    assert Action.objects.get().spec["argv"] == ["ls", "/srv/data", "{{params.dir}}"]


def test_a_change_is_shown_field_by_field(run: Run, file: Write) -> None:
    run("apply", file(NIGHTLY))

    done = run("apply", file(NIGHTLY.replace("60", "90")))

    assert done.lines[0] == "changed    job nightly"
    assert {"    -timeout_s: 60", "    +timeout_s: 90"} <= set(done.lines)


def test_a_dry_run_writes_nothing(run: Run, file: Write) -> None:
    done = run("apply", file(CHAIN), "--dry-run")

    assert "created    job first" in done.lines
    assert "would start  second" in done.lines
    assert not (Job.objects.exists() or Action.objects.exists() or AuditEvent.objects.exists())


def test_triggers_start_once_and_in_their_order(run: Run, file: Write) -> None:
    run("apply", file(CHAIN))
    run("apply", file(CHAIN))

    first, second = JobExecution.objects.order_by("pk")
    assert first.params == {"n": 1}
    assert (second.dependencies.get().after, second.n_blocks) == (first, 1)


def test_an_action_with_a_key_becomes_a_shared_one(run: Run, file: Write) -> None:
    text = "jobs: [{name: a, actions: [{key: say, runner: command, spec: {argv: [echo]}, mandatory: true}]}]"

    run("apply", file(text))

    assert run("apply", file(text)).lines == ["unchanged  action say", "unchanged  job a"]


def test_it_acts_in_the_project_that_the_file_names(run: Run, file: Write, beta: Project) -> None:
    run("apply", file(f"project: beta\n{NIGHTLY}"), "--project", "alpha")

    assert Job.objects.get().project == beta


def test_it_reads_standard_input_and_tells_json(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", StringIO(CHAIN))

    found = json.loads(run("apply", "-", "--json").out)

    assert [(one["kind"], one["name"], one["did"]) for one in found["changes"]][1:] == [
        ("job", "first", "created"),
        ("job", "second", "created"),
    ]
    assert [one["job"] for one in found["started"]] == ["first", "second"]


def test_the_examples_can_be_applied_anywhere(run: Run) -> None:
    done = run("apply", str(Path(__file__).parents[3] / "examples" / "jobs.yaml"))

    assert done.err == ""
    assert [execution.job_name for execution in JobExecution.objects.order_by("pk")] == [
        "examples/backup",
        "examples/count",
        "examples/ingest",
        "examples/export",
        "examples/report",
    ]


def test_the_job_that_asks_the_hub_needs_its_address_to_be_allowed(run: Run) -> None:
    done = run("apply", str(Path(__file__).parents[3] / "examples" / "ask.yaml"))

    assert (done.code, "JOBHUB_ALLOWED_TARGETS" in done.err) == (2, True)
    assert "this command reads its own environment" in done.err


def test_jobs_come_after_others_that_stand_further_down(run: Run, file: Write) -> None:
    run("apply", file(LINKED))

    assert JobLink.objects.count() == 3
    assert set(run("apply", file(LINKED)).lines[1:]) == {
        f"unchanged  job {name}" for name in ("first", "middle", "last")
    }


def test_a_link_that_is_turned_round_is_a_change(run: Run, file: Write) -> None:
    run("apply", file(LINKED))
    turned = LINKED.replace(", after: [{job: first, on: failure}]", "").replace(
        "first, actions: [{use: say}]}", "first, actions: [{use: say}], after: [{job: middle}]}"
    )

    done = run("apply", file(turned))

    assert {"changed    job first", "changed    job middle", "unchanged  job last"} <= set(done.lines)


# -- what is refused ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("jobs: [{name: a}]", "jobs.a.actions: this field is required"),
        ("jobs: [{name: a, actions: [{runner: no}]}]", "jobs.a.actions.0.runner: unknown runner 'no'"),
        ("jobs: [{name: a, actions: [{use: no}]}]", "jobs.a.actions.0.use: there is no shared action 'no'"),
        ("jobs: [{actions: []}]", "jobs.0.name: this field is required"),
        ("jobs: [3]", "jobs.0: "),
        ("job: []", "job: unknown field"),
        ("[]", "wanted an object of fields"),
        ("", "wanted an object of fields"),
        ("jobs: []\njobs: []", "line 2: 'jobs' stands twice"),
        ("jobs: {{x}}/y", "put quotes around a value that begins with {{"),
        ("jobs: [", "line 1: "),
        ("a: .nan", "JSON cannot carry"),
        ("project: nowhere", "there is no project 'nowhere'"),
        ("actions: [{runner: command, spec: {argv: [x]}}]", "actions.None.key: this field is required"),
        ("triggers: [{job: a}]", "triggers.0.job: the file has no job 'a'"),
        (
            LINKED.replace("first, actions: [{use: say}]", "first, actions: [{use: say}], after: [{job: last}]"),
            "jobs.last.after: goes round: last → first → last",
        ),
        (LINKED.replace("job: middle", "job: x"), "jobs.last.after.0.job: there is no job 'x' in this project"),
        (CHAIN.replace("[first]", "[second]"), "triggers.1.after: 'second' must stand further up"),
        (NIGHTLY + NIGHTLY.replace("\njobs:\n", ""), "jobs.nightly: stands twice in the file"),
    ],
)
def test_a_mistake_is_named_and_nothing_is_written(run: Run, file: Write, text: str, said: str) -> None:
    done = run("apply", file(text))

    assert done.code == 2
    assert said in done.err
    assert not (Job.objects.exists() or JobExecution.objects.exists() or Action.objects.exists())


def test_all_mistakes_are_told_at_once_with_the_file(run: Run, file: Write) -> None:
    path = file("jobs: [{name: a}, {name: b, actions: [{runner: no}]}]")

    lines = run("apply", path).err.splitlines()

    assert [line.split(": ")[:2] for line in lines] == [[path, "jobs.a.actions"], [path, "jobs.b.actions.0.runner"]]


def test_a_file_that_is_not_there_is_refused(run: Run) -> None:
    assert run("apply", "/nowhere.yaml").err == "cannot read '/nowhere.yaml': No such file or directory"


# -- job ---------------------------------------------------------------------------------------------------------------
def test_what_show_prints_can_be_applied(run: Run, file: Write) -> None:
    run("apply", file(NIGHTLY))

    shown = run("job", "show").out

    assert run("apply", file(shown)).lines == ["unchanged  job nightly"]


def test_jobs_are_listed_with_their_last_state(run: Run, make_job: MakeJob, make_execution: MakeExecution) -> None:
    make_execution(make_job("nightly"), "failed")

    assert run("job", "list", "--json").json[0]["state"] == "failed"
    assert "nightly" in run("job", "list").lines[1]


def test_a_hold_has_a_reason_and_an_end(run: Run, make_job: MakeJob) -> None:
    job = make_job("nightly")

    run("job", "hold", "nightly", "--reason", "move", "--until", "2h")

    job.refresh_from_db()
    assert job.is_held and job.hold_reason == "move" and job.hold_until
    hold = run("job", "list", "--json").json[0]["hold"]
    assert (hold["reason"], hold["by"], bool(hold["until"])) == ("move", job.held_by, True)


def test_release_ends_a_hold(run: Run, make_job: MakeJob) -> None:
    job = make_job("nightly")
    run("job", "hold", "nightly")

    assert run("job", "release", str(job.uuid)).lines == ["nightly: released"]
    job.refresh_from_db()
    assert not job.is_held


def test_delete_keeps_the_history(run: Run, make_job: MakeJob, make_execution: MakeExecution) -> None:
    make_execution(make_job("nightly"), "failed")

    run("job", "delete", "nightly")

    assert not Job.objects.exists()
    assert JobExecution.objects.get().job_name == "nightly"


def test_with_several_projects_one_must_be_named(run: Run, beta: Project, alice: User) -> None:
    done = run("job", "show", "x")

    assert done.err == "project: there are several projects; name one with --project"
