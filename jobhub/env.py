"""The hub's settings: every one comes from a `JOBHUB_…` variable, and a bad value stops the start with one line."""

import difflib
import ipaddress
import os
import re
import secrets
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit
from zoneinfo import ZoneInfo

from jobs.targets import Rule
from jobs.targets import parse as parse_targets
from jobs.texts import LABEL, check_label

PREFIX = "JOBHUB_"
MAIL_PORTS = {"smtp": 25, "smtps": 465, "submission": 587}
OF_A_RUN = frozenset({"JOB", "EXECUTION", "ATTEMPT", "ACTION"})
DATA = ("data", "data/index")
"""Folders of the jobs' own data; the second has what they would write into indices, if there were an Elasticsearch."""
PARAM_OF_A_RUN = "PARAM_"
"""What a command finds in its environment: not settings, and no mistake when a job calls `manage.py`."""


UNTOLD = ("URL", "PASSWORD", "ANONYMOUS")
"""Settings with these words in their names may hold something secret, if only by mistake."""


class BadSetting(Exception):
    """A setting cannot be used; the message says which, and how to mend it."""


def text(value: str) -> str:
    return value


def name(value: str) -> str:
    if len(value) > 100 or not value.isprintable():
        raise ValueError("wanted at most 100 printable characters")
    return value


def node(value: str) -> str:
    if value.startswith(LABEL):
        raise ValueError(f"a node's name cannot begin with {LABEL}")
    return name(value)


def labels(value: str) -> tuple[str, ...]:
    """In their order, each once."""
    return tuple(dict.fromkeys(check_label(word) for word in words(value)))


def number(low: int, high: int) -> Callable[[str], int]:
    def parse(value: str) -> int:
        if not value.strip().lstrip("-").isdigit() or not low <= int(value) <= high:
            raise ValueError(f"wanted a whole number from {low} to {high}")
        return int(value)

    return parse


def words(value: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in value.split(",") if word.strip())


def ports(value: str) -> tuple[int, ...]:
    found = tuple(number(1, 65535)(word) for word in words(value))
    for port in found:
        if found.count(port) > 1:
            raise ValueError(f"{port} is there twice")
    return found


def paths(value: str) -> tuple[Path, ...]:
    """Absolute paths separated by `:` or `,`."""
    found = tuple(Path(part.strip()) for part in value.replace(":", ",").split(",") if part.strip())
    for path in found:
        if not path.is_absolute():
            raise ValueError(f"wanted absolute paths, got {str(path)!r}")
    return tuple(Path(os.path.realpath(path)) for path in found)


def key_id(value: str) -> str:
    if value and not re.fullmatch("[0-9a-f]{16}", value):
        raise ValueError("wanted the id of an API key: what stands before its point")
    return value


def folder(value: str) -> Path:
    try:
        return Path(value).expanduser().resolve()
    except RuntimeError:
        raise ValueError("there is no such user's home") from None


def file(value: str) -> Path | None:
    return Path(value).expanduser().absolute() if value else None


def networks(value: str) -> tuple[str, ...]:
    found = words(value)
    for word in found:
        ipaddress.ip_network(word)
    return found


def targets(value: str) -> tuple[Rule, ...]:
    return parse_targets(words(value))


def zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        raise ValueError("wanted an IANA time zone such as Europe/Berlin") from None
    return value


def level(value: str) -> str:
    if value.upper() not in ("DEBUG", "INFO", "WARNING", "ERROR"):
        raise ValueError("wanted DEBUG, INFO, WARNING or ERROR")
    return value.upper()


def base_url(value: str) -> str:
    if value and urlsplit(value).scheme not in ("http", "https"):
        raise ValueError("wanted a URL such as https://jobs.example.org")
    return value.rstrip("/")


def redis_url(value: str) -> str:
    if value and urlsplit(value).scheme not in ("redis", "rediss", "unix"):
        raise ValueError("wanted a URL such as redis://127.0.0.1:6379/0")
    return value


def email_url(value: str) -> dict[str, Any]:
    """What Django has to know to send e-mail, empty for nothing: `smtps` is TLS from the first byte, `submission` is
    STARTTLS, `file` a folder in which each mail becomes a file."""
    if not value:
        return {}
    url = urlsplit(value)
    if url.scheme == "file" and url.path.startswith("/"):
        return {"backend": "django.core.mail.backends.filebased.EmailBackend", "folder": unquote(url.path)}
    if url.scheme not in MAIL_PORTS or not url.hostname:
        raise ValueError("wanted a URL such as smtps://user:password@mail.example.org, submission:// or smtp://")
    return {
        "backend": "django.core.mail.backends.smtp.EmailBackend",
        "host": unquote(url.hostname),
        "port": url.port or MAIL_PORTS[url.scheme],
        "user": unquote(url.username or ""),
        "password": unquote(url.password or ""),
        "tls": url.scheme,
    }


