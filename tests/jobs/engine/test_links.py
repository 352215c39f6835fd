"""Which jobs start which, as it is defined: links by name, and never in a circle."""

from typing import Any

import pytest

from jobs.engine import verbs
from jobs.engine.define import define, patch
from jobs.engine.documents import document_of
from jobs.engine.rights import Actor
from jobs.errors import Invalid
from jobs.models import Job, JobLink, Project
from tests.conftest import NOOP, MakeJob
from tests.jobs.puppets import at_once

pytestmark = pytest.mark.django_db


def after(*names: str, on: str = "success") -> list[dict[str, str]]:
    return [{"job": name, "on": on} for name in names]


def errors_of(op: Actor, **fields: Any) -> list[tuple[str, str]]:
    with pytest.raises(Invalid) as caught:
        define({"name": "b", "actions": [NOOP], **fields}, actor=op)
    return [(error.field, error.message) for error in caught.value.errors]


# -- it works --------------------------------------------------------------------------------------------------
def test_a_link_comes_back_as_it_was_given(make_job: MakeJob) -> None:
    make_job("a")
    assert document_of(make_job("b", after=after("a", on="failure")))["after"] == after("a", on="failure")


def test_success_is_what_is_meant_when_nothing_is_said(make_job: MakeJob) -> None:
    make_job("a")
    assert document_of(make_job("b", after=[{"job": "a"}]))["after"] == after("a")


def test_an_edit_keeps_the_links_that_stay(op: Actor, make_job: MakeJob) -> None:
    make_job("a"), make_job("x")
    job = make_job("b", after=after("a", "x"))
    kept = JobLink.objects.get(after_job__name="a").pk
    patch(job, {"after": after("a", on="end")}, actor=op)
    assert list(JobLink.objects.values_list("pk", "condition")) == [(kept, "end")]


def test_an_edit_of_something_else_leaves_them(op: Actor, make_job: MakeJob) -> None:
    make_job("a")
    patch(make_job("b", after=after("a")), {"priority": 3}, actor=op)
    assert JobLink.objects.count() == 1


def test_a_link_follows_a_job_that_is_renamed(op: Actor, make_job: MakeJob) -> None:
    first = make_job("a")
    second = make_job("b", after=after("a"))
    patch(first, {"name": "z"}, actor=op)
    was = second.version
    second.refresh_from_db()
    assert (document_of(second)["after"], second.version) == (after("z"), was + 1)


def test_a_deleted_job_takes_its_links_along(op: Actor, make_job: MakeJob) -> None:
    first = make_job("a")
    second = make_job("b", after=after("a"))
    verbs.delete_job(first, actor=op)
    was = second.version
    second.refresh_from_db()
    assert (document_of(second)["after"], second.version) == ([], was + 1)


# -- what is refused -------------------------------------------------------------------------------------------
def test_an_unknown_job_is_named(op: Actor) -> None:
    assert errors_of(op, after=after("nobody")) == [("after.0.job", "there is no job 'nobody' in this project")]


def test_a_job_of_another_project_is_unknown(op: Actor, make_job: MakeJob, beta: Project) -> None:
    make_job("a", project=beta)
    assert errors_of(op, after=after("a"))[0][0] == "after.0.job"


def test_the_same_job_twice_is_refused(op: Actor, make_job: MakeJob) -> None:
    make_job("a")
    assert errors_of(op, after=[*after("a"), *after("a", on="failure")]) == [("after.1.job", "stands twice")]


@pytest.mark.parametrize(
    ("link", "field"),
    [
        ({"job": "a", "on": "always"}, "after.0.on"),
        ({"on": "end"}, "after.0.job"),
        ({"job": 7}, "after.0.job"),
        ({"job": "a\0"}, "after.0.job"),
        ({"job": "a", "when": "end"}, "after.0.when"),
        ("a", "after.0"),
    ],
)
def test_a_wrong_link_is_named(op: Actor, make_job: MakeJob, link: Any, field: str) -> None:
    make_job("a")
    assert errors_of(op, after=[link])[0][0] == field


def test_nothing_is_saved_with_a_wrong_link(op: Actor) -> None:
    errors_of(op, after=after("nobody"))
    assert not Job.objects.exists()


# -- circles ---------------------------------------------------------------------------------------------------
def circle_of(op: Actor, job: Job, *names: str) -> tuple[str, str]:
    with pytest.raises(Invalid) as caught:
        patch(job, {"after": after(*names)}, actor=op)
    return caught.value.errors[0].field, caught.value.errors[0].message


def test_a_job_does_not_come_after_itself(op: Actor, make_job: MakeJob) -> None:
    assert circle_of(op, make_job("a"), "a") == ("after.0.job", "goes round: a → a")


def test_a_circle_is_spelled_out(op: Actor, make_job: MakeJob) -> None:
    first = make_job("a")
    make_job("b", after=after("a")), make_job("c", after=after("b"))
    assert circle_of(op, first, "c") == ("after.0.job", "goes round: a → b → c → a")


def test_of_several_links_the_one_that_closes_it_is_named(op: Actor, make_job: MakeJob) -> None:
    first = make_job("a")
    make_job("b", after=after("a")), make_job("x")
    assert circle_of(op, first, "x", "b") == ("after.1.job", "goes round: a → b → a")


def test_a_new_job_that_names_itself_is_a_circle(op: Actor) -> None:
    assert errors_of(op, after=after("b")) == [("after.0.job", "goes round: b → b")]


def test_what_fans_out_and_in_again_is_no_circle(op: Actor, make_job: MakeJob) -> None:
    make_job("a"), make_job("b", after=after("a")), make_job("c", after=after("a"))
    assert make_job("d", after=after("a", "b", "c")).links.count() == 3


def test_a_long_chain_is_no_circle(make_job: MakeJob) -> None:
    make_job("job 0")
    for number in range(1, 60):
        make_job(f"job {number}", after=after(f"job {number - 1}"))
    assert JobLink.objects.count() == 59


@pytest.mark.django_db(transaction=True)
def test_two_edits_at_once_cannot_close_a_circle(op: Actor, make_job: MakeJob) -> None:
    for _ in range(5):
        pair = make_job(), make_job()

        def link(number: int, pair: tuple[Job, Job] = pair) -> Job:
            return patch(pair[number], {"after": after(pair[1 - number].name)}, actor=op)

        answers = at_once(2, link)
        assert sorted(type(answer).__name__ for answer in answers) == ["Invalid", "Job"]
    assert JobLink.objects.count() == 5
