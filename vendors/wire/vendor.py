"""What a face says about itself: one page of data that the shared code reads."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from vendors.wire.problems import ErrorRow, Kind, Problem, total
from vendors.wire.states import StateWords

if TYPE_CHECKING:
    from vendors.wire.auth import Authentication


@dataclass(frozen=True)
class Page:
    """One page of a list, with the addresses of its neighbours."""

    rows: list[Any]
    next: str | None
    previous: str | None


@dataclass(frozen=True)
class Paging:
    """How lists are cut: the names of the parameters, and how many rows a page has."""

    limit: str = "limit"
    cursor: str = "cursor"
    default: int = 50
    largest: int = 500


@dataclass(frozen=True)
class Seen:
    """An execution as a face shows it: its id there, its path below a mount, and the body of that answer."""

    id: str
    path: str
    body: Any


def no_headers(_request: Any) -> Mapping[str, str]:
    return {}


@dataclass(frozen=True, kw_only=True)
class Vendor:
    """A face. Made when its `vendor.py` is imported; raises `ValueError` there when a state or an error is missing."""

    name: str
    """Its folder, and the `face` in audit and executions."""
    product: str
    versions: tuple[str, ...]
    """What it speaks, newest first."""
    sources: tuple[str, ...]
    """Where its behaviour is documented."""
    mounts: tuple[str, ...]
    """Where its urls answer, without the leading slash: `""` is the server's root. Links lead to the first one."""
    owns: tuple[str, ...] = ()
    """The prefixes of its paths at the root: what no route knows below one of them is answered by it."""
    shows_executions: bool = True
    """False: it serves the clients of other faces only, such as their logins."""
    states: StateWords
    time: Callable[[datetime | None], Any]
    paging: Paging
    envelope: Callable[[Page], Any]
    errors: Mapping[Kind, ErrorRow]
    error_body: Callable[[Problem, ErrorRow], Any]
    error_type: str
    """The media type of an error's body."""
    json: Callable[[Any], bytes]
    authentication: tuple["type[Authentication]", ...]
    collapses_slashes: bool = False
    """Whether repeated slashes in a path count as one."""
    project_headers: tuple[str, ...] = ()
    """Its own headers that name the project one acts in, as the server keeps them (`HTTP_…`)."""
    drops_last_slash: bool = False
    """Whether a slash at the end of a path counts as none."""
    headers: Callable[[Any], Mapping[str, str]] = no_headers
    """What every answer to a request carries, errors too."""
    front: Callable[[Any], Mapping[str, Any]] | None = None
    """Its part of the document at the server's root."""

    def __post_init__(self) -> None:
        total(self.errors)

    @property
    def places(self) -> tuple[str, ...]:
        """Where an unknown path is its: everything below a mount of its own, and what it owns at the root."""
        return (*(mount for mount in self.mounts if mount), *self.owns)
