"""JDBC URLs, as products on the Java platform write them, made into URLs of this hub.

Forms and properties: the manuals of pgJDBC 42, MySQL Connector/J 8, MariaDB Connector/J 3 and SQLite JDBC 3 (November
2026).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, unquote_plus, urlsplit

from jobs.errors import Invalid
from jobs.sources.urls import MYSQL, POSTGRESQL, SQLITE

DIALECTS = {"postgresql": POSTGRESQL, "mysql": MYSQL, "mariadb": MYSQL, "sqlite": SQLITE}
SCHEME = re.compile(r"jdbc:([A-Za-z0-9]+):(.*)", re.DOTALL)
LOGIN = re.compile(r"^//([^@/?:]*)(:[^@/?]*)?@")
ADDRESS = re.compile(r"//(?P<host>\[[^\]/]+\]|[^/:,()\[\]]*)(:(?P<port>\d+))?(/(?P<database>.*))?")
TELLING = re.compile(r"pass|pwd|secret|token|key|@", re.IGNORECASE)
"""What hints at a credential in the URL of a database that is not known here."""
WHEN_UNKNOWN = "jdbc://{}unknown"
"""The secret of such a database: a run says that there is no driver for it."""

MODES = {
    "disable": "disable",
    "disabled": "disable",
    "allow": "prefer",
    "prefer": "prefer",
    "preferred": "prefer",
    "require": "require",
    "required": "require",
    "trust": "require",
    "verify-ca": "verify-full",
    "verify_ca": "verify-full",
    "verify-full": "verify-full",
    "verify_identity": "verify-full",
}
"""Values of `sslmode`, as the hub has them: the nearest that is not weaker."""
FLAGS = {
    POSTGRESQL: {"ssl": "verify-full"},
    MYSQL: {"usessl": "require", "requiressl": "require", "verifyservercertificate": "verify-full"},
    SQLITE: {},
}
"""Older properties that ask for TLS, and what they ask for when they are true; the last of those given counts."""
ZONES = {"servertimezone", "connectiontimezone"}
HARMLESS = {
    POSTGRESQL: {
        "applicationname",
        "connecttimeout",
        "defaultrowfetchsize",
        "logintimeout",
        "preparethreshold",
        "readonly",
        "sockettimeout",
        "tcpkeepalive",
    },
    MYSQL: {
        "autoreconnect",
        "characterencoding",
        "connecttimeout",
        "defaultfetchsize",
        "rewritebatchedstatements",
        "sockettimeout",
        "tcpkeepalive",
        "usecompression",
        "usecursorfetch",
        "uselegacydatetimecode",
        "useserverprepstmts",
        "useunicode",
    },
    SQLITE: {"busy_timeout", "open_mode"},
}
"""Properties that tune a driver: they change nothing here. Any other one is refused by its name."""
MAX_CHARS = 2000


@dataclass(frozen=True)
class JdbcUrl:
    """What a JDBC URL and its properties say."""

    text: str
    """As it was given, without a password."""
    url: str
    """The hub's, without credentials; empty for a database that the hub has no driver for."""
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    def with_login(self, user: str, password: str) -> str:
        """The hub's URL with credentials: a secret, also for an unknown database."""
        login = f"{quote(user, safe='')}:{quote(password, safe='')}@" if user or password else ""
        if not self.url:
            return WHEN_UNKNOWN.format(login)
        scheme, _, rest = self.url.partition("://")
        return self.url if scheme == SQLITE else f"{scheme}://{login}{rest}"


def password_of(url: str) -> str:
    """The password in a URL that `with_login` made."""
    return unquote(urlsplit(url).password or "")


