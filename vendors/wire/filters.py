"""Filters of lists, strict: an unknown name or a bad value is refused by name, never overlooked."""

from collections.abc import Collection
from typing import Any

import django_filters
from django import forms
from django.db.models import QuerySet
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.request import Request

from jobs.errors import FieldError, Invalid
from vendors.wire.times import parse_rfc3339

NAMED = 10
"""So many of the unknown parameters are named."""


class TimeField(forms.CharField):
    def to_python(self, value: Any) -> Any:
        if value in self.empty_values:
            return None
        try:
            return parse_rfc3339(str(value))
        except ValueError as error:
            raise forms.ValidationError(str(error)) from None


class TimeFilter(django_filters.Filter):
    """A time in RFC 3339, with its zone."""

    field_class = TimeField


class StrictFilterSet(django_filters.FilterSet):
    """A filter set that raises `Invalid` with one error per wrong parameter."""

    def checked(self, others: Collection[str] = ()) -> QuerySet[Any]:
        """The rows that match. `others` are the parameters that are none of its."""
        if wrong := [*self._unknown(others), *self._bad()]:
            raise Invalid(wrong)
        rows: QuerySet[Any] = self.qs
        return rows

    def _unknown(self, others: Collection[str]) -> list[FieldError]:
        known = sorted({*self.filters, *others})
        names = sorted(name for name in self.data if name not in known)[:NAMED]
        return [FieldError(name[:100], f"unknown parameter; known: {', '.join(known)}") for name in names]

    def _bad(self) -> list[FieldError]:
        return [FieldError(name, str(error)) for name, errors in self.errors.items() for error in errors]


class StrictFilters(DjangoFilterBackend):
    """django-filter for list actions. The view's `filterset_class` is a `StrictFilterSet`.

    Beside its filters a list takes the paginator's parameters and those in the view's `list_params`.
    """

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: Any) -> QuerySet[Any]:
        filters: StrictFilterSet = view.filterset_class(request.query_params, queryset=queryset, request=request)
        return filters.checked([*view.paginator.names(view.vendor.paging), *view.list_params])
