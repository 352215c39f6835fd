"""Runs that know secrets: whatever they do with them, the database, the log and the files tell none.

After each test here every table is searched for each value, in every form in which it could stand there.
"""

import base64
import logging
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.conf import settings
from django.db import connection

from jobs import secrets as key_module
from jobs import targets
from jobs.engine.rights import Actor
from jobs.engine.secrets import set_secret
from jobs.errors import RunFailed
from jobs.masking import MaskingFormatter
from jobs.models import JobExecution
from jobs.runners import callables
from jobs.runners.base import Result
from jobs.runners.context import Context
from jobs.secrets import KeyFile
from jobs.states import State
from jobs.targets import TargetGuard, parse
from tests.jobs.conftest import Action, Run
from tests.jobs.servers import Reply, Seen, serving

VALUES = {
    "token": "t0ken-of-the-api",
    "pw": "p@ss/w0rd & more",
    "key": "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0\n-----END KEY-----",
    "short": "zQ7~",  # no number, UUID or time has it by chance
}
COMMAND = {"env": {name.upper(): {"secret": name} for name in VALUES}, "shell": True}
LONG = 40_000


@pytest.fixture(autouse=True)
def known(op: Actor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The project has these secrets."""
    monkeypatch.setattr(key_module, "_keys", KeyFile(tmp_path / "secret.keys"))
    for name, value in VALUES.items():
        set_secret(name, value, actor=op)


@pytest.fixture
def log() -> Iterator[StringIO]:
    """What the hub's log says."""
    stream = StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(MaskingFormatter(settings.LOGGING["formatters"]["line"]["format"]))
    logging.getLogger().addHandler(handler)
    yield stream
    logging.getLogger().removeHandler(handler)


def dump() -> str:
    """All rows of all tables."""
    with connection.cursor() as cursor:
        names = connection.introspection.table_names(cursor)
        assert "jobs_secret" in names
        rows = []
        for name in names:
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(name)}")
            rows += cursor.fetchall()
    return "\n".join(str(cell) for row in rows for cell in row)


def found_in(text: str) -> list[str]:
    """The values, and lines of values, that a text tells in any form."""
    pieces = [piece for value in VALUES.values() for piece in {value, *value.splitlines()}]
    forms = {(piece, form) for piece in pieces for form in (piece, quote(piece, safe=""), repr(piece)[1:-1])}
    forms |= {(piece, base64.b64encode(piece.encode()).decode().rstrip("=")[:-1]) for piece in pieces}
    return [piece for piece, form in forms if form in text]


@pytest.fixture(autouse=True)
def nothing_is_told(known: None, log: StringIO) -> Iterator[None]:
    yield
    assert found_in(dump()) == []
    assert found_in(log.getvalue()) == []
    run_folder = Path(settings.HUB_DIR) / "run"
    assert [path for path in run_folder.rglob("*") if path.is_file() and found_in(path.read_text())] == []


def told(execution: JobExecution) -> str:
    return "".join(execution.output.order_by("seq").values_list("text", flat=True))


def command(line: str, **spec: Any) -> dict[str, Any]:
    return {"runner": "command", "spec": {**COMMAND, "argv": line, **spec}}


# -- programs ----------------------------------------------------------------------------------------------------------
def test_a_program_gets_the_value_and_cannot_print_it(run: Run) -> None:
    execution = run(command('echo "it is <$TOKEN> of ${#TOKEN}"'))
    assert told(execution) == "it is <****> of 16\n"


def test_it_gets_one_by_stdin(run: Run) -> None:
    execution = run(command("wc -c; cat", stdin={"secret": "token"}))
    assert told(execution).startswith("16\n")


def test_streams_errors_warnings_and_progress_are_masked(run: Run) -> None:
    lines = [
        'echo "$KEY"',
        'echo "$PW" >&2',
        'echo "::warning $TOKEN"',
        'echo "::progress 1/2 $SHORT"',
        'echo "$SHORT" | tr -d "\\n" >&2',
        "exit 3",
    ]
    execution = run(command("; ".join(lines)))
    assert (execution.state, execution.n_warnings) == (State.FAILED, 1)
    assert execution.errors == ["exit code 3", "****", "****"]


def test_a_value_in_two_writes_is_masked(run: Run) -> None:
    execution = run(command('printf "<${TOKEN%-the-api}"; sleep 0.3; printf -- "-the-api>"'))
    assert told(execution) == "<****>"


def test_base64_and_quoted_forms_are_masked(run: Run) -> None:
    quoted = "import os, urllib.parse; print(urllib.parse.quote_plus(os.environ['PW']))"
    execution = run(command(f'printf %s "user:$PW" | base64; python3 -c "{quoted}"'))
    assert told(execution).count("****") == 2


