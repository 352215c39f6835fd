"""The parts of the suite that need something of the machine: says which were skipped and why, and refuses to skip them.

A test belongs to a part by its mark (`pytestmark = pytest.mark.clients` at the top of a file); what is in
`tests/clients` has that one by itself.
`REQUIRE_PARTS=postgres,redis` makes a run fail in which a test of these parts was skipped, or in which there was none.
"""

import os
from collections import Counter
from pathlib import Path

import pytest

PARTS = {
    "clients": "the vendors' own clients, installed from PyPI (tests/clients)",
    "cluster": "real worker processes",
    "mounts": "small file systems, mounted by root",
    "mysql": "a MySQL or MariaDB server (TEST_MYSQL_URL)",
    "postgres": "a PostgreSQL server (TEST_POSTGRES_URL)",
    "redis": "a Redis server (TEST_REDIS_URL)",
}
CLIENTS = Path(__file__).with_name("clients")
MOUNTING = {"small_disk"}
"""Fixtures that mount."""

_ran: Counter[str] = Counter()
_skipped: dict[str, Counter[str]] = {part: Counter() for part in PARTS}


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "database: reads or writes the database; added by itself")
    for part, needs in PARTS.items():
        config.addinivalue_line("markers", f"{part}: needs {needs}")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        if item.get_closest_marker("django_db") or fixtures & {"db", "transactional_db"}:
            item.add_marker("database")
        if fixtures & MOUNTING:
            item.add_marker("mounts")
        if CLIENTS in item.path.parents:
            item.add_marker("clients")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    for part in PARTS:
        if part in report.keywords and report.skipped:
            _skipped[part][_reason(report)] += 1
        elif part in report.keywords and report.when == "call":
            _ran[part] += 1


def _reason(report: pytest.TestReport) -> str:
    text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return text.removeprefix("Skipped: ")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    if (
        _broken()
        and exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)
        and _is_main(session.config)
    ):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for part, reasons in _skipped.items():
        for reason, number in reasons.items():
            terminalreporter.write_line(f"part {part}: {number} skipped, {_ran[part]} ran: {reason}")
    for part in _broken():
        terminalreporter.write_line(f"part {part}: REQUIRED (REQUIRE_PARTS), but not all of it ran", red=True)


def _broken() -> list[str]:
    required = [part.strip() for part in os.environ.get("REQUIRE_PARTS", "").split(",") if part.strip()]
    return [part for part in required if part not in PARTS or _skipped[part] or not _ran[part]]


def _is_main(config: pytest.Config) -> bool:
    """With pytest-xdist only the process that collects all reports can tell."""
    return not hasattr(config, "workerinput")
