"""URLs of SQL databases: which dialects, properties, hosts and files a job may name."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlsplit

from jobs import paths, targets
from jobs.errors import Invalid

SQLITE, POSTGRESQL, MYSQL = "sqlite", "postgresql", "mysql"
DIALECTS = {
    "sqlite": SQLITE,
    "postgresql": POSTGRESQL,
    "postgres": POSTGRESQL,
    "mysql": MYSQL,
    "mariadb": MYSQL,
}
PORTS = {POSTGRESQL: 5432, MYSQL: 3306}
SSL_MODES = ("disable", "prefer", "require", "verify-full")
PROPERTIES: dict[str, dict[str, Callable[[str], bool]]] = {
    SQLITE: {},
    POSTGRESQL: {"sslmode": SSL_MODES.__contains__},
    MYSQL: {"sslmode": SSL_MODES.__contains__},
}
"""What may stand after the `?`: everything else could make a driver read files, run commands or go elsewhere."""
MAX_CHARS = 4000
USE_A_SECRET = 'a password does not belong into a spec: keep the URL as a secret and write {"secret": "its name"}'


@dataclass(frozen=True)
class SqlUrl:
    """A database that a job may use, once its URL was read. Its password is never shown."""

    dialect: str
    database: str
    """Its name; of an SQLite one the resolved path."""
    host: str = ""
    port: int = 0
    user: str = ""
    password: str = field(default="", repr=False)
    properties: dict[str, str] = field(default_factory=dict)

    @property
    def place(self) -> str:
        """Which database it is, without who asks: for people, and for what must not be mixed up."""
        if self.dialect == SQLITE:
            return f"sqlite:///{self.database}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.dialect}://{host}:{self.port}/{quote(self.database)}"


def parse(text: str, *, field: str = "url", is_secret: bool = False) -> SqlUrl:
    """The database of a URL, or `Invalid`. The driver is always the hub's, whichever the URL names.

    Only one that comes out of a secret may hold a password; its own text is in no message.
    """
    url = _split(text, field)
    dialect = DIALECTS.get(url.scheme.partition("+")[0])
    if dialect is None:
        raise Invalid.field(field, f"wanted a URL that begins with one of {', '.join(f'{d}://' for d in DIALECTS)}")
    if url.password is not None and not is_secret:
        raise Invalid.field(field, USE_A_SECRET)
    properties = _properties(url, dialect, field)
    if dialect == SQLITE:
        return SqlUrl(dialect, str(_file(url, field)))
    return _server(url, dialect, properties, field)


def _split(text: str, field: str) -> SplitResult:
    if len(text) > MAX_CHARS or not text.isprintable() or "\\" in text or "#" in text:
        raise Invalid.field(field, "wanted a URL of printable characters without '\\' and '#' (write %5C, %23)")
    try:
        url = urlsplit(text)
        url.port  # noqa: B018 - reads it, and refuses what is no number
    except ValueError:
        raise Invalid.field(field, "wanted a URL such as postgresql://user@host:5432/database") from None
    return url


def _properties(url: SplitResult, dialect: str, field: str) -> dict[str, str]:
    known = PROPERTIES[dialect]
    found: dict[str, str] = {}
    for name, value in parse_qsl(url.query, keep_blank_values=True):
        if name not in known:
            allowed = f"only {', '.join(known)} is" if known else "none is"
            raise Invalid.field(field, f"the property {name!r} is not allowed in a URL of {dialect} ({allowed})")
        if name in found or not known[name](value):
            raise Invalid.field(field, f"the property {name!r} wants, once, one of {', '.join(SSL_MODES)}")
        found[name] = value
    return found


def _file(url: SplitResult, field: str) -> Path:
    if url.netloc or not url.path.startswith("//"):
        raise Invalid.field(field, "wanted sqlite:////absolute/path.sqlite3")
    return paths.guard().check(unquote(url.path[1:]), field=field, tree=False)


def _server(url: SplitResult, dialect: str, properties: dict[str, str], field: str) -> SqlUrl:
    host, database = unquote(url.hostname or ""), unquote(url.path.removeprefix("/"))
    if not host or "/" in host or "," in host:
        raise Invalid.field(field, "wanted one host behind the '//'; unix sockets are not used")
    if not database or "\0" in database:
        raise Invalid.field(field, "wanted the name of a database behind the host")
    port = url.port or PORTS[dialect]
    targets.guard().check(host, port, field=field)
    return SqlUrl(
        dialect,
        database,
        host=host,
        port=port,
        user=unquote(url.username or ""),
        password=unquote(url.password or ""),
        properties=properties,
    )
