"""A checker that cannot fail proves nothing: each kind of wrong is found, and what is right passes."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bench.chronos.checker import Absence, Run, Verdict, check
from bench.chronos.lines import Line

BEGIN = datetime(2027, 3, 1, tzinfo=UTC)
RULES = ["skip", "once", "all"]


def slot(number: int) -> datetime:
    """Of a line that comes every ten seconds."""
    return BEGIN + timedelta(seconds=10 * number)


TIMES = [slot(number) for number in range(6)]


def run(number: int, *, after_s: float = 0.2, **fields: Any) -> Run:
    queued_at = slot(number) + timedelta(seconds=after_s)
    return Run(**{"line": "line", "slot_at": slot(number), "queued_at": queued_at} | LATER | fields)


LATER = {"started_at": None, "state": "succeeded"}


def missed(first: int, last: int, n: int, **fields: Any) -> Absence:
    told = {"line": "line", "slot_at": slot(first), "until_at": slot(last), "n": n, "fate": "missed"}
    return Absence(**told | fields)


def verdict(runs: Sequence[Run], absences: Sequence[Absence] = (), *, catch_up: str = "skip") -> Verdict:
    line = Line("line", {"zone": "UTC", "catch_up": catch_up}, lambda _: True)
    return check({"line": (line, TIMES)}, runs, absences)


def every(*but: int) -> list[Run]:
    return [run(number) for number in range(6) if number not in but]


# -- right -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("catch_up", RULES)
def test_each_slot_in_time_is_right(catch_up: str) -> None:
    found = verdict(every(), catch_up=catch_up)
    assert (found.is_valid, found.n_slots, found.in_time) == (True, 6, 6)


@pytest.mark.parametrize("catch_up", RULES)
def test_slots_that_are_told_to_be_missed_are_right(catch_up: str) -> None:
    found = verdict(every(2, 3, 4), [missed(2, 4, 3)], catch_up=catch_up)
    assert (found.is_valid, found.in_time, found.accounted) == (True, 3, 3)


def test_a_run_among_those_that_are_told_to_be_missed_is_right_if_it_is_not_counted() -> None:
    found = verdict(every(1, 2, 4), [missed(1, 4, 3)])
    assert (found.is_valid, found.accounted) == (True, 3)


def test_one_run_may_make_up_for_all_that_were_missed() -> None:
    found = verdict([*every(1, 2, 3), run(3, after_s=8)], [missed(1, 2, 2)], catch_up="once")
    assert (found.is_valid, found.made_up, found.accounted) == (True, 1, 2)


def test_each_may_be_made_up_for() -> None:
    late = [run(1, after_s=40), run(2, after_s=30), run(3, after_s=20)]
    found = verdict([*every(1, 2, 3), *late], catch_up="all")
    assert (found.is_valid, found.made_up) == (True, 3)


def test_a_run_that_did_not_succeed_was_still_the_one_of_its_slot() -> None:
    assert verdict([*every(1), run(1, state="failed")]).is_valid


def test_the_last_slot_may_be_made_up_for_however_late() -> None:
    assert verdict([*every(5), run(5, after_s=500)], catch_up="once").is_valid


def test_a_busy_machine_may_take_its_time() -> None:
    line = Line("line", {"zone": "UTC", "catch_up": "skip"}, lambda _: True)
    late = [*every(2), run(2, after_s=5)]
    assert [check({"line": (line, TIMES)}, late, [], tolerance_s=s).is_valid for s in (2, 4)] == [False, True]


# -- wrong -------------------------------------------------------------------------------------------------------------
WRONG: dict[str, tuple[list[Run], list[Absence]]] = {
    "lost": (every(2), []),
    "2 runs": ([*every(), run(2)], []),
    "a run at no time of its": ([*every(), run(7)], []),
    "late": ([*every(2), run(2, after_s=2.6)], []),
    "early": ([*every(2), run(2, after_s=-0.1)], []),
    "was run, and told to be missed": (every(), [missed(2, 2, 1)]),
    "was run, and told": (every(1, 2, 4), [missed(1, 4, 4)]),
    "told to be missed, there are": (every(2, 3), [missed(2, 3, 3)]),
    "told to be missed, and skipped": (every(2, 3), [missed(2, 3, 2), missed(3, 3, 1, fate="skipped")]),
    "a line that nobody wrote": ([*every(), run(0, line="other")], []),
    "0 starts an attempt": ([*every(2), run(2, n_starts=0)], []),
    "2 starts an attempt": ([*every(2), run(2, n_starts=2)], []),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_found_and_named(what: str) -> None:
    found = verdict(*WRONG[what])
    assert not found.is_valid and [text for text in found.wrong if what in text] == found.wrong[:1]


def test_each_wrong_slot_is_told() -> None:
    assert len(verdict(every(0, 2, 5)).wrong) == 3


def test_an_absence_of_an_unknown_line_is_found() -> None:
    assert not verdict(every(), [missed(0, 0, 1, line="other")]).is_valid


def test_an_absence_between_the_slots_is_found() -> None:
    off = timedelta(seconds=1)
    assert not verdict(every(), [missed(2, 2, 1, slot_at=slot(2) + off, until_at=slot(2) + off)]).is_valid


def test_too_small_a_count_is_found() -> None:
    assert not verdict(every(2, 3), [missed(2, 3, 1)]).is_valid


def test_one_run_makes_up_for_the_last_one_only() -> None:
    found = verdict([*every(1, 2), run(1, after_s=18)], [missed(2, 2, 1)], catch_up="once")
    assert [text for text in found.wrong if "18.0 s late" in text] == found.wrong != []


def test_a_run_makes_up_for_nothing_once_the_next_slot_has_come() -> None:
    assert not verdict([*every(1), run(1, after_s=10.6)], catch_up="once").is_valid


def test_where_late_ones_are_left_out_none_may_be_late() -> None:
    assert not verdict([*every(5), run(5, after_s=3)]).is_valid


def test_a_history_without_slots_proves_nothing() -> None:
    line = Line("line", {"zone": "UTC", "catch_up": "skip"}, lambda _: True)
    assert not check({"line": (line, [])}, [], []).is_valid
