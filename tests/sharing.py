"""How several processes share the suite (`pytest -n 3 --dist loadgroup`): who stays together, and who begins first.

The tests of a file stay together, for they profit from one another's caches; those of real processes, which mostly
wait, are dealt out one by one and begin before all others, marked `long` the very first. A mark `xdist_group` says
otherwise.
"""

import pytest

ONE_AT_A_TIME = ("redis",)
"""Parts whose tests use something that there is only one of."""


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "long: takes a minute of waiting; begins first where processes share the work")
    if hasattr(config, "workerinput"):
        config.pluginmanager.register(Order())


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if group := _group(item):
            item.add_marker(pytest.mark.xdist_group(group))


def _group(item: pytest.Item) -> str:
    """Empty when any process may take it, or when it has one."""
    if item.get_closest_marker("xdist_group"):
        return ""
    if single := next((part for part in ONE_AT_A_TIME if item.get_closest_marker(part)), ""):
        return single
    return "" if item.get_closest_marker("cluster") else item.nodeid.split("::")[0]


class Order:
    """Put in place for shared runs only: alone, the long ones would just make the others wait."""

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items.sort(key=lambda item: -sum(item.get_closest_marker(mark) is not None for mark in ("cluster", "long")))
