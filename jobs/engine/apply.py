"""Jobs as code: make the jobs of a project what a file says, and say what that changed."""

import difflib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import yaml
from django.conf import settings
from django.db import transaction
from pydantic import Field

from jobs.engine.define import define, define_action
from jobs.engine.documents import ActionDocument, Document, JobDocument, Name, NoticeDocument, Params, document_of
from jobs.engine.find import find_project
from jobs.engine.rights import Actor, Right, audit
from jobs.engine.schedule_documents import ScheduleDocument
from jobs.engine.trigger import trigger
from jobs.errors import FieldError, Invalid, JobHubError
from jobs.models import Action, Condition, Job, JobExecution

PLACE = re.compile(r"\{\{([A-Za-z_][A-Za-z0-9_]*)\}\}")


class TriggerDocument(Document):
    """An execution to start as soon as its job is made; applying the file again starts nothing."""

    job: Name
    params: Params = Field(default_factory=dict)
    after: list[Name] = Field(default_factory=list, max_length=100)
    """Jobs further up in the list of triggers, for whose executions this one waits."""
    on: Literal["success", "failure", "end"] = "success"


class FileDocument(Document):
    """A whole file. What it does not name is left alone."""

    project: Name | None = None
    """Default: the project in which the actor acts."""
    actions: list[dict[str, Any]] = Field(default_factory=list)
    """Shared actions, each with its `key`."""
    jobs: list[dict[str, Any]] = Field(default_factory=list)
    triggers: list[TriggerDocument] = Field(default_factory=list)


@dataclass(frozen=True)
class Change:
    """What became of one job or action: `verb` is created, changed or unchanged; `diff` its lines of YAML."""

    kind: str
    name: str
    verb: str
    diff: list[str]


@dataclass
class Applied:
    changes: list[Change] = field(default_factory=list)
    started: list[JobExecution] = field(default_factory=list)


def places() -> dict[str, str]:
    """What `{{examples}}`, `{{data}}` and `{{hub}}` stand for, wherever the hub and its data lie."""
    return {
        "examples": str(Path(settings.BASE_DIR) / "examples"),
        "data": str(settings.HUB_DATA),
        "hub": settings.BASE_URL or f"http://127.0.0.1:{settings.HUB['PORT']}",
    }


def parse(text: str, places: Mapping[str, str]) -> Any:
    """The file as data, with `{{name}}` in its strings replaced by the place of that name; others are left as they are.

    Raises `Invalid` with the line of a mistake in the YAML.
    """
    try:
        raw = yaml.load(text, Loader=_Loader)
        json.dumps(raw, allow_nan=False)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f"line {mark.line + 1}: " if mark else ""
        hint = "; put quotes around a value that begins with {{" if ": {{" in text else ""
        raise Invalid.field("", f"{line}{getattr(error, 'problem', None) or error}{hint}") from None
    except (TypeError, ValueError) as error:
        raise Invalid.field("", f"holds a value that JSON cannot carry: {error}") from None
    return _fill(raw, places)


def apply(raw: Any, *, actor: Actor, dry_run: bool = False) -> Applied:
    """Create and update what the file names, all of it or nothing. A dry run finds the same answers and writes nothing.

    Raises `Invalid` with every wrong field of every job, each beginning with `jobs.<name>` or `actions.<key>`.
    """
    document = FileDocument.parse(raw)
    assert isinstance(document, FileDocument)
    with transaction.atomic():
        project_id = find_project(document.project).pk if document.project else actor.home
        actor.require(Right.EDIT, project_id, "applying a file")
        _lock(document, project_id)
        applied = _Applying(actor, project_id).all_of(document)
        audit(actor, "apply", f"{len(applied.changes)} actions and jobs", project_id)
        if dry_run:
            transaction.set_rollback(True)
    return applied


def _lock(document: FileDocument, project_id: int) -> None:
    """All jobs of the file in one order, so that two files never wait for each other."""
    names = [str(raw.get("name")) for raw in document.jobs]
    list(Job.objects.select_for_update(no_key=True).filter(project=project_id, name__in=names).order_by("pk"))


