"""The form of a job: its fields, one form per action, and the way to a document and back.

What the engine refuses comes back as errors at the fields that it names.
"""

import json
from collections.abc import Iterable
from typing import Any

from django import forms
from django.forms.formsets import BaseFormSet, formset_factory
from django.utils.html import format_html

from jobs import runners
from jobs.admin.schedule_form import BaseScheduleFormSet, initial_schedules
from jobs.engine.documents import document_of
from jobs.errors import FieldError, Invalid
from jobs.models import Action, Job, LostPolicy, Project, WhenActive

SHARED = "use:"
ON_LOST = [(LostPolicy.RUNNER, "as its runners say"), (LostPolicy.RERUN, "run it again"), (LostPolicy.FAIL, "fail")]
WHEN_ACTIVE = [
    (WhenActive.QUEUE, "queue the new one"),
    (WhenActive.REFUSE, "refuse the new one"),
    (WhenActive.SKIP, "record the new one as skipped"),
    (WhenActive.REPLACE, "abort the old one"),
]

LINKS = {"after_success": "success", "after_failure": "failure", "after_end": "end"}
"""The fields of the jobs that it comes after, with how those have to end."""


class JSONText(forms.JSONField):
    """JSON in a text area: indented when shown, and an error says where it stops being JSON."""

    widget = forms.Textarea

    def __init__(self, *, rows: int = 3, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.widget.attrs.update({"rows": rows, "cols": 80, "class": "hub-code", "spellcheck": "false"})

    def prepare_value(self, value: Any) -> Any:
        if value is None:
            return ""
        return value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)

    def to_python(self, value: Any) -> Any:
        if isinstance(value, str) and value.strip():
            try:
                json.loads(value)
            except json.JSONDecodeError as error:
                raise forms.ValidationError(
                    f"not JSON: {error.msg.lower()} in line {error.lineno}, column {error.colno}"
                ) from None
        return super().to_python(value) if value else {}


class Names(forms.CharField):
    """Names, one in each line."""

    widget = forms.Textarea

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, strip=False, **kwargs)
        self.widget.attrs.update({"rows": 2, "cols": 40, "spellcheck": "false"})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> list[str]:
        return [line.strip() for line in super().clean(value).splitlines() if line.strip()]


class JobForm(forms.Form):
    """The fields of a job, named as in its document."""

    version = forms.IntegerField(required=False, widget=forms.HiddenInput)
    project = forms.ModelChoiceField(Project.objects.none())
    name = forms.CharField(max_length=200, strip=False, widget=forms.TextInput(attrs={"class": "vTextField"}))
    description = forms.CharField(
        required=False, strip=False, widget=forms.Textarea(attrs={"rows": 2, "cols": 80, "class": "vLargeTextField"})
    )
    kind = forms.CharField(
        required=False, max_length=50, help_text="For searches. Empty: the only action's runner, else workbook."
    )
    params = JSONText(
        required=False, label="Params", help_text='Defaults of the trigger\'s params, such as {"level": 1}'
    )
    after_success = Names(label="After success of", help_text="Jobs of this project, one a line")
    after_failure = Names(label="After failure of", help_text="Also when they were aborted")
    after_end = Names(label="After any end of", help_text="After several jobs it runs once for all")
    priority = forms.IntegerField(initial=0, help_text="-100 to 100; the higher goes first")
    node = forms.CharField(required=False, max_length=100, help_text="Run on this node only")
    timeout_s = forms.IntegerField(required=False, label="Timeout (s)", help_text="Longest time of one attempt")
    soft_timeout_s = forms.IntegerField(
        required=False, label="Soft timeout (s)", help_text="A warning after so long; it goes on"
    )
    retries = forms.IntegerField(initial=0, help_text="Further attempts after a failed one")
    retry_delay_s = forms.IntegerField(
        initial=10, label="Retry delay (s)", help_text="Doubled for each further attempt"
    )
    on_lost = forms.ChoiceField(choices=ON_LOST, required=False, label="When its worker dies")
    when_active = forms.ChoiceField(choices=WHEN_ACTIVE, label="When it is active already")
    concurrency_limit = forms.IntegerField(
        initial=1, label="Side by side", help_text="At most so many executions; 0: no limit"
    )
    concurrency_key = forms.CharField(
        required=False, max_length=200, label="Slots shared as", help_text="Jobs with the same word share their slots"
    )
    keep = JSONText(
        required=False,
        label="Keep",
        help_text='How long ended executions stay, such as {"days": 30, "last": 10, "failed": {"days": 365}}; '
        "empty: as the hub's settings say",
    )
    remove_archives = forms.BooleanField(
        required=False, label="Remove archives", help_text="From disk, with the executions that made them"
    )
    notify = JSONText(
        required=False,
        label="Notify",
        help_text='Who is told of ends, such as [{"webhook": "https://…", "secret": "name", "events": ["failed"]}]',
    )

    def document(self) -> dict[str, Any]:
        """What was given, as a document without its actions."""
        others = ("project", "version", *LINKS)
        values = {name: value for name, value in self.cleaned_data.items() if name not in others}
        links = [{"job": name, "on": LINKS[field]} for field, name in self.links()]
        return {**values, "kind": values["kind"] or None, "after": links, "notify": values["notify"] or []}

    def links(self) -> list[tuple[str, str]]:
        """The jobs that it comes after, each with the field that names it, in the order of the document."""
        return [(field, name) for field in LINKS for name in self.cleaned_data[field]]


