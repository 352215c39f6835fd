"""What an execution prints: `/hub/v1/executions/{ref}/output`, and its steps: `/actions`."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from jobs.engine import retention
from jobs.models import ActionExecution, JobExecution, Output
from jobs.states import State
from tests.conftest import MakeExecution
from tests.vendors.conftest import fields_of

URL = "/hub/v1/executions"


def write(execution: JobExecution, *texts: str, seqs: list[int] | None = None) -> str:
    """Give it output as a worker does; returns the address of its output."""
    first = execution.output_seq + 1
    for seq, text in zip(seqs or range(first, first + len(texts)), texts, strict=True):
        Output.objects.create(execution=execution, seq=seq, stream="stdout", text=text)
        execution.output_seq = seq
    JobExecution.objects.filter(pk=execution.pk).update(output_seq=execution.output_seq)
    return f"{URL}/{execution.pk}/output"


def test_it_gives_what_is_new(client: APIClient, make_execution: MakeExecution) -> None:
    execution = make_execution(state=State.RUNNING)
    url = write(execution, "one\n", "two\n")
    first = client.get(url).json()
    write(execution, "three\n")
    second = client.get(url, {"after": first["next_after"]}).json()

    assert [piece["text"] for piece in first["results"]] == ["one\n", "two\n"]
    assert [(piece["seq"], piece["stream"], piece["text"]) for piece in second["results"]] == [(3, "stdout", "three\n")]
    assert (second["state"], second["next_after"], second["is_final"]) == ("running", 3, False)


def test_a_follower_comes_to_the_end(client: APIClient, make_execution: MakeExecution) -> None:
    execution = make_execution(state=State.RUNNING)
    url = write(execution, "one\n")
    execution.move(State.SUCCEEDED)
    shown = client.get(url).json()

    assert (shown["is_final"], shown["is_expired"]) == (True, False)


def test_nothing_new_is_304(client: APIClient, make_execution: MakeExecution) -> None:
    url = write(make_execution(state=State.RUNNING), "one\n")
    etag = client.get(url, {"after": 1}).headers["ETag"]

    assert client.get(url, {"after": 1}, headers={"If-None-Match": etag}).status_code == 304


def test_the_end_is_news(client: APIClient, make_execution: MakeExecution) -> None:
    execution = make_execution(state=State.RUNNING)
    url = write(execution, "one\n")
    etag = client.get(url, {"after": 1}).headers["ETag"]
    execution.move(State.SUCCEEDED)

    assert client.get(url, {"after": 1}, headers={"If-None-Match": etag}).json()["is_final"] is True


def test_another_after_is_another_answer(client: APIClient, make_execution: MakeExecution) -> None:
    url = write(make_execution(state=State.RUNNING), "one\n", "two\n")
    etag = client.get(url, {"after": 2}).headers["ETag"]

    assert client.get(url, {"after": 1}, headers={"If-None-Match": etag}).status_code == 200


def test_a_follower_costs_one_query_beside_the_key(
    client: APIClient, make_execution: MakeExecution, django_assert_num_queries: Callable
) -> None:
    url = write(make_execution(state=State.RUNNING), "one\n")
    etag = client.get(url, {"after": 1}).headers["ETag"]

    with django_assert_num_queries(2):
        client.get(url, {"after": 1}, headers={"If-None-Match": etag})


@pytest.mark.parametrize("how", [{"query": {"as": "text"}}, {"headers": {"Accept": "text/plain"}}])
def test_it_comes_as_plain_text(how: dict, client: APIClient, make_execution: MakeExecution) -> None:
    execution = make_execution(state=State.RUNNING)
    url = write(execution, "größe\n", "<b>two</b>\n")
    execution.move(State.SUCCEEDED)
    response = client.get(url, how.get("query"), headers=how.get("headers"))

    assert response.content.decode() == "größe\n<b>two</b>\n"
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert response.headers["X-JobHub-Next-After"] == "2"
    assert response.headers["X-JobHub-Final"] == "true"
    assert "Link" not in response.headers


def test_text_says_how_to_go_on(client: APIClient, make_execution: MakeExecution) -> None:
    url = write(make_execution(state=State.RUNNING), "one\n")
    response = client.get(url, {"as": "text"})

    assert response.headers["Link"] == f'<http://testserver{url}?as=text&after=1>; rel="next"'
    assert response.headers["X-JobHub-Final"] == "false"


def test_a_page_is_bounded(client: APIClient, make_execution: MakeExecution) -> None:
    execution = make_execution(state=State.RUNNING)
    url = write(execution, *["x" * 60_000] * 5)
    execution.move(State.SUCCEEDED)
    pages, after = [], 0
    for _ in range(3):
        page = client.get(url, {"after": after}).json()
        pages.append((len(page["results"]), page["is_final"]))
        after = page["next_after"]

    assert pages == [(2, False), (2, False), (1, True)]


def test_what_was_dropped_is_said(client: APIClient, make_execution: MakeExecution) -> None:
    execution = make_execution(state=State.RUNNING, output_dropped=12345)
    url = write(execution, "head\n", "tail\n", seqs=[1, 9])

    assert client.get(url).json()["dropped_bytes"] == 12345
    assert client.get(url, {"as": "text"}).content.decode() == ("head\n\n[… some of the output was dropped …]\ntail\n")


def test_expired_output_says_so(client: APIClient, make_execution: MakeExecution) -> None:
    execution = make_execution(state=State.RUNNING)
    url = write(execution, "one\n")
    execution.move(State.SUCCEEDED)
    etag = client.get(url).headers["ETag"]
    JobExecution.objects.update(output_expires_at=timezone.now() - timedelta(days=1))
    retention.expire()
    shown = client.get(url, headers={"If-None-Match": etag}).json()

    assert (shown["results"], shown["is_expired"], shown["is_final"]) == ([], True, True)
    assert client.get(url, {"as": "text"}).content == b"[the output has expired]\n"


def test_one_that_printed_nothing_has_not_expired(client: APIClient, make_execution: MakeExecution) -> None:
    shown = client.get(f"{URL}/{make_execution(state=State.SUCCEEDED).pk}/output").json()

    assert (shown["results"], shown["is_expired"], shown["is_final"]) == ([], False, True)


@pytest.mark.parametrize("after", ["-1", "abc", "", "1.5", "9" * 30, "2147483648", "%00"])
def test_a_wrong_after_is_named(after: str, client: APIClient, make_execution: MakeExecution) -> None:
    assert fields_of(client.get(f"{URL}/{make_execution().pk}/output?after={after}")) == ["after"]


def test_a_wrong_form_is_named(client: APIClient, make_execution: MakeExecution) -> None:
    assert fields_of(client.get(f"{URL}/{make_execution().pk}/output?as=pdf")) == ["as"]


def test_the_timeline_goes_attempt_by_attempt(client: APIClient, make_execution: MakeExecution) -> None:
    execution = make_execution(state=State.RUNNING)
    for attempt in (1, 2):
        ActionExecution.objects.create(
            execution=execution, position=0, attempt=attempt, key="a", runner="python", message=f"try {attempt}"
        )
    shown = client.get(f"{URL}/{execution.pk}/actions").json()

    assert [(step["attempt"], step["runner"], step["message"]) for step in shown["results"]] == [
        (1, "python", "try 1"),
        (2, "python", "try 2"),
    ]
