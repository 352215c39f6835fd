"""What the runs' own programs say of their starts is held against the hub's rows."""

from pathlib import Path
from typing import Any

import pytest

from bench.chronos.history import runs

UUID = "11111111-2222-3333-4444-555555555555"
AT = "2027-03-28 01:00:00"


def n_starts(marks: Path, *, n: int, state: str = "succeeded", attempt: int = 1) -> int:
    marks.write_text(f"{UUID}\n" * n)
    row: tuple[Any, ...] = ("line", AT, AT, None, state, UUID.replace("-", ""), attempt)
    return runs(lambda _: [row], marks)[0].n_starts


@pytest.mark.parametrize("n", [0, 2])
def test_a_success_without_its_one_start_is_told(tmp_path: Path, n: int) -> None:
    assert n_starts(tmp_path / "marks", n=n) == n


@pytest.mark.parametrize(("n", "attempt"), [(1, 1), (1, 2), (2, 2)])
def test_each_attempt_starts_once_unless_it_was_killed_before(tmp_path: Path, n: int, attempt: int) -> None:
    assert n_starts(tmp_path / "marks", n=n, attempt=attempt) == 1


def test_more_starts_than_attempts_are_told(tmp_path: Path) -> None:
    assert n_starts(tmp_path / "marks", n=3, attempt=2) == 3


def test_what_failed_need_not_have_started(tmp_path: Path) -> None:
    assert n_starts(tmp_path / "marks", n=0, state="failed") == 1
