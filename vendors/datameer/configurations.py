"""Job configurations: documents of the vendor's kept with the jobs that they make."""

import json
from collections.abc import Iterable

from django.db import transaction

from jobs.engine.define import define
from jobs.engine.documents import document_of
from jobs.engine.locks import job_for_update
from jobs.engine.rights import Actor
from jobs.errors import Conflict, FieldError, Invalid
from jobs.models import Job
from vendors.datameer import specs
from vendors.datameer.connections import Sources
from vendors.datameer.documents import OWN, Given, Json, properties_of, shown
from vendors.datameer.kinds import OF_ONE_RUNNER, Kind, kind_of, path_of

FACE = "datameer"
PREFIXES = {"actions.0.spec.": f"properties.{OWN}", "schedules.": f"properties.{OWN}{specs.SCHEDULE}."}
FIELDS = {
    "name": "file.path",
    "description": "file.description",
    "schedules": f"properties.{OWN}{specs.SCHEDULE}",
}


def create(kind: Kind, given: Given, *, actor: Actor) -> Job:
    """Raises `Invalid`, also for a path that is taken."""
    if Job.objects.filter(project_id=actor.home, name=given.name).exists():
        raise _taken(given)
    sources = Sources(actor.home)
    steps = specs.steps_of(kind, given.body, sources)
    document = {"kind": kind.kind, "actions": steps, "schedules": specs.schedules_of(given.body)}
    return _define(given, document, sources, actor=actor, job=None)


def replace(job: Job, given: Given, *, actor: Actor) -> Job:
    """What the document says nothing of, such as retries, stays as it is."""
    sources = Sources(job.project_id)
    steps = specs.steps_of(kind_of(job), given.body, sources)
    with transaction.atomic():
        job = job_for_update(job)
        old = document_of(job)
        if specs.are_same(steps, old["actions"]):
            steps = old["actions"]
        document = {**old, "actions": steps, "schedules": specs.schedules_of(given.body)}
        return _define(given, document, sources, actor=actor, job=job)


def _define(given: Given, document: Json, sources: Sources, *, actor: Actor, job: Job | None) -> Job:
    whole = {**document, "name": given.name, "description": given.description}
    extras = {**(job.extras if job else {}), FACE: {"document": given.text(), "connections": sorted(sources.asked)}}
    try:
        return define(whole, actor=actor, job=job, extras=extras, create_only=job is None)[0]
    except Invalid as error:
        raise Invalid(_in_its_words(one) for one in error.errors) from None
    except Conflict:
        raise _taken(given) from None


def _taken(given: Given) -> Invalid:
    """Scripts look for its last two words."""
    return Invalid.field("", f"a file with the path {given.path} already exists")


def _in_its_words(error: FieldError) -> FieldError:
    for prefix, own in PREFIXES.items():
        if error.field.startswith(prefix):
            return FieldError(own + error.field.removeprefix(prefix), error.message)
    return FieldError(FIELDS.get(error.field, error.field), error.message)


def configuration_json(job: Job) -> Json:
    """The document of a job: as it was given, overlaid by what the job is and does now."""
    body, now = _kept(job), document_of(job)
    properties = properties_of(body)
    are_scheduled = specs.are_same(specs.schedules_of(body) or [], now["schedules"])
    if not are_scheduled or not _is_followed(job, body, now["actions"]):
        others = {name: value for name, value in properties.items() if not name.startswith(OWN)}
        own = specs.properties_for(kind_of(job), now["actions"])
        properties = {**others, **own, **specs.schedule_property(now["schedules"])}
    return shown(body, uuid=job.uuid, path=path_of(job.name), description=job.description, properties=properties)


def _kept(job: Job) -> Json:
    """As it was given; for a job that no document has made, what stands around it."""
    kept = job.extras.get(FACE)
    found: Json = json.loads(kept["document"]) if kept else kind_of(job).template()
    return found


def _is_followed(job: Job, body: Json, steps: list[specs.Step]) -> bool:
    """Whether the job does what its document says: other faces may have changed it, even its kind."""
    try:
        return specs.are_same(specs.steps_of(kind_of(job), body, Sources(job.project_id)), steps)
    except Invalid:
        return False


def followers(names: Iterable[str], project_id: int) -> list[Job]:
    """The jobs whose documents name a connection by one of these, and that do what their documents say."""
    wanted = set(names)
    jobs = Job.objects.filter(project_id=project_id, kind__in=[kind.kind for kind in OF_ONE_RUNNER])
    rows = jobs.filter(extras__has_key=FACE).values_list("pk", f"extras__{FACE}__connections")
    found = Job.objects.filter(pk__in=[pk for pk, named in rows if wanted.intersection(named)])
    return [job for job in found if _is_followed(job, _kept(job), document_of(job)["actions"])]


def refit(jobs: Iterable[Job], *, actor: Actor) -> None:
    """Make jobs do again what their documents say, in the transaction that changed a connection that they name."""
    for job in map(job_for_update, jobs):
        body, old, sources = _kept(job), document_of(job), Sources(job.project_id)
        steps = specs.steps_of(kind_of(job), body, sources)
        if not specs.are_same(steps, old["actions"]):
            given = Given(body, path_of(job.name), job.description)
            try:
                _define(given, {**old, "actions": steps, "schedules": None}, sources, actor=actor, job=job)
            except Invalid as error:
                raise error.under(given.path) from None
