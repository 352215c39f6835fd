"""The parts of specs that name databases, tables and files."""

from dataclasses import replace
from typing import Annotated, Any

import pydantic

from jobs import sources
from jobs.errors import Invalid, RunFailed
from jobs.paths import guard
from jobs.runners.base import Secretable, SecretRef, Spec
from jobs.runners.context import Context
from jobs.sources import SqlUrl

Name = Annotated[str, pydantic.Field(min_length=1, max_length=200)]
MAX_BATCH = 10_000
BatchSize = Annotated[int, pydantic.Field(ge=1, le=MAX_BATCH)]
INDEX_NAME = r"^[a-z0-9][a-z0-9._-]{0,200}$"


class Database(Spec):
    """A database: its URL, or the secret that holds the whole URL, and the secret that holds only the password."""

    url: Secretable
    user: str | None = None
    """Instead of the URL's."""
    password: SecretRef | None = None
    title: Annotated[str, pydantic.Field(max_length=300)] = ""
    """What people call it: told instead of its place, which is masked where the URL is a secret."""

    def check(self, field: str) -> SqlUrl | None:
        """What it is as far as it can be said without secrets; raises `Invalid`."""
        return sources.parse(self.url, field=field) if isinstance(self.url, str) else None

    def resolve(self, context: Context, what: str) -> SqlUrl:
        """The database with its password. Raises `RunFailed` naming `what` (the source, the target)."""
        is_secret = not isinstance(self.url, str)
        text = self.url if isinstance(self.url, str) else context.secret(self.url.secret)
        try:
            url = sources.parse(text, field=what, is_secret=is_secret)
        except Invalid as error:
            raise RunFailed(error.message) from None
        if self.user is not None:
            url = replace(url, user=self.user)
        return replace(url, password=context.secret(self.password.secret)) if self.password else url


def _database(value: Any) -> Any:
    """A bare URL, or a bare secret, is the database's `url`."""
    is_bare = isinstance(value, str) or (isinstance(value, dict) and value.keys() == {"secret"})
    return {"url": value} if is_bare else value


Source = Annotated[Database, pydantic.BeforeValidator(_database)]


class Table(Database):
    """A table of a database; it is made from the first rows when it does not exist."""

    table: Annotated[str, pydantic.Field(pattern=r"^[^\W\d][\w$]{0,62}(\.[^\W\d][\w$]{0,62})?$")]
    """`name` or `schema.name`."""

    @property
    def name(self) -> str:
        return self.table.rpartition(".")[2]

    @property
    def identity(self) -> str:
        """Which table it is, whoever asks for it."""
        url = self.check("url")
        return f"{url.place if url else self.url} {self.table}"

    @property
    def schema_name(self) -> str | None:
        return self.table.rpartition(".")[0] or None


class Index(Spec):
    """An index of the Elasticsearch at JOBHUB_ELASTICSEARCH_URL."""

    name: Annotated[str, pydantic.Field(pattern=INDEX_NAME)]
    staging_prefix: Annotated[str, pydantic.Field(pattern=INDEX_NAME)] | None = None
    """What the names of the indices that replace it begin with."""
    user: str | None = None
    """Who writes, instead of the user in the setting."""
    password: SecretRef | None = None

    def staging(self, number: int) -> str:
        return f"{self._staging}{number}"

    def is_staging(self, name: str) -> bool:
        """Whether an index is one that a run has made, with this prefix or without."""
        return name.startswith((self._staging, f"{self.name}-jobhub-"))

    @property
    def _staging(self) -> str:
        return f"{f'{self.staging_prefix}-' if self.staging_prefix else ''}{self.name}-jobhub-"


def _index(value: Any) -> Any:
    """A bare name is an index's `name`."""
    return {"name": value} if isinstance(value, str) else value


AnIndex = Annotated[Index, pydantic.BeforeValidator(_index)]


def check_file(path: str, field: str) -> None:
    """What can be said of a file that a run will write; raises `Invalid`."""
    if path.endswith("/"):
        raise Invalid.field(field, "wanted the path of a file, not of a folder")
    guard().check(path, field=field, tree=False)


def only_one(spec: Spec) -> Spec:
    """A validator: exactly one field of the spec is given."""
    given = [name for name in type(spec).model_fields if getattr(spec, name) is not None]
    if len(given) != 1:
        raise ValueError(f"wanted one of {', '.join(type(spec).model_fields)}")
    return spec


def check_rename(rename: dict[str, str]) -> None:
    if len(set(rename.values())) < len(rename):
        raise Invalid.field("rename", "two columns get the same name")
