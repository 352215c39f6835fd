"""What is wrong with a value is told by what was wanted."""

from datetime import datetime
from typing import Annotated, Literal, get_args

import pydantic
import pytest
from pydantic import Field
from pydantic_core.core_schema import ErrorType

from jobs.wording import WORDS, wrong_fields


def test_pydantic_knows_each_type() -> None:
    assert set(WORDS) <= set(get_args(ErrorType))


class Form(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid")

    name: str
    n: Annotated[int, Field(ge=1)] = 1
    tags: Annotated[list[str], Field(max_length=2)] = []
    on: Literal["success", "failure"] = "success"
    key: Annotated[str, Field(pattern="^a$", min_length=1, max_length=3)] = "a"
    share: Annotated[float, Field(gt=0, lt=1)] = 0.5
    at: datetime | None = None


@pytest.mark.parametrize(
    ("given", "field", "words"),
    [
        ({}, "name", "this field is required"),
        ({"name": "x", "m": 1}, "m", "unknown field"),
        ({"name": 5}, "name", "wanted a text"),
        ({"name": "x", "n": 0}, "n", "wanted at least 1"),
        ({"name": "x", "n": "many"}, "n", "wanted a whole number"),
        ({"name": "x", "tags": "a"}, "tags", "wanted a list"),
        ({"name": "x", "tags": ["a", 1]}, "tags.1", "wanted a text"),
        ({"name": "x", "tags": ["a", "b", "c"]}, "tags", "wanted a length of at most 2"),
        ({"name": "x", "on": "end"}, "on", "wanted 'success' or 'failure'"),
        ({"name": "x", "key": "b"}, "key", "wanted an a"),
        ({"name": "x", "key": ""}, "key", "wanted a length of at least 1"),
        ({"name": "x", "key": "aaaa"}, "key", "wanted a length of at most 3"),
        ({"name": "x", "share": 0}, "share", "wanted more than 0"),
        ({"name": "x", "share": 1}, "share", "wanted less than 1"),
        ({"name": "x", "at": "soon"}, "at", "wanted a time such as 2027-03-01T06:00:00Z"),
    ],
)
def test_it_names_the_field_and_what_was_wanted(given: dict[str, object], field: str, words: str) -> None:
    with pytest.raises(pydantic.ValidationError) as raised:
        Form.model_validate(given)
    assert [(one.field, one.message) for one in wrong_fields(raised.value, {"^a$": "wanted an a"})] == [(field, words)]
