"""What pydantic finds wrong, told in the hub's words: what was wanted, never the name of a type or a class."""

from collections.abc import Iterator, Mapping
from typing import Any

import pydantic

from jobs.errors import FieldError

WORDS = {
    "missing": "this field is required",
    "extra_forbidden": "unknown field",
    "model_type": "wanted an object of fields",
    "dict_type": "wanted an object of fields",
    "list_type": "wanted a list",
    "string_type": "wanted a text",
    "bool_type": "wanted true or false",
    "bool_parsing": "wanted true or false",
    "int_type": "wanted a whole number",
    "int_parsing": "wanted a whole number",
    "int_from_float": "wanted a whole number",
    "float_type": "wanted a number",
    "float_parsing": "wanted a number",
    "finite_number": "wanted a finite number",
    "datetime_type": "wanted a time such as 2027-03-01T06:00:00Z",
    "datetime_parsing": "wanted a time such as 2027-03-01T06:00:00Z",
    "datetime_from_date_parsing": "wanted a time such as 2027-03-01T06:00:00Z",
    "greater_than_equal": "wanted at least {ge}",
    "greater_than": "wanted more than {gt}",
    "less_than_equal": "wanted at most {le}",
    "less_than": "wanted less than {lt}",
    "string_too_short": "wanted a length of at least {min_length}",
    "string_too_long": "wanted a length of at most {max_length}",
    "too_short": "wanted a length of at least {min_length}",
    "too_long": "wanted a length of at most {max_length}",
    "literal_error": "wanted {expected}",
    "enum": "wanted {expected}",
}
"""By the types of https://docs.pydantic.dev/2.12/errors/validation_errors/ (November 2026), with what they tell."""


def wrong_fields(error: pydantic.ValidationError, patterns: Mapping[str, str] | None = None) -> Iterator[FieldError]:
    """One for each wrong field. `patterns`: what a regular expression of ours wants."""
    for item in error.errors():
        yield FieldError(".".join(str(part) for part in item["loc"]), _said(item, patterns or {}))


def _said(item: Any, patterns: Mapping[str, str]) -> str:
    told = {name: _shown(value) for name, value in item.get("ctx", {}).items()}
    if item["type"] == "string_pattern_mismatch" and told["pattern"] in patterns:
        return patterns[told["pattern"]]
    words = WORDS.get(item["type"])
    return words.format(**told) if words else str(item["msg"]).removeprefix("Value error, ")


def _shown(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value