def parse(
    text: str,
    properties: Mapping[str, Any] | None = None,
    *,
    user: str | None = None,
    password: str | None = None,
) -> JdbcUrl:
    """With credentials that were given beside it: they count before its own.

    Raises `Invalid` for what is no JDBC URL, and for one of a known database with a part that has no place here.
    """
    found = SCHEME.fullmatch(text)
    if found is None or len(text) > MAX_CHARS or not text.isprintable():
        raise Invalid.field("url", "wanted a JDBC URL such as jdbc:postgresql://host:5432/database")
    given = {str(name): _text(value) for name, value in (properties or {}).items()}
    dialect = DIALECTS.get(found[1].lower())
    if dialect is None:
        return JdbcUrl(_unknown(text, given), "", user, password)
    address, mark, query = found[2].partition("?")
    given = {**dict(parse_qsl(query, keep_blank_values=True)), **given}
    known = {name.lower(): value for name, value in given.items()}
    own_user, own_password, address = _login(known, address)
    user = own_user if user is None else user
    password = own_password if password is None else password
    mode = _ssl_mode(dialect, known)
    _refuse_others(dialect, given)
    url = _file(address) if dialect == SQLITE else _server(dialect, address, user, mode)
    return JdbcUrl(_without_password(text, mark, query), url, user, password)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _unknown(text: str, properties: Mapping[str, str]) -> str:
    """The URL, unless it holds what could be a credential: it is kept and shown again as it is."""
    if any(TELLING.search(told) for told in (text, *properties)):
        raise Invalid.field("url", "the hub has no driver for this database; leave credentials out of its URL")
    return text


def _login(known: dict[str, str], address: str) -> tuple[str | None, str | None, str]:
    """User and password, which are taken out of the properties, and the address without them."""
    user, password = known.pop("user", None), known.pop("password", None)
    inside = LOGIN.match(address)
    if inside is None:
        return user, password, address
    word = unquote(inside[2][1:]) if inside[2] else None
    return user or unquote(inside[1]), word if password is None else password, f"//{address[inside.end() :]}"


def _ssl_mode(dialect: str, known: dict[str, str]) -> str:
    mode = ""
    for name, wanted in FLAGS[dialect].items():
        value = known.pop(name, "false").lower()
        if value not in ("true", "false", ""):
            raise Invalid.field("url", f"the property {name} wants true or false")
        mode = mode if value == "false" else wanted
    if dialect == SQLITE or "sslmode" not in known:
        return mode
    named = MODES.get(known.pop("sslmode").lower())
    if named is None:
        raise Invalid.field("url", f"the property sslmode wants one of {', '.join(MODES)}")
    return named


def _refuse_others(dialect: str, given: Mapping[str, str]) -> None:
    """What could make a driver read files, run code, go elsewhere or change what is read."""
    taken = {"user", "password", "sslmode", *FLAGS[dialect], *HARMLESS[dialect]}
    for name, value in given.items():
        is_utc = name.lower() in ZONES and value.upper() in ("UTC", "GMT")
        if name.lower() not in taken and not is_utc:
            raise Invalid.field("url", f"the property {name[:100]!r} is not allowed for {dialect}")


def _file(address: str) -> str:
    path = address.removeprefix("file:")
    if not path.startswith("/"):
        raise Invalid.field("url", "wanted jdbc:sqlite:/absolute/path.sqlite3")
    return f"sqlite:///{quote(path)}"


def _server(dialect: str, address: str, user: str | None, mode: str) -> str:
    if dialect == POSTGRESQL and not address.startswith("//"):
        address = f"//localhost/{address.lstrip('/')}"
    found = ADDRESS.fullmatch(address)
    if found is None:
        raise Invalid.field("url", "wanted one host, as in //host:port/database")
    database = unquote_plus(found["database"] or "") or (user or "" if dialect == POSTGRESQL else "")
    port = f":{found['port']}" if found["port"] else ""
    query = f"?sslmode={mode}" if mode else ""
    return f"{dialect}://{found['host'] or 'localhost'}{port}/{quote(database, safe='')}{query}"


def _without_password(text: str, mark: str, query: str) -> str:
    kept = [part for part in query.split("&") if unquote_plus(part.partition("=")[0]).lower() != "password"]
    head = text.partition("?")[0]
    scheme, _, address = head.partition("//")
    if address and (inside := LOGIN.match(f"//{address}")):
        head = f"{scheme}//{inside[1]}@{f'//{address}'[inside.end() :]}"
    return head + (mark + "&".join(kept) if kept != [""] and kept else "")
