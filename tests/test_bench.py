"""The bench measures what it says, with authentication and audit on. How fast is nobody's business here."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
pytestmark = [pytest.mark.cluster, pytest.mark.long, pytest.mark.xdist_group("bench")]


@pytest.fixture(scope="module")
def report() -> Any:
    command = [sys.executable, "-m", "bench", "latency", "read", "--quick", "--json", "--database", ""]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_it_measures_every_figure_of_its_parts(report: Any) -> None:
    measured = [figure["figure"] for figure in report["figures"]]
    assert measured[:8] == [
        "trigger by REST → finished, p50",
        "trigger by REST → finished, p99",
        "GET one execution with a key",
        "  its CPU, with a key",
        "GET one execution with a password",
        "  its CPU, with a password",
        "GET one execution with a key, If-None-Match",
        "  its CPU, with a key, If-None-Match",
    ]
    assert {"GET one execution in the face siren", "GET one execution in the face vertica"} <= set(measured[8:])
    assert all(figure["jobhub"] > 0 and figure["peer"] > 0 for figure in report["figures"])


def test_a_hub_that_lets_nobody_in_unasked_passes_the_control(report: Any) -> None:
    assert [control["wrong_password"] for control in report["controls"]] == [401, 401]
    assert report["is_valid"]


def test_every_trigger_is_in_the_audit_log(report: Any) -> None:
    assert [control["triggers_audited"] == control["executions"] for control in report["controls"]] == [True, True]


def test_it_says_what_it_did_not_measure(report: Any) -> None:
    assert report["missing"] == ["PostgreSQL + Redis: not asked for"]


def test_it_says_which_settings_were_in_force(report: Any) -> None:
    assert report["in_force"]["JobHub, embedded"]["workers"] == 2
    assert report["in_force"]["peer, embedded"]["save_limit"] == 0
