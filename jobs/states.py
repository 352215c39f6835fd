"""The states of an execution and the one table of moves between them."""

from enum import StrEnum


class State(StrEnum):
    """Where an execution stands. Each vendor's words are total maps from these."""

    QUEUED = "queued"
    """A row exists and no worker has it; also while it waits for another run, its time, a slot or a hold."""
    RUNNING = "running"
    """One worker (or one remote node) has it."""
    PAUSED = "paused"
    """It saved its checkpoint and left its worker."""
    ABORTING = "aborting"
    """Someone asked for its end and the runner has not stopped yet."""
    SUCCEEDED = "succeeded"
    """It did what was asked, perhaps with warnings."""
    FAILED = "failed"
    """It ended with an error."""
    ABORTED = "aborted"
    """It ended because someone asked for it."""


MOVES: dict[State, frozenset[State]] = {
    State.QUEUED: frozenset({State.RUNNING, State.ABORTED, State.FAILED}),
    State.RUNNING: frozenset({State.SUCCEEDED, State.FAILED, State.ABORTING, State.PAUSED, State.QUEUED}),
    State.PAUSED: frozenset({State.QUEUED, State.ABORTED, State.FAILED}),
    State.ABORTING: frozenset({State.ABORTED, State.FAILED, State.SUCCEEDED}),
    State.SUCCEEDED: frozenset(),
    State.FAILED: frozenset(),
    State.ABORTED: frozenset(),
}

FINAL = frozenset(state for state, targets in MOVES.items() if not targets)
ACTIVE = frozenset(MOVES) - FINAL
LIVE = frozenset({State.RUNNING, State.ABORTING})
"""The states in which a worker (or a remote node) may be at work: they hold a slot and a lease."""


def sources(to: State) -> frozenset[State]:
    """The states from which an execution may move to `to`."""
    return frozenset(state for state, targets in MOVES.items() if to in targets)
