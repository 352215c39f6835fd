"""Whatever is killed, each time of a schedule has one run or is accounted for: a small run of `bench.chronos`."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cluster.conftest import postgres

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.cluster
SMALL = ["--seconds", "8", "--every", "2.5", "--lines", "9", "--tolerance", "30"]


def check(*words: str) -> None:
    command = [sys.executable, "-m", "bench.chronos", *SMALL, *words, "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240)
    assert done.stdout, done.stderr
    told = json.loads(done.stdout)
    assert told["slots"] > 0 and told["killed"]
    assert (told["wrong"], told["n_wrong"], done.returncode) == ([], 0, 0)


def test_each_slot_has_its_run_or_its_reason_embedded() -> None:
    check()


@pytest.mark.postgres
def test_each_slot_has_its_run_or_its_reason_on_postgresql() -> None:
    check("--database", postgres())
