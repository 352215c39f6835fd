"""Which ended executions stay: by the rules of their jobs, or because somebody said so."""

from dataclasses import dataclass, fields
from datetime import datetime
from functools import partial
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet

from jobs.engine.pace import Pace
from jobs.engine.rights import Actor, Right, audit
from jobs.keeping import Rule, rule_of, rules_of
from jobs.models import Job, JobExecution
from jobs.models.queries import literals
from jobs.states import FINAL


# -- one that never expires --------------------------------------------------------------------------------------------
def keep_execution(execution: JobExecution, *, actor: Actor) -> None:
    """Never let it expire, nor its output; harmless when it is kept already."""
    _set_kept(execution, True, "keep", actor)


def unkeep_execution(execution: JobExecution, *, actor: Actor) -> None:
    """Let its job's rule count again."""
    _set_kept(execution, False, "unkeep", actor)


def _set_kept(execution: JobExecution, is_kept: bool, deed: str, actor: Actor) -> None:
    actor.require(Right.EDIT, execution.project_id, "keeping an execution")
    with transaction.atomic():
        rows = JobExecution.objects.filter(pk=execution.pk).exclude(is_kept=is_kept)
        if rows.update(is_kept=is_kept, version=F("version") + 1):
            audit(actor, deed, execution.handle, execution.project_id)
    execution.is_kept = is_kept


# -- the newest of a job -----------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Candidate:
    """An execution whose time is over."""

    pk: int
    expires_at: datetime
    project_id: int
    job_id: int | None
    job_name: str
    state: str
    chain: int | None
    is_kept: bool

    @classmethod
    def of(cls, rows: QuerySet[JobExecution]) -> "list[Candidate]":
        return [cls(*row) for row in rows.values_list(*(field.name for field in fields(cls)))]

    @property
    def job_key(self) -> tuple[int, str]:
        return (self.job_id, "") if self.job_id is not None else (self.project_id, self.job_name)

    @property
    def siblings(self) -> dict[str, Any]:
        """The filter for all executions of its job; of one that is gone by the name it had."""
        if self.job_id is not None:
            return {"job_id": self.job_id}
        return {"project_id": self.project_id, "job_id": None, "job_name": self.job_name}


class Keepers:
    """The rules of all jobs, each looked up once: as they are now, or as they were in the last run of a gone job."""

    def __init__(self) -> None:
        self._rules: dict[Any, dict[str, Rule]] = {}
        self._oldest: dict[Any, int] = {}
        self._removes: dict[Any, bool] = {}

    def keep(self, one: Candidate) -> bool:
        """Whether it is among the newest that its job's rule keeps whatever their age."""
        key = one.job_key
        if key not in self._rules:
            self._rules[key] = {state: rule for rule in _rules(one) for state in rule.states}
        rule = self._rules[key][one.state]
        if (key, rule) not in self._oldest:
            self._oldest[key, rule] = _oldest_kept(one, rule)
        return one.pk >= self._oldest[key, rule]

    def removes_archives(self, one: Candidate) -> bool:
        """Whether what it made on disk shall go with it."""
        if one.job_key not in self._removes:
            self._removes[one.job_key] = bool(_of_job(one, "remove_archives", "plan__remove_archives"))
        return self._removes[one.job_key]


def _rules(one: Candidate) -> list[Rule]:
    keep = _of_job(one, "keep", "plan__keep")
    return rules_of(keep or {}, days=settings.HUB["KEEP_DAYS"], last=settings.HUB["KEEP_LAST"])


def _of_job(one: Candidate, field: str, in_plan: str) -> Any:
    """A field of its job as it is now, else as it was in the newest run."""
    if one.job_id is not None:
        return Job.objects.filter(pk=one.job_id).values_list(field, flat=True).first()
    return JobExecution.objects.filter(**one.siblings).order_by("-pk").values_list(in_plan, flat=True).first()


def _oldest_kept(one: Candidate, rule: Rule) -> int:
    """The id from which on they are kept for their number."""
    if not rule.last:
        return 2**63
    newest: list[int] = []
    for state in rule.states:  # each by its own end of the index
        rows = JobExecution.objects.filter(state=state, **one.siblings).order_by("-pk")
        newest += rows.values_list("pk", flat=True)[: rule.last]
    newest.sort(reverse=True)
    return newest[rule.last - 1] if len(newest) >= rule.last else 0


# -- rules that were changed -------------------------------------------------------------------------------------------
def bring_up_to_date(pace: Pace) -> None:
    """Give what ended before its job's rule was changed the time that the rule of today says."""
    for job in Job.objects.filter(keep_is_new=True).order_by("pk"):
        ended = JobExecution.objects.filter(job=job, state__in=literals(FINAL)).order_by("pk")
        ids = list(ended.values_list("pk", flat=True))
        if pace.work(ids, partial(_redate, job)) == len(ids):
            Job.objects.filter(pk=job.pk, version=job.version).update(keep_is_new=False)


def _redate(job: Job, ids: list[int]) -> None:
    hub, changed = settings.HUB, []
    for row in JobExecution.objects.filter(pk__in=ids).only("pk", "state", "finished_at", "expires_at"):
        rule = rule_of(job.keep, row.state, days=hub["KEEP_DAYS"], last=hub["KEEP_LAST"])
        expires_at = rule.expiry(row.finished_at)  # type: ignore[arg-type]
        if expires_at != row.expires_at:
            row.expires_at = expires_at
            changed.append(row)
    JobExecution.objects.bulk_update(changed, ["expires_at"])