def database_url(value: str) -> dict[str, Any]:
    """Django's settings of a database. SQLite and PostgreSQL are supported, anything else is refused."""
    if not value:
        return {}
    url = urlsplit(value)
    if url.scheme == "sqlite":
        if not url.path.startswith("//"):
            raise ValueError("wanted sqlite:////absolute/path.sqlite3")
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": unquote(url.path[1:])}
    if url.scheme in ("postgres", "postgresql"):
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": unquote(url.path.lstrip("/")),
            "USER": unquote(url.username or ""),
            "PASSWORD": unquote(url.password or ""),
            "HOST": unquote(url.hostname or ""),
            "PORT": str(url.port or ""),
            "OPTIONS": dict(parse_qsl(url.query)),
        }
    raise ValueError("wanted a sqlite:/// or postgresql:// URL")


@dataclass(frozen=True)
class Setting:
    """One variable: its default as a person would write it, how it is read, and one line for the manual."""

    name: str
    default: str
    parse: Callable[[str], Any]
    help: str


SETTINGS = (
    Setting("BIND", "127.0.0.1", text, "Address that the web server listens on."),
    Setting("PORT", "8000", number(1, 65535), "Port of the web server."),
    Setting("TLS_PORT", "", ports, "Ports that answer HTTPS beside the plain one, such as `8443,5444`."),
    Setting("TLS_CERT", "", file, "Certificate of these ports with its chain (PEM); empty: one is made in VAR/hub."),
    Setting("TLS_KEY", "", file, "Private key of that certificate (PEM, without a passphrase)."),
    Setting("TLS_WORKERS", "1", number(1, 64), "Web processes of each TLS port."),
    Setting(
        "HSTS_S",
        "31536000",
        number(0, 63072000),
        "Seconds that browsers shall insist on HTTPS, told with a given certificate only; 0: none.",
    ),
    Setting(
        "HOSTS",
        "",
        words,
        "Host names that requests may carry, beside localhost and this machine's own name.",
    ),
    Setting(
        "BASE_URL",
        "",
        base_url,
        "How people reach the hub from outside, for links; empty: as each request came.",
    ),
    Setting("TRUSTED_PROXIES", "", networks, "Networks whose X-Forwarded-For and -Proto headers are believed."),
    Setting("SECRET_KEY", "", text, "Key of sessions and queue messages; empty: made once in VAR/hub."),
    Setting("DATABASE_URL", "", database_url, "`sqlite:////path` or `postgresql://…`; empty: SQLite in VAR/hub."),
    Setting("REDIS_URL", "", redis_url, "Redis as the broker of wake-ups; empty: the database."),
    Setting("VAR", "var", folder, "Where the hub keeps its state (`hub`) and its jobs' data (`data`)."),
    Setting("NODE", "", node, "Name of this machine among the nodes; empty: its host name."),
    Setting("NODE_LABELS", "", labels, "What this machine has, for jobs with `node: label:…`, such as `gpu,ssd`."),
    Setting("WORKERS", "2", number(1, 256), "Worker processes: so many executions run side by side."),
    Setting("WEB_WORKERS", "2", number(1, 64), "Web processes."),
    Setting("WEB_THREADS", "4", number(1, 64), "Requests that one web process answers side by side."),
    Setting(
        "ADMIN_PASSWORD",
        "",
        text,
        "Password of the first administrator `admin`; empty: made and printed once.",
    ),
    Setting(
        "ALLOWED_PATHS",
        "",
        paths,
        "More roots that jobs may read and write, beside VAR/data and the examples.",
    ),
    Setting(
        "ALLOWED_TARGETS",
        "",
        targets,
        "Guarded hosts that jobs may reach: `host`, `host:port`, `CIDR`, `[IPv6]:port`.",
    ),
    Setting(
        "ELASTICSEARCH_URL",
        "",
        base_url,
        "Elasticsearch whose indices `ingestion` jobs may fill; its host must be an allowed target.",
    ),
    Setting(
        "EMAIL_URL",
        "",
        email_url,
        "Mail server for notices: `smtps://user:password@host`, `submission://` (STARTTLS) or `smtp://`; empty: none.",
    ),
    Setting("EMAIL_FROM", "jobhub@localhost", text, "Whom the hub's e-mails come from."),
    Setting(
        "SIREN_ANONYMOUS",
        "",
        key_id,
        "Id of the API key that stands for who comes to the Siren face without credentials; empty: they are refused.",
    ),
    Setting("CALLABLES", "", words, "Python modules whose registered callables `python` actions may call."),
    Setting("TIME_ZONE", "UTC", zone, "Time zone in which people are shown times."),
    Setting("TOKEN_S", "3600", number(60, 2_592_000), "Seconds that a token of `/identity/v3` is valid."),
    Setting("MAX_BODY", "2097152", number(1024, 1 << 30), "Largest request body in bytes."),
    Setting(
        "LEASE_S",
        "30",
        number(3, 3600),
        "Seconds after which the work of a silent worker is given to another.",
    ),
    Setting("DRAIN_S", "30", number(0, 86400), "Seconds that running work gets to end when a worker is stopped."),
    Setting("WATCHDOG_S", "60", number(2, 86400), "Seconds of silence after which a dead cluster is restarted."),
    Setting(
        "KEEP_DAYS",
        "90",
        number(0, 36500),
        "Days that ended executions are kept, unless their job says otherwise; 0: for ever.",
    ),
    Setting("KEEP_LAST", "10", number(0, 100000), "Newest executions of a job that are kept whatever their age."),
    Setting(
        "OUTPUT_DAYS",
        "14",
        number(0, 36500),
        "Days that output and the log of notices are kept; 0: as long as their executions.",
    ),
    Setting(
        "ONTAP_JOB_TTL",
        "300",
        number(1, 31_536_000),
        "Seconds that the ONTAP face shows a job after its end; the others go on showing it.",
    ),
    Setting("AUDIT_DAYS", "365", number(0, 36500), "Days that audit events are kept; 0: for ever."),
    Setting(
        "OUTPUT_LIMIT",
        "1048576",
        number(65536, 1 << 30),
        "Bytes of output kept of one execution: head and tail.",
    ),
    Setting("LOG_LEVEL", "INFO", level, "How much the processes tell on standard error."),
)


