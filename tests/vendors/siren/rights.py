"""Who may do what through the connector."""

from typing import Any

from jobs.engine.rights import Actor, operator
from jobs.models import JobExecution
from jobs.paths import guard
from tests.vendors.rights import ANYBODY, EDIT, LOGGED_IN, SEE, TRIGGER, Need, Row
from vendors.siren.datasources import DATASOURCES
from vendors.siren.indices import INDICES

TYPE, JOB, ID = r"(?P<type>[^/_][^/]*)", r"(?P<id>.+?)", r"(?P<id>[^/_].*?)"


def siren(method: str, path: str, need: Need, tried: str = "", **more: Any) -> Row:
    """`path` and `tried` are below the connector; in `path` stand the expressions of the URL table."""
    place = "_siren/connector/"
    more = {"job": {"kind": "ingestion"}, "prepare": documents, **more}
    return Row(method=method, route=f"^{place}{path}/?$", need=need, path=f"/{place}{tried or path}", **more)


def actor_in(execution: JobExecution) -> Actor:
    return operator("siren", execution.project)


def documents(execution: JobExecution) -> None:
    """A datasource and a virtual index in the project `alpha`."""
    DATASOURCES.put("shop", database(), actor=actor_in(execution), create_only=False)
    INDICES.put("shop", INDEX, actor=actor_in(execution), create_only=False)


def database() -> dict[str, Any]:
    return {"jdbc": {"url": f"jdbc:sqlite:{guard().data}/none.db"}}


INGESTION = {"ingest": {"datasource": "shop", "query": "SELECT 1 AS id", "target": "events"}}
INDEX = {"datasource": "shop", "resource": "events"}
SOURCES = "datasources?"
ROWS = [
    Row(method="get", route="^$", need=ANYBODY, path="/siren/"),
    siren("get", "jobs/_search", LOGGED_IN),
    siren("get", f"jobs/{TYPE}", LOGGED_IN, "jobs/ingestion"),
    siren("get", f"jobs/{TYPE}/{JOB}", SEE, "jobs/ingestion/{job.name}"),
    siren("post", f"jobs/{TYPE}/{JOB}/_abort", EDIT, "jobs/ingestion/{job.name}/_abort"),
    siren("get", "ingestion/_search", LOGGED_IN),
    siren("get", f"ingestion/{ID}", SEE, "ingestion/{job.name}"),
    siren("put", f"ingestion/{ID}", EDIT, "ingestion/made", status=201, body=INGESTION, stranger=400),
    siren("delete", f"ingestion/{ID}", EDIT, "ingestion/{job.name}"),
    siren("post", f"ingestion/{ID}/_run", TRIGGER, "ingestion/{job.name}/_run"),
    siren("get", f"{SOURCES}/_search", LOGGED_IN, "datasource/_search"),
    siren("get", f"{SOURCES}/{ID}", SEE, "datasource/shop", stranger=404),
    siren("put", f"{SOURCES}/{ID}", EDIT, "datasource/made", status=201, body={"elastic": {"alias": "x"}}),
    siren("delete", f"{SOURCES}/{ID}", EDIT, "datasource/shop", stranger=404),
    siren("post", f"{SOURCES}/{ID}/_validate", EDIT, "datasource/shop/_validate", status=400, stranger=404),
    siren("get", "index/_search", LOGGED_IN),
    siren("get", f"index/{ID}", SEE, "index/shop", stranger=404),
    siren("put", f"index/{ID}", EDIT, "index/made", status=201, body=INDEX),
    siren("delete", f"index/{ID}", EDIT, "index/shop", stranger=404),
]
