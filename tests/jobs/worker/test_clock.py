"""The clock of a machine is set, forward or back: nothing is taken from the living, nothing waits for the old time."""

from datetime import datetime, timedelta

import pytest
import time_machine
from django.conf import settings
from django.utils import timezone

from jobs.engine.define import define
from jobs.engine.nodes import SILENT_INTERVALS
from jobs.engine.report import register_node, report
from jobs.engine.rights import Actor
from jobs.models import JobExecution, Node, Place
from jobs.states import State
from jobs.worker.ticker import Ticker
from tests.conftest import MakeExecution

HOUR, WEEKS = timedelta(hours=1), timedelta(weeks=3)
PAST = timezone.now() - timedelta(seconds=5)


@pytest.fixture
def ticker(db: None) -> Ticker:
    """It knows how the clock stands."""
    ticker = Ticker()
    ticker.tick()
    return ticker


def after(by: timedelta, ticker: Ticker, execution: JobExecution) -> JobExecution:
    with time_machine.travel(timezone.now() + by):
        ticker.tick()
    execution.refresh_from_db()
    return execution


def longest_lease() -> datetime:
    return timezone.now() + timedelta(seconds=settings.HUB["LEASE_S"])


@pytest.mark.parametrize("by", [WEEKS, -HOUR])
def test_whoever_runs_gets_the_time_to_renew_its_lease(
    ticker: Ticker, make_execution: MakeExecution, by: timedelta
) -> None:
    execution = after(by, ticker, make_execution(state=State.RUNNING, lease_until=PAST))
    assert execution.state == State.RUNNING


def test_who_has_not_used_that_time_is_lost(ticker: Ticker, make_execution: MakeExecution) -> None:
    execution = after(WEEKS, ticker, make_execution(state=State.RUNNING, lease_until=PAST))
    JobExecution.objects.update(lease_until=PAST)
    with time_machine.travel(timezone.now() + WEEKS):
        ticker.tick()
        ticker.tick()
    execution.refresh_from_db()
    assert execution.n_lost == 1


def test_a_lease_by_a_clock_that_was_ahead_does_not_last_till_then(
    ticker: Ticker, make_execution: MakeExecution
) -> None:
    execution = after(-HOUR, ticker, make_execution(state=State.RUNNING, lease_until=timezone.now() + HOUR))
    assert execution.lease_until and execution.lease_until <= longest_lease()


def test_what_was_due_stays_due(ticker: Ticker, make_execution: MakeExecution) -> None:
    execution = after(-HOUR, ticker, make_execution())
    assert execution.run_at < timezone.now() - HOUR + timedelta(minutes=1)


def test_what_was_not_due_waits_for_its_time(ticker: Ticker, make_execution: MakeExecution) -> None:
    run_at = timezone.now() + HOUR
    assert after(-HOUR, ticker, make_execution(run_at=run_at)).run_at == run_at


def test_a_new_ticker_takes_no_clock_for_set(make_execution: MakeExecution) -> None:
    execution = make_execution(state=State.RUNNING, lease_until=PAST)
    Ticker().tick()
    execution.refresh_from_db()
    assert execution.n_lost == 1


def test_a_clock_that_goes_on_takes_nothing_from_a_rescue(ticker: Ticker, make_execution: MakeExecution) -> None:
    execution = make_execution(state=State.RUNNING, lease_until=PAST)
    ticker.tick()
    execution.refresh_from_db()
    assert execution.n_lost == 1


# -- nodes that poll ---------------------------------------------------------------------------------------------------
INTERVAL_S = 60
ALLOWED = timedelta(seconds=SILENT_INTERVALS * INTERVAL_S)


@pytest.fixture
def remote(op: Actor) -> JobExecution:
    job, _ = define({"name": "remote"}, actor=op, place=Place.REMOTE)
    register_node("shop", interval_s=INTERVAL_S)
    return report(job, actor=op, remote_ref="1", node="shop", state=State.RUNNING)


def listened(ticker: Ticker, for_s: float) -> None:
    ticker._clock._steady_since -= for_s


def test_a_node_gets_its_time_to_poll_when_the_clock_jumps(ticker: Ticker, remote: JobExecution) -> None:
    listened(ticker, ALLOWED.total_seconds())
    ticker._done_at.clear()

    assert after(WEEKS, ticker, remote).state == State.RUNNING


def test_a_hub_that_was_away_does_not_say_who_was_silent(remote: JobExecution) -> None:
    Node.objects.update(seen_at=timezone.now() - 2 * ALLOWED)
    ticker = Ticker()
    ticker.tick()
    remote.refresh_from_db()
    assert remote.state == State.RUNNING

    listened(ticker, ALLOWED.total_seconds())
    ticker._done_at.clear()
    ticker.tick()
    remote.refresh_from_db()
    assert (remote.state, remote.message[:9]) == (State.FAILED, "node lost")
