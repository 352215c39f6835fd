"""The machines behind the clients: when they were heard of, and how often they ask."""

import math
from datetime import timedelta

from django.utils import timezone

from jobs.engine.report import register_node
from jobs.models import Node
from jobs.models.prepared import Prepared

DEFAULT_S = 60
"""What a scheduler takes where nothing else is said."""
LONGEST_S = 3600
FORGETS = 0.8
"""How much of an interval is left after a shorter one: a scheduler that is started anew asks twice at once."""
_NODE = Prepared(Node.objects.values("seen_at", "interval_s"), "name")


def greet(client_id: str) -> None:
    """It registers, or reports. Raises `Conflict` for the name of a node of the hub's own."""
    known = _NODE.first(client_id)
    register_node(client_id, interval_s=known["interval_s"] if known and known["interval_s"] else DEFAULT_S)


def note_poll(client_id: str, *, is_one: bool) -> None:
    """It has asked for its jobs; how often it does is learnt from when it did. `is_one`: it has jobs; who has none and
    never registered is no node."""
    known = _NODE.first(client_id)
    if known is None and is_one:
        register_node(client_id, interval_s=DEFAULT_S)
    elif known and known["interval_s"]:
        silent = timezone.now() - known["seen_at"]
        register_node(client_id, interval_s=learnt(known["interval_s"], silent))


def learnt(interval_s: int, silent: timedelta) -> int:
    """The interval after such a silence. One that is longer than ten intervals was an absence."""
    seconds = math.ceil(silent.total_seconds())
    if seconds > 10 * interval_s:
        return interval_s
    return max(1, min(LONGEST_S, max(seconds, math.ceil(interval_s * FORGETS))))
