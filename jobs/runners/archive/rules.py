"""What must hold between the members of one level, so that its extraction stays inside the target."""

from collections.abc import Collection

from jobs.runners.archive.errors import BadArchive
from jobs.runners.archive.members import Member, join, name_of, parent_of


class Rules:
    """Every member stands in a folder that came before it in the same archive and lists it with the right code.

    So no member is written through a symlink, twice, or outside; a hard link joins an earlier member only. tar keeps
    to these rules by itself: with `--listed-incremental` each level has every folder, and folders come first.
    """

    def __init__(self, roots: Collection[str]) -> None:
        self._roots = set(roots)
        self._listings: dict[str, dict[str, str]] = {}
        self._files: set[str] = set()

    def admit(self, member: Member) -> None:
        """Raises `BadArchive`."""
        if member.path in self._roots:
            self._roots.remove(member.path)
        else:
            self._strike_off(member)
        if member.names is not None:
            self._listings[member.path] = dict(member.names)
        else:
            self._files.add(member.path)
        if member.type == "hardlink" and (member.link == member.path or member.link not in self._files):
            raise BadArchive(f"{member.path!r} is a hard link to {member.link!r}, which did not come before it")

    def _strike_off(self, member: Member) -> None:
        folder = parent_of(member.path)
        listing = self._listings.get(folder) if folder else None
        if listing is None:
            raise BadArchive(f"{member.path!r} lies in no folder of the backup")
        if listing.pop(name_of(member.path), None) != ("D" if member.type == "dir" else "Y"):
            raise BadArchive(f"{member.path!r} is not what the listing of its folder says, or comes twice")

    def left_out(self) -> list[str]:
        """Paths that were to be archived and have not come: unreadable, vanished, or sockets."""
        return [
            join(folder, name)
            for folder, listing in self._listings.items()
            for name, code in listing.items()
            if code == "Y"
        ]
