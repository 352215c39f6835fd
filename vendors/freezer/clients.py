"""Clients: the machines that run Freezer's jobs, and what each can do."""

from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from jobs.engine.rights import Right, audit
from jobs.errors import Conflict
from vendors.freezer import hub, nodes, schema
from vendors.freezer.errors import exists, forbidden, unsuitable
from vendors.freezer.scope import Scope
from vendors.models import FreezerClient

Json = dict[str, Any]
EVERYTHING = {
    "actions": schema.ACTIONS,
    "modes": schema.MODES,
    "storages": ["local", "swift", "ssh", "s3", "ftp", "ftps"],
    "engines": ["tar", "rsync", "rsyncv2", "nova", "osbrick", "glance"],
}
"""What a client can do that does not say."""
ASKED = (("action", "actions"), ("mode", "modes"), ("storage", "storages"), ("engine_name", "engines"))


def client_json(row: FreezerClient, project: str) -> Json:
    return {
        "project_id": project,
        "user_id": row.user,
        "client": {
            "uuid": row.uuid,
            "hostname": row.hostname,
            "client_id": row.client_id,
            "is_central": row.is_central,
            "description": row.description,
            **{f"supported_{name}": row.supported[name] for name in EVERYTHING},
        },
    }


def visible(scope: Scope) -> QuerySet[FreezerClient]:
    """Those of the project, and those that work for all."""
    rows = FreezerClient.objects.filter(Q(project=scope.project_id) | Q(is_central=True))
    return rows.select_related("project").order_by("pk")


def find(client_id: str, scope: Scope) -> FreezerClient | None:
    return None if "\0" in client_id else visible(scope).filter(client_id=client_id).first()


def home_of(client_id: str) -> int | None:
    """The only project whose jobs it has; `None` for one that works for all, and for an unknown one."""
    rows = FreezerClient.objects.filter(client_id=client_id, is_central=False)
    return rows.values_list("project_id", flat=True).first()


def register(given: Json, scope: Scope) -> str:
    """Once more is as good as once: what it can do is taken anew. Raises `Refusal` for a foreign id."""
    schema.check(schema.CLIENT, given)
    schema.check_sizes(given)
    client_id = given["client_id"]
    scope.actor.require(Right.TRIGGER if scope.sees_all else Right.EDIT, scope.project_id, "registering a client")
    if given.get("is_central") and not scope.sees_all:
        raise forbidden()
    if hub.is_own(client_id):
        raise _taken(client_id)
    try:
        nodes.greet(client_id)
        with transaction.atomic():
            _save(client_id, given, scope)
    except (IntegrityError, Conflict):
        raise _taken(client_id) from None
    return client_id


def _taken(client_id: str) -> Exception:
    return exists(f"Client already registered with ID {client_id} by another project")


def _save(client_id: str, given: Json, scope: Scope) -> None:
    row = FreezerClient.objects.select_for_update().filter(client_id=client_id).first()
    if row is not None and row.project_id != scope.project_id:
        raise Conflict
    supported = {name: given.get(f"supported_{name}") or words for name, words in EVERYTHING.items()}
    wanted = {
        "supported": supported,
        "is_central": bool(given.get("is_central")),
        **{name: given[name] for name in ("hostname", "description", "uuid") if given.get(name)},
    }
    deed = "edit" if row else "create"
    row = row or FreezerClient(client_id=client_id, project_id=scope.project_id, user=scope.user)
    if row.pk and all(getattr(row, name) == value for name, value in wanted.items()):
        return
    for name, value in wanted.items():
        setattr(row, name, value)
    row.save()
    audit(scope.actor, deed, f"freezer client {client_id}", scope.project_id)


def delete(client_id: str, scope: Scope) -> bool:
    """Whether there was one. Its jobs stay."""
    scope.actor.require(Right.EDIT, scope.project_id, "deleting a client")
    rows = FreezerClient.objects.filter(client_id=client_id, project=scope.project_id)
    with transaction.atomic():
        if "\0" in client_id or not rows.delete()[0]:
            return False
        audit(scope.actor, "delete", f"freezer client {client_id}", scope.project_id)
        return True


def check_can(client_id: str, freezer_actions: list[Json], scope: Scope) -> None:
    """Raises `Refusal` when the client is not there, or cannot do one of these."""
    supported = _supported(client_id, scope)
    for action in freezer_actions:
        for name, words in ASKED:
            if action.get(name) and action[name] not in supported[words]:
                raise unsuitable(f"Client {client_id} does not support {name}: {action[name]}")


def _supported(client_id: str, scope: Scope) -> Json:
    if hub.is_own(client_id):
        found: Json | None = hub.SUPPORTED if hub.node_of(client_id) else None
    else:
        row = find(client_id, scope)
        found = row.supported if row else None
    if found is None:
        raise unsuitable(f"Client not found with ID {client_id}")
    return found
