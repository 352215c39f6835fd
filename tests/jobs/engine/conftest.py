"""What the tests of the planner have in common."""

import pytest

from jobs.models import Schedule
from tests.conftest import MakeJob
from tests.jobs.engine.clockwork import schedule_of


@pytest.fixture
def hourly(make_job: MakeJob) -> Schedule:
    return schedule_of(make_job(schedules=[{"cron": "0 * * * *"}], concurrency_limit=0))
