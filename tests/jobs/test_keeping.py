"""The rules about how long ended executions stay."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from jobs.keeping import Rule, rule_of, rules_of
from jobs.states import FINAL

ENDED = datetime(2026, 11, 22, tzinfo=UTC)
ALL = ("aborted", "failed", "succeeded")
HUB = {"days": 90, "last": 10}


@pytest.mark.parametrize(
    ("keep", "state", "rule"),
    [
        ({}, "failed", Rule(ALL, 90, 10)),
        ({"days": 3}, "failed", Rule(ALL, 3, None)),
        ({"last": 3}, "failed", Rule(ALL, None, 3)),
        ({"days": 3, "last": 4}, "failed", Rule(ALL, 3, 4)),
        ({"days": 3, "failed": {"last": 5}}, "failed", Rule(("failed",), None, 5)),
        ({"days": 3, "failed": {"last": 5}}, "succeeded", Rule(("aborted", "succeeded"), 3, None)),
        ({"failed": {"days": 365}}, "aborted", Rule(("aborted", "succeeded"), 90, 10)),
    ],
)
def test_a_state_has_the_nearest_rule(keep: Any, state: str, rule: Rule) -> None:
    assert rule_of(keep, state, **HUB) == rule


@pytest.mark.parametrize("keep", [{}, {"days": 1}, {"failed": {"days": 1}, "aborted": {"last": 2}}])
def test_every_state_is_in_one_rule(keep: Any) -> None:
    states = [state for rule in rules_of(keep, **HUB) for state in rule.states]
    assert sorted(states) == sorted(FINAL)


@pytest.mark.parametrize(
    ("rule", "expiry"),
    [
        (Rule(ALL, 30, None), ENDED + timedelta(days=30)),
        (Rule(ALL, 30, 10), ENDED + timedelta(days=30)),
        (Rule(ALL, None, 10), ENDED),
        (Rule(ALL, 0, None), None),
        (Rule(ALL, 0, 10), None),
    ],
)
def test_it_says_when_only_the_number_counts(rule: Rule, expiry: datetime | None) -> None:
    assert rule.expiry(ENDED) == expiry
