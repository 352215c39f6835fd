"""What all documents are made of: how they are checked, and the values that stand in many of them."""

import json
import re
from typing import Annotated, Any, Self

import pydantic
from pydantic import Field

from jobs.errors import Invalid
from jobs.texts import check_json, check_text
from jobs.wording import wrong_fields

Scalar = str | int | float | bool | None
MAX_PARAMS_BYTES = 65536
KEY = r"^[A-Za-z0-9][A-Za-z0-9._:-]*$"
KEY_WANTED = "wanted letters, digits and . _ : -, a letter or digit first"


class Document(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", use_attribute_docstrings=True)

    @classmethod
    def parse(cls, raw: Any) -> Self:
        """Raises `Invalid` with one error per wrong field."""
        if not isinstance(raw, dict):
            raise Invalid.field("", "wanted an object of fields")
        try:
            return cls.model_validate(raw)
        except pydantic.ValidationError as error:
            raise Invalid(wrong_fields(error, {KEY: KEY_WANTED})) from None


def check_name(value: str) -> str:
    check_text(value)
    if not value.strip() or value != value.strip() or not value.isprintable():
        raise ValueError("wanted a printable name without blanks around it")
    if value.startswith("/") or value.isdigit():
        raise ValueError("must not start with '/' or be a number")
    if re.fullmatch(r"[0-9a-fA-F]{8}-?([0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}", value):
        raise ValueError("must not look like a UUID")
    return value


def check_params(value: dict[str, Any]) -> dict[str, Any]:
    check_json(value)
    if len(json.dumps(value, ensure_ascii=False).encode()) > MAX_PARAMS_BYTES:
        raise ValueError(f"must not exceed {MAX_PARAMS_BYTES} bytes")
    return value


Text = Annotated[str, pydantic.AfterValidator(check_text)]
Name = Annotated[str, Field(max_length=200), pydantic.AfterValidator(check_name)]
Key = Annotated[str, Field(min_length=1, max_length=64, pattern=KEY)]
JsonObject = Annotated[dict[str, Any], pydantic.AfterValidator(check_json)]
Params = Annotated[dict[str, Scalar], pydantic.AfterValidator(check_params)]
Seconds = Annotated[int, Field(ge=1, le=31_536_000)]
