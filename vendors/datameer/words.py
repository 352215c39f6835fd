"""Datameer's words for where an execution stands."""

from typing import Any

from jobs.states import State
from vendors.wire.states import StateWords

QUEUED, WAITING, RUNNING = "QUEUED", "WAITING_FOR_OTHER_JOB", "RUNNING"
COMPLETED, WARNED = "COMPLETED", "COMPLETED_WITH_Warnings"
"""The second is V1's spelling, which its clients compare letter by letter; V2 writes it in capitals."""
ERROR, CANCELED, NONE = "ERROR", "CANCELED", "_NONE"

WORDS = {
    State.QUEUED: QUEUED,
    State.RUNNING: RUNNING,
    State.PAUSED: QUEUED,
    State.ABORTING: RUNNING,  # any other word ends the loops of those who wait for the end
    State.SUCCEEDED: COMPLETED,
    State.FAILED: ERROR,
    State.ABORTED: CANCELED,
}
STATES = StateWords(
    words=WORDS,
    back={
        **{word: frozenset(state for state, its in WORDS.items() if its == word) for word in WORDS.values()},
        WAITING: frozenset({State.QUEUED}),
        WARNED: frozenset({State.SUCCEEDED}),
    },
)


def word_v1(row: dict[str, Any], *, waits: bool) -> str:
    """`waits`: another run keeps it from starting."""
    state = State(row["state"])
    if state is State.QUEUED and waits:
        return WAITING
    return WARNED if state is State.SUCCEEDED and row["n_warnings"] else WORDS[state]


def word_v2(row: dict[str, Any], *, waits: bool) -> str:
    return word_v1(row, waits=waits).upper()
