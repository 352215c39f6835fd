"""Scripts of Datameer's users, run by the programs that they were written for."""

import json
import os
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.clients.hub import PASSWORD, ClientsHub

Script = Callable[..., str]
Configuration = Callable[..., str]
_numbers = count(1)

FUNCTIONS = r"""
status() {
    curl -s -u "$LOGIN" $URL/rest/job-configuration/job-status/$1 | sed -n 's/.*"jobStatus": "\(.*\)".*/\1/p'
}
wait_for() { # as the pollers of its users do: any word but these ends the loop
    while case "$(status $1)" in QUEUED|RUNNING|WAITING_FOR_OTHER_JOB) true ;; *) false ;; esac; do sleep 0.1; done
    status $1
}
trigger() { # gives the id of the run
    curl -s -u "$LOGIN" -X POST "$URL/rest/job-execution?configuration=$1" | grep execution-id | egrep -o "[0-9]+"
}
"""


@pytest.fixture
def script(hub: ClientsHub, tmp_path: Path) -> Script:
    """`script("curl … $URL/rest/…", ID=7)`: what it prints. `$LOGIN` is what curl's `-u` wants; `status`, `wait_for`
    and `trigger` take the id of a configuration."""

    def run(text: str, **variables: Any) -> str:
        env = {
            **os.environ,
            "URL": hub.url,
            "LOGIN": f"admin:{PASSWORD}",
            **{name: str(value) for name, value in variables.items()},
        }
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", FUNCTIONS + text],
            cwd=tmp_path,
            env=env,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        return done.stdout

    return run


@pytest.fixture
def payload(tmp_path: Path) -> Callable[[dict[str, Any]], Path]:
    """`payload({…})`: a file beside the scripts, as the vendor's pages have it."""

    def write(document: dict[str, Any]) -> Path:
        path = tmp_path / "job-payload.json"
        path.write_text(json.dumps(document))
        return path

    return write


@pytest.fixture
def table(hub: ClientsHub) -> Path:
    """A database with a table `urls` of 25 rows."""
    path = hub.data / f"urls-{next(_numbers)}.sqlite3"
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE urls (id INTEGER PRIMARY KEY, url TEXT)")
        rows = [(number, f"http://host/{number}") for number in range(1, 26)]
        database.executemany("INSERT INTO urls VALUES (?, ?)", rows)
        database.commit()
    return path


@pytest.fixture
def configuration(script: Script, payload: Callable[[dict[str, Any]], Path]) -> Configuration:
    """`configuration("import-job", properties)`: the id of a new one, cut out of the answer as scripts do."""

    def make(word: str, properties: dict[str, str | list[str]], **more: Any) -> str:
        texts = {name: [value] if isinstance(value, str) else value for name, value in properties.items()}
        payload({"file": {"path": f"/Data/{word}/{next(_numbers)}"}, "properties": texts, **more})
        return script(f'curl -s -u "$LOGIN" -X POST -d @job-payload.json $URL/rest/{word} | egrep -o "[0-9]+"').strip()

    return make


@pytest.fixture
def slow(configuration: Configuration) -> str:
    """A workbook that runs until it is stopped."""
    action = {"runner": "python", "spec": {"callable": "sleep", "args": {"seconds": 600}}}
    return configuration("workbook", {"jobhub.actions": json.dumps(action)})


@pytest.fixture
def broken(configuration: Configuration) -> str:
    """A workbook that says nothing of what it does."""
    return configuration("workbook", {})
