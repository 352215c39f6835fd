"""The rules of the house that a machine can check: who imports whom, who writes a state, what the manual names."""

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from django.core.management import get_commands

from jobhub.env import PREFIX, SETTINGS, Setting

ROOT = Path(__file__).resolve().parent.parent
PRODUCT = ("jobhub", "jobs", "vendors")
LONGEST_FILE = 400

HOUSE = (
    ("states", "errors", "signals"),
    ("keeping", "masking", "paths", "queue", "secrets", "targets", "texts", "wording"),
    ("client", "schedules", "sources"),
    ("models", "runners"),
    ("engine",),
    ("admin",),
    ("templatetags", "worker"),
    ("apps", "checks", "management"),
)
"""The floors inside `jobs`, the lowest first: what lies on one imports only from lower ones and its own package."""
FLOORS = {name: number for number, names in enumerate(HOUSE) for name in names}

WRITERS = {"update", "create", "update_or_create", "get_or_create", "bulk_create", "bulk_update", "JobExecution"}
OF_STEPS = ("ActionExecution", ".steps", "line")
"""The timeline of steps has states of its own, which the worker writes freely."""


# -- what the rules are asked about ------------------------------------------------------------------------------------
@cache
def tracked() -> tuple[str, ...]:
    """The files of the project: what git tracks or would track."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return tuple(name for name in listed.stdout.splitlines() if (ROOT / name).is_file())


def sources(*packages: str) -> list[str]:
    """Python files below these packages, without migrations."""
    folders = tuple(f"{package}/" for package in packages)
    found = [name for name in tracked() if name.endswith(".py") and name.startswith(folders)]
    return [name for name in found if "/migrations/" not in name]


@cache
def tree(name: str) -> ast.Module:
    return ast.parse((ROOT / name).read_text(encoding="utf-8"))


def imports(name: str) -> Iterator[str]:
    """The dotted names that a file imports, wherever in it. `from a import b` counts as `a.b`: b may be a module."""
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{name} imports relatively"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def part(dotted: str, number: int) -> str:
    """The part of that number, empty when there is none."""
    return (dotted.split(".") + [""] * number)[number]


def module(name: str) -> str:
    """The dotted name of a file."""
    return name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def is_below(inner: str, outer: str) -> bool:
    mine, theirs = part(inner, 1), part(outer, 1)
    return theirs in ("", mine) or FLOORS[theirs] < FLOORS[mine]


# -- who imports whom --------------------------------------------------------------------------------------------------
def test_every_module_of_the_core_has_a_floor() -> None:
    assert {part(module(name), 1) for name in sources("jobs")} - {""} <= set(FLOORS)


def test_inside_the_core_imports_go_down() -> None:
    wrong = [
        f"{name} imports {found}"
        for name in sources("jobs")
        for found in imports(name)
        if found.startswith("jobs.") and part(module(name), 1) and not is_below(module(name), found)
    ]

    assert not wrong


def test_the_core_knows_no_face_and_no_project() -> None:
    assert not [
        f"{name} imports {found}"
        for name in sources("jobs")
        for found in imports(name)
        if part(found, 0) in ("vendors", "jobhub")
    ]


def test_faces_know_the_wire_and_not_each_other() -> None:
    below_all = {"wire", "registry", "models", "apps"}
    wrong = []
    for name in sources("vendors"):
        mine = part(module(name), 1)
        for found in imports(name):
            theirs = part(found, 1) if part(found, 0) == "vendors" else mine
            is_foreign = theirs not in (mine, *below_all) or (mine in below_all and theirs not in below_all)
            if is_foreign or part(found, 0) == "jobhub":
                wrong.append(f"{name} imports {found}")

    assert not wrong


def test_runners_know_no_django() -> None:
    assert not [
        f"{name} imports {found}"
        for name in sources("jobs/runners")
        for found in imports(name)
        if part(found, 0) in ("django", "rest_framework", "django_q")
    ]


def test_only_the_queue_knows_django_q() -> None:
    importers = {name for name in sources(*PRODUCT) for found in imports(name) if part(found, 0) == "django_q"}

    assert importers == {"jobs/queue.py"}


# -- who writes a state ------------------------------------------------------------------------------------------------
def test_nobody_assigns_the_state_of_an_execution() -> None:
    assert not [
        f"{name}:{node.lineno}"
        for name in sources(*PRODUCT)
        for node in ast.walk(tree(name))
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and node.attr == "state"
        if ast.unparse(node.value) not in OF_STEPS
    ]


def test_nobody_writes_the_state_of_an_execution_through_a_query() -> None:
    assert not [
        f"{name}:{node.lineno}"
        for name in sources(*PRODUCT)
        for node in ast.walk(tree(name))
        if isinstance(node, ast.Call) and any(keyword.arg == "state" for keyword in node.keywords)
        if ast.unparse(node.func).rpartition(".")[2] in WRITERS
        if not any(word in ast.unparse(node.func) for word in OF_STEPS)
    ]


def test_only_move_uses_the_update_under_it() -> None:
    users = {name for name in sources(*PRODUCT) for found in imports(name) if found.endswith(".update_row")}

    assert users == {"jobs/models/execution.py"}


# -- what the manual names ---------------------------------------------------------------------------------------------
def readme() -> str:
    return (ROOT / "README.md").read_text()


def own_commands() -> list[str]:
    return sorted(name for name, app in get_commands().items() if app in PRODUCT)


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_every_setting_is_a_row_of_the_readme(setting: Setting) -> None:
    default = f"`{setting.default}`" if setting.default else ""

    assert f"| `{PREFIX}{setting.name}` | {default} | {setting.help} |" in readme()


def test_the_readme_names_no_setting_that_there_is_not() -> None:
    named = set(re.findall(rf"^\| `{PREFIX}([A-Z_]+)` \|", readme(), re.MULTILINE))

    assert named == {setting.name for setting in SETTINGS}


@pytest.mark.parametrize("command", own_commands())
def test_every_command_is_in_the_readme(command: str) -> None:
    assert re.search(rf"^\|[^|]*`{command}[` ]", readme(), re.MULTILINE), "it wants a row in the table of commands"


@pytest.mark.parametrize("command", own_commands())
def test_every_command_has_a_test(command: str) -> None:
    called = re.compile(rf"""["']{command}["']""")

    assert [name for name in sources("tests") if called.search((ROOT / name).read_text())]


# -- size and words ----------------------------------------------------------------------------------------------------
def test_no_file_is_longer_than_a_person_can_hold() -> None:
    lengths = {name: len((ROOT / name).read_text().splitlines()) for name in sources(*PRODUCT, "tests", "bench")}

    assert not {name: length for name, length in lengths.items() if length > LONGEST_FILE}


def test_no_file_speaks_of_the_place_where_it_was_written() -> None:
    place = re.compile(r"\.\./sha" + r"red|(?<![\w.~}])/wo" + r"rk(?:/|\b)")
    suffixes = (".py", ".md", ".toml", ".txt", ".yaml", ".yml", ".html", ".js", ".css", ".sh", "Makefile", ".ci/run")
    texts = {name: (ROOT / name).read_text(encoding="utf-8") for name in tracked() if name.endswith(suffixes)}

    assert not [name for name, text in texts.items() if place.search(text)]
