"""The hub's own workers as Freezer's clients: each node is a central one, and does what its runners can do.

No scheduler can take such a client's place: its own id would begin with a project's, and `hub` is no project's id.
"""

import re
import shlex
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings

from jobs.models import JobAction, Node
from jobs.runners.archive.compress import Compression
from vendors.freezer.errors import Refusal, unsuitable

Json = dict[str, Any]
PREFIX = "hub_"
NO_NODE = f"{PREFIX}none"
SUPPORTED = {
    "actions": ["backup", "restore", "info", "admin", "exec"],
    "modes": ["fs"],
    "storages": ["local"],
    "engines": ["tar"],
}
UNLIMITED_DAYS = 36_500
NOTHING_TO_SAY = frozenset(
    {
        *("action", "mode", "storage", "engine_name", "engine", "backup_media", "hostname", "client_id", "action_id"),
        *("log_file", "log_level", "priority", "max_priority", "timeout", "sync", "quiet", "metadata_out", "config"),
        *("max_segment_size", "consistency_check", "consistency_checksum", "insecure", "overwrite", "dry_run"),
    }
)
"""What tells the agent how to work and changes nothing here; or has been looked at before."""
OF_ACTION = {
    "backup": frozenset(
        {
            *("path_to_backup", "container", "backup_name", "exclude", "compression"),
            *("max_level", "always_level", "restart_always_level", "no_incremental", "incremental"),
        }
    ),
    "restore": frozenset({"container", "backup_name", "restore_abs_path", "restore_from_date", "path_to_backup"}),
    "info": frozenset({"container", "backup_name"}),
    "admin": frozenset({"container", "backup_name", "remove_older_than"}),
    "exec": frozenset({"command", "container", "backup_name"}),
}
DONE_OTHERWISE = ("dry_run", "overwrite")
"""They would be noticed if they were passed over."""
COMPRESSIONS: dict[str, Compression] = {"": "gzip", "gzip": "gzip", "zstd": "zstd", "none": "none"}


# -- clients -----------------------------------------------------------------------------------------------------------
def own_nodes() -> Iterator[Node]:
    yield from Node.objects.filter(interval_s=0)


def client_id_of(node: str) -> str:
    """What stands in a client's id is less than what may stand in a name."""
    hosts = [re.sub(r"[^A-Za-z0-9-]", "-", part).strip("-")[:63] or "x" for part in node.split(".")]
    return f"{PREFIX}{'.'.join(hosts)}"


def client_of_any(nodes: Iterable[Node]) -> str:
    """The client of whatever node: for jobs that are bound to none."""
    first = next(iter(nodes), None)
    return client_id_of(first.name) if first else NO_NODE


def is_own(client_id: str) -> bool:
    return client_id.startswith(PREFIX)


def node_of(client_id: str) -> Node | None:
    return next((node for node in own_nodes() if client_id_of(node.name) == client_id), None)


def client_json(node: Node, project: str) -> Json:
    return {
        "project_id": project,
        "user_id": "hub",
        "client": {
            "uuid": node.uuid.hex,
            "hostname": node.name,
            "client_id": client_id_of(node.name),
            "is_central": True,
            "description": "a node of the hub's own workers",
            **{f"supported_{name}": words for name, words in SUPPORTED.items()},
        },
    }


# -- what they do ------------------------------------------------------------------------------------------------------
def engine_action(action: Json, said: Json, client_id: str) -> Json:
    """One of the engine's actions for a `freezer_action` and what its step says.

    Raises `Refusal` for an option that would change what is done and is not known here.
    """
    given = {name: value for name, value in action.items() if value not in (None, "")}
    kind = given["action"]
    _refuse_unknown(given, OF_ACTION[kind], client_id)
    runner, spec = SPECS[kind](given)
    retries, delay_s = said.get("max_retries"), said.get("max_retries_interval")
    return {
        "runner": runner,
        "spec": {name: value for name, value in spec.items() if value is not None},
        "retries": min(max(retries or 0, 0), 100),
        "retry_delay_s": min(max(60 if delay_s is None else delay_s, 0), 3600),
        "mandatory": bool(said.get("mandatory")),
    }


def _refuse_unknown(given: Json, known: frozenset[str], client_id: str) -> None:
    odd = [name for name in given if name not in known | NOTHING_TO_SAY]
    odd += [name for name in DONE_OTHERWISE if _is_true(given.get(name))]
    if odd:
        raise unsuitable(f"Client {client_id} does not support option: {odd[0]}")


