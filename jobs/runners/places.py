"""Places in a spec that are filled when it runs, and JSON pointers into answers.

A place is written exactly `{{params.name}}` (what the trigger brought along), `{{answer/a/0}}` (a JSON pointer into an
earlier answer) or `{{header.name}}` (one of its headers). There are two ways to fill one, and neither can change what
stands around it:
- in the path or query of a URL, where the value is quoted, so that it stays one piece of it;
- as a whole text in JSON, which becomes the value with its type.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote

from jobs.errors import Invalid, RunFailed
from jobs.runners.base import is_secret_ref
from jobs.runners.context import Context

PLACE = re.compile(r"\{\{(?:(params|header)\.([^{}/]+)|(answer)((?:/[^{}/]*)*))\}\}")
ANY_PLACE = re.compile(r"\{\{\s*(?:params|header|answer)\b")
BEFORE_PATH = re.compile(r"https?://[^/?#{}]+[/?#]", re.IGNORECASE)
POINTER = re.compile(r"(/([^~/]|~[01])*)*")
MISSING = object()
ADVICE = "a place stands in the path or query of a URL, or is a whole text in JSON"


@dataclass(frozen=True)
class Values:
    """What places can be filled with."""

    params: Mapping[str, Any] = field(default_factory=dict)
    answer: Any = MISSING
    header: Mapping[str, str] = field(default_factory=dict)
    """By names in lower case."""

    def find(self, match: re.Match[str]) -> Any:
        """Raises `RunFailed` for what is not there."""
        if match[1] == "params":
            value = self.params.get(match[2], MISSING)
        elif match[1] == "header":
            value = self.header.get(match[2].lower(), MISSING)
        else:
            value = pointed(self.answer, match[4])
        if value is MISSING:
            raise RunFailed(f"there is nothing to put in the place of {match[0]}")
        return value


def pointed(document: Any, pointer: str) -> Any:
    """What a JSON pointer (RFC 6901) shows, or `MISSING`."""
    for part in pointer.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(document, dict):
            document = document.get(key, MISSING)
        elif isinstance(document, list) and re.fullmatch("0|[1-9][0-9]{0,8}", key) and int(key) < len(document):
            document = document[int(key)]
        else:
            return MISSING
    return document


# -- when it is saved --------------------------------------------------------------------------------------------------
def check_places(text: str, sources: Collection[str], *, field: str) -> None:
    """Only whole places, and only of what there is to fill them; raises `Invalid`."""
    if ANY_PLACE.search(PLACE.sub("", text)):
        raise Invalid.field(field, "wanted {{params.name}}, {{answer/pointer}} or {{header.name}}, without blanks")
    for match in PLACE.finditer(text):
        if (match[1] or match[3]) not in sources:
            raise Invalid.field(field, f"there is no answer yet that {match[0]} could be of")


def check_url_places(text: str, sources: Collection[str], *, field: str) -> None:
    """Places in path and query; one of an answer may also be the whole URL. Never the host: who may start a job may
    not choose where it goes."""
    check_places(text, sources, field=field)
    if PLACE.search(text) and not is_given_by_answer(text) and not BEFORE_PATH.match(text):
        raise Invalid.field(field, "a place must not be the host of a URL, or stand before its path")


def is_given_by_answer(text: str) -> bool:
    """Whether the whole URL is a place that an answer fills."""
    match = PLACE.fullmatch(text)
    return match is not None and match[1] != "params"


def check_json_places(value: Any, sources: Collection[str], *, field: str) -> None:
    """Whole texts only; raises `Invalid`."""
    if isinstance(value, str):
        check_places(value, sources, field=field)
        if PLACE.search(value) and not PLACE.fullmatch(value):
            raise Invalid.field(field, ADVICE)
    elif isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            check_json_places(item, sources, field=f"{field}.{key}")


def refuse_places(text: str, *, field: str) -> None:
    """Where a value would be raw text."""
    if ANY_PLACE.search(text):
        raise Invalid.field(field, f"no place can be filled here: {ADVICE}")


# -- when it runs ------------------------------------------------------------------------------------------------------
def filled_url(text: str, values: Values) -> str:
    """Raises `RunFailed` for a value that would lead to another path than the one that was meant."""
    if is_given_by_answer(text):
        return _scalar(PLACE.fullmatch(text), values)
    path, mark, query = text.partition("?")
    url = PLACE.sub(lambda match: _piece(match, values), path)
    if any(part in (".", "..") for part in re.split(r"[/\\]", unquote(url))):
        raise RunFailed("a part of the path would be '.' or '..', which leads elsewhere")
    return url + mark + PLACE.sub(lambda match: quote(_scalar(match, values), safe=""), query)


def filled_json(value: Any, values: Values, context: Context) -> Any:
    """With secrets put in as well, in the same walk: what an answer brings along is never taken for the name of one."""
    if isinstance(value, str):
        match = PLACE.fullmatch(value)
        return values.find(match) if match else value
    if isinstance(value, list):
        return [filled_json(item, values, context) for item in value]
    if not isinstance(value, dict):
        return value
    if is_secret_ref(value):
        return context.secret(value["secret"])
    return {name: filled_json(item, values, context) for name, item in value.items()}


def _piece(match: re.Match[str], values: Values) -> str:
    text = _scalar(match, values)
    if not text:
        raise RunFailed(f"{match[0]} is empty, and would lead to another path")
    return quote(text, safe="")


def _scalar(match: re.Match[str] | None, values: Values) -> str:
    assert match
    value = values.find(match)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return str(value)
    raise RunFailed(f"{match[0]} is no text, number or boolean, and cannot be a part of a URL")
