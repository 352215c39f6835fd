"""What a document wants to be done, as steps of the hub: told by its own properties, which begin with `jobhub.`."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from jobs.errors import Invalid
from jobs.runners.base import Spec
from jobs.runners.export import ExportSpec
from jobs.runners.ingestion import IngestionSpec
from vendors.datameer.documents import OWN, Json, own_properties
from vendors.datameer.kinds import EXPORT_JOB, IMPORT_JOB, Kind

ACTIONS, SCHEDULE = "actions", "schedule"
OF_ALL = (ACTIONS, SCHEDULE)
"""The properties that any document may have, each a list of texts."""
DROP_RECORD = "DROP_RECORD"
ALL_OF_THEM = 10**9
SPECS: dict[Kind, type[Spec]] = {IMPORT_JOB: IngestionSpec, EXPORT_JOB: ExportSpec}
TEXTS = ("query", "source", "target", "strategy", "pk_field")
FORMATS = {".csv": "csv", ".parquet": "parquet"}
"""By the end of the target's path; every other file gets JSON Lines."""
INDEX = "index:"

Step = dict[str, Any]
Source = dict[str, Any]
FindSource = Callable[[str, str], Source]
"""A connection by its path or its uuid, as a spec's `source`. Raises `Unrunnable`."""


class Unrunnable(Exception):
    """The document is kept, and a run of it fails with this reason."""


def steps_of(kind: Kind, body: Json, find: FindSource) -> list[Step]:
    """The steps of a document; one that fails with the reason where it does not say enough.

    Raises `Invalid` for a property that cannot be.
    """
    own = own_properties(body)
    _refuse_unknown(kind, own)
    try:
        if ACTIONS in own:
            return [step for text in own[ACTIONS] for step in _steps(text)]
        if kind not in SPECS:
            raise Unrunnable(f"the document has no property {OWN}{ACTIONS} that says what is to be done")
        return [{"runner": kind.kind, "spec": _spec(kind, body, own, find)}]
    except Unrunnable as reason:
        return [{"runner": "fail", "spec": {"message": str(reason)}}]


def _refuse_unknown(kind: Kind, own: Mapping[str, list[str]]) -> None:
    known = sorted({*OF_ALL, *(SPECS[kind].model_fields if kind in SPECS else ())})
    for name, texts in own.items():
        if name not in known:
            raise Invalid.field(f"properties.{OWN}{name}", f"unknown; known: {', '.join(OWN + one for one in known)}")
        if name not in OF_ALL and len(texts) != 1:
            raise Invalid.field(f"properties.{OWN}{name}", "wanted one text")


def _steps(text: str) -> list[Any]:
    steps = _json(ACTIONS, text)
    return steps if isinstance(steps, list) else [steps]


def schedules_of(body: Json) -> list[Any] | None:
    """When the job runs by itself: Quartz expressions, or schedules of the hub as JSON. `None`: nothing is said."""
    texts = own_properties(body).get(SCHEDULE)
    if texts is None:
        return None
    return [_json(SCHEDULE, text) if text.startswith("{") else {"quartz": text} for text in texts]


def _json(name: str, text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise Invalid.field(f"properties.{OWN}{name}", "wanted JSON in a text") from None


def _spec(kind: Kind, body: Json, own: Mapping[str, list[str]], find: FindSource) -> dict[str, Any]:
    if missing := [name for name in ("query", "target") if name not in own]:
        names = " and ".join(OWN + name for name in missing)
        raise Unrunnable(f"the document has no property {names}: what is read, and where does it go?")
    given = {name: _value(name, texts[0]) for name, texts in own.items() if name not in OF_ALL}
    spec = {**_defaults(kind, body), **given}
    spec["source"] = _source(body, own, find)
    spec["target"] = _target(kind, body, own["target"][0], find)
    return spec


def _value(name: str, text: str) -> Any:
    """A text where the spec has one, else JSON."""
    return text if name in TEXTS else _json(name, text)


def _defaults(kind: Kind, body: Json) -> dict[str, Any]:
    """What the vendor's own fields say of it."""
    drops = kind is IMPORT_JOB and body.get("validationStrategy") == DROP_RECORD
    return {"max_errors": ALL_OF_THEM} if drops else {}


def _source(body: Json, own: Mapping[str, list[str]], find: FindSource) -> Any:
    """`jobhub.source`: a URL, the path of a connection, or JSON; without it the connection of an import."""
    text = own.get("source", [""])[0]
    if text.startswith("/"):
        return find(text, "")
    if text:
        return _json("source", text) if text.startswith("{") else text
    store = body.get("dataStore")
    if not isinstance(store, dict):
        raise Unrunnable(f"the document names no dataStore and has no property {OWN}source to read from")
    return find(str(store.get("path") or ""), str(store.get("uuid") or ""))


def _target(kind: Kind, body: Json, text: str, find: FindSource) -> Any:
    """A file's path, `index:<name>`, or JSON as the runner has it, with a `connection` where a table has a URL."""
    if text.startswith("{"):
        return _with_connection(_json("target", text), find)
    if text.startswith(INDEX) and kind is IMPORT_JOB:
        return {"index": text.removeprefix(INDEX)}
    end = next((end for end in FORMATS if text.endswith(end)), "")
    if kind is IMPORT_JOB or not end:
        return {"jsonl": text}
    return {"csv": _csv(text, body)} if FORMATS[end] == "csv" else {FORMATS[end]: text}


def _csv(path: str, body: Json) -> dict[str, Any]:
    """With the delimiter and the header of an export's document."""
    given = {"delimiter": body.get("delimiterString"), "header": body.get("includeHeader")}
    return {"path": path, **{name: value for name, value in given.items() if value is not None}}


def _with_connection(target: Any, find: FindSource) -> Any:
    table = target.get("table") if isinstance(target, dict) else None
    if not isinstance(table, dict) or "connection" not in table:
        return target
    rest = {name: value for name, value in table.items() if name != "connection"}
    return {**target, "table": {**find(str(table["connection"]), ""), **rest}}


def are_same(wanted: list[Any], actual: list[Json]) -> bool:
    """Whether steps, or schedules, are what a document says. What that leaves open, as a timeout, may be as it is."""
    if len(wanted) != len(actual):
        return False
    return all(
        isinstance(one, dict) and {name: its.get(name) for name in one} == one
        for one, its in zip(wanted, actual, strict=True)
    )


def properties_for(kind: Kind, steps: list[Step]) -> Json:
    """The properties that make a document say what a job does."""
    if [step.get("runner") for step in steps] == [kind.kind] and kind in SPECS:
        spec = steps[0]["spec"]
        return {f"{OWN}{name}": [_told(value)] for name, value in spec.items() if value is not None}
    if [step.get("runner") for step in steps] == ["fail"]:
        return {}
    return {f"{OWN}{ACTIONS}": [json.dumps(step) for step in steps]}


def schedule_property(schedules: list[Json]) -> Json:
    """The property that says when a job runs by itself; none for one that does not."""
    return {f"{OWN}{SCHEDULE}": [json.dumps(one) for one in schedules]} if schedules else {}


def _told(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
