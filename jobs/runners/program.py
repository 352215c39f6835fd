"""Runs one external program under its guard and pumps its streams; in no case is anything of it left."""

import fcntl
import json
import os
import selectors
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jobs.errors import RunFailed, Stopped
from jobs.runners import guard
from jobs.runners.context import Context, Stop

GUARD = str(Path(__file__).with_name("guard.py"))
CHUNK_BYTES = 65536
POLL_S = 0.2
"""How often the word to stop is looked for."""
HEARTBEAT_S = 0.5
LAST_WAIT_S = 30.0
"""A killed program that still has not ended (a dead disk, another user's process) is given up after this."""

Sink = Callable[[bytes], None]


def clean_environment(context: Context) -> dict[str, str]:
    """The small environment of every program: never the hub's own, which holds secrets."""
    info = context.info
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TZ") if os.environ.get(name)}
    return {
        "PATH": os.defpath,
        "HOME": "/",
        "LANG": "C.UTF-8",
        **kept,
        "JOBHUB_JOB": info.job,
        "JOBHUB_EXECUTION": info.execution,
        "JOBHUB_ATTEMPT": str(info.attempt),
        "JOBHUB_ACTION": info.action,
        "JOBHUB_NODE": info.node,
    }


def end_text(code: int) -> str:
    """An exit code in words."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"killed by signal {-code} ({signal.Signals(-code).name})"
    except ValueError:
        return f"killed by signal {-code}"


@dataclass(frozen=True)
class Talk:
    """How a program of ours speaks with its worker beside the standard streams."""

    pass_fds: Sequence[int]
    """The program's ends of pipes."""
    readers: Mapping[int, Sink]
    """The caller's ends: read like stdout."""
    on_stop: Callable[[Stop], None]
    """Told at once why the run must stop; TERM then follows only after half of the grace time."""


def run_program(
    argv: Sequence[str],
    *,
    context: Context,
    env: Mapping[str, str],
    on_stdout: Sink,
    on_stderr: Sink,
    cwd: str | Path | None = None,
    stdin: bytes | None = None,
    grace_s: float | None = None,
    pass_fds: Sequence[int] = (),
    talk: Talk | None = None,
) -> int:
    """The program's exit code, or -n if signal n ended it.

    `env` is its whole environment, and its PATH finds the program. The sinks get the bytes as they come, in
    the caller's thread. When the context says stop, all that the program started gets TERM, after `grace_s`
    (default: the context's) KILL, and `Stopped` is raised. `RunFailed`: it could not be started, or its guard
    was killed. If a sink raises, everything is killed and the exception goes on.
    """
    run = _Run(argv, context, grace_s=context.grace_s if grace_s is None else grace_s, talk=talk)
    try:
        try:
            run.start(env, cwd, pass_fds, stdin)
            run.connect(on_stdout, on_stderr)
            run.pump()
        finally:
            run.end()
        run.read_rest()
    finally:
        run.close()
    return run.outcome()


