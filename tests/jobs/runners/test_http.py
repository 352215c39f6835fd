"""Runs of `http` against a server on this machine."""

import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from jobs import runners, targets
from jobs.errors import RunFailed, Stopped
from jobs.runners.base import Result
from jobs.runners.context import Context, Stop
from jobs.targets import TargetGuard, parse
from tests.jobs.servers import Reply, Seen, Server, serving

SECRETS = {"token": "t0ken-of-the-api", "pw": "p@ss/w0rd", "path": "/hook/5ecret-path", "crlf": "abcd\r\nX-Evil: 1"}
UNTIL = {"pointer": "/state", "in": ["done"]}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    with serving() as server:
        monkeypatch.setattr(targets, "_guard", TargetGuard(parse([f"127.0.0.1:{server.port}"])))
        yield server


@pytest.fixture
def other(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A second listed server, of another origin."""
    with serving() as other:
        words = [f"127.0.0.1:{server.port}", f"127.0.0.1:{other.port}"]
        monkeypatch.setattr(targets, "_guard", TargetGuard(parse(words)))
        yield other


@pytest.fixture
def context(context: Context) -> Context:
    context.secrets = SECRETS
    return context


def run(context: Context, url: Any, **spec: Any) -> Result:
    runner = runners.get("http")
    return runner.run(runner.validate({"url": url, **spec}), context)


def failure(context: Context, url: Any, **spec: Any) -> RunFailed:
    with pytest.raises(RunFailed) as caught:
        run(context, url, **spec)
    return caught.value


def text_of(context: Context) -> str:
    context.end_output()
    return "".join(text for _, text in context.output)


def as_json(**fields: Any) -> Reply:
    return Reply(json.dumps(fields).encode(), headers={"Content-Type": "application/json"})


def in_turn(*replies: Reply) -> Callable[[Seen], Reply]:
    """One after the other, the last one for ever."""
    left = list(replies)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]


# -- one request -------------------------------------------------------------------------------------------------------
def test_it_says_the_status_and_shows_the_answer(context: Context, server: Server) -> None:
    server.replies["/"] = Reply(b"hello")
    assert run(context, server.url).message.startswith("200 OK in 0.")
    assert text_of(context) == "hello\n"


def test_another_status_than_wanted_fails_with_the_beginning_of_the_answer(context: Context, server: Server) -> None:
    server.replies["/"] = Reply(b"no\n\nway\n", 503)
    error = failure(context, server.url)
    assert (error.message, error.causes) == ("answered 503 Service Unavailable, wanted 200-299", ("no", "way"))


def test_a_wanted_status_is_a_success(context: Context, server: Server) -> None:
    server.replies["/"] = Reply(status=404)
    assert run(context, server.url, expect=["200-299", 404]).message.startswith("404 Not Found")


def test_a_wanted_redirect_is_not_followed(context: Context, server: Server) -> None:
    server.replies["/"] = Reply(status=302, headers={"Location": "/b"})
    assert run(context, server.url, expect=[302]).message.startswith("302")


def test_a_body_of_json_says_so(context: Context, server: Server) -> None:
    server.replies["/"] = Reply()
    run(context, server.url, method="POST", body={"a": [1, None]})
    seen = server.seen[0]
    assert (json.loads(seen.body), seen.headers["content-type"]) == ({"a": [1, None]}, "application/json")


def test_a_text_is_sent_as_it_is(context: Context, server: Server) -> None:
    server.replies["/"] = Reply()
    run(context, server.url, method="PUT", body="a=b&ö", headers={"content-type": "application/x-www-form-urlencoded"})
    seen = server.seen[0]
    assert (seen.body, seen.headers["content-type"]) == ("a=b&ö".encode(), "application/x-www-form-urlencoded")


def test_an_answer_that_is_no_text_is_only_counted(context: Context, server: Server) -> None:
    server.replies["/"] = Reply(b"\0\1\2")
    run(context, server.url)
    assert text_of(context) == "(3 bytes that are no text)\n"


def test_fail_if_looks_at_an_answer_that_was_wanted(context: Context, server: Server) -> None:
    server.replies["/"] = as_json(ok=False)
    error = failure(context, server.url, fail_if={"pointer": "/ok", "in": [False]})
    assert error.message == "the remote side failed: /ok is false"


def test_true_is_not_one(context: Context, server: Server) -> None:
    server.replies["/"] = as_json(n=1)
    assert run(context, server.url, fail_if={"pointer": "/n", "in": [True]})


# -- secrets -----------------------------------------------------------------------------------------------------------
def test_secrets_are_put_in_everywhere(context: Context, server: Server) -> None:
    server.replies["/"] = Reply()
    run(
        context,
        server.url,
        method="POST",
        headers={"X-Key": {"secret": "token"}},
        auth={"username": "joe", "password": {"secret": "pw"}},
        body={"deep": [{"secret": "pw"}]},
    )
    seen = server.seen[0]
    assert seen.headers["x-key"] == SECRETS["token"]
    assert seen.headers["authorization"] == "Basic am9lOnBAc3MvdzByZA=="
    assert json.loads(seen.body) == {"deep": [SECRETS["pw"]]}


def test_a_bearer_is_an_authorization(context: Context, server: Server) -> None:
    server.replies["/"] = Reply()
    run(context, server.url, auth={"bearer": {"secret": "token"}})
    assert server.seen[0].headers["authorization"] == f"Bearer {SECRETS['token']}"


def echo(seen: Seen) -> Reply:
    return Reply(f"{seen.path}\n{seen.headers}\n{seen.body!r}".encode(), 500)


def test_a_server_that_echoes_tells_no_secret(context: Context, server: Server) -> None:
    server.replies["/"] = echo
    error = failure(
        context,
        server.url,
        method="POST",
        headers={"X-Key": {"secret": "token"}},
        auth={"username": "joe", "password": {"secret": "pw"}},
        body=[{"secret": "pw"}],
    )
    told = text_of(context) + error.message + context.masked("".join(error.causes))
    assert not [value for value in (SECRETS["token"], SECRETS["pw"], "BAc3MvdzByZ") if value in told]


def test_a_secret_url_is_not_told(context: Context, server: Server) -> None:
    context.secrets = {"hook": f"{server.url}/hook/5ecret-path"}
    server.replies["/hook/5ecret-path"] = echo
    error = failure(context, {"secret": "hook"})
    assert "5ecret" not in text_of(context) + error.message + "".join(error.causes)


def test_a_secret_url_is_held_to_the_guard(context: Context, server: Server) -> None:
    context.secrets = {"hook": "http://169.254.169.254/latest/"}
    assert "is not an allowed target" in failure(context, {"secret": "hook"}).message


@pytest.mark.parametrize("url", ["http://joe:hunter2@127.0.0.1/", "file:///etc/passwd", "hunter2"])
def test_a_secret_that_is_no_url_is_refused_untold(context: Context, url: str) -> None:
    context.secrets = {"hook": url}
    error = failure(context, {"secret": "hook"})
    assert (error.message.startswith("the URL cannot be used"), "hunter2" in error.message) == (True, False)


def test_a_secret_cannot_add_a_header(context: Context, server: Server) -> None:
    error = failure(context, server.url, headers={"X-Key": {"secret": "crlf"}})
    assert (error.message, server.seen) == (
        "the header 'X-Key' must be printable Latin-1 text without line breaks",
        [],
    )


def test_a_secret_that_is_not_there_is_named(context: Context, server: Server) -> None:
    assert "no secret 'none'" in failure(context, server.url, auth={"bearer": {"secret": "none"}}).message


# -- params ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("value", ["a/b", "a?b=c#d", "a b", "\r\nX-Evil: 1", "@evil.example", "ä€", "%2e%2e", "&x=y"])
def test_a_param_stays_one_piece_of_the_url(context: Context, server: Server, value: str) -> None:
    context.params = {"v": value}
    failure(context, f"{server.url}/a/{{{{params.v}}}}/b?q={{{{params.v}}}}&r=1")
    url = urlsplit(server.seen[0].path)
    assert [unquote(part) for part in url.path.split("/")] == ["", "a", value, "b"]
    assert parse_qs(url.query) == {"q": [value], "r": ["1"]}


@pytest.mark.parametrize("value", ["", ".", "..", "../x", "a/../../b", "..\\x"])
def test_a_param_cannot_climb_out_of_its_path(context: Context, server: Server, value: str) -> None:
    context.params = {"v": value}
    message = failure(context, f"{server.url}/jobs/{{{{params.v}}}}", method="DELETE").message
    assert ("lead" in message, server.seen) == (True, [])


@pytest.mark.parametrize(("value", "text"), [(5, "5"), (1.5, "1.5"), (True, "true"), ("", "")])
def test_plain_values_can_be_in_a_query(context: Context, server: Server, value: Any, text: str) -> None:
    context.params = {"v": value}
    failure(context, f"{server.url}/?v={{{{params.v}}}}")
    assert server.seen[0].path == f"/?v={text}"


def test_a_param_in_json_keeps_its_type_and_is_never_text_of_it(context: Context, server: Server) -> None:
    server.replies["/"] = Reply()
    context.params = {"n": 5, "no": None, "evil": '", "admin": true, "x": "'}
    run(context, server.url, method="POST", body={"n": "{{params.n}}", "no": "{{params.no}}", "e": "{{params.evil}}"})
    assert json.loads(server.seen[0].body) == {"n": 5, "no": None, "e": context.params["evil"]}


def test_a_param_that_looks_like_a_place_is_not_filled(context: Context, server: Server) -> None:
    server.replies["/"] = Reply()
    context.params = {"a": "{{params.b}}", "b": "filled"}
    run(context, server.url, method="POST", body=["{{params.a}}"])
    assert json.loads(server.seen[0].body) == ["{{params.b}}"]


def test_a_param_that_is_not_there_is_named(context: Context, server: Server) -> None:
    assert "{{params.x}}" in failure(context, f"{server.url}/{{{{params.x}}}}").message


# -- a remote job ------------------------------------------------------------------------------------------------------
def remote(server: Server, *states: str, **fields: Any) -> None:
    """A job that is started at `/jobs` and goes through these states at `/jobs/7`."""
    server.replies["/jobs"] = as_json(id=7, **fields)
    server.replies["/jobs/7"] = in_turn(*(as_json(state=state) for state in states))
    server.replies["/jobs/7/cancel"] = Reply()


def start(context: Context, server: Server, **spec: Any) -> Result:
    given = {
        "method": "POST",
        "follow": {"url": f"{server.url}/jobs/{{{{answer/id}}}}"},
        "until": UNTIL,
        "every_s": 0.1,
    }
    return run(context, f"{server.url}/jobs", **{**given, **spec})


def test_a_remote_job_is_followed_to_its_end(context: Context, server: Server) -> None:
    remote(server, "queued", "running", "done")
    assert start(context, server).message.startswith('/state is "done" after ')
    assert [seen.method for seen in server.seen] == ["POST", "GET", "GET", "GET"]


def test_a_remote_job_that_fails_fails_the_run(context: Context, server: Server) -> None:
    remote(server, "running", "error")
    with pytest.raises(RunFailed, match='the remote side failed: /state is "error"'):
        start(context, server, fail_if={"pointer": "/state", "in": ["error"]})


def test_without_follow_the_request_is_repeated(context: Context, server: Server) -> None:
    server.replies["/"] = in_turn(as_json(state="no"), as_json(state="no"), as_json(state="done"))
    run(context, server.url, until=UNTIL, every_s=0.1)
    assert len(server.seen) == 3


def test_a_url_of_the_answer_is_followed(context: Context, server: Server) -> None:
    remote(server, "done", link="/jobs/7")
    assert start(context, server, follow={"url": "{{answer/link}}"})


def test_a_location_is_followed(context: Context, server: Server) -> None:
    remote(server, "done")
    server.replies["/jobs"] = Reply(status=202, headers={"Location": "jobs/7"})
    assert start(context, server, follow={"url": "{{header.location}}"})


def test_credentials_go_along_within_the_origin(context: Context, server: Server) -> None:
    remote(server, "done")
    start(context, server, auth={"bearer": {"secret": "token"}}, headers={"X-A": "b"})
    assert [(seen.headers["x-a"], "authorization" in seen.headers) for seen in server.seen] == [("b", True)] * 2


def test_credentials_do_not_go_where_an_answer_points(context: Context, server: Server, other: Server) -> None:
    remote(server, link=f"{other.url}/jobs/7")
    remote(other, "done")
    token = {"Authorization": {"secret": "token"}, "X-Key": {"secret": "pw"}, "Accept": "application/json"}
    start(context, server, follow={"url": "{{answer/link}}", "headers": token}, headers=token)
    seen = other.seen[0].headers
    assert (set(seen) & {"authorization", "x-key"}, seen["accept"]) == (set(), "application/json")


def test_no_deed_is_done_where_an_answer_points(context: Context, server: Server, other: Server) -> None:
    remote(server, link=f"{other.url}/jobs/7")
    with pytest.raises(RunFailed, match="names another host for a POST"):
        start(context, server, follow={"url": "{{answer/link}}", "method": "POST", "body": {"secret": "pw"}})
    assert other.seen == []


def test_an_answer_cannot_point_to_a_guarded_target(context: Context, server: Server) -> None:
    remote(server, link="http://169.254.169.254/latest/")
    with pytest.raises(RunFailed, match="JOBHUB_ALLOWED_TARGETS"):
        start(context, server, follow={"url": "{{answer/link}}"})


def test_an_answer_cannot_ask_for_a_secret(context: Context, server: Server) -> None:
    remote(server, "done", wish={"secret": "pw"})
    start(context, server, follow={"url": f"{server.url}/jobs/7", "method": "PUT", "body": {"x": "{{answer/wish}}"}})
    assert json.loads(server.seen[1].body) == {"x": {"secret": "pw"}}


def test_an_answer_cannot_climb_out_of_its_path(context: Context, server: Server) -> None:
    server.replies["/jobs"] = as_json(id="../admin")
    with pytest.raises(RunFailed, match="leads elsewhere"):
        start(context, server)


def test_a_few_failures_to_tell_are_borne(context: Context, server: Server) -> None:
    remote(server, "done")
    bad = [Reply(status=503), Reply(status=502), Reply(status=429)]
    server.replies["/jobs/7"] = in_turn(*bad, as_json(state="done"))
    assert start(context, server)
    assert text_of(context).count("asking again") == 3


def test_five_failures_in_a_row_are_not(context: Context, server: Server) -> None:
    remote(server, "done")
    server.replies["/jobs/7"] = Reply(status=503)
    with pytest.raises(RunFailed, match="asked how it goes, answered 503"):
        start(context, server)
    assert len(server.seen) == 6


@pytest.mark.parametrize("body", [b"", b"<html>", b"[" * 100_000, b'{"state": '])
def test_an_answer_without_json_is_no_state(context: Context, server: Server, body: bytes) -> None:
    server.replies["/"] = Reply(body)
    assert "the answer is no JSON" in failure(context, server.url, until=UNTIL).message


# -- the word to stop --------------------------------------------------------------------------------------------------
def stopping(context: Context, reason: Stop, reply: Reply) -> Callable[[Seen], Reply]:
    """The word to stop comes while this is answered."""

    def answer(_: Seen) -> Reply:
        context.stop(reason)
        return reply

    return answer


def cancelled(context: Context, server: Server, reason: Stop) -> list[str]:
    remote(server, "running")
    server.replies["/jobs/7"] = stopping(context, reason, as_json(state="running"))
    with pytest.raises(Stopped):
        start(context, server, cancel={"url": f"{server.url}/jobs/{{{{answer/id}}}}/cancel"})
    return [f"{seen.method} {seen.path}" for seen in server.seen][2:]


@pytest.mark.parametrize("reason", [Stop.ABORT, Stop.TIMEOUT, Stop.SHUTDOWN])
def test_whatever_stops_the_run_cancels_the_remote_job(context: Context, server: Server, reason: Stop) -> None:
    assert cancelled(context, server, reason) == ["POST /jobs/7/cancel"]


def test_what_is_lost_is_not_cancelled(context: Context, server: Server) -> None:
    assert cancelled(context, server, Stop.LOST) == []


def test_a_cancel_that_is_refused_is_a_warning(context: Context, server: Server) -> None:
    remote(server, "running")
    server.replies["/jobs/7"] = stopping(context, Stop.ABORT, as_json(state="running"))
    with pytest.raises(Stopped):
        start(context, server, cancel={"url": f"{server.url}/{{{{answer/no}}}}"})
    assert context.warnings == [
        "could not tell the remote side to cancel: there is nothing to put in the place of {{answer/no}}"
    ]


def test_nothing_is_sent_when_the_word_came_before(context: Context, server: Server) -> None:
    context.stop(Stop.ABORT)
    with pytest.raises(Stopped):
        start(context, server, cancel={"url": f"{server.url}/cancel"})
    assert server.seen == []
