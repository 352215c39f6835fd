"""What the figures were measured on."""

import os
import platform
import shutil
import sqlite3
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

from bench import load
from bench.places import ROOT

PACKAGES = ("django", "djangorestframework", "django-q2", "granian", "psycopg", "redis", "orjson")


def described() -> dict[str, Any]:
    return {
        "commit": _commit(),
        "machine": f"{os.cpu_count()} cores ({_processor()}), {round(psutil.virtual_memory().total / 2**30)} GiB",
        "system": f"{platform.system()} {platform.release()}, Python {sys.version.split()[0]}",
        "packages": ", ".join(f"{name} {version(name)}" for name in PACKAGES),
        "embedded database": f"SQLite {sqlite3.sqlite_version}",
        "load from": load.tool(),
        "load average": " ".join(f"{value:.2f}" for value in os.getloadavg()),
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(": ")[2]
    return platform.machine()


def _commit() -> str:
    if not shutil.which("git"):
        return "unknown"
    command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip() or "unknown"
