"""Indices of an Elasticsearch as targets of an ingestion, written by the official client's bulk helper."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import unquote, urlsplit

from jobs import targets
from jobs.errors import RunFailed
from jobs.runners.context import Context
from jobs.runners.sql.place import Place
from jobs.runners.sql.sink import Drops
from jobs.runners.sql.spec import Index
from jobs.runners.sql.values import Record, Unwritable, dump, text_of

REQUEST_S = 10
MAX_CHUNK_BYTES = 8 * 1024 * 1024
MAX_ID_BYTES = 512
SETTING = "JOBHUB_ELASTICSEARCH_URL"

_url = ""


def configure(url: str) -> None:
    """Set where the indices of this process are; done once at start from the settings."""
    global _url
    _url = url


def client(login: tuple[str, str] | None) -> Any:
    """The official client, bound to the checked address of the configured server. Raises `RunFailed`.

    `login`: a name and a password instead of those in the setting.
    """
    from elastic_transport import Urllib3HttpNode
    from elasticsearch import Elasticsearch

    if not _url:
        raise RunFailed(f"there is no Elasticsearch: set {SETTING}")
    url = urlsplit(_url)
    port = url.port or (443 if url.scheme == "https" else 9200)
    target = targets.guard().resolve(url.hostname or "", port)

    class CheckedNode(Urllib3HttpNode):
        """Looks no name up again."""

        def __init__(self, config: Any) -> None:
            super().__init__(config)
            self.pool.host = target.addresses[0]
            if config.scheme == "https":
                self.pool.conn_kw["server_hostname"] = target.host
                self.pool.conn_kw["assert_hostname"] = target.host

    host = f"[{target.host}]" if ":" in target.host else target.host
    of_setting = (unquote(url.username), unquote(url.password or "")) if url.username else None
    return Elasticsearch(
        f"{url.scheme}://{host}:{port}{url.path}",
        basic_auth=login or of_setting,
        headers={"host": f"{host}:{port}"},
        node_class=CheckedNode,
        request_timeout=REQUEST_S,
        max_retries=0,
    )


@contextmanager
def _told(index: str, context: Context) -> Iterator[None]:
    from elasticsearch import ApiError, TransportError

    try:
        yield
    except (ApiError, TransportError) as error:
        context.raise_if_stopped()
        causes = list(_causes(error))
        raise RunFailed(f"cannot write to the index {index}: {causes[-1].splitlines()[0]}", causes=causes) from error


def _causes(error: Exception) -> Iterator[str]:
    """The client keeps the causes of a failed connection in a list of its own."""
    yield str(getattr(error, "message", "") or error)
    for inner in getattr(error, "errors", ())[:1]:
        yield from _causes(inner)


class IndexSink:
    """The index grows. Documents are named by their keys, so what comes again takes its own place."""

    def __init__(self, client: Any, spec: Index, drops: Drops, key: str | None) -> None:
        self.client = client
        self.index = spec.name
        self._drops = drops
        self._key = key

    def start(self, place: Place | None) -> Place:
        """An index that is gone is filled from the beginning."""
        return place if place and self.client.indices.exists(index=self.index) else Place()

    def write(self, records: list[Record]) -> None:
        from elasticsearch.helpers import streaming_bulk

        actions: list[Any] = [action for record in records if (action := self._action(record))]
        for is_fine, told in streaming_bulk(
            self.client,
            actions,
            chunk_size=max(1, len(actions)),
            max_chunk_bytes=MAX_CHUNK_BYTES,
            expand_action_callback=_expanded,
            raise_on_error=False,
            max_retries=3,
            initial_backoff=1,
        ):
            if not is_fine:
                self._drop(told["index"])

    def _action(self, record: Record) -> tuple[dict[str, Any], bytes] | None:
        header = {"_index": self.index}
        try:
            if self._key is not None:
                header["_id"] = self._id(record[self._key])
            return {"index": header}, dump(record)
        except Unwritable as error:
            self._drops.drop(record, str(error), self._key)
            return None

    def _id(self, value: Any) -> str:
        text = "" if value is None else text_of(value)
        if not 0 < len(text.encode()) <= MAX_ID_BYTES:
            raise Unwritable(f"a document needs a key of at most {MAX_ID_BYTES} bytes")
        return text

    def _drop(self, told: dict[str, Any]) -> None:
        error = told.get("error")
        reason = f"{error.get('type')}: {error.get('reason')}" if isinstance(error, dict) else str(error)
        self._drops.drop({self._key or "_id": told.get("_id")}, reason, self._key or "_id")

    def commit(self, place: Place) -> Place:
        return place

    def finish(self) -> None:
        """All was written: it may be found."""
        self.client.indices.refresh(index=self.index, ignore_unavailable=True)

    def give_up(self) -> None:
        """What was written stays; the next run overwrites it."""


class NewIndexSink(IndexSink):
    """A new index, to which the name becomes an alias at the end; in the same step the old one goes."""

    def __init__(self, client: Any, spec: Index, drops: Drops, key: str | None) -> None:
        super().__init__(client, spec, drops, key)
        self.spec = spec
        self.alias = spec.name

    def start(self, place: Place | None) -> Place:
        mine = [self.spec.staging(number) for number in (1, 2)]
        old = self._holders()
        self.index = next(name for name in mine if name not in old)
        self.client.indices.delete(index=self.index, ignore_unavailable=True)
        mappings = self._mappings()
        self.client.indices.create(index=self.index, **({"mappings": mappings} if mappings else {}))
        return Place(stream=place.stream) if place else Place()

    def _holders(self) -> list[str]:
        """The indices behind the alias; the name itself where it is an index."""
        if not self.client.indices.exists(index=self.alias):
            return []
        return sorted(self.client.indices.get(index=self.alias).body)

    def _mappings(self) -> dict[str, Any]:
        old = self._holders()
        return dict(self.client.indices.get_mapping(index=old[0]).body[old[0]]["mappings"]) if old else {}

    def commit(self, place: Place) -> Place:
        self.client.indices.refresh(index=self.index)
        actions: list[dict[str, Any]] = []
        for name in self._holders():
            is_own = name == self.alias or self.spec.is_staging(name)
            verb = {"remove_index": {"index": name}} if is_own else {"remove": {"index": name, "alias": self.alias}}
            actions.append(verb)
        self.client.indices.update_aliases(actions=[*actions, {"add": {"index": self.index, "alias": self.alias}}])
        self.index = self.alias
        return place

    def finish(self) -> None:
        """The alias is there already."""

    def give_up(self) -> None:
        if self.index != self.alias:
            self.client.indices.delete(index=self.index, ignore_unavailable=True)


def _expanded(action: Any) -> Any:
    """They are made as the helper wants them, so that it does not write the numbers in its own way."""
    return action


@contextmanager
def index_sink(spec: Index, drops: Drops, key: str | None, context: Context, *, replace: bool) -> Iterator[IndexSink]:
    login = (spec.user or "", context.secret(spec.password.secret)) if spec.password else None
    with _told(spec.name, context):
        server = client(login)
        sink = (NewIndexSink if replace else IndexSink)(server, spec, drops, key)
        try:
            yield sink
            sink.finish()
        except BaseException:
            with suppress(Exception):
                sink.give_up()
            raise
        finally:
            server.close()
