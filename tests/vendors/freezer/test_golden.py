"""Recorded exchanges with the real server, replayed in their order: whole replies, statuses, texts and key order.

Only ids, times and the host are set aside: an id of the recording stands for the one that came in its place. Lists are
in another order here, so each of their rows is looked for among all rows; a few are of things whose making was not
recorded. Where this face does better than the server,
`BETTER` says how.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rest_framework.test import APIClient

from jobs.engine.rights import Actor
from jobs.engine.tokens import issue
from jobs.models import Project, Role, User
from tests.conftest import join, make_user

GOLDEN = json.loads((Path(__file__).parent / "golden" / "exchanges.json").read_text())
EXCHANGES = GOLDEN["exchanges"]
HEX = re.compile(r"[0-9a-f]{32}")
TIMES = frozenset({"time_created", "time_started", "time_ended", "time_start", "time_end"})
BAD_BODY = (400, {"title": "Bad request format", "description": "wanted a JSON object"})
BETTER: dict[str, tuple[int, Any] | None] = {
    "versions GET /": None,  # v1 is spoken, too
    "client list": None,  # the hub's own nodes are there, too
    "jobs list search match + match_not": None,  # a scheduler's poll names the event of every job
    "job create JSON list": BAD_BODY,
    "job create JSON string": BAD_BODY,
    "job get after patch": None,  # without a schedule in the patch the old one stays
    "job get after {} patch": None,
    "job patch with _version": (200, ...),
    "job patch with stale _version": (200, ...),
    "job patch description 256": (
        400,
        {"title": "Bad request format", "description": "description must not be longer than 255 characters"},
    ),
}
"""Names of exchanges that are answered otherwise, with status and body; `None`: other tests look at them."""


class Bound:
    """What stands here for each id of the recording."""

    def __init__(self, **known: str) -> None:
        self.here = dict(known)
        self.tokens: dict[str, str] = {}

    def token(self, who: str) -> str:
        if who not in self.tokens:
            user, project, _ = who.split("/")
            self.tokens[who] = token_of(user, project)
        return self.tokens[who]

    def path(self, text: str) -> str:
        return HEX.sub(lambda found: self.here.get(found[0], found[0]), text)

    def body(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {name: self.body(inner) for name, inner in value.items()}
        if isinstance(value, list):
            return [self.body(inner) for inner in value]
        return self.here.get(value, value) if isinstance(value, str) else value

    def differences(self, wanted: Any, got: Any, place: str = "") -> Iterator[str]:
        """Where they are not the same. Ids that were never seen are bound on the way."""
        if isinstance(wanted, dict) and isinstance(got, dict):
            if [self.here.get(name, name) for name in wanted] != list(got):
                yield f"{place}: {list(got)} instead of {list(wanted)}"
            for name, inner in wanted.items():
                yield from self.differences(inner, got.get(self.here.get(name, name)), f"{place}.{name}")
        elif isinstance(wanted, list) and isinstance(got, list) and len(wanted) == len(got):
            for at, inner in enumerate(wanted):
                yield from self.differences(inner, got[at], f"{place}.{at}")
        elif place.rpartition(".")[2] in TIMES and type(wanted) is type(got) is int:
            if min(wanted, 0) != min(got, 0):
                yield f"{place}: {got} instead of {wanted}"
        elif not self.is_same(wanted, got):
            yield f"{place}: {got!r} instead of {wanted!r}"

    def is_same(self, wanted: Any, got: Any) -> bool:
        if isinstance(wanted, str) and isinstance(got, str):
            if HEX.fullmatch(wanted) and HEX.fullmatch(got):
                return self.here.setdefault(wanted, got) == got
            return self.here.get(wanted, self.path(wanted)) == got
        return type(wanted) is type(got) and bool(wanted == got)


@pytest.fixture
def bound(db: None) -> Bound:
    """The people and projects of the recording."""
    projects = {name: Project.objects.create(name=name) for name in ("p1", "p2")}
    people = {name: make_user(name, is_superuser=name == "adm") for name in ("u1", "u2", "u3", "adm")}
    for name, project, role in [
        ("u1", "p1", Role.MEMBER),
        ("u2", "p1", Role.MEMBER),
        ("u2", "p2", Role.MEMBER),
        ("u3", "p1", Role.READER),
    ]:
        join(people[name], projects[project], role)
    known = {**projects, **people}
    return Bound(**{name: thing.uuid.hex for name, thing in known.items()})


def ask(one: dict[str, Any], bound: Bound) -> Any:
    method, path = one["ask"].split(" ", 1)
    headers = {"Accept": one.get("accept", "application/json")}
    if one["who"]:
        headers["X-Auth-Token"] = bound.token(one["who"])
    path = "/freezer/" if path == "/" else bound.path(path)
    content = one.get("text", json.dumps(bound.body(one["body"])) if "body" in one else "")
    return APIClient().generic(method, path, content, content_type="application/json", headers=headers)


def token_of(user: str, project: str) -> str:
    return issue(
        User.objects.get(username=user),
        Project.objects.get(name=project),
        methods="password",
        face="identity",
        address="",
    )


def wrong(one: dict[str, Any], bound: Bound) -> Iterator[str]:
    """What is not as it was recorded."""
    answer = ask(one, bound)
    status, reply = BETTER.get(one["name"]) or (one["status"], one["reply"])
    got = json.loads(answer.content) if answer.content else ""
    if answer.status_code != status:
        yield f"{answer.status_code} instead of {status}: {answer.content[:300]!r}"
    elif reply is ... or (one["name"] in BETTER and BETTER[one["name"]] is None):
        return
    elif isinstance(reply, dict) and len(reply) == 1 and isinstance(rows := next(iter(reply.values())), list) and rows:
        yield from _rows(one, rows, got, bound)
    else:
        yield from bound.differences(reply, got)


def _rows(one: dict[str, Any], rows: list[Any], got: Any, bound: Bound) -> Iterator[str]:
    name = next(iter(one["reply"]))
    if len(got.get(name, [])) != len(rows):
        yield f"{len(got.get(name, []))} rows instead of {len(rows)}"
    everything = ask({**one, "ask": re.sub(r"limit=\d+", "limit=1000", one["ask"])}, bound).json()[name]
    for row in rows:
        if row.get("job_id", "") not in {*bound.here, ""}:
            continue
        trials = [(Bound(**bound.here), other) for other in everything]
        if not any(not list(trial.differences(row, other)) for trial, other in trials):
            yield f"no row like {row}"


def test_the_recording_is_whole() -> None:
    names = {one["name"] for one in EXCHANGES}

    assert len(EXCHANGES) == 154
    assert set(BETTER) <= names


def test_it_answers_as_the_real_server_did(bound: Bound, op: Actor) -> None:
    found = {f"{at} {one['name']}": list(wrong(one, bound)) for at, one in enumerate(EXCHANGES)}

    assert {name: texts for name, texts in found.items() if texts} == {}
