import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jobs.errors import RunFailed, Stopped
from jobs.runners import guard
from jobs.runners.context import Context, Stop
from jobs.runners.program import run_program
from tests.jobs.runners.processes import Mark
from tests.waiting import eventually

FAMILY = """
{prelude}
sleep 60 &
setsid sh -c 'echo stray; sleep 60; sleep 60' &
(setsid sh -c 'echo orphan; sleep 60; sleep 60' &)
echo leader
wait
"""
"""A leader with a child, a child in a session of its own, and an orphan: three lines when all are there."""
STUBBORN = FAMILY.format(prelude="trap '' TERM INT HUP")
OBEDIENT = FAMILY.format(prelude="")

WORKER = """
import os
import sys
from pathlib import Path
from jobs.errors import JobHubError
from jobs.runners.context import Context
from jobs.runners.program import run_program

context = Context(workdir=Path("/"), lease_s=float(sys.argv[1]))
env = dict(item.split("=", 1) for item in sys.argv[3:])
try:
    run_program(["sh", "-c", sys.argv[2]], context=context, env=env, on_stdout=lambda data: os.write(1, data),
                on_stderr=lambda data: os.write(2, data))
except JobHubError as error:
    print(error.message, flush=True)
"""

Sink = Callable[[bytes], None]


def sh(
    script: str,
    context: Context,
    mark: Mark,
    *,
    on_stdout: Sink = lambda data: None,
    stdin: bytes | None = None,
) -> int:
    argv = ["sh", "-c", script]
    return run_program(argv, context=context, env=mark.env, stdin=stdin, on_stdout=on_stdout, on_stderr=print)


def guard_of(mark: Mark) -> int:
    (pid,) = (p.pid for p in guard.processes() if p.parent == os.getpid() and p.pid in mark.pids())
    return pid


class AfterLines:
    """A sink that does something once it has seen n lines."""

    def __init__(self, n: int, action: Callable[[], object]) -> None:
        self.missing = n
        self.action = action
        self.data = b""

    def __call__(self, data: bytes) -> None:
        self.data += data
        if 0 < self.missing <= self.data.count(b"\n"):
            self.missing = 0
            self.action()


class Worker:
    """A process that runs a script, as a worker does, with the marked environment."""

    def __init__(self, script: str, mark: Mark, lease_s: float) -> None:
        env = [f"{name}={value}" for name, value in mark.env.items()]
        self.process = subprocess.Popen(
            [sys.executable, "-c", WORKER, str(lease_s), script, *env],
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[3],
            text=True,
        )

    def wait_for_lines(self, n: int) -> None:
        assert self.process.stdout
        for _ in range(n):
            assert self.process.stdout.readline()

    def end(self) -> str:
        """What it said last."""
        said: str = self.process.communicate(timeout=20)[0]
        return said


StartWorker = Callable[[str, float], Worker]


@pytest.fixture
def start_worker(mark: Mark) -> Iterator[StartWorker]:
    """Its processes are dead after the test."""
    workers: list[Worker] = []

    def start(script: str, lease_s: float) -> Worker:
        workers.append(Worker(script, mark, lease_s))
        return workers[-1]

    yield start
    for worker in workers:
        worker.process.kill()
        worker.end()


# -- it works ----------------------------------------------------------------------------------------------


def test_it_gives_the_exit_code(context: Context, mark: Mark) -> None:
    assert sh("exit 3", context, mark) == 3


def test_it_gives_the_signal_as_a_negative_code(context: Context, mark: Mark) -> None:
    assert sh("kill -SEGV $$", context, mark) == -signal.SIGSEGV


def test_it_pumps_megabytes_both_ways(context: Context, mark: Mark) -> None:
    sent = os.urandom(10_000_000)
    got = bytearray()
    sh("cat", context, mark, stdin=sent, on_stdout=got.extend)
    assert got == sent


def test_it_does_not_mind_a_program_that_reads_none_of_its_input(context: Context, mark: Mark) -> None:
    assert sh("exec <&-; sleep 0.1", context, mark, stdin=bytes(1_000_000)) == 0


def test_it_keeps_the_streams_apart(context: Context, mark: Mark) -> None:
    out, err = bytearray(), bytearray()
    run_program(
        ["sh", "-c", "echo out; echo err >&2"],
        context=context,
        env=mark.env,
        on_stdout=out.extend,
        on_stderr=err.extend,
    )
    assert (out, err) == (b"out\n", b"err\n")


