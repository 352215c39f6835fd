"""The calls that start jobs: which job of the database each one starts, and who may.

A database is the first segment of job names: `PUT /databases/VMart?action=stop` starts the job `VMart/stop`.
Levels, parameters and the words of the ids are the vendor's (Management API reference, 10.1 and 12.0, November 2026);
those of calls that it only lists are ours.
"""

from dataclasses import dataclass, replace

from jobs.engine.rights import Right


@dataclass(frozen=True)
class Call:
    """Starts the job `<database>/<job>`; the answer's id begins with `verb`."""

    verb: str
    job: str
    need: Right = Right.TRIGGER
    required: tuple[str, ...] = ()


START = Call("StartDatabase", "start")
STOP = Call("StopDatabase", "stop")
REBALANCE = Call("RebalanceData", "rebalance")
ANALYZE = Call("AnalyzeWorkload", "analyze")
CREATE = Call("CreateDatabase", "create", Right.ADMIN, ("name",))
DROP = Call("DropDatabase", "drop", Right.ADMIN)
ADD_HOST = Call("AddHostToDatabase", "add-host", Right.ADMIN, ("hostname",))
REMOVE_HOST = Call("RemoveHostFromDatabase", "remove-host", Right.ADMIN)
START_HOST = Call("StartHost", "start-host")
STOP_HOST = Call("StopHost", "stop-host")
REPLACE_HOST = Call("ReplaceHost", "replace-host", Right.ADMIN)
ALL = (START, STOP, REBALANCE, ANALYZE, CREATE, DROP, ADD_HOST, REMOVE_HOST, START_HOST, STOP_HOST, REPLACE_HOST)

ACTIONS = {
    "start": replace(START, need=Right.EDIT),
    "stop": replace(STOP, need=Right.EDIT),
    "rebalance": replace(REBALANCE, need=Right.EDIT),
    "workload analyzer": replace(ANALYZE, need=Right.EDIT),
}
"""`PUT /databases/:db?action=…` wants a key of level normal."""
NEVER_PASSED = frozenset({"passwd", "password"})
"""Database passwords that clients send along: the hub's jobs have their own, so these go no further."""
