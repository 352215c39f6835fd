"""What is asked before something is triggered, held, paused or moved."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.admin import ModelAdmin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import Model
from django.http import HttpRequest
from django.template.response import TemplateResponse

from jobs.admin.job_form import JSONText
from jobs.engine.times import check_future
from jobs.errors import Invalid


class When(forms.DateTimeField):
    """A time in the hub's zone, by the browser's own picker."""

    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")

    def __init__(self, *, help_text: str = "", **fields: Any) -> None:
        zone = f"Time zone: {settings.TIME_ZONE}"
        super().__init__(help_text=f"{help_text}. {zone}" if help_text else zone, **fields)


class Later(When):
    def clean(self, value: Any) -> datetime | None:
        at: datetime | None = super().clean(value)
        try:
            check_future("", at)
        except Invalid as error:
            raise forms.ValidationError(error.errors[0].message) from None
        return at


class TriggerForm(forms.Form):
    params = JSONText(
        required=False, rows=6, label="Params", help_text="A JSON object; what is not named keeps the job's own value."
    )
    run_at = Later(required=False, label="Not before", help_text="Empty: as soon as a worker is free")
    token = forms.CharField(widget=forms.HiddenInput, max_length=32)
    """Makes the second of two clicks give the first one's execution."""

    def clean_params(self) -> dict[str, Any]:
        params = self.cleaned_data["params"]
        if not isinstance(params, dict):
            raise forms.ValidationError('wanted a JSON object such as {"name": "value"}')
        if wrong := [name for name, value in params.items() if isinstance(value, dict | list)]:
            raise forms.ValidationError(f"{wrong[0]}: wanted a string, a number, a boolean or null")
        return params


class HoldForm(forms.Form):
    reason = forms.CharField(
        required=False, max_length=500, widget=forms.TextInput(attrs={"class": "vTextField"}), label="Why"
    )
    until = Later(required=False, label="Until", help_text="Empty: until somebody releases it")


class ReasonForm(forms.Form):
    reason = forms.CharField(
        required=False, max_length=500, widget=forms.TextInput(attrs={"class": "vTextField"}), label="Why"
    )


class MoveForm(ReasonForm):
    to = Later(label="To")
    field_order = ("to", "reason")


def ask(
    admin: ModelAdmin,
    request: HttpRequest,
    asked: Sequence[Model],
    form: forms.Form,
    *,
    verb: str,
    title: str,
    back: str,
    action: str = "",
) -> TemplateResponse:
    """The page between a click and its deed. `action`: the list's own, by which the deed concerns all of `asked`."""
    context = {
        **admin.admin_site.each_context(request),
        "opts": admin.opts,
        "title": f"{verb.capitalize()} {title}",
        "asked": asked,
        "form": form,
        "button": verb.capitalize(),
        "action": action,
        "checkbox": ACTION_CHECKBOX_NAME,
        "back": back,
    }
    return TemplateResponse(request, "admin/jobs/ask.html", context)
