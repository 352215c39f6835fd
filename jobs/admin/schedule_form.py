"""The schedules in a job's form: one form for each, and the way to documents and back."""

import json
from typing import Any

from django import forms
from django.conf import settings
from django.forms.formsets import BaseFormSet, formset_factory

from jobs.engine.schedule_documents import DIALECTS, MAX_SCHEDULES
from jobs.errors import FieldError
from jobs.models import CatchUp
from jobs.schedules import Dialect, Policy

KINDS = {
    Dialect.CRON: "cron, such as 30 2 * * *",
    Dialect.INTERVAL: "interval, such as 15m",
    Dialect.QUARTZ: "Quartz, such as 0 30 2 ? * MON-FRI",
    Dialect.FIELDS: 'fields, such as {"day": "last sun", "hour": 3}',
    Dialect.AT: "one time, such as 2027-03-01T06:00",
}
CATCH_UP = [(CatchUp.ONCE, "one run for all"), (CatchUp.SKIP, "no run"), (CatchUp.ALL, "each of them")]
POLICIES = [(Policy.ONCE.value, "one run"), (Policy.WALL.value, "as the clock shows")]


class ScheduleForm(forms.Form):
    """One schedule. An empty one does not count."""

    name = forms.CharField(required=False, max_length=64, label="Name", help_text="Empty: its number")
    kind = forms.ChoiceField(choices=list(KINDS.items()), label="Written as")
    text = forms.CharField(
        required=False, label="When", widget=forms.TextInput(attrs={"class": "vTextField hub-code", "size": 40})
    )
    zone = forms.CharField(
        required=False, max_length=64, label="Time zone", initial=lambda: settings.TIME_ZONE, help_text="IANA's name"
    )
    catch_up = forms.ChoiceField(choices=CATCH_UP, label="Of what was missed")
    policy = forms.ChoiceField(choices=POLICIES, label="When the clocks change")
    grace_s = forms.IntegerField(required=False, label="Missed after (s)", initial=60)
    start = forms.CharField(required=False, max_length=40, label="Not before", help_text="Such as 2027-03-01T06:00")
    end = forms.CharField(required=False, max_length=40, label="Not after")
    enabled = forms.BooleanField(required=False, label="Switched on", initial=True)

    def has_changed(self) -> bool:
        """Whether it says anything."""
        return any(str(self[name].value() or "").strip() for name in ("text", "name", "start", "end"))

    def clean(self) -> dict[str, Any]:
        """What was written as fields is an object."""
        given = super().clean() or {}
        if not given.get("text") and not given.get("DELETE"):
            self.add_error("text", "This field is required. To be rid of the schedule, tick “Remove this schedule”.")
        if given.get("kind") == Dialect.FIELDS and given.get("text"):
            try:
                given["value"] = json.loads(given["text"])
            except (ValueError, RecursionError):
                self.add_error("text", 'wanted a JSON object such as {"day": "last sun", "hour": 3}')
        return given

    def document(self) -> dict[str, Any]:
        given = self.cleaned_data
        return {
            given["kind"]: given.get("value", given["text"]),
            **{name: given[name] or None for name in ("name", "start", "end")},
            **{name: given[name] for name in ("catch_up", "policy", "enabled")},
            "zone": given["zone"] or settings.TIME_ZONE,
            "grace_s": 60 if given["grace_s"] is None else given["grace_s"],
        }


class BaseScheduleFormSet(BaseFormSet):
    """The schedules of a job, in their order."""

    deletion_widget = forms.CheckboxInput

    def __init__(self, *args: Any, is_locked: bool = False, **kwargs: Any) -> None:
        self.is_locked = is_locked
        super().__init__(*args, **kwargs)

    def add_fields(self, form: forms.Form, index: int | None) -> None:
        super().add_fields(form, index)
        form.fields["DELETE"].label = "Remove this schedule"
        for field in form.fields.values():
            field.disabled = field.disabled or self.is_locked

    @property
    def given(self) -> list[ScheduleForm]:
        """The forms that count."""
        return [form for form in self.forms if form.has_changed() and not form.cleaned_data.get("DELETE")]

    def documents(self) -> list[dict[str, Any]]:
        return [form.document() for form in self.given]

    def refuse(self, path: list[str], error: FieldError) -> None:
        """Show an error of the engine at the field that it names: `["0", "cron"]`."""
        form, field = self.given[int(path[0])], path[1] if len(path) > 1 else "text"
        shown = "text" if field in DIALECTS else field
        text = f"{'.'.join(path[2:])}: {error.message}" if path[2:] else error.message
        form.add_error(shown if shown in form.fields else None, text)


ScheduleFormSet: Any = formset_factory(
    ScheduleForm, formset=BaseScheduleFormSet, extra=1, can_delete=True, max_num=MAX_SCHEDULES
)
SCHEDULE_FIELDS: list[tuple[str | None, dict[str, Any]]] = [
    (
        None,
        {
            "fields": [
                ("kind", "text", "zone"),
                ("catch_up", "policy", "grace_s"),
                ("start", "end"),
                ("name", "enabled", "DELETE"),
            ]
        },
    )
]


def initial_schedules(documents: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Documents of schedules as the first values of their forms."""
    return [_initial(document) for document in documents]


def _initial(document: dict[str, Any]) -> dict[str, Any]:
    kind = next(dialect for dialect in DIALECTS if document.get(dialect) is not None)
    value = document[kind]
    return {**document, "kind": kind, "text": value if isinstance(value, str) else json.dumps(value)}
