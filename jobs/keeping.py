"""How long ended executions are kept: the rules of a job, and what they say about one state.

`keep` is `{"days": 30, "last": 10, "failed": {"days": 365}}`: a rule for all ended executions of the job, and rules of
their own for single states. With `days` one stays until it is so old, with `last` while it is among so many newest
ones; with both, as long as either holds. `days: 0` is for ever. Where a job says nothing, the hub's settings count.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from jobs.states import FINAL

Keep = Mapping[str, Any]
RULE = ("days", "last")
ENDS = sorted(state.value for state in FINAL)


@dataclass(frozen=True)
class Rule:
    """For the executions that ended in one of these states. `None`: not by this."""

    states: tuple[str, ...]
    days: int | None
    last: int | None

    def expiry(self, finished_at: datetime) -> datetime | None:
        """From when on only their number keeps it; `None`: it is kept for ever."""
        if self.days is None and self.last is not None:
            return finished_at
        return finished_at + timedelta(days=self.days) if self.days else None


def rule_of(keep: Keep, state: str, *, days: int, last: int) -> Rule:
    """The rule for one state; `days` and `last` are the hub's, for a job that has none."""
    if own := keep.get(state):
        return Rule((state,), own.get("days"), own.get("last"))
    states = tuple(one for one in ENDS if not keep.get(one))
    given = {name: keep.get(name) for name in RULE}
    if given["days"] is None and given["last"] is None:
        return Rule(states, days, last)
    return Rule(states, given["days"], given["last"])


def rules_of(keep: Keep, *, days: int, last: int) -> list[Rule]:
    """All of them; every final state is in exactly one."""
    return list(dict.fromkeys(rule_of(keep, state.value, days=days, last=last) for state in sorted(FINAL)))