def read(environ: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """The value of every setting by its short name; an empty variable is as good as none.

    Raises `BadSetting` for a bad value or an unknown variable.
    """
    known = {setting.name for setting in SETTINGS}
    for variable in environ:
        word = variable.removeprefix(PREFIX)
        is_of_a_run = word in OF_A_RUN or word.startswith(PARAM_OF_A_RUN)
        if variable.startswith(PREFIX) and word not in known and not is_of_a_run:
            near = difflib.get_close_matches(word, known, n=1)
            hint = f"did you mean {PREFIX}{near[0]}?" if near else "see the settings table of the README"
            raise BadSetting(f"{variable} is not a setting; {hint}")
    values = {setting.name: _value(setting, environ) for setting in SETTINGS}
    _must_agree(values)
    return values


def _must_agree(values: Mapping[str, Any]) -> None:
    if values["PORT"] in values["TLS_PORT"]:
        raise BadSetting(f"{PREFIX}TLS_PORT: {values['PORT']} is the plain port already; take another")
    for given, missing in (("TLS_CERT", "TLS_KEY"), ("TLS_KEY", "TLS_CERT")):
        if values[given] and not values[missing]:
            raise BadSetting(f"{PREFIX}{missing} is missing beside {PREFIX}{given}; set both, or neither")


def _value(setting: Setting, environ: Mapping[str, str]) -> Any:
    given = environ.get(PREFIX + setting.name) or setting.default
    try:
        return setting.parse(given)
    except ValueError as error:
        shown = "the given value" if any(word in setting.name for word in UNTOLD) else repr(given)
        raise BadSetting(f"{PREFIX}{setting.name}: cannot use {shown}: {error}") from None


def hub_folder(var: Path) -> Path:
    """`VAR/hub`, made with mode 0700: the hub's own state, which no job may touch."""
    hub = var / "hub"
    try:
        hub.mkdir(mode=0o700, parents=True, exist_ok=True)
        for data in DATA:
            (var / data).mkdir(mode=0o750, exist_ok=True)
        hub.chmod(0o700)
    except OSError as error:
        raise BadSetting(f"{PREFIX}VAR: cannot use {str(var)!r}: {error.strerror}") from None
    return hub


def secret_key(hub: Path) -> str:
    """The key kept in `VAR/hub/secret_key`, made at the first start; two processes that start at once agree on one."""
    path = hub / "secret_key"
    if not path.exists():
        draft = hub / f".secret_key.{os.getpid()}"
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(48))
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()


def node_name(given: str) -> str:
    return given or socket.gethostname()
