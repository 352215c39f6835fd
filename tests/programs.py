"""Programs that a test starts, and the processes that should be gone after it."""

import contextlib
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import psutil


@contextlib.contextmanager
def running(command: Sequence[str], **options: Any) -> Iterator[subprocess.Popen[Any]]:
    """Killed and reaped in the end, also when the test fails: a child that is left behind fails others."""
    with subprocess.Popen(command, **options) as process:
        try:
            yield process
        finally:
            process.kill()


def is_gone(process: psutil.Process) -> bool:
    """Also a zombie is: it waits for a parent who may take its time, as the first process of a container does."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def are_gone(processes: Iterable[psutil.Process]) -> bool:
    return all(is_gone(process) for process in processes)


def is_pid_gone(pid: int) -> bool:
    try:
        return is_gone(psutil.Process(pid))
    except psutil.NoSuchProcess:
        return True
