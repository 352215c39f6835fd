"""Settings: a bad value, or a name that is none, stops the start with one line that says how to mend it."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from jobhub import env

ROOT = Path(__file__).resolve().parents[2]
BAD = [
    ("PORT", "http", "whole number from 1 to 65535"),
    ("PORT", "0", "whole number from 1 to 65535"),
    ("PORT", "65536", "whole number from 1 to 65535"),
    ("PORT", "8000.0", "whole number"),
    ("PORT", "²", ""),
    ("PORT", "--5", ""),
    ("WORKERS", "0", "from 1 to 256"),
    ("NODE", "label:gpu", "cannot begin with label:"),
    ("NODE_LABELS", "gpu,SSD", "got 'SSD'"),
    ("LEASE_S", "1", "from 3 to 3600"),
    ("BASE_URL", "jobs.example.org", "https://jobs.example.org"),
    ("TRUSTED_PROXIES", "10.0.0.1/8", "host bits"),
    ("TRUSTED_PROXIES", "here", ""),
    ("DATABASE_URL", "mysql://u@h/d", "sqlite:/// or postgresql://"),
    ("DATABASE_URL", "sqlite:///relative.db", "sqlite:////absolute"),
    ("DATABASE_URL", "postgresql://h:port/d", "port"),
    ("REDIS_URL", "http://h", "redis://"),
    ("EMAIL_URL", "mail.example.org", "submission://"),
    ("EMAIL_URL", "smtp://", "submission://"),
    ("EMAIL_URL", "smtp://h:port", ""),
    ("SIREN_ANONYMOUS", "guest", "what stands before its point"),
    ("ALLOWED_PATHS", "relative", "absolute paths"),
    ("ALLOWED_TARGETS", "localhost:9200,10.0.0.0/33", "no network"),
    ("ALLOWED_TARGETS", "host:99999", "a port from 1 to 65535"),
    ("TIME_ZONE", "Mars/Olympus", "Europe/Berlin"),
    ("TIME_ZONE", "../etc/passwd", "Europe/Berlin"),
    ("LOG_LEVEL", "LOUD", "DEBUG, INFO"),
    ("VAR", "~nobody-of-that-name/x", "home"),
    ("NODE", "x" * 101, "100 printable"),
    ("NODE", "a\nb", "100 printable"),
]


def read(**given: str) -> dict[str, Any]:
    return env.read({f"JOBHUB_{name}": value for name, value in given.items()})


# -- values ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("name", "value", "hint"), BAD, ids=[f"{name}={value[:20]}" for name, value, _ in BAD])
def test_a_bad_value_is_refused_in_one_line_with_its_name_and_a_hint(name: str, value: str, hint: str) -> None:
    with pytest.raises(env.BadSetting) as refusal:
        read(**{name: value})
    line = str(refusal.value)
    assert (line.startswith(f"JOBHUB_{name}: "), hint in line, "\n" in line) == (True, True, False)


@pytest.mark.parametrize("setting", env.SETTINGS, ids=lambda setting: setting.name)
def test_a_default_is_a_good_value(setting: env.Setting) -> None:
    assert setting.name in read(**{setting.name: setting.default})


@pytest.mark.parametrize("setting", env.SETTINGS, ids=lambda setting: setting.name)
def test_an_empty_value_is_as_good_as_none(setting: env.Setting) -> None:
    assert read(**{setting.name: ""}) == read()


def test_a_password_in_a_url_is_not_told() -> None:
    with pytest.raises(env.BadSetting) as refusal:
        read(DATABASE_URL="mysql://u:secret@h/d")
    assert "secret" not in str(refusal.value)


def test_a_key_that_is_given_whole_is_not_told() -> None:
    with pytest.raises(env.BadSetting) as refusal:
        read(SIREN_ANONYMOUS="0123456789abcdef.secret")
    assert "secret" not in str(refusal.value)


def test_a_database_url_is_read_in_full() -> None:
    database = read(DATABASE_URL="postgresql://u%40x:p%2F@db.example.org:5433/hub%20x?sslmode=require")["DATABASE_URL"]
    assert [database[name] for name in ("USER", "PASSWORD", "HOST", "PORT", "NAME", "OPTIONS")] == [
        "u@x",
        "p/",
        "db.example.org",
        "5433",
        "hub x",
        {"sslmode": "require"},
    ]


def test_a_sqlite_url_names_a_file() -> None:
    assert read(DATABASE_URL="sqlite:////srv/my%20hub.db")["DATABASE_URL"]["NAME"] == "/srv/my hub.db"


def test_allowed_paths_are_resolved(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    assert read(ALLOWED_PATHS=f"{tmp_path}/link:/srv, /opt ")["ALLOWED_PATHS"] == (tmp_path, Path("/srv"), Path("/opt"))


# -- names -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("name", "hint"),
    [("PROT", "JOBHUB_PORT"), ("WORKER", "JOBHUB_WORKERS"), ("XYZZY", "settings table"), ("JOBS", ""), ("", "")],
)
def test_a_name_that_is_no_setting_is_refused_with_a_hint(name: str, hint: str) -> None:
    with pytest.raises(env.BadSetting, match=f"JOBHUB_{name} is not a setting.*{hint}"):
        read(**{name: "1"})


@pytest.mark.parametrize("name", ["JOB", "EXECUTION", "ATTEMPT", "ACTION", "PARAM_A", "NODE"])
def test_what_a_command_finds_in_its_environment_is_no_mistake(name: str) -> None:
    assert read(**{name: "1"})["PORT"] == 8000


def test_other_variables_are_nobodys_business() -> None:
    assert env.read({"HOME": "/", "PORT": "x"})["PORT"] == 8000


# -- the hub's folder ------------------------------------------------------------------------------------------
def test_the_hubs_folder_is_for_its_owner_only(tmp_path: Path) -> None:
    assert env.hub_folder(tmp_path / "var").stat().st_mode & 0o777 == 0o700


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(env.BadSetting, match="JOBHUB_VAR"):
        env.hub_folder(tmp_path / "file")


def test_the_secret_key_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    keys = {env.secret_key(tmp_path) for _ in range(3)}
    assert (len(keys), (tmp_path / "secret_key").stat().st_mode & 0o777) == (1, 0o600)


def test_no_draft_of_the_secret_key_is_left(tmp_path: Path) -> None:
    env.secret_key(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["secret_key"]


# -- the start -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("variable", "value"),
    [("JOBHUB_PORT", "x"), ("JOBHUB_PROT", "1"), ("JOBHUB_CALLABLES", "no.such.module")],
)
def test_the_start_is_refused_with_one_line(variable: str, value: str, tmp_path: Path) -> None:
    plain = {name: text for name, text in os.environ.items() if not name.startswith("JOBHUB_")}
    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env={**plain, "JOBHUB_VAR": str(tmp_path), variable: value},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr.count("\n"), variable in done.stderr) == (2, 1, True)
