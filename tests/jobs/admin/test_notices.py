"""Subscriptions and deliveries in the admin."""

import pytest

from jobs.engine import notices
from jobs.engine.rights import Actor
from jobs.models import AuditEvent, Delivery, Project, Subscription, User
from tests.conftest import MakeExecution, MakeJob
from tests.jobs.admin.conftest import Look, page, told
from tests.jobs.receivers import tell

LIST, ADD, LOG = "/admin/jobs/subscription/", "/admin/jobs/subscription/add/", "/admin/jobs/delivery/"
URL = "https://hooks.example.org/jobs"


@pytest.fixture
def hook(op: Actor) -> Subscription:
    return notices.subscribe({"webhook": URL}, actor=op)


@pytest.fixture
def delivery(hook: Subscription, make_execution: MakeExecution) -> Delivery:
    tell(make_execution(), "failed")
    Delivery.objects.update(next_at=None, error="<b>it answered 500</b>", answer=500, n_tries=9)
    return Delivery.objects.get()


def test_a_receiver_is_added_through_the_engine(look: Look, bob: User, alpha: Project) -> None:
    client = look(bob)
    answer = client.post(ADD, {"project": alpha.pk, "webhook": URL, "events": ["failed", "aborted"]})
    row = Subscription.objects.get()

    assert (answer.status_code, told(answer), row.words) == (302, f"Added webhook to {URL}", ["failed", "aborted"])
    assert AuditEvent.objects.filter(deed="subscribe", username="bob", face="admin").exists()
    assert f"webhook to {URL}" in page(client, LIST)


def test_what_the_engine_refuses_is_told_at_its_field(look: Look, bob: User, alpha: Project) -> None:
    given = {"project": alpha.pk, "webhook": "http://127.0.0.1/", "secret": "door", "events": ["failed"]}
    errors = look(bob).post(ADD, given).context["form"].errors
    assert errors["webhook"][0].startswith("'127.0.0.1' is not an allowed target")
    assert not Subscription.objects.exists()


def test_nobody_subscribes_to_a_foreign_project(look: Look, charlie: User, alpha: Project) -> None:
    errors = look(charlie).post(ADD, {"project": alpha.pk, "webhook": URL, "events": ["failed"]}).context["form"].errors
    assert ("project" in errors, Subscription.objects.exists()) == (True, False)


def test_it_is_disabled_enabled_and_removed(look: Look, bob: User, hook: Subscription) -> None:
    client, data = look(bob), {"_selected_action": [hook.pk], "index": 0}
    states = []
    for deed in ("disable_selected", "enable_selected"):
        client.post(LIST, {**data, "action": deed})
        states.append(Subscription.objects.get().is_enabled)
    client.post(LIST, {**data, "action": "remove_selected"})
    assert (states, Subscription.objects.exists()) == ([False, True], False)


def test_the_receiver_of_a_job_is_changed_in_the_job(look: Look, bob: User, make_job: MakeJob) -> None:
    make_job("nightly", notify=[{"webhook": URL}])
    pk = Subscription.objects.get().pk
    answer = look(bob).post(LIST, {"_selected_action": [pk], "index": 0, "action": "remove_selected"})
    assert "change the job's 'notify'" in told(answer)


def test_a_reader_is_offered_no_deed(look: Look, rita: User, hook: Subscription, delivery: Delivery) -> None:
    client = look(rita)
    client.post(LIST, {"_selected_action": [hook.pk], "index": 0, "action": "remove_selected"})
    client.post(LOG, {"_selected_action": [delivery.pk], "index": 0, "action": "replay_selected"})
    delivery.refresh_from_db()
    assert (Subscription.objects.count(), delivery.outcome) == (1, "failed")


def test_the_log_tells_what_was_sent_and_sends_it_again(look: Look, bob: User, delivery: Delivery) -> None:
    client = look(bob)
    raw = client.get(LOG).content.decode()
    answer = client.post(LOG, {"_selected_action": [delivery.pk], "index": 0, "action": "replay_selected"})

    assert "&lt;b&gt;it answered 500" in raw
    assert told(answer) == f"Notice {delivery.pk} is sent again"
    assert Delivery.objects.get().outcome == "pending"


@pytest.mark.parametrize(("query", "shown"), [("failed", True), ("pending", False), ("x", False)])
def test_the_log_is_filtered(look: Look, bob: User, delivery: Delivery, query: str, shown: bool) -> None:
    assert (delivery.execution.handle in page(look(bob), f"{LOG}?outcome={query}")) is shown
    assert delivery.execution.handle in page(look(bob), f"{LOG}?subscription={delivery.subscription_id}")
