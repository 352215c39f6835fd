"""Which specs of `http` can be saved."""

from typing import Any

import pytest

from jobs import runners
from jobs.errors import Invalid
from jobs.runners.base import OnLost

URL = "https://api.example.org/jobs"
UNTIL = {"pointer": "/state", "in": ["done"]}


def errors(**spec: Any) -> list[str]:
    with pytest.raises(Invalid) as caught:
        runners.get("http").validate({"url": URL, **spec})
    return [f"{error.field}: {error.message}" for error in caught.value.errors]


GOOD: list[dict[str, Any]] = [
    {},
    {"method": "HEAD"},
    {"url": {"secret": "hook"}},
    {"url": f"{URL}/{{{{params.id}}}}?q={{{{params.q}}}}-x"},
    {"headers": {"X-A": "b", "X-Key": {"secret": "key"}}},
    {"auth": {"bearer": {"secret": "token"}}},
    {"auth": {"username": "joe", "password": {"secret": "pw"}}},
    {"method": "POST", "body": "text"},
    {"method": "POST", "body": {"secret": "whole-body"}},
    {"method": "POST", "body": {"a": ["{{params.a}}", {"secret": "pw"}], "b": "{{not a place}}"}},
    {"expect": [200, "300-399"]},
    {"until": UNTIL},
    {"fail_if": UNTIL},
    {"until": UNTIL, "every_s": 0.5, "timeout_s": 2.5},
    {"method": "POST", "follow": {"url": f"{URL}/{{{{answer/id}}}}"}, "until": UNTIL},
    {"method": "POST", "follow": {"url": "{{header.location}}"}, "until": UNTIL, "cancel": {"url": "{{answer/a/0}}"}},
    {"cancel": {"url": f"{URL}/{{{{params.id}}}}", "method": "DELETE"}},
    {"until": {"pointer": "", "in": [True, None, 1, 1.5, "x"]}},
]


@pytest.mark.parametrize("spec", GOOD)
def test_a_good_spec_is_taken(spec: dict[str, Any]) -> None:
    assert runners.get("http").validate({"url": URL, **spec})


BAD: list[tuple[dict[str, Any], str]] = [
    ({"url": "ftp://example.org/"}, "url: wanted a URL that begins with http:// or https:// and a host"),
    ({"url": "unix:///run/docker.sock"}, "url: wanted a URL that begins with http:// or https:// and a host"),
    ({"url": "http://joe:pw@example.org/"}, "url: a URL must not hold a user or password"),
    ({"url": "http://allowed@127.0.0.1/"}, "url: a URL must not hold a user or password"),
    ({"url": "http://127.1/"}, "url: '127.1' is not an allowed target; list it in JOBHUB_ALLOWED_TARGETS"),
    ({"url": "http://[::ffff:127.0.0.1]/"}, "is not an allowed target"),
    ({"url": "http://169.254.169.254/"}, "url: '169.254.169.254' is not an allowed target"),
    ({"url": 5}, 'url: wanted a text or {"secret": "name"}'),
    ({"url": {"secret": "a b"}}, 'url: wanted a text or {"secret": "name"}'),
    ({"url": "{{params.url}}"}, "url: a place must not be the host of a URL"),
    ({"url": "https://{{params.host}}/"}, "url: a place must not be the host of a URL"),
    ({"url": "https://a.{{params.host}}/"}, "url: a place must not be the host of a URL"),
    ({"url": "https://a.example:{{params.port}}/"}, "url: a place must not be the host of a URL"),
    ({"url": "{{params.scheme}}://a.example/"}, "url: a place must not be the host of a URL"),
    ({"url": "https://a.example{{params.path}}"}, "url: a place must not be the host of a URL"),
    ({"url": "{{answer/url}}"}, "url: there is no answer yet"),
    ({"url": f"{URL}/{{{{ params.id }}}}"}, "url: wanted {{params.name}}"),
    ({"method": "TRACE"}, "method: "),
    ({"method": "GET\r\nX: y"}, "method: "),
    ({"headers": {"X-A": "b\r\nX-Evil: 1"}}, "headers.X-A: the header 'X-A' must be printable"),
    ({"headers": {"X-A\r\nX-Evil": "1"}}, "wanted the name of a header"),
    ({"headers": {"Host": "inner"}}, "headers.Host: the header 'Host' is written by the hub itself"),
    ({"headers": {"X-A": "{{params.a}}"}}, "headers.X-A: no place can be filled here"),
    ({"headers": {"X-A": 1}}, 'headers.X-A: wanted a text or {"secret": "name"}'),
    ({"auth": {}}, "auth: wanted either bearer, or username and password"),
    ({"auth": {"bearer": "a", "username": "b", "password": "c"}}, "auth: wanted either bearer"),
    ({"auth": {"username": "b"}}, "auth: wanted either bearer"),
    ({"auth": {"bearer": "a"}, "headers": {"authorization": "b"}}, "auth: there is an Authorization"),
    ({"body": "x={{params.x}}"}, "body: no place can be filled here"),
    ({"body": {"a": "x={{params.x}}"}}, "body.a: a place stands in the path or query of a URL"),
    ({"body": {"a": [{"b": "{{answer/x}}"}]}}, "body.a.0.b: there is no answer yet"),
    ({"expect": []}, "expect: "),
    ({"expect": [True]}, "expect.0: wanted a status"),
    ({"expect": [99]}, "expect.0: wanted a status"),
    ({"expect": ["2xx"]}, "expect.0: wanted a status"),
    ({"timeout_s": 0}, "timeout_s: "),
    ({"every_s": 0}, "every_s: "),
    ({"until": {"pointer": "state", "in": ["a"]}}, "until.pointer: "),
    ({"until": {"pointer": "/a~2", "in": ["a"]}}, "until.pointer: "),
    ({"until": {"pointer": "/a", "in": []}}, "until.in: "),
    ({"until": {"pointer": "/a"}}, "until.in: this field is required"),
    ({"follow": {"url": URL}}, "follow needs until"),
    ({"method": "POST", "until": UNTIL}, "a POST is not repeated"),
    ({"follow": {"url": "http://127.0.0.1/"}, "until": UNTIL}, "follow.url: '127.0.0.1' is not an allowed target"),
    ({"cancel": {"url": "http://[::1]/"}}, "cancel.url: '::1' is not an allowed target"),
    ({"cancel": {}}, "cancel.url: this field is required"),
    ({"colour": "red"}, "colour: unknown field"),
]


@pytest.mark.parametrize(("spec", "message"), BAD)
def test_a_bad_spec_is_refused_with_its_field(spec: dict[str, Any], message: str) -> None:
    found = errors(**spec)
    assert [error for error in found if message in error], found


def test_reading_may_be_done_again_and_all_else_not() -> None:
    runner = runners.get("http")
    follow = {"follow": {"url": URL}, "until": UNTIL}
    specs = [{}, {"method": "HEAD"}, {"until": UNTIL}, {"method": "POST"}, {"method": "DELETE"}, follow]
    found = [runner.on_lost_of(runner.validate({"url": URL, **spec})) for spec in specs]
    assert found == [OnLost.RERUN] * 3 + [OnLost.FAIL] * 3


def test_members_may_use_it() -> None:
    assert not runners.get("http").privileged