def test_it_gives_the_program_no_environment_but_the_given(context: Context) -> None:
    got = bytearray()
    given = {"PATH": os.environ["PATH"], "LANG": "C"}
    run_program(["env"], context=context, env=given, on_stdout=got.extend, on_stderr=got.extend)
    assert sorted(got.decode().splitlines()) == sorted(f"{name}={value}" for name, value in given.items())


def test_it_gives_the_program_no_files_but_the_streams(context: Context, mark: Mark) -> None:
    got = bytearray()
    sh("ls /proc/$$/fd", context, mark, on_stdout=got.extend)
    assert got.split() == [b"0", b"1", b"2"]


def test_it_gives_the_program_default_signals(context: Context, mark: Mark) -> None:
    got = bytearray()
    sh("grep -E 'SigIgn|SigBlk' /proc/self/status", context, mark, on_stdout=got.extend)
    # Signals 32 and 33 are the C library's own.
    assert [int(line.split()[1], 16) & 0x7FFFFFFF for line in got.splitlines()] == [0, 0]


def test_it_passes_chosen_files_on(context: Context, mark: Mark) -> None:
    ours, theirs = os.pipe()
    argv = ["sh", "-c", f"echo hello > /proc/self/fd/{theirs}"]
    run_program(argv, context=context, env=mark.env, on_stdout=print, on_stderr=print, pass_fds=[theirs])
    os.close(theirs)
    with open(ours, "rb") as file:
        assert file.read() == b"hello\n"


def children(*, alive: bool = False) -> set[int]:
    """Of this process, zombies among them unless told otherwise. Hubs that serve the whole session are some."""
    return {p.pid for p in guard.processes() if p.parent == os.getpid() and (p.alive or not alive)}


def test_it_leaves_neither_open_files_nor_children(context: Context, mark: Mark) -> None:
    before = os.listdir("/proc/self/fd"), children()
    sh("echo hello", context, mark, stdin=b"x")
    assert (os.listdir("/proc/self/fd"), children()) == before


# -- what is left behind -----------------------------------------------------------------------------------


def test_a_normal_end_kills_what_stayed_in_the_session(context: Context, mark: Mark) -> None:
    job_control = "set -m; sleep 60 & exit 0"
    assert sh(f"sleep 60 & nohup sleep 60 2>/dev/null & exec bash -c '{job_control}'", context, mark) == 0
    assert mark.is_gone()


def test_a_daemon_survives_a_normal_end_and_does_not_hang_the_run(context: Context, mark: Mark) -> None:
    lines = AfterLines(1, lambda: None)
    assert sh("setsid sh -c 'echo up; sleep 60'& sleep 0.1", context, mark, on_stdout=lines) == 0
    assert lines.data == b"up\n"
    assert mark.pids()


def test_what_is_left_in_a_pipe_is_read_although_a_daemon_holds_it(context: Context, mark: Mark) -> None:
    got, before = bytearray(), children()

    def take_late(data: bytes) -> None:
        eventually(lambda: not children(alive=True) - before)
        got.extend(data)

    write = "import fcntl, os; fcntl.fcntl(1, fcntl.F_SETPIPE_SZ, 1 << 20); os.write(1, bytes(900_000))"
    sh(f"setsid sleep 60 & exec {sys.executable} -c '{write}'", context, mark, on_stdout=take_late)
    assert len(got) == 900_000


# -- being stopped -----------------------------------------------------------------------------------------


def test_it_kills_a_program_that_ignores_term_with_its_children_and_strays(context: Context, mark: Mark) -> None:
    context.grace_s = 0.2
    with pytest.raises(Stopped):
        sh(STUBBORN, context, mark, on_stdout=AfterLines(3, lambda: context.stop(Stop.ABORT)))
    assert mark.is_gone()


def test_it_ends_an_obedient_family_by_term_alone(context: Context, mark: Mark) -> None:
    context.grace_s = 3600
    with pytest.raises(Stopped):
        sh(OBEDIENT, context, mark, on_stdout=AfterLines(3, lambda: context.stop(Stop.ABORT)))
    assert mark.is_gone()


def test_children_may_finish_within_the_grace_after_their_leader_ended(context: Context, mark: Mark) -> None:
    sink = AfterLines(1, lambda: context.stop(Stop.SHUTDOWN))
    child = 'trap "sleep 0.2; echo cleaned; exit" TERM; echo ready; while :; do sleep 0.02; done'
    with pytest.raises(Stopped):
        sh(f"({child}) & wait", context, mark, on_stdout=sink)
    assert sink.data == b"ready\ncleaned\n"


