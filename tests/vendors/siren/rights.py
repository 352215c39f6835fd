"""Who may do what through the connector."""

from typing import Any

from tests.vendors.rights import ANYBODY, EDIT, LOGGED_IN, SEE, Need, Row

TYPE, JOB, ID = r"(?P<type>[^/_][^/]*)", r"(?P<id>.+?)", r"(?P<id>[^/_].*?)"


def siren(method: str, path: str, need: Need, tried: str = "", **more: Any) -> Row:
    """`path` and `tried` are below the connector; in `path` stand the expressions of the URL table."""
    place = "_siren/connector/"
    more = {"job": {"kind": "ingestion"}, **more}
    return Row(method=method, route=f"^{place}{path}/?$", need=need, path=f"/{place}{tried or path}", **more)


ROWS = [
    Row(method="get", route="^$", need=ANYBODY, path="/siren/"),
    siren("get", "jobs/_search", LOGGED_IN),
    siren("get", f"jobs/{TYPE}", LOGGED_IN, "jobs/ingestion"),
    siren("get", f"jobs/{TYPE}/{JOB}", SEE, "jobs/ingestion/{job.name}"),
    siren("post", f"jobs/{TYPE}/{JOB}/_abort", EDIT, "jobs/ingestion/{job.name}/_abort"),
]
