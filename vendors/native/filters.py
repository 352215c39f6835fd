"""What the lists can be searched by."""

from typing import Any

import django_filters
from django import forms
from django.db.models import QuerySet

from jobs.engine.deliveries import OUTCOMES
from jobs.models import Archive, AuditEvent, Delivery, Event, Job, JobExecution, Subscription
from jobs.states import State
from vendors.wire.filters import StrictFilterSet, TimeFilter


class JobFilters(StrictFilterSet):
    name = django_filters.CharFilter(label="Exactly this name.")
    kind = django_filters.CharFilter(label="What the job is, such as `backup`.")

    class Meta:
        model = Job
        fields = ["name", "kind"]


class IdFilter(django_filters.Filter):
    field_class = forms.IntegerField

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs, min_value=1, max_value=2**63 - 1)


class StateFilter(django_filters.MultipleChoiceFilter):
    """One state. Several are left to the list's `ByState`, which reads them one by one."""

    def filter(self, qs: QuerySet[Any], value: list[str]) -> QuerySet[Any]:
        return qs.filter(state=value[0]) if len(set(value)) == 1 else qs


class ExecutionFilters(StrictFilterSet):
    job = django_filters.CharFilter("job_name", label="Name of the job.")
    kind = django_filters.CharFilter(label="What the job is, such as `backup`.")
    state = StateFilter(choices=[(state.value, state.value) for state in State], label="May be repeated.")
    node = django_filters.CharFilter(label="Where it ran.")
    requested_by = django_filters.CharFilter(label="Who triggered it.")
    chain = IdFilter(label="The chain run that this execution began.")
    queued_from = TimeFilter("queued_at", "gte", label="Queued at this time or later (RFC 3339).")
    queued_to = TimeFilter("queued_at", "lt", label="Queued before this time.")
    started_from = TimeFilter("started_at", "gte", label="Started at this time or later.")
    started_to = TimeFilter("started_at", "lt", label="Started before this time.")
    finished_from = TimeFilter("finished_at", "gte", label="Ended at this time or later.")
    finished_to = TimeFilter("finished_at", "lt", label="Ended before this time.")

    class Meta:
        model = JobExecution
        fields: list[str] = []


class ArchiveFilters(StrictFilterSet):
    name = django_filters.CharFilter(label="Name of the backup.")
    job = django_filters.CharFilter("job_name", label="Name of the job that made it.")
    container = django_filters.CharFilter(label="Where it lies.")

    class Meta:
        model = Archive
        fields = ["name"]


class AuditFilters(StrictFilterSet):
    who = django_filters.CharFilter("username", label="The user's whole name; `operator`: the shell and the hub.")
    deed = django_filters.CharFilter(method="of_deed", label="Such as `trigger` or `refuse login`.")
    subject = django_filters.CharFilter(label="Exactly this: a job's name, an execution's handle, a user, a key.")
    at_from = TimeFilter("at", "gte", label="At this time or later (RFC 3339).")
    at_to = TimeFilter("at", "lt", label="Before this time.")

    class Meta:
        model = AuditEvent
        fields: list[str] = []

    def of_deed(self, rows: Any, _name: str, deed: str) -> QuerySet[Any]:
        return rows.of_deed(deed)


class SubscriptionFilters(StrictFilterSet):
    job = django_filters.CharFilter("job__name", label="Name of the job in whose `notify` it stands.")

    class Meta:
        model = Subscription
        fields: list[str] = []


class DeliveryFilters(StrictFilterSet):
    subscription = django_filters.NumberFilter("subscription_id", label="The id of a subscription.")
    execution = django_filters.NumberFilter("execution_id", label="The id of an execution.")
    event = django_filters.ChoiceFilter(choices=Event, label="What is told.")
    outcome = django_filters.ChoiceFilter(
        choices=[(word, word) for word in OUTCOMES], method="of_outcome", label="What came of it so far."
    )

    class Meta:
        model = Delivery
        fields: list[str] = []

    def of_outcome(self, rows: Any, _name: str, outcome: str) -> QuerySet[Any]:
        return rows.filter(**OUTCOMES[outcome])


class NoFilters(StrictFilterSet):
    """For lists that take none."""