def test_a_value_at_the_edge_of_the_kept_tail_is_masked(run: Run) -> None:
    """The last lines become causes; they are cut from a tail of some thousand characters."""
    execution = run(
        command(
            f'for i in $(seq 300); do printf "%s" "$TOKEN"; done >&2; head -c {LONG} /dev/zero | tr "\\0" x; exit 1'
        )
    )
    assert execution.errors[1:] == ["****"]


# -- callables ---------------------------------------------------------------------------------------------------------
def test_arguments_of_a_callable_are_put_in(run: Run) -> None:
    callables.configure(["tests.jobs.runners.sample_callables"])
    secret = {"deep": [{"secret": "token"}]}
    execution = run({"runner": "python", "spec": {"callable": "t.echo", "args": {"value": secret}}})
    assert execution.errors[0].startswith("the callable returned {'deep': ['****']}")


def test_what_a_runner_reports_is_masked(run: Run, action: Action) -> None:
    def act(context: Context) -> Result:
        value = context.secret("token")
        context.report(records=1, last_id=f"id {value}")
        context.progress(1, 2, value)
        context.warn(f"beware of {value}")
        context.log(f"{value[:5]}")
        context.log(f"{value[5:]} is it\n")
        return Result(message=f"done with {value}", last_id=value)

    execution = run(action(act))
    assert (execution.message, execution.last_id, execution.progress_unit) == ("done with ****", "****", "****")
    assert "**** is it\n" in told(execution)


def test_the_error_of_a_runner_is_masked_before_it_is_cut(run: Run, action: Action) -> None:
    def act(context: Context) -> None:
        value = context.secret("token")
        raise RunFailed("x" * 9990 + value, causes=["y" * 9995 + value, value])

    execution = run(action(act))
    assert execution.errors[0].endswith("x****")


def test_an_exception_and_its_traceback_are_masked(run: Run, action: Action) -> None:
    def act(context: Context) -> None:
        value = context.secret("pw")
        try:
            raise KeyError(value)
        except KeyError as error:
            raise ValueError(f"login with {value!r}") from error

    execution = run(action(act))
    assert execution.errors == ["ValueError: login with '****'", "KeyError: '****'"]


@pytest.mark.parametrize("save", [Context.checkpoint, Context.save_cursor])
def test_a_value_cannot_be_kept_as_a_place_to_go_on_from(run: Run, action: Action, save: Callable[..., None]) -> None:
    execution = run(action(lambda context: getattr(context, save.__name__)({"after": context.secret("token")})))
    assert execution.message == "a checkpoint or cursor must not hold the value of a secret"


def test_a_line_of_the_hubs_log_is_masked(run: Run, action: Action, log: StringIO) -> None:
    def act(context: Context) -> None:
        try:
            raise ValueError(context.secret("key"))
        except ValueError:
            logging.getLogger("some.library").exception("sent %s", context.secret("token"))

    run(action(act))
    assert "sent ****" in log.getvalue()


# -- http --------------------------------------------------------------------------------------------------------------
@pytest.fixture
def echo(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URL of a server that answers with all that it was sent."""

    def answer(seen: Seen) -> Reply:
        return Reply(f"{seen.path}\n{seen.headers}\n{seen.body.decode()}\n".encode(), 200 if seen.path == "/" else 400)

    with serving() as server:
        server.replies |= {"/": answer, "/no": answer}
        monkeypatch.setattr(targets, "_guard", TargetGuard(parse([f"127.0.0.1:{server.port}"])))
        yield server.url


@pytest.mark.parametrize(("path", "state"), [("/", State.SUCCEEDED), ("/no", State.FAILED)])
def test_a_server_that_echoes_tells_nothing(run: Run, echo: str, path: str, state: State) -> None:
    spec = {
        "url": f"{echo}{path}",
        "method": "POST",
        "headers": {"X-Key": {"secret": "token"}},
        "auth": {"username": "joe", "password": {"secret": "pw"}},
        "body": [{"secret": name} for name in VALUES],
    }
    execution = run({"runner": "http", "spec": spec})
    assert (execution.state, "x-key': '****'" in told(execution)) == (state, True)


# -- what is missing ---------------------------------------------------------------------------------------------------
def test_a_secret_that_was_deleted_is_named(run: Run, action: Action) -> None:
    execution = run(action(lambda context: context.secret("gone")))
    assert execution.errors == ["there is no secret 'gone' in the job's project"]


def test_a_lost_key_file_is_named(run: Run) -> None:
    path = key_module.keys().path
    content = path.read_bytes()
    path.unlink()
    execution = run(command("true"))
    path.write_bytes(content)
    assert execution.message.endswith(f"cannot be read: the key file {path} is missing; restore it from a backup")


def test_the_search_would_find_a_value_that_is_told(make_job: Any) -> None:
    job = make_job(description=VALUES["token"])
    assert found_in(dump()) == [VALUES["token"]]
    job.delete()
