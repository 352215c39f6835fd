"""What an ingestion document says, as the spec of the hub's runner, and back."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from pydantic import AliasChoices, Field

from jobs.engine.documents import JsonObject, Text
from jobs.errors import Invalid
from jobs.paths import guard
from jobs.runners.sql.spec import INDEX_NAME, MAX_BATCH
from vendors.siren.documents import Loose
from vendors.siren.shapes import Row

STRATEGIES = {"REPLACE": "replace", "INCREMENT": "increment", "INCREMENTAL": "increment"}
WORDS = {"replace": "REPLACE", "increment": "INCREMENT"}
DS_CREDENTIALS, ES_CREDENTIALS = "ds_credentials", "es_credentials"
CREDENTIALS = (DS_CREDENTIALS, ES_CREDENTIALS)
FOLDER = "index"
"""Below VAR/data: what stands for indices where there is no Elasticsearch."""


class Credentials(Loose):
    username: Text | None = Field(None, max_length=200)
    password: Text | None = Field(None, max_length=1000)


class Input(Loose):
    source: Text = Field(min_length=1, max_length=200)


class Transform(Loose):
    input: list[Input] = Field(min_length=1, max_length=100)
    output: Text = Field(min_length=1, max_length=200)
    transform: Text | None = None

    @property
    def is_rename(self) -> bool:
        return len(self.input) == 1 and self.transform in (None, "", "copy")

    @property
    def source(self) -> str:
        return ", ".join(one.source for one in self.input)


class Ingest(Loose):
    """The example of the vendor's page says `enable_scheduler`, its list of parameters `enable_schedule`."""

    datasource: Text = Field(min_length=1, max_length=255)
    query: Text = Field(min_length=1)
    batch_size: int | None = Field(None, ge=1)
    schedule: Text | None = Field(None, max_length=200)
    enable_scheduler: bool = Field(False, validation_alias=AliasChoices("enable_scheduler", "enable_schedule"))
    target: Text = Field(pattern=INDEX_NAME)
    staging_prefix: Text | None = Field(None, pattern=INDEX_NAME)
    strategy: Text = "REPLACE"
    pk_field: Text | None = Field(None, min_length=1, max_length=200)
    mapping: JsonObject | None = None
    pipeline: Any = None
    transforms: list[Transform] = Field(default_factory=list, max_length=1000)
    ds_credentials: Credentials | None = None
    es_credentials: Credentials | None = None
    description: Text = Field("", max_length=10_000)

    def check(self) -> None:
        """What the types cannot say; raises `Invalid`."""
        if self.strategy.upper() not in STRATEGIES:
            raise Invalid.field("strategy", "wanted REPLACE or INCREMENT")

    @property
    def timetable(self) -> Row:
        return {"schedule": self.schedule, "enable_scheduler": self.enable_scheduler} if self.schedule else {}


# -- to the runner -----------------------------------------------------------------------------------------------------
def spec_of(ingest: Ingest, source: Any, passwords: Mapping[str, str]) -> Row:
    """`source` is the database as the runner takes it, `passwords` the secrets of the credentials that have one."""
    rename, vain = _rename(ingest)
    spec: Row = {
        "source": _with_login(source, ingest, passwords),
        "query": ingest.query,
        "strategy": STRATEGIES[ingest.strategy.upper()],
        "target": _target(ingest, passwords),
        "rename": rename,
        "warnings": [*_warnings(ingest), *vain],
    }
    if ingest.pk_field is not None:
        spec["pk_field"] = ingest.pk_field
    if ingest.batch_size is not None:
        spec["batch_size"] = min(ingest.batch_size, MAX_BATCH)
    return spec


def _with_login(source: Any, ingest: Ingest, passwords: Mapping[str, str]) -> Row:
    login = ingest.ds_credentials
    found: Row = {"url": source, "title": f"the datasource {ingest.datasource}"}
    if login and login.username:
        found["user"] = login.username
    if DS_CREDENTIALS in passwords:
        found["password"] = {"secret": passwords[DS_CREDENTIALS]}
    return found


def _target(ingest: Ingest, passwords: Mapping[str, str]) -> Row:
    if not settings.HUB["ELASTICSEARCH_URL"]:
        return {"jsonl": str(guard().data / FOLDER / f"{ingest.target}.jsonl")}
    index: Row = {"name": ingest.target}
    if ingest.staging_prefix:
        index["staging_prefix"] = ingest.staging_prefix
    if ES_CREDENTIALS in passwords:
        login = ingest.es_credentials
        index |= {"user": (login and login.username) or "", "password": {"secret": passwords[ES_CREDENTIALS]}}
    return {"index": index}


def _rename(ingest: Ingest) -> tuple[dict[str, str], list[str]]:
    """New names of columns, and what the transforms ask for beyond that."""
    rename: dict[str, str] = {}
    vain = []
    for one in ingest.transforms:
        if one.is_rename and one.source not in rename and one.output not in rename.values():
            rename[one.source] = one.output
        else:
            vain.append(f"the transform {one.transform or 'copy'} of {one.source} to {one.output} is not applied")
    return {source: output for source, output in rename.items() if source != output}, vain[:90]


def _warnings(ingest: Ingest) -> Iterator[str]:
    if ingest.mapping:
        yield "the mapping is not applied: the target keeps its own"
    if ingest.pipeline:
        yield "the pipeline is not applied"
    if ingest.batch_size and ingest.batch_size > MAX_BATCH:
        yield f"batch_size is {MAX_BATCH}: there is no larger one"
    if ingest.es_credentials and not settings.HUB["ELASTICSEARCH_URL"]:
        yield "es_credentials are not used: the target is a file"


# -- from the runner ---------------------------------------------------------------------------------------------------
def said_by(spec: Row) -> Row:
    """What a runner's spec says in the words of a document; nothing for a spec of another runner.

    Renamings are sorted: PostgreSQL's JSON forgets their order.
    """
    if "query" not in spec:
        return {}
    said = {
        "query": spec["query"],
        "batch_size": spec.get("batch_size"),
        "target": _target_name(spec["target"]),
        "strategy": WORDS[spec.get("strategy", "replace")],
        "pk_field": spec.get("pk_field"),
        "transforms": [
            {"input": [{"source": old}], "output": new} for old, new in sorted(spec.get("rename", {}).items())
        ],
    }
    return {name: value for name, value in said.items() if value not in (None, [])}


def _target_name(target: Row) -> str:
    index = target.get("index")
    if index:
        return index if isinstance(index, str) else index["name"]
    if "table" in target:
        return str(target["table"]["table"])
    return Path(target["jsonl"]).stem