class _Run:
    def __init__(self, argv: Sequence[str], context: Context, *, grace_s: float, talk: Talk | None) -> None:
        self.argv = list(argv)
        self.context = context
        self.grace_s = grace_s
        self.talk = talk
        self.guard: subprocess.Popen[bytes] | None = None
        self.selector = selectors.DefaultSelector()
        self.control = self.status = self.guard_end = -1
        self.unsent = memoryview(b"")
        self.told: dict[str, Any] = {}
        """What the guard said."""
        self.stop: Stop | None = None
        """What the program was told."""
        self.term_at = self.kill_at = float("inf")
        self.fed_until = context.trusted_until()

    # -- start -----------------------------------------------------------------------------------------------
    def start(
        self, env: Mapping[str, str], cwd: str | Path | None, pass_fds: Sequence[int], stdin: bytes | None
    ) -> None:
        control, self.control = os.pipe()
        self.status, status = os.pipe()
        fds = (control, status, *pass_fds, *(self.talk.pass_fds if self.talk else ()))
        guard_args = (str(control), str(status), str(self.fed_until), "--")
        try:
            self.guard = subprocess.Popen(
                [sys.executable, "-I", "-S", GUARD, *guard_args, *self.argv],
                env=env,
                cwd=cwd,
                pass_fds=fds,
                start_new_session=True,
                stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
            )
        except (OSError, ValueError) as error:
            raise self.cannot_start(_why(error, cwd)) from error
        finally:
            os.close(control)
            os.close(status)
        self.unsent = memoryview(stdin or b"")

    def connect(self, on_stdout: Sink, on_stderr: Sink) -> None:
        assert self.guard
        assert self.guard.stdout
        assert self.guard.stderr
        sinks = {self.guard.stdout.fileno(): on_stdout, self.guard.stderr.fileno(): on_stderr}
        for fd, sink in [*sinks.items(), *(self.talk.readers.items() if self.talk else ())]:
            os.set_blocking(fd, False)
            self.selector.register(fd, selectors.EVENT_READ, sink)
        if self.guard.stdin:
            os.set_blocking(self.guard.stdin.fileno(), False)
            self.selector.register(self.guard.stdin, selectors.EVENT_WRITE)
        # Not the end of the status pipe: a process that another thread forks at a bad moment keeps that open.
        self.guard_end = os.pidfd_open(self.guard.pid)
        self.selector.register(self.guard_end, selectors.EVENT_READ)

    # -- while it runs ---------------------------------------------------------------------------------------
    def pump(self) -> None:
        """Until the guard has left, or it is time to kill."""
        while time.monotonic() < self.kill_at:
            self.feed()
            self.heed()
            ready = [key for key, _ in self.selector.select(min(POLL_S, self.context.lease_s / 4))]
            for key in ready:
                if key.data is not None:
                    self.read(key.fd, key.data, CHUNK_BYTES)
                elif key.fd != self.guard_end:
                    self.write(key.fd)
            if any(key.fd == self.guard_end for key in ready):
                return

    def feed(self) -> None:
        """Tell the guard how long this worker, which is alive, surely owns the run."""
        until = self.context.trusted_until()
        has_moved = until - self.fed_until >= min(HEARTBEAT_S, self.context.lease_s / 8)
        if has_moved and self.context.lease_is_fresh():
            self.fed_until = until
            self.order(str(until))

    def heed(self) -> None:
        """Pass on the word to stop, to who asked to be told and as TERM; KILL is the end of the pump."""
        reason = self.context.stop_reason
        if reason and reason is not self.stop:
            self.plan(reason)
        if time.monotonic() >= self.term_at:
            self.term_at = float("inf")
            self.order("T")

    def plan(self, reason: Stop) -> None:
        now = time.monotonic()
        if reason is Stop.LOST:
            self.kill_at, self.term_at = now, float("inf")
        elif self.stop is None:
            self.kill_at = now + self.grace_s
            self.term_at = now + self.grace_s / 2 if self.talk else now
        self.stop = reason
        if self.talk:
            self.talk.on_stop(reason)

    def order(self, word: str) -> None:
        with suppress(BrokenPipeError):  # the guard has just left
            os.write(self.control, f"{word}\n".encode())

    def read(self, fd: int, sink: Sink, limit_bytes: int) -> int:
        """How many bytes went to the sink."""
        try:
            data = os.read(fd, limit_bytes)
        except BlockingIOError:
            return 0
        if data:
            sink(data)
        else:
            self.selector.unregister(fd)
        return len(data)

    def write(self, fd: int) -> None:
        try:
            self.unsent = self.unsent[os.write(fd, self.unsent[:CHUNK_BYTES]) :]
        except BlockingIOError:
            return
        except BrokenPipeError:
            self.unsent = memoryview(b"")
        if not self.unsent:
            stdin = self.selector.unregister(fd).fileobj
            stdin.close()  # type: ignore[union-attr]

    # -- the end ---------------------------------------------------------------------------------------------
    def end(self) -> None:
        """Kill what still runs (the end of the control pipe is the order), and wait until it is gone."""
        _close(self.control)
        if self.guard is None:
            return
        try:
            self.guard.wait(LAST_WAIT_S)
        except subprocess.TimeoutExpired:
            self.told["undead"] = True
            self.guard.kill()
            self.guard.wait()
        os.set_blocking(self.status, False)
        with suppress(BlockingIOError):
            for line in os.read(self.status, CHUNK_BYTES).splitlines():
                self.told.update(json.loads(line))
        if self.guard.returncode and "pid" in self.told:
            guard.kill_session(self.told["pid"])

    def read_rest(self) -> None:
        """What was written before the end; a daemon that lives on may write for ever."""
        for key in list(self.selector.get_map().values()):
            if key.data is not None:
                left_bytes = _waiting_bytes(key.fd)
                while left_bytes > 0 and (n_read := self.read(key.fd, key.data, left_bytes)):
                    left_bytes -= n_read

    def close(self) -> None:
        self.selector.close()
        _close(self.status)
        _close(self.guard_end)
        for stream in (self.guard.stdin, self.guard.stdout, self.guard.stderr) if self.guard else ():
            if stream:
                stream.close()

    def outcome(self) -> int:
        if "undead" in self.told:
            raise RunFailed(f"{self.argv[0]!r} could not be killed: {LAST_WAIT_S:.0f} s after KILL it had not ended")
        if self.stop:
            raise Stopped(str(self.stop))
        if "error" in self.told:
            raise self.cannot_start(self.told["error"])
        if "silent" in self.told:
            self.context.stop(Stop.LOST)
            raise Stopped(f"{self.argv[0]!r} was killed: its worker was silent until its lease ran out")
        if "signal" in self.told:
            return -int(self.told["signal"])
        if "exit" in self.told:
            return int(self.told["exit"])
        raise RunFailed(f"{self.argv[0]!r} was killed, because its guard process had died")

    def cannot_start(self, why: str) -> RunFailed:
        return RunFailed(f"cannot start {self.argv[0]!r}: {why}")


def _why(error: OSError | ValueError, cwd: str | Path | None) -> str:
    if not isinstance(error, OSError):
        return str(error)
    if cwd is not None and error.filename is not None and os.fspath(error.filename) == os.fspath(cwd):
        return f"{error.strerror}: {os.fspath(cwd)!r}"
    return str(error.strerror)


def _waiting_bytes(fd: int) -> int:
    answer = fcntl.ioctl(fd, termios.FIONREAD, bytes(4))
    return int.from_bytes(answer, sys.byteorder)


def _close(fd: int) -> None:
    if fd >= 0:
        os.close(fd)