def test_a_passed_deadline_stops_it(context: Context, mark: Mark) -> None:
    context.deadline = time.monotonic() + 0.1
    with pytest.raises(Stopped, match="timeout"):
        sh("sleep 60", context, mark)
    assert mark.is_gone()


def test_a_lost_lease_kills_without_grace(context: Context, mark: Mark) -> None:
    context.grace_s = 3600
    with pytest.raises(Stopped, match="lost"):
        sh(STUBBORN, context, mark, on_stdout=AfterLines(3, lambda: context.stop(Stop.LOST)))
    assert mark.is_gone()


def test_a_loss_overrules_a_running_grace(context: Context, mark: Mark) -> None:
    context.grace_s = 3600
    sink = AfterLines(4, lambda: context.stop(Stop.LOST))
    script = "trap 'echo heard' TERM; echo 1; echo 2; echo 3; while :; do sleep 0.02; done"
    abort = AfterLines(3, lambda: context.stop(Stop.ABORT))
    with pytest.raises(Stopped, match="lost"):
        sh(script, context, mark, on_stdout=lambda data: (abort(data), sink(data)))
    assert mark.is_gone()


# -- the worker dies ---------------------------------------------------------------------------------------


def test_a_killed_worker_leaves_no_process(mark: Mark, start_worker: StartWorker) -> None:
    worker = start_worker(STUBBORN, 60)
    worker.wait_for_lines(3)
    worker.process.kill()
    eventually(mark.is_gone)


def test_a_worker_that_is_frozen_past_its_lease_loses_its_program(mark: Mark, start_worker: StartWorker) -> None:
    worker = start_worker(STUBBORN, 0.5)
    worker.wait_for_lines(3)
    worker.process.send_signal(signal.SIGSTOP)
    eventually(mark.is_gone)
    worker.process.send_signal(signal.SIGCONT)
    assert "'sh' was killed: its worker was silent until its lease ran out" in worker.end()


def test_a_program_may_outlive_many_leases_of_a_live_worker(context: Context, mark: Mark) -> None:
    context.lease_s = 0.2
    assert sh("sleep 1", context, mark) == 0


def test_a_program_ends_when_nobody_can_renew_the_lease(context: Context, mark: Mark) -> None:
    ends_at = time.monotonic() + 0.3
    context.trusted_until = lambda: ends_at  # type: ignore[method-assign]
    with pytest.raises(Stopped, match="its lease ran out"):
        sh("sleep 60", context, mark)
    assert (mark.is_gone(), context.stop_reason) == (True, Stop.LOST)


# -- failures ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("program", "why"),
    [
        ("no-such-program", "No such file or directory"),
        ("/etc/passwd", "Permission denied"),
        ("nul\0", "embedded null byte"),
    ],
)
def test_a_program_that_cannot_be_started_is_named(context: Context, program: str, why: str) -> None:
    with pytest.raises(RunFailed, match="cannot start") as caught:
        run_program([program], context=context, env={"PATH": "/bin"}, on_stdout=print, on_stderr=print)
    assert caught.value.message == f"cannot start {program!r}: {why}"


def test_a_missing_folder_is_named(context: Context, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    with pytest.raises(RunFailed) as caught:
        run_program(["true"], context=context, env={}, cwd=gone, on_stdout=print, on_stderr=print)
    assert caught.value.message == f"cannot start 'true': No such file or directory: '{gone}'"


def test_a_sink_that_raises_kills_everything(context: Context, mark: Mark) -> None:
    def fill_the_disk() -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        sh(STUBBORN, context, mark, on_stdout=AfterLines(3, fill_the_disk))
    assert mark.is_gone()


def test_a_killed_guard_fails_the_run_and_kills_the_group(context: Context, mark: Mark) -> None:
    def kill_the_guard() -> None:
        os.kill(guard_of(mark), signal.SIGKILL)

    with pytest.raises(RunFailed, match="its guard process had died"):
        sh("sleep 60 & echo up; wait", context, mark, on_stdout=AfterLines(1, kill_the_guard))
    eventually(mark.is_gone)


def test_strays_that_end_while_the_program_runs_are_reaped(context: Context, mark: Mark) -> None:
    context.lease_s = 0.4
    zombies = "grep -l '^State:.Z' /proc/[0-9]*/status 2>/dev/null | wc -l"
    script = f"before=$({zombies}); (true &) ; sleep 0.5; [ $({zombies}) -le $before ]"
    assert sh(script, context, mark) == 0
