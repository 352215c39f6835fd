"""Django's own forms, saved through the engine."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_protect

from jobs.errors import JobHubError


class SavedByEngine(admin.ModelAdmin):
    """What the engine refuses is told above the page, and nothing of it was saved. The engine writes the audit."""

    @method_decorator(csrf_protect)
    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self._or_refusal(request, super().changeform_view, *args, **kwargs)

    @method_decorator(csrf_protect)
    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self._or_refusal(request, super().delete_view, *args, **kwargs)

    def _or_refusal(self, request: HttpRequest, view: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            answer: HttpResponse = view(request, *args, **kwargs)
        except JobHubError as error:
            messages.error(request, error.message)
            return HttpResponseRedirect(request.get_full_path())
        return answer

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Left to the engine."""

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Left to the engine."""

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        """Left to the engine."""


class PlainChoices(admin.options.BaseModelAdmin):
    """A choice of other rows is only that: no buttons that open their pages in pop-up windows."""

    def formfield_for_dbfield(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and isinstance(field.widget, RelatedFieldWidgetWrapper):
            field.widget = field.widget.widget
        return field
