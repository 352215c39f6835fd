"""The table of moves: total, and kept by the database."""

from collections.abc import Callable
from itertools import product

import pytest

from jobs.errors import IllegalMove
from jobs.models import JobExecution
from jobs.states import ACTIVE, FINAL, LIVE, MOVES, State, sources
from tests.conftest import MakeExecution

PAIRS = list(product(State, State))


def test_the_table_of_moves_has_every_state() -> None:
    assert set(MOVES) == set(State)


def test_a_state_is_final_or_active() -> None:
    assert (set(State), frozenset()) == (FINAL | ACTIVE, FINAL & ACTIVE)


def test_nothing_moves_out_of_a_final_state() -> None:
    assert {State.SUCCEEDED, State.FAILED, State.ABORTED} == FINAL


def test_who_is_live_is_active() -> None:
    assert {State.RUNNING, State.ABORTING} == LIVE


def test_every_state_but_the_first_can_be_reached() -> None:
    assert all(sources(state) for state in State)


def test_every_active_state_leads_to_an_end() -> None:
    assert all(MOVES[state] & FINAL for state in ACTIVE)


def test_sources_is_the_table_read_backwards() -> None:
    assert {(a, b) for b in State for a in sources(b)} == {(a, b) for a in State for b in MOVES[a]}


@pytest.mark.parametrize(("here", "there"), PAIRS, ids=[f"{a}-{b}" for a, b in PAIRS])
def test_the_database_makes_the_moves_of_the_table_and_no_others(
    make_execution: MakeExecution, leased: Callable[[State], dict[str, object]], here: State, there: State
) -> None:
    execution = make_execution(state=here)
    try:
        execution.move(there, **leased(there))
    except IllegalMove:
        has_moved = False
    else:
        has_moved = True
    stands = JobExecution.objects.values_list("state", flat=True).get(pk=execution.pk)
    assert (has_moved, stands) == (there in MOVES[here], there if there in MOVES[here] else here)


def test_there_were_49_pairs() -> None:
    assert len(PAIRS) == 49