def _backup(given: Json) -> tuple[str, Json]:
    return "backup", {
        "source": given.get("path_to_backup"),
        "container": given.get("container"),
        "backup_name": given.get("backup_name"),
        "exclude": [given["exclude"]] if given.get("exclude") else None,
        "compression": _compression(given),
        **_levels(given),
    }


def _levels(given: Json) -> Json:
    """The agent's words for levels. `incremental` alone lets them go up for ever."""
    if _is_true(given.get("no_incremental")):
        return {}
    names = {"max_level": int, "always_level": int, "restart_always_level": float}
    found = {name: _number(given, name, kind) for name, kind in names.items() if _is_given(given.get(name))}
    if not found and _is_true(given.get("incremental")):
        return {"restart_after_days": UNLIMITED_DAYS}
    days = found.pop("restart_always_level", None)
    return {**found, **({"restart_after_days": days} if days else {})}


def _compression(given: Json) -> Compression:
    word = str(given.get("compression", "")).lower()
    if word not in COMPRESSIONS:
        raise unsuitable(f"compression {word!r} is not known on the hub's nodes: gzip, zstd or none")
    return COMPRESSIONS[word]


def _restore(given: Json) -> tuple[str, Json]:
    at = given.get("restore_from_date")
    return "restore", {
        "container": given.get("container"),
        "backup_name": given.get("backup_name"),
        "target": given.get("restore_abs_path"),
        "at": None if at is None else _moment(at),
    }


def _moment(text: Any) -> str:
    """The agent's dates are its machine's own time; the hub's is that of its people."""
    try:
        at = datetime.fromisoformat(str(text))
    except ValueError:
        raise unsuitable(f"restore_from_date {text!r} is no date such as 2026-11-22T18:30:00") from None
    return (at if at.tzinfo else at.replace(tzinfo=ZoneInfo(settings.TIME_ZONE))).isoformat()


def _info(given: Json) -> tuple[str, Json]:
    return "archive_list", {"container": given.get("container"), "backup_name": given.get("backup_name")}


def _admin(given: Json) -> tuple[str, Json]:
    if not _is_given(given.get("remove_older_than")):
        raise unsuitable("an admin action on the hub's nodes needs remove_older_than")
    days = _number(given, "remove_older_than", float)
    return "archive_prune", {
        "container": given.get("container"),
        "backup_name": given.get("backup_name"),
        "older_than_days": days,
    }


def _exec(given: Json) -> tuple[str, Json]:
    """The agent splits at blanks and `|` and knows no shell; a pipe needs one, which is told the words as they are."""
    parts = [part.split() for part in str(given.get("command", "")).split("|")]
    if not all(parts):
        raise unsuitable("an exec action needs a command")
    if len(parts) == 1:
        return "command", {"argv": parts[0]}
    return "command", {"argv": " | ".join(shlex.join(part) for part in parts), "shell": True}


SPECS = {"backup": _backup, "restore": _restore, "info": _info, "admin": _admin, "exec": _exec}


def _is_given(value: Any) -> bool:
    return value is not None and value is not False and str(value).lower() not in ("", "false", "none")


def _is_true(value: Any) -> bool:
    return value is True or str(value).lower() in ("true", "1", "yes")


def _number(given: Json, name: str, kind: Any) -> Any:
    value = given[name]
    try:
        if isinstance(value, bool):
            raise ValueError
        return kind(str(value))
    except (ValueError, OverflowError):
        raise unsuitable(f"{name} {value!r} is no number") from None


# -- and how it looks --------------------------------------------------------------------------------------------------
def is_still(action: Json, said: Json, step: JobAction) -> bool:
    """Whether an action of the engine is what was made of a `freezer_action`: nobody has changed it elsewhere."""
    try:
        made = engine_action(action, said, "")
    except Refusal:
        return False
    own = {"runner": step.action.runner, "spec": step.action.spec, "retries": step.action.retries}
    return all(made[name] == value for name, value in own.items()) and made["mandatory"] == step.mandatory


def freezer_action_of(runner: str, spec: Json) -> Json:
    """An action that was not made through this face, in its words."""
    if runner in ("backup", "restore"):
        source = spec.get("source")
        return {
            "action": runner,
            "mode": "fs",
            "storage": "local",
            "backup_name": spec.get("backup_name"),
            "container": spec.get("container"),
            "path_to_backup": ", ".join(source) if isinstance(source, list) else source,
            **({"restore_abs_path": spec.get("target")} if runner == "restore" else {}),
        }
    return {"action": "exec", "mode": None, "command": runner}
