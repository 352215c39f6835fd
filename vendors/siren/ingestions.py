"""Ingestions: jobs of the kind `ingestion` with one step, the hub's own runner.

A job keeps its document (in its extras, without passwords) and what that meant when it was put; where the job was
changed through another face since, the job is shown.
"""

import secrets as random
from collections.abc import Iterator
from contextlib import contextmanager

from django.db.models import QuerySet

from jobs import runners
from jobs.engine import secrets, verbs
from jobs.engine.define import define
from jobs.engine.documents import Parts, document_of, parts_of
from jobs.engine.rights import Actor, Right
from jobs.engine.trigger import trigger
from jobs.errors import Busy, Conflict, FieldError, Invalid
from jobs.models import Job, JobExecution
from jobs.schedules import Dialect
from vendors.siren import ingest
from vendors.siren.datasources import DATASOURCES, secret_of
from vendors.siren.documents import COUNTED, DOCUMENT, Documents, Found, as_text, exists, from_text, short
from vendors.siren.filters import Window
from vendors.siren.ingest import Ingest
from vendors.siren.shapes import Row
from vendors.siren.vendor import VENDOR

KIND = RUNNER = "ingestion"
QUARTZ = Dialect.QUARTZ.value
ROOT = "ingest"
SCHEDULE = "siren"
"""The name of the schedule that a document sets; others are none of its business."""
ONE_NAME = {"enable_schedule": "enable_scheduler"}
IN_SPEC = "actions.0.spec."
IN_DOCUMENT = {"source": "datasource", "rename": "transforms", "schedules": "schedule"}
"""What the runner's fields are called in a document, where that differs."""


class Ingestions(Documents):
    def put(self, id: str, raw: Row, *, actor: Actor, create_only: bool) -> tuple[int, bool]:
        actor.require(Right.EDIT, actor.home, "defining an ingestion")
        document = _parsed(raw)
        with secrets.together():
            old = _to_replace(id, actor, create_only=create_only)
            passwords = _kept_passwords(id, document, old, actor)
            spec = _spec(document, passwords, actor)
            extras = {
                DOCUMENT: as_text(_shown(raw[ROOT])),
                "said": {**ingest.said_by(spec), **document.timetable, "description": document.description},
                "passwords": passwords,
            }
            with _in_its_words(id):
                job, is_new = define(
                    _job_document(id, document, spec, old),
                    actor=actor,
                    job=old,
                    extras={**(old.extras if old else {}), VENDOR.name: extras},
                    create_only=create_only,
                )
        return job.version, is_new

    def get(self, id: str, *, actor: Actor) -> Found | None:
        job = find(id, actor)
        return _found(job, parts_of([job])[job.pk]) if job else None

    def delete(self, id: str, *, actor: Actor) -> bool:
        """Its active run is aborted; what has ended stays in the log."""
        actor.require(Right.EDIT, actor.home, "deleting an ingestion")
        with secrets.together():
            job = find(id, actor)
            if job is None:
                return False
            verbs.delete_job(job, actor=actor)
            for name in _kept(job).get("passwords", {}).values():
                secrets.drop(name, actor=actor)
        return True

    def search(self, window: Window, *, actor: Actor) -> tuple[int, list[Found]]:
        rows = _all(actor)
        jobs = list(window.of_rows(rows.order_by("name")))
        parts = parts_of(jobs)
        return rows.order_by()[:COUNTED].count(), [_found(job, parts[job.pk]) for job in jobs]


INGESTIONS = Ingestions()


def find(id: str, actor: Actor) -> Job | None:
    return None if "\0" in id else _all(actor).filter(name=id).first()


def run(job: Job, *, actor: Actor) -> JobExecution:
    """Raises `Busy` in the connector's words while it runs."""
    try:
        return trigger(job, actor=actor)[0]
    except Busy:
        raise Busy(f"Ingestion job [{job.name}] is already running.") from None


def _all(actor: Actor) -> QuerySet[Job]:
    return Job.objects.filter(project_id=actor.home, kind=KIND)


def _kept(job: Job) -> Row:
    found: Row = job.extras.get(VENDOR.name, {})
    return found


# -- what is shown -----------------------------------------------------------------------------------------------------
def _found(job: Job, parts: Parts) -> Found:
    kept, spec = _kept(job), _spec_in(parts)
    now = {**ingest.said_by(spec), **_timetable_in(parts), "description": job.description}
    said = kept.get("said", {})
    changed = {name: value for name, value in now.items() if value != said.get(name, "")}
    document = from_text(kept[DOCUMENT]) if kept else {"datasource": _datasource_in(spec)}
    shown = {name: value for name, value in document.items() if name in now or name not in said}
    return Found(job.name, job.version, {ROOT: {**shown, **changed}})


