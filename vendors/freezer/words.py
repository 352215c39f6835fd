"""Freezer's words: what `status` and `result` say of a run, and what an event asks for."""

from jobs.states import State
from vendors.wire.states import StateWords

SCHEDULED, RUNNING, COMPLETED, STOP, ABORTING = "scheduled", "running", "completed", "stop", "aborting"
SUCCESS, FAIL, ABORTED = "success", "fail", "aborted"
EVENTS = ("start", "stop", "abort")
START, ABORT = "start", "abort"
NEVER = -1
"""A time that has not come."""

STATES = StateWords(
    words={
        State.QUEUED: SCHEDULED,
        State.RUNNING: RUNNING,
        State.PAUSED: STOP,
        State.ABORTING: ABORTING,
        State.SUCCEEDED: COMPLETED,
        State.FAILED: COMPLETED,
        State.ABORTED: COMPLETED,
    },
    back={
        SCHEDULED: frozenset({State.QUEUED}),
        RUNNING: frozenset({State.RUNNING}),
        STOP: frozenset({State.PAUSED}),
        ABORTING: frozenset({State.ABORTING}),
        COMPLETED: frozenset({State.SUCCEEDED, State.FAILED, State.ABORTED}),
    },
)
RESULTS = {State.SUCCEEDED: SUCCESS, State.FAILED: FAIL, State.ABORTED: ABORTED}
STATE_OF_RESULT = {word: state for state, word in RESULTS.items()}
