"""Requests as specs write them: what may stand in one, and how it is built when the run comes to it."""

import json
from base64 import b64encode
from collections.abc import Iterable
from typing import Any, Literal, Self
from urllib.parse import urljoin

import pydantic

from jobs import targets
from jobs.client import KEPT_ELSEWHERE, Answer, Request, Url, check_header
from jobs.errors import Invalid, RunFailed
from jobs.runners import places
from jobs.runners.base import Secretable, SecretRef, Spec, revealed
from jobs.runners.context import Context
from jobs.runners.places import MISSING, Values

Method = Literal["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"]
READING = ("GET", "HEAD", "OPTIONS")
BEFORE_ANSWER = ("params",)
AFTER_ANSWER = ("params", "answer", "header")


class Auth(Spec):
    """`bearer`, or `username` and `password`."""

    bearer: Secretable | None = None
    username: Secretable | None = None
    password: Secretable | None = None

    @pydantic.model_validator(mode="after")
    def _one_of_both(self) -> Self:
        given = (self.bearer is not None, self.username is not None, self.password is not None)
        if given not in ((True, False, False), (False, True, True)):
            raise ValueError("wanted either bearer, or username and password")
        return self


class Call(Spec):
    """One request."""

    method: Method = "GET"
    url: Secretable
    headers: dict[str, Secretable] = {}
    auth: Auth | None = None
    body: Any = None
    """A text is sent as it is, all else as JSON; `{"secret": "name"}` anywhere in it becomes the secret's value."""


def document_of(answer: Answer) -> Any:
    """The body as JSON, or `MISSING`."""
    try:
        return MISSING if answer.is_cut else json.loads(answer.body)
    except (ValueError, RecursionError):
        return MISSING


# -- what is refused when it is saved ----------------------------------------------------------------------------------
def check_call(call: Call, sources: Iterable[str]) -> None:
    """Raises `Invalid`. `sources`: of what there is something to fill places with by then."""
    sources = tuple(sources)
    if isinstance(call.url, str):
        _check_url(call.url, sources)
    for name, value in call.headers.items():
        _check_header(name, "" if isinstance(value, SecretRef) else value)
    if call.auth is not None and "authorization" in map(str.lower, call.headers):
        raise Invalid.field("auth", "there is an Authorization among the headers already")
    if isinstance(call.body, str):
        places.refuse_places(call.body, field="body")
    else:
        places.check_json_places(call.body, sources, field="body")


def _check_url(text: str, sources: tuple[str, ...]) -> None:
    places.check_url_places(text, sources, field="url")
    if places.is_given_by_answer(text):
        return
    try:
        url = Url.parse(places.PLACE.sub("x", text))
    except ValueError as error:
        raise Invalid.field("url", str(error)) from None
    targets.guard().check(url.host, url.port)


def _check_header(name: str, text: str) -> None:
    field = f"headers.{name}"
    try:
        check_header(name, text)
    except ValueError as error:
        raise Invalid.field(field, str(error)) from None
    places.refuse_places(text, field=field)


# -- the run -----------------------------------------------------------------------------------------------------------
class Caller:
    """Builds the first request, and then those that go by its answer."""

    def __init__(self, first: Call, context: Context) -> None:
        self.call = first
        self.context = context
        self.values = Values(context.params)
        self.first = self._request(first)

    def heard(self, answer: Answer) -> None:
        """From now on places can be filled from this answer."""
        self.values = Values(self.context.params, document_of(answer), answer.headers)

    def next(self, call: Call) -> Request:
        """With what `call` leaves out taken from the first one, where both go to the same origin."""
        is_home = self._url(call).origin == self.first.url.origin
        missing = {"headers", "auth"} - call.model_fields_set
        if is_home and "authorization" not in map(str.lower, call.headers):
            call = call.model_copy(update={name: getattr(self.call, name) for name in missing})
        if is_home or not _is_named(call):
            return self._request(call)
        if call.method not in READING or call.body is not None:
            raise RunFailed(f"the answer names another host for a {call.method}, which is not followed")
        kept = {name: value for name, value in call.headers.items() if name.lower() in KEPT_ELSEWHERE}
        return self._request(call.model_copy(update={"headers": kept, "auth": None}))

    def _request(self, call: Call) -> Request:
        headers = {**self._auth(call.auth), **revealed(call.headers, self.context)}
        body, media_type = self._body(call.body)
        if body is not None and "content-type" not in map(str.lower, headers):
            headers["Content-Type"] = media_type
        try:
            for name, value in headers.items():
                check_header(name, value)
        except ValueError as error:
            raise RunFailed(str(error)) from None
        return Request(call.method, self._url(call), headers, body)

    def _url(self, call: Call) -> Url:
        if isinstance(call.url, SecretRef):
            text = revealed(call.url, self.context)
        else:
            text = places.filled_url(call.url, self.values)
        try:
            return Url.parse(urljoin(str(self.first.url), text) if _is_named(call) else text)
        except ValueError as error:
            raise RunFailed(f"the URL cannot be used: {error}") from None

    def _auth(self, auth: Auth | None) -> dict[str, str]:
        if auth is None:
            return {}
        if auth.bearer is not None:
            return {"Authorization": f"Bearer {revealed(auth.bearer, self.context)}"}
        pair = f"{revealed(auth.username, self.context)}:{revealed(auth.password, self.context)}"
        return {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"}

    def _body(self, body: Any) -> tuple[bytes | None, str]:
        if body is None:
            return None, ""
        filled = places.filled_json(body, self.values, self.context)
        if isinstance(filled, str):
            return filled.encode(), "text/plain; charset=utf-8"
        return json.dumps(filled, ensure_ascii=False).encode(), "application/json"


def _is_named(call: Call) -> bool:
    """Whether an answer says where it goes."""
    return isinstance(call.url, str) and places.is_given_by_answer(call.url)