def tidy(document: Mapping[str, Any]) -> dict[str, Any]:
    """A job's document without what is as it would be anyway: what a person would write into a file."""
    own = _without_defaults(document, JobDocument)
    if document["notify"]:
        own["notify"] = [_without_defaults(notice, NoticeDocument) for notice in document["notify"]]
    own["actions"] = [_without_defaults(action, ActionDocument) for action in document["actions"]]
    own["schedules"] = [_tidy_schedule(one, number) for number, one in enumerate(document["schedules"], start=1)]
    return {name: value for name, value in own.items() if name != "schedules" or value}


def _tidy_schedule(document: Mapping[str, Any], number: int) -> dict[str, Any]:
    """A name that is its number would be given anyway."""
    own = _without_defaults(document, ScheduleDocument)
    return {name: value for name, value in own.items() if name != "name" or value != str(number)}


def dump(value: Any) -> str:
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True, default_flow_style=False, width=120)


class _Applying:
    """One file on its way; errors are collected, so that a person sees them all at once."""

    def __init__(self, actor: Actor, project_id: int) -> None:
        self.actor = actor
        self.project_id = project_id
        self.applied = Applied()
        self.errors: list[FieldError] = []

    def all_of(self, document: FileDocument) -> Applied:
        jobs = [_hoisted(job) for job in document.jobs]
        for raw in [*document.actions, *(action for _, actions in jobs for action in actions)]:
            with self._collected(f"actions.{raw.get('key')}"):
                self._action(raw)
        self._refuse_doubles(str(raw.get("name")) for raw, _ in jobs)
        for number, raw in _by_links([raw for raw, _ in jobs]):
            with self._collected(f"jobs.{raw.get('name', number)}"):
                self._job(raw)
        self._check_triggers(document.triggers)
        if self.errors:
            raise Invalid(self.errors)
        self._start(document.triggers)
        return self.applied

    @contextmanager
    def _collected(self, prefix: str) -> Iterator[None]:
        """What an unchanged one wrote on its way is undone: it shall not look edited."""
        try:
            with transaction.atomic():
                yield
                if self.applied.changes[-1].verb == "unchanged":
                    transaction.set_rollback(True)
        except Invalid as error:
            self.errors += error.under(prefix).errors
        except JobHubError as error:
            self.errors.append(FieldError(prefix, error.message))

    def _action(self, raw: dict[str, Any]) -> None:
        document = ActionDocument.parse(raw)
        assert isinstance(document, ActionDocument)
        if document.key is None:
            raise Invalid.field("key", "this field is required")
        shared = Action.objects.filter(project_id=self.project_id, key=document.key, is_shared=True).first()
        before = _action_document(shared) if shared else None
        action = define_action(document, actor=self.actor, project_id=self.project_id, key=document.key)
        self._note("action", document.key, before, _action_document(action))

    def _job(self, raw: dict[str, Any]) -> None:
        old = Job.objects.filter(project_id=self.project_id, name=str(raw.get("name"))).first()
        before = tidy(document_of(old)) if old else None
        raw = {**raw, "schedules": [] if raw.get("schedules") is None else raw["schedules"]}
        job, _ = define(raw, actor=self.actor, project_id=self.project_id)
        self._note("job", job.name, before, tidy(document_of(job)))

    def _note(self, kind: str, name: str, before: dict[str, Any] | None, after: dict[str, Any]) -> None:
        verb = "created" if before is None else "unchanged" if before == after else "changed"
        self.applied.changes.append(Change(kind, name, verb, _diff(before, after)))

    def _refuse_doubles(self, names: Iterable[str]) -> None:
        seen: set[str] = set()
        for name in names:
            if name in seen:
                self.errors.append(FieldError(f"jobs.{name}", "stands twice in the file"))
            seen.add(name)

    def _check_triggers(self, triggers: Sequence[TriggerDocument]) -> None:
        known = {change.name for change in self.applied.changes if change.kind == "job"}
        above: set[str] = set()
        for number, one in enumerate(triggers):
            if not self.errors and one.job not in known:
                self.errors.append(FieldError(f"triggers.{number}.job", f"the file has no job {one.job!r}"))
            for name in set(one.after) - above:
                text = f"{name!r} must stand further up among the triggers"
                self.errors.append(FieldError(f"triggers.{number}.after", text))
            above.add(one.job)

    def _start(self, triggers: Sequence[TriggerDocument]) -> None:
        created = {change.name for change in self.applied.changes if change.kind == "job" and change.verb == "created"}
        started: dict[str, JobExecution] = {}
        for one in triggers:
            if one.job in created:
                job = Job.objects.get(project_id=self.project_id, name=one.job)
                after = [started[name] for name in one.after if name in started]
                condition = Condition(one.on)
                started[one.job], _ = trigger(
                    job, actor=self.actor, params=one.params, after=after, condition=condition
                )
                self.applied.started.append(started[one.job])