def _spec_in(parts: Parts) -> Row:
    first = parts.steps[0] if parts.steps else None
    spec: Row = first.action.spec if first and first.action.runner == RUNNER else {}
    return spec


def _timetable_in(parts: Parts) -> Row:
    """By its own schedule, else by the first that can be told in the same words."""
    told = sorted((one for one in parts.schedules if one.dialect == QUARTZ), key=lambda one: one.name != SCHEDULE)
    return {"schedule": told[0].text, "enable_scheduler": told[0].enabled} if told else {}


def _datasource_in(spec: Row) -> str:
    """For an ingestion that another face made: where it reads, without credentials."""
    source = spec.get("source", "")
    url = source.get("url", source) if isinstance(source, dict) else source
    return url if isinstance(url, str) else str(url["secret"])


def _shown(body: Row) -> Row:
    """Without passwords, and with one name for what the vendor's page gives two."""
    shown = {ONE_NAME.get(name, name): value for name, value in body.items()}
    for name in ingest.CREDENTIALS:
        if isinstance(shown.get(name), dict):
            shown[name] = {key: value for key, value in shown[name].items() if key != "password"}
    return shown


# -- what is put -------------------------------------------------------------------------------------------------------
def _parsed(raw: Row) -> Ingest:
    if raw.keys() != {ROOT}:
        raise Invalid.field("", f"wanted an object with one field, [{ROOT}]")
    try:
        document = Ingest.parse(raw[ROOT])
        document.check()
    except Invalid as error:
        raise error.under(ROOT) from None
    return document


def _to_replace(id: str, actor: Actor, *, create_only: bool) -> Job | None:
    """The job of that name, which nobody else changes meanwhile."""
    old = Job.objects.select_for_update(no_key=True).filter(project_id=actor.home, name=id).first()
    if old and old.kind != KIND:
        raise Conflict(f"[{id}]: there is a job of the type [{old.kind}] with this name")
    if old and create_only:
        raise exists(id, old.version)
    return old


def _kept_passwords(id: str, document: Ingest, old: Job | None, actor: Actor) -> dict[str, str]:
    """The secrets of the credentials: set where a password was given, the old ones where it was left out."""
    names: dict[str, str] = dict(_kept(old).get("passwords", {})) if old else {}
    for field in ingest.CREDENTIALS:
        login: ingest.Credentials | None = getattr(document, field)
        if login and login.password:
            name = names.get(field) or f"ingestion-{short(id)}-{random.token_hex(4)}"
            try:
                names[field] = secrets.keep(name, login.password, actor=actor)
            except Invalid as error:
                raise Invalid.field(f"{ROOT}.{field}.password", error.errors[0].message) from None
        elif field in names and (login is None or login.password == ""):
            secrets.drop(names.pop(field), actor=actor)
    return names


def _spec(document: Ingest, passwords: dict[str, str], actor: Actor) -> Row:
    """The runner's spec. What can be said of the database and the query without its secret is checked first."""
    plain = DATASOURCES.plain(document.datasource, actor=actor)
    secret = {"secret": secrets.name_of(secret_of(document.datasource), actor)}
    if plain is not None:
        with _in_its_words(""):
            runners.get(RUNNER).validate(ingest.spec_of(document, plain, passwords))
    return ingest.spec_of(document, secret, passwords)


@contextmanager
def _in_its_words(id: str) -> Iterator[None]:
    """What the engine and its runner find wrong, told of the document's fields."""
    try:
        yield
    except Invalid as error:
        raise Invalid(_told(one, id) for one in error.errors) from None


def _told(error: FieldError, id: str) -> FieldError:
    if error.field == "name":
        return FieldError("", f"Invalid id [{id[:100]}]: {error.message}")
    word = error.field.removeprefix(IN_SPEC).partition(".")[0]
    return FieldError(f"{ROOT}.{IN_DOCUMENT.get(word, word)}", error.message)


def _job_document(id: str, document: Ingest, spec: Row, old: Job | None) -> Row:
    """A new one runs once at a time; what else was said of the old one stays."""
    base: Row = document_of(old) if old else {"name": id}
    others = [one for one in base.get("schedules", []) if one["name"] != SCHEDULE]
    own = {"name": SCHEDULE, QUARTZ: document.schedule, "enabled": document.enable_scheduler}
    return {
        **base,
        "kind": KIND,
        "when_active": "refuse",
        "description": document.description,
        "actions": [{"runner": RUNNER, "spec": spec}],
        "schedules": [*others, *([own] if document.schedule else [])],
    }
