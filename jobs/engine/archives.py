"""What is known of archives, and what goes from disk with the execution that made it (`remove_archives`)."""

import logging
from collections import defaultdict
from pathlib import Path

from django.db import transaction

from jobs.engine.rights import Actor, Right, audit, operator
from jobs.errors import JobHubError, NotFound
from jobs.models import Archive
from jobs.runners.archive.chain import to_remove
from jobs.runners.archive.store import Home, Level, find_container

log = logging.getLogger(__name__)
JANITOR = operator("janitor")


def forget(archive: Archive, *, actor: Actor) -> None:
    """Take it out of the lists. What lies on the disk stays, and can be restored by its place."""
    actor.require(Right.EDIT, archive.project_id, "forgetting an archive")
    with transaction.atomic():
        audit(actor, "forget archive", archive.path, archive.project_id, name=archive.name, level=archive.level)
        archive.delete()


# -- what expires ------------------------------------------------------------------------------------------------------
def are_expired(node: str) -> bool:
    """Whether some lie on this node's disks."""
    return Archive.objects.filter(is_expired=True, node=node).exists()


def remove_expired(node: str, *, actor: Actor = JANITOR) -> int:
    """Remove from this node's disks the expired levels that no other level needs; returns the bytes that were freed.

    The newest level of a backup and all that it needs always stay. What cannot be removed now is tried again the next
    time: it is needed, its backup is being written, or its container is away.
    """
    homes: dict[tuple[str, str], set[str]] = defaultdict(set)
    for container, name, path in Archive.objects.filter(is_expired=True, node=node).values_list(
        "container", "name", "path"
    ):
        homes[container, name].add(path)
    freed = 0
    for (container, name), paths in homes.items():
        try:
            freed += _clear(Home(find_container(container), name), paths, node, actor)
        except (JobHubError, OSError) as error:
            log.warning("cannot remove expired archives of %s in %s: %s", name, container, error)
    return freed


def _clear(home: Home, expired: set[str], node: str, actor: Actor) -> int:
    """Those that need others first; each row goes when its file has gone."""
    if not home.container.is_dir():
        raise NotFound("its container is not there")
    freed = 0
    with home.locked():
        Archive.objects.filter(node=node, path__in=[path for path in expired if not Path(path).exists()]).delete()
        for level in to_remove(home.listing(), lambda path, _: str(path) in expired):
            home.remove(level)
            freed += _forget(level, node, actor)
    return freed


def _forget(level: Level, node: str, actor: Actor) -> int:
    rows = Archive.objects.filter(node=node, path=str(level.path))
    with transaction.atomic():
        for project_id in rows.values_list("project_id", flat=True):
            audit(actor, "remove archive", str(level.path), project_id)
        rows.delete()
    return level.manifest.archive.size_bytes
