"""What an object of the API is made of: its members, the fields that queries may name, and the wish list `fields`."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.db.models import QuerySet, TextField, Value

from vendors.ontap.problems import unknown_name
from vendors.ontap.query.kinds import Kind, Text

Row = Mapping[str, Any]
Prefix = str | None
"""What the links of an answer begin with; `None`: an answer without links."""
Tree = dict[str, "Tree | None"]
"""Wished names by their first part; `None` is the whole."""
LINKS = "_links"


@dataclass(frozen=True)
class Member:
    """One member of an object at its top: the columns that it is read from, and how. `None` leaves it out."""

    columns: tuple[str, ...]
    make: Callable[[Row, Prefix], Any]


@dataclass(frozen=True)
class Field:
    """A name that queries and `order_by` may use; without a source it is known to ONTAP and never set here."""

    name: str
    kind: Kind = field(default_factory=Text)
    source: Any = None
    """Of what the database computes it."""

    @property
    def column(self) -> str:
        """What it is called in a query of the database."""
        return f"of_{self.name.replace('.', '_')}"

    @property
    def expression(self) -> Any:
        return Value(None, TextField()) if self.source is None else self.source


@dataclass(frozen=True)
class Resource:
    """One kind of object. It is never shown with a member that is not set, and never with null."""

    path: str
    """Below a mount, without a slash at its ends."""
    keys: tuple[str, ...]
    """Members that are always shown."""
    members: Mapping[str, Member]
    """In the order in which they are shown."""
    fields: tuple[Field, ...]
    computed: Mapping[str, Any] = field(default_factory=dict)
    """Columns that are no fields of the model, with their expressions."""
    on_wish: frozenset[str] = frozenset()
    """Members that `fields=*` leaves out."""
    unset: frozenset[str] = frozenset()
    """Members that ONTAP has and JobHub never sets: whoever wishes for them is not refused."""

    @cached_property
    def whole(self) -> Tree:
        return dict.fromkeys(self.members)

    @cached_property
    def usual(self) -> Tree:
        return {name: None for name in self.members if name not in self.on_wish}

    @cached_property
    def by_name(self) -> dict[str, Field]:
        return {one.name: one for one in self.fields}

    @cached_property
    def _known(self) -> frozenset[str]:
        found = {*self.members}
        for name in self.by_name:
            parts = name.split(".")
            found |= {".".join(parts[:length]) for length in range(1, len(parts) + 1)}
        return frozenset(found)

    def find(self, name: str) -> Field | None:
        """The field of that name."""
        if name.partition(".")[0] in self.unset:
            return Field(name)
        return self.by_name.get(name)

    def wished(self, names: Iterable[str], *, is_lenient: bool = False) -> Tree:
        """The tree of a wish list, the keys included. Raises `Refused` for an unknown name, unless lenient."""
        tree: Tree = dict.fromkeys(self.keys)
        for name in names:
            if name in ("*", "**"):
                tree |= self.usual if name == "*" else self.whole
            elif self._knows(name):
                _grow(tree, name.removesuffix(".*").split("."))
            elif not is_lenient:
                raise unknown_name(name, "fields")
        return tree

    def _knows(self, name: str) -> bool:
        parts = name.removesuffix(".*").split(".")
        return LINKS in parts or parts[0] in self.unset or ".".join(parts) in self._known

    def columns(self, tree: Tree) -> list[str]:
        """What has to be read to show these names; the uuid is always among it."""
        wanted = [column for name in tree if name in self.members for column in self.members[name].columns]
        return list(dict.fromkeys(["uuid", *wanted]))

    def read(self, rows: QuerySet[Any], tree: Tree, *more: str) -> QuerySet[Any]:
        """The rows with what has to be read to show these names, and more."""
        names = [*self.columns(tree), *more]
        plain = [name for name in names if name not in self.computed]
        return rows.values(*plain, **{name: self.computed[name] for name in names if name in self.computed})

    def record(self, row: Row, tree: Tree, prefix: Prefix) -> dict[str, Any]:
        """The object of a row, with the names of the tree."""
        found = {}
        for name, member in self.members.items():
            if name in tree:
                value = _pruned(member.make(row, prefix), tree[name])
                if value is not None and value != {}:
                    found[name] = value
        if prefix is not None:
            found[LINKS] = link(f"{prefix}{self.path}/{row['uuid']}" if self.keys else f"{prefix}{self.path}")
        return found


def link(href: str) -> dict[str, Any]:
    """HAL; the address is a path without a host: clients put their own before it."""
    return {"self": {"href": href}}


def _grow(tree: Tree, parts: list[str]) -> None:
    for part in parts[:-1]:
        branch = tree.setdefault(part, {})
        if branch is None:
            return
        tree = branch
    tree[parts[-1]] = None


def _pruned(value: Any, tree: Tree | None) -> Any:
    if tree is None:
        return value
    if isinstance(value, list):
        return [_pruned(one, tree) for one in value]
    if isinstance(value, dict):
        return {name: _pruned(inner, tree[name]) for name, inner in value.items() if name in tree}
    return value
