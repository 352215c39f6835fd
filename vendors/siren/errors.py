"""What went wrong, in Elasticsearch's words."""

from typing import Any

from vendors.wire.problems import ErrorRow, Kind, Problem

ILLEGAL_ARGUMENT = "illegal_argument_exception"
STATUS = "status_exception"
SECURITY = "security_exception"
ERRORS = {
    Kind.INVALID: ErrorRow(400, ILLEGAL_ARGUMENT),
    Kind.MALFORMED: ErrorRow(400, "parse_exception"),
    Kind.UNAUTHENTICATED: ErrorRow(401, SECURITY),
    Kind.FORBIDDEN: ErrorRow(403, SECURITY),
    Kind.NOT_FOUND: ErrorRow(404, "resource_not_found_exception"),
    Kind.NO_ROUTE: ErrorRow(400, ""),
    Kind.METHOD: ErrorRow(405, ""),
    Kind.CONFLICT: ErrorRow(409, "version_conflict_engine_exception"),
    Kind.HELD: ErrorRow(409, STATUS),
    Kind.BUSY: ErrorRow(409, STATUS),
    Kind.ILLEGAL_MOVE: ErrorRow(409, STATUS),
    Kind.STALE: ErrorRow(409, "version_conflict_engine_exception"),
    Kind.TOO_LARGE: ErrorRow(413, STATUS),
    Kind.MEDIA_TYPE: ErrorRow(400, "parse_exception"),
    Kind.THROTTLED: ErrorRow(429, "es_rejected_execution_exception"),
    Kind.UNAVAILABLE: ErrorRow(503, "unavailable_shards_exception"),
    Kind.BUG: ErrorRow(500, "exception"),
}
CONNECTOR = "_siren/connector/"
UNMENTIONED = {"HEAD", "OPTIONS"}
VERBS = {"GET": "get", "HEAD": "get", "PUT": "put", "DELETE": "delete", "POST": "put"}


def error_body(problem: Problem, row: ErrorRow) -> dict[str, Any]:
    if problem.kind is Kind.NO_ROUTE:
        return {"error": f"no handler found for uri [{problem.uri}] and method [{problem.method}]"}
    if problem.kind is Kind.METHOD:
        return {"error": _wrong_method(problem), "status": row.status}
    cause = {"type": row.code, "reason": _reason(problem)}
    return {"error": {"root_cause": [cause], **cause}, "status": row.status}


def _wrong_method(problem: Problem) -> str:
    allowed = ", ".join(method for method in problem.allowed if method not in UNMENTIONED)
    return f"Incorrect HTTP method for uri [{problem.uri}] and method [{problem.method}], allowed: [{allowed}]"


def _reason(problem: Problem) -> str:
    if problem.kind is Kind.UNAUTHENTICATED:
        return f"missing authentication credentials for REST request [{problem.uri}]"
    if problem.kind is Kind.FORBIDDEN and problem.user:
        return f"action [{_action(problem)}] is unauthorized for user [{problem.user}]"
    return problem.detail


def _action(problem: Problem) -> str:
    """The name of what was asked for, as the connector's permissions call it (10.3.0, data reflection, security)."""
    noun, *rest = problem.path.partition(CONNECTOR)[2].strip("/").split("/")
    last = rest[-1] if rest else ""
    verb = last.removeprefix("_") if last.startswith("_") else VERBS.get(problem.method, "get")
    if noun == "index":
        return f"indices:admin/federate/connector/{verb}"
    return f"cluster:admin/federate/connector/{'datasource' if noun == 'datasources' else noun}/{verb}"
