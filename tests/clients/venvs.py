"""The vendors' own clients, each in a virtual environment of its own, outside the hub's.

`requirements/NAME.txt` beside this file pins what is installed from PyPI. `python -m tests.clients.venvs` makes all of
them, as `.ci/run` does before the tests; `environment("NAME")` makes a missing one. They stay in `.venv-clients`, or
where TEST_CLIENTS_DIR says.
"""

import fcntl
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(os.environ.get("TEST_CLIENTS_DIR", ROOT / ".venv-clients"))
REQUIREMENTS = Path(__file__).with_name("requirements")
PIP = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]


@cache
def environment(name: str) -> Path:
    """The folder of the programs of the client's environment; the test is skipped where it cannot be made."""
    try:
        return make(name)
    except subprocess.CalledProcessError as error:
        pytest.skip(f"cannot install the client {name}: {(error.stderr or error.stdout).strip()[-300:]}")


def make(name: str) -> Path:
    """Raises `CalledProcessError`. It is made anew when its pins have changed; one process at a time makes it."""
    pins = REQUIREMENTS / f"{name}.txt"
    folder = FOLDER / name
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        made_of = folder / "made-of.txt"
        if not made_of.exists() or made_of.read_bytes() != pins.read_bytes():
            shutil.rmtree(folder, ignore_errors=True)
            _run([sys.executable, "-m", "venv", str(folder)])
            _run([str(folder / "bin" / "python"), *PIP, "-r", str(pins)])
            made_of.write_bytes(pins.read_bytes())
    return folder / "bin"


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True)


def main() -> None:
    """All of them; says which cannot be made."""
    failures = 0
    for pins in sorted(REQUIREMENTS.glob("*.txt")):
        try:
            make(pins.stem)
        except subprocess.CalledProcessError as error:
            failures += 1
            print(f"cannot install the client {pins.stem}: {error.stderr}", file=sys.stderr)
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
