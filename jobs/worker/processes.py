"""What Linux is asked so that no process outlives its cluster."""

import ctypes
import os
import select
import signal

PR_SET_PDEATHSIG = 1


def die_with(parent: int) -> None:
    """KILL this process when `parent`, which forked it, ends, also by kill -9 and also before this call."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def let_forks_die_with_me() -> None:
    """Every process forked from this one, and from those in turn, dies with the one that forked it."""
    parent = 0

    def note_parent() -> None:
        nonlocal parent
        parent = os.getpid()

    os.register_at_fork(before=note_parent, after_in_child=lambda: die_with(parent))


def kill_group(leader: int) -> None:
    try:
        os.killpg(leader, signal.SIGKILL)
    except ProcessLookupError:
        return


class Signals:
    """TERM and INT as something to wait for: `wait` ends early when one has come."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self.n_stops = 0
        signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._note)

    @property
    def stop(self) -> bool:
        return self.n_stops > 0

    def _note(self, *_: object) -> None:
        self.n_stops += 1

    def wait(self, seconds: float) -> None:
        if select.select([self._read], [], [], seconds)[0]:
            os.read(self._read, 4096)
