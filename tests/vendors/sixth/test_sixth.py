"""The recipe of `vendors/README.md`, followed: one vendor more is a folder, a word, and two files of tests."""

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.vendors.test_rights import WHO

ROOT = Path(__file__).resolve().parents[3]
HERE = Path(__file__).parent
FOLDERS = ("jobhub", "jobs", "tests", "vendors")
FILES = ("manage.py", "pyproject.toml", "README.md")
WORD = "kiln"
TESTS = ("tests/vendors/contract", "tests/vendors/test_rights.py", "tests/test_house.py")
RULES = "every_route_has_its_row or faces_know or longer_than"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of this project with one face more."""
    copy = tmp_path_factory.mktemp("sixth") / "project"
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name in FILES:
        shutil.copy(ROOT / name, copy)
    shutil.copytree(HERE / "face", copy / "vendors" / WORD)
    shutil.copytree(HERE / "proof", copy / "tests/vendors" / WORD)
    settings = copy / "jobhub/settings.py"
    settings.write_text(re.sub(r"^FACES = \[", f'FACES = ["{WORD}", ', settings.read_text(), flags=re.MULTILINE))
    subprocess.run(["git", "init", "--quiet"], cwd=copy, check=True)  # the rules of the house ask it for the files
    return copy


@pytest.fixture(scope="module")
def passed(project: Path) -> Counter[str]:
    """How many of its tests passed, by file, when none failed."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("JOBHUB_", "PYTEST_", "REQUIRE_"))}
    command = [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", *TESTS, "-k", f"{WORD} or {RULES}"]
    done = subprocess.run(command, cwd=project, env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    return Counter(re.findall(r"^(\S+?)::.* PASSED", done.stdout, re.MULTILINE))


def test_it_speaks_as_every_face_does(passed: Counter[str]) -> None:
    assert sum(n for name, n in passed.items() if name.startswith("tests/vendors/contract/")) >= 40


def test_each_may_there_what_its_table_says(passed: Counter[str]) -> None:
    """Four routes, tried by everybody; and no route of any face is without its row."""
    assert passed["tests/vendors/test_rights.py"] == 4 * len(WHO) + 1


def test_it_keeps_the_rules_of_the_house(passed: Counter[str]) -> None:
    assert passed["tests/test_house.py"] == 2
