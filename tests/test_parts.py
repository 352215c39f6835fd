"""A run that had to have a part fails when a test of it was skipped, also when processes share the run."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SUITE = """
import pytest

def test_plain(): ...

@pytest.mark.postgres
def test_it_runs(): ...

@pytest.mark.redis
def test_it_is_skipped():
    pytest.skip("no Redis here")

@pytest.mark.redis
def test_it_runs_too(): ...
"""
ALONE: list[str] = []
SHARED = ["-n", "2", "--dist", "loadgroup"]


@pytest.fixture(params=[ALONE, SHARED], ids=["alone", "shared"])
def how(request: pytest.FixtureRequest) -> list[str]:
    return list(request.param)


def run(folder: Path, how: list[str], parts: str) -> tuple[int, str]:
    """The exit code and what is said of a small suite where these parts are required."""
    (folder / "test_it.py").write_text(SUITE)
    command = [sys.executable, "-m", "pytest", "-c", os.devnull, "--rootdir", str(folder), "-p", "no:django"]
    command += ["-p", "no:cacheprovider", "-p", "tests.parts", "-p", "tests.sharing", *how, str(folder)]
    env = {**os.environ, "PYTHONPATH": str(ROOT), "REQUIRE_PARTS": parts}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, done.stdout


def test_a_skipped_part_is_told_and_allowed(tmp_path: Path, how: list[str]) -> None:
    code, said = run(tmp_path, how, "postgres")

    assert code == 0
    assert "part redis: 1 skipped, 1 ran: no Redis here" in said


def test_required_parts_that_did_not_all_run_fail(tmp_path: Path, how: list[str]) -> None:
    code, said = run(tmp_path, how, "postgres,redis,mysql,nonsense")

    assert code == 1
    for part in ("redis", "mysql", "nonsense"):
        assert f"part {part}: REQUIRED (REQUIRE_PARTS), but not all of it ran" in said
    assert "part postgres: REQUIRED" not in said


def test_processes_that_share_the_suite_keep_groups_together(request: pytest.FixtureRequest) -> None:
    is_shared = hasattr(request.config, "workerinput")
    assert ("@" in request.node.nodeid) is is_shared
