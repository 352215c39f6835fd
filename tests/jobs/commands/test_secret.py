"""`manage.py secret`: a value goes in by standard input and never comes out."""

import io
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from jobs import secrets as key_module
from jobs.engine import secrets
from jobs.models import Project, Secret
from jobs.secrets import KeyFile
from tests.jobs.commands.conftest import Run

VALUE = "correct-horse-battery"
Type = Callable[[str], None]


@pytest.fixture(autouse=True)
def keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KeyFile:
    file = KeyFile(tmp_path / "secret.keys")
    monkeypatch.setattr(key_module, "_keys", file)
    return file


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Type:
    """What comes by standard input."""
    return lambda text: monkeypatch.setattr(sys, "stdin", io.StringIO(text))


def test_a_value_is_read_without_its_last_newline(run: Run, typed: Type, alpha: Project) -> None:
    typed(f"{VALUE}\n")
    done = run("secret", "set", "token")
    assert (done.code, done.out) == (0, "token: kept\n")
    assert secrets.reveal("token", alpha.pk) == VALUE


def test_only_one_newline_is_left_out(run: Run, typed: Type, alpha: Project) -> None:
    typed("line one\nline two\n\n")
    run("secret", "set", "token")
    assert secrets.reveal("token", alpha.pk) == "line one\nline two\n"


def test_a_terminal_is_asked_without_an_echo(run: Run, alpha: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr("getpass.getpass", lambda prompt: VALUE)
    assert run("secret", "set", "token").code == 0
    assert secrets.reveal("token", alpha.pk) == VALUE


def test_setting_it_again_says_so(run: Run, typed: Type) -> None:
    typed(VALUE)
    run("secret", "set", "token")
    typed(VALUE)
    assert run("secret", "set", "token", "--json").json == {"name": "token", "is_new": False}


def test_it_belongs_to_the_named_project(run: Run, typed: Type, beta: Project) -> None:
    typed(VALUE)
    run("secret", "set", "token", "--project", "beta")
    assert Secret.objects.get().project == beta


def test_the_list_shows_names_only(run: Run, typed: Type) -> None:
    typed(VALUE)
    run("secret", "set", "token")
    done = run("secret", "list")
    assert done.lines[1].split()[:2] == ["alpha", "token"]
    assert VALUE not in done.out + run("secret", "list", "--json").out


def test_one_is_deleted_by_name(run: Run, typed: Type) -> None:
    typed(VALUE)
    run("secret", "set", "token")
    assert run("secret", "delete", "token").code == 0
    assert run("secret", "delete", "token").err == "there is no secret 'token'"


def test_a_value_on_the_command_line_is_refused(run: Run) -> None:
    assert run("secret", "set", "token", VALUE).code != 0
    assert not Secret.objects.exists()


def test_a_short_value_is_refused_with_the_reason(run: Run, typed: Type) -> None:
    typed("abc")
    done = run("secret", "set", "token")
    assert (done.code, "cannot be masked" in done.err) == (2, True)


def test_a_rotation_says_how_many(run: Run, typed: Type) -> None:
    typed(VALUE)
    run("secret", "set", "token")
    assert run("secret", "rotate").out == "secrets encrypted with a new key: 1\n"


def test_a_lost_key_file_is_one_line_that_names_it(run: Run, typed: Type, keys: KeyFile) -> None:
    typed(VALUE)
    run("secret", "set", "token")
    keys.path.unlink()
    done = run("secret", "rotate")
    assert (done.code, str(keys.path) in done.err, done.err.count("\n")) == (2, True, 0)
