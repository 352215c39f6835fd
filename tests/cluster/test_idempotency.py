"""However many ask at once through however many servers, a key is one execution: a small run of `bench.idempotency`."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cluster.conftest import postgres

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.cluster


def check(*words: str) -> None:
    command = [sys.executable, "-m", "bench.idempotency", "--keys", "6", "--triggers", "40", "--servers", "2", "--json"]
    done = subprocess.run([*command, *words], cwd=ROOT, capture_output=True, text=True, timeout=240)
    assert done.stdout, done.stderr
    told = json.loads(done.stdout)
    assert (told["statuses"], told["executions"], told["equal_answers"]) == ({"202": 240}, 6, True)
    assert told["passed"] and done.returncode == 0


def test_a_key_is_one_execution_embedded() -> None:
    check()


@pytest.mark.postgres
def test_a_key_is_one_execution_on_postgresql() -> None:
    check("--database", postgres())