class ActionForm(forms.Form):
    """One action. An empty one does not count."""

    runner = forms.ChoiceField(required=False, label="Runner")
    spec = JSONText(required=False, label="Spec", rows=6)
    description = forms.CharField(
        required=False, max_length=500, strip=False, widget=forms.TextInput(attrs={"class": "vTextField"})
    )
    timeout_s = forms.IntegerField(required=False, label="Timeout (s)")
    retries = forms.IntegerField(required=False, label="Retries")
    retry_delay_s = forms.IntegerField(required=False, label="Delay of each (s)")
    mandatory = forms.BooleanField(required=False, label="Run it also after a failure")

    def has_changed(self) -> bool:
        """Whether there is anything in it, wherever its values came from."""
        names = ("runner", "spec", "description", "timeout_s", "retries", "retry_delay_s", "mandatory")
        given = {name: self[name].value() for name in names}
        return any(value not in (None, "", "{}", {}, False, "0", 0) for value in given.values())

    def document(self) -> dict[str, Any]:
        names = ("spec", "description", "timeout_s", "retries", "retry_delay_s")
        given = {name: self.cleaned_data[name] for name in names}
        given["retries"] = given["retries"] or 0
        runner, mandatory = self.cleaned_data["runner"], self.cleaned_data["mandatory"]
        if runner.startswith(SHARED):
            beside = {name: value for name, value in given.items() if value}
            return {"use": runner.removeprefix(SHARED), "mandatory": mandatory, **beside}
        return {"runner": runner or None, "mandatory": mandatory, **given}


class BaseActionFormSet(BaseFormSet):
    """The actions of a job in the order that was given for them."""

    deletion_widget = forms.CheckboxInput

    def __init__(self, *args: Any, runner_choices: list[Any], is_locked: bool = False, **kwargs: Any) -> None:
        self.runner_choices = runner_choices
        self.is_locked = is_locked
        super().__init__(*args, **kwargs)

    def add_fields(self, form: forms.Form, index: int | None) -> None:
        super().add_fields(form, index)
        form.fields["runner"].choices = self.runner_choices  # type: ignore[attr-defined]
        form.fields["ORDER"].label = "Order"
        form.fields["DELETE"].label = "Remove this action"
        for field in form.fields.values():
            field.disabled = field.disabled or self.is_locked

    @property
    def given(self) -> list[ActionForm]:
        """The forms that count, in their order; one without a number goes last."""
        kept = [form for form in self.forms if form.has_changed() and not form.cleaned_data.get("DELETE")]
        return sorted(kept, key=lambda form: form.cleaned_data.get("ORDER") or float("inf"))

    def documents(self) -> list[dict[str, Any]]:
        return [form.document() for form in self.given]


ActionFormSet: Any = formset_factory(
    ActionForm, formset=BaseActionFormSet, extra=1, can_order=True, can_delete=True, max_num=100
)


def runner_choices(projects: Iterable[int] | None) -> list[Any]:
    """The runners, and the shared actions of these projects (`None`: of all)."""
    shared = Action.objects.filter(is_shared=True).select_related("project").order_by("project__name", "key")
    if projects is not None:
        shared = shared.filter(project__in=projects)
    groups: list[Any] = [("", "(choose)"), ("Runners", [(name, _label(name)) for name in sorted(runners.RUNNERS)])]
    if uses := [(f"{SHARED}{one.key}", f"{one.key} ({one.runner}; {one.project})") for one in shared]:
        groups.append(("Shared actions", uses))
    return groups


def _label(name: str) -> str:
    return f"{name} (project admins only)" if runners.get(name).privileged else name


def initial_of(job: Job) -> tuple[dict[str, Any], list[dict[str, Any]], list[dict[str, Any]]]:
    """The job as the first values of its form and of those of its actions and schedules."""
    document = document_of(job)
    actions = []
    for position, action in enumerate(document.pop("actions"), start=1):
        runner = f"{SHARED}{action.pop('use')}" if "use" in action else action["runner"]
        actions.append({**action, "runner": runner, "ORDER": position})
    after = document.pop("after")
    links = {field: [link["job"] for link in after if link["on"] == condition] for field, condition in LINKS.items()}
    schedules = initial_schedules(document.pop("schedules"))
    return {**document, **links, "version": job.version, "project": job.project_id}, actions, schedules


def spread(error: Invalid, form: JobForm, actions: BaseActionFormSet, schedules: BaseScheduleFormSet) -> None:
    """Put each of the engine's errors at the field that it names, else above the form."""
    links = form.links()
    for one in error.errors:
        path = one.field.split(".")
        if path[0] == "actions" and len(path) > 1 and path[1].isdecimal():
            _at_action(actions.given[int(path[1])], path[2:], one)
        elif path[0] == "schedules" and len(path) > 1 and path[1].isdecimal():
            schedules.refuse(path[1:], one)
        elif path[0] == "after" and len(path) > 1 and path[1].isdecimal():
            field, name = links[int(path[1])]
            form.add_error(field, _within([name], one.message))
        elif path[0] in form.fields:
            form.add_error(path[0], _within(path[1:], one.message))
        else:
            form.add_error(None, _within(path, one.message))


def _at_action(form: ActionForm, path: list[str], error: FieldError) -> None:
    name = "runner" if path[:1] == ["use"] else path[0] if path else ""
    if name in form.fields:
        rest = path[1:] if name != "runner" else []
        form.add_error(name, _within(rest, error.message))
    else:
        form.add_error(None, _within(path, error.message))


def _within(path: list[str], message: str) -> str:
    return format_html("{}: {}", ".".join(path), message) if any(path) else message
