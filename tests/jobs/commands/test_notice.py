"""`notice`: receivers, and the log of what they got."""

import pytest

from jobs.models import Delivery, Subscription
from tests.conftest import MakeExecution, MakeJob
from tests.jobs.commands.conftest import Run
from tests.jobs.receivers import tell

URL = "https://hooks.example.org/jobs"


def test_a_receiver_is_added_listed_and_removed(run: Run) -> None:
    added = run("notice", "add", "--webhook", URL, "--on", "failed", "--on", "aborted")
    pk = Subscription.objects.get().pk
    listed = run("notice", "list")
    removed = run("notice", "remove", str(pk))

    assert added.out.strip() == f"{pk}: webhook to {URL}, on failed, aborted"
    assert listed.lines[1].split() == [str(pk), "all", "webhook", "to", URL, "failed,", "aborted", "on"]
    assert (removed.out.strip(), run("notice", "list", "--json").json) == (f"{pk}: removed", [])


def test_the_receivers_of_jobs_are_in_the_list(run: Run, make_job: MakeJob) -> None:
    make_job("nightly", notify=[{"webhook": URL}])
    (row,) = run("notice", "list", "--json").json
    assert (row["job"], row["webhook"], row["events"]) == ("nightly", URL, ["failed", "soft_timeout"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "either 'webhook' or 'email'"),
        (("--webhook", "http://localhost/"), "not an allowed target"),
        (("--webhook", URL, "--on", "x"), "events.0"),
        (("--email", "a@example.org"), "JOBHUB_EMAIL_URL"),
        (("--webhook", URL, "--secret", "door"), "there is no secret 'door'"),
    ],
)
def test_what_cannot_be_is_refused(run: Run, words: tuple[str, ...], said: str) -> None:
    done = run("notice", "add", *words)
    assert (done.code, said in done.err, Subscription.objects.exists()) == (2, True, False)


def test_the_log_is_shown_and_replayed(run: Run, make_execution: MakeExecution) -> None:
    run("notice", "add", "--webhook", URL)
    execution = make_execution()
    tell(execution, "failed")
    Delivery.objects.update(next_at=None, error="given up", n_tries=7)
    pk = str(Delivery.objects.get().pk)

    assert run("notice", "deliveries", "--outcome", "failed").lines[1].split()[-4:] == ["failed", "7", "given", "up"]
    assert run("notice", "replay", pk).out.strip() == f"{pk}: sent again"
    (row,) = run("notice", "deliveries", "--execution", execution.handle, "--json").json
    assert (row["outcome"], row["execution"], row["handle"], row["n_tries"]) == (
        "pending",
        execution.pk,
        execution.handle,
        0,
    )
    assert (run("notice", "replay", pk).code, run("notice", "replay", "77").code) == (2, 2)