class _Loader(yaml.SafeLoader):
    """Refuses a key that stands twice, of which YAML would silently take the last.

    Only true and false are booleans, as in YAML 1.2: `on` and `no` are words. A time stays the text that it is.
    """

    yaml_implicit_resolvers = {
        first: [(tag, regexp) for tag, regexp in resolvers if not tag.endswith((":bool", ":timestamp"))]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if isinstance(key, str) and key in seen:
                raise yaml.MarkedYAMLError(problem=f"{key!r} stands twice", problem_mark=key_node.start_mark)
            seen.add(key if isinstance(key, str) else id(key))
        return super().construct_mapping(node, deep)


_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), "tTfF")


def _fill(value: Any, places: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return PLACE.sub(lambda match: places.get(match[1], match[0]), value)
    if isinstance(value, list):
        return [_fill(item, places) for item in value]
    if isinstance(value, dict):
        return {key: _fill(item, places) for key, item in value.items()}
    return value


def _hoisted(raw: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A job whose actions with a key are used by that key, and those actions: so the file can be applied again."""
    actions = raw.get("actions")
    if not isinstance(actions, list):
        return raw, []
    shared, steps = [], []
    for action in actions:
        if isinstance(action, dict) and isinstance(action.get("key"), str):
            shared.append({name: value for name, value in action.items() if name != "mandatory"})
            action = {"use": action["key"], "mandatory": action.get("mandatory", False)}
        steps.append(action)
    return {**raw, "actions": steps}, shared


def _by_links(jobs: list[dict[str, Any]]) -> list[tuple[int, dict[str, Any]]]:
    """The jobs with their numbers, each behind those of the file that it comes after. Raises `Invalid` for a circle."""
    left = dict(enumerate(jobs))
    found: list[tuple[int, dict[str, Any]]] = []
    while left:
        names = {str(raw.get("name")): raw for raw in left.values()}
        free = [number for number, raw in left.items() if not _linked_to(raw) & set(names)]
        if not free:
            raise _circle(names)
        found += [(number, left.pop(number)) for number in free]
    return found


def _circle(jobs: Mapping[str, dict[str, Any]]) -> Invalid:
    """Each of the jobs comes after another one of them: so somewhere they go round."""
    way = [next(iter(jobs))]
    while way.count(way[-1]) < 2:
        way.append(min(_linked_to(jobs[way[-1]]) & set(jobs)))
    circle = way[way.index(way[-1]) :]
    return Invalid.field(f"jobs.{circle[0]}.after", f"goes round: {' → '.join(reversed(circle))}")


def _linked_to(raw: dict[str, Any]) -> set[str]:
    """The names in its links, as far as it has any."""
    links = raw.get("after")
    return {str(link.get("job")) for link in links if isinstance(link, dict)} if isinstance(links, list) else set()


def _action_document(action: Action) -> dict[str, Any]:
    names = ("key", "runner", "spec", "description", "timeout_s", "retries", "retry_delay_s")
    return _without_defaults({name: getattr(action, name) for name in names}, ActionDocument)


def _without_defaults(document: Mapping[str, Any], schema: type[Document]) -> dict[str, Any]:
    made = {name: info.get_default(call_default_factory=True) for name, info in schema.model_fields.items()}
    defaults = {name: {} if isinstance(default, Document) else default for name, default in made.items()}
    return {name: value for name, value in document.items() if value != defaults.get(name, ...)}


def _diff(before: dict[str, Any] | None, after: dict[str, Any]) -> list[str]:
    old = [] if before is None else dump(before).splitlines()
    lines = list(difflib.unified_diff(old, dump(after).splitlines(), lineterm="", n=1))
    return [line for line in lines[2:] if not line.startswith("@@")]
