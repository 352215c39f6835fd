"""The process between a worker and a program: nothing that the program started outlives its run.

Run as a script, `guard.py <control fd> <status fd> <trusted until> -- argv...`, in a session of its own, with
the program's environment, folder and standard streams. It starts the program in another session and becomes the
parent of every process that the program leaves behind (a subreaper), also of strays.

Lines from the worker: `T` send TERM to all; a number is the instant (CLOCK_MONOTONIC, seconds) up to which the
worker may be trusted to own the run. All is killed when that instant passes (the worker is stopped or cut off) and
at the end of the control pipe (the worker wants it so, or is dead). When the program ends by itself, what is left
in its session is killed; a daemon that made a session of its own lives on.

Status lines (JSON): `{"pid": n}` after the start; at the end `{"exit": n}` or `{"signal": n}`, with
`"silent": true` if the worker's time ran out; or `{"error": "..."}` if the program could not be started.

It starts once per program, so it imports nothing slow: `signal` and `typing` would cost 10 ms each.
"""

import os
import select
import sys
import time

HUP, INT, QUIT, KILL, TERM, STOP = 1, 2, 3, 9, 15, 19
IGNORED = (HUP, INT, QUIT, TERM)
RESETTABLE = [number for number in range(1, 32) if number not in (KILL, STOP)]
SIG_IGN = 1
PR_SET_CHILD_SUBREAPER = 36
POLL_S = 0.01
MAX_PAUSE_S = 0.5
PIPE_BYTES = 65536
"""All that a pipe holds: an order is never read in halves."""


class Process:
    """A line of the process table. `alive` is false for a zombie, which waits for its parent to notice."""

    def __init__(self, pid: int, stat: bytes) -> None:
        # The name stands in parentheses and may itself contain blanks and parentheses.
        state, parent, _group, session = stat[stat.rindex(b")") + 2 :].split(b" ", 4)[:4]
        self.pid = pid
        self.parent = int(parent)
        self.session = int(session)
        self.alive = state not in (b"Z", b"X")


def processes() -> list[Process]:
    """Every process of the machine that can be seen."""
    found = []
    for name in os.listdir("/proc"):  # noqa: PTH208 (pathlib is slow to load)
        if name.isdigit():
            try:
                found.append(Process(int(name), _read(f"/proc/{name}/stat")))
            except OSError:
                continue  # it has just ended
    return found


def descendants(pid: int) -> list[Process]:
    """The live processes below `pid`, children before grandchildren."""
    children: dict[int, list[Process]] = {}
    for process in processes():
        children.setdefault(process.parent, []).append(process)
    found = list(children.get(pid, ()))
    for process in found:  # it grows while it is read
        found.extend(children.get(process.pid, ()))
    return [process for process in found if process.alive]


def kill_session(session: int) -> None:
    """For the worker when the guard itself was killed: end what did not leave the program's session."""
    for _ in range(100):
        left = [process for process in processes() if process.session == session and process.alive]
        if not left:
            return
        send(KILL, left)
        time.sleep(POLL_S)


def send(number: int, targets: list[Process]) -> None:
    """Signal those that are still there and may be signalled."""
    for process in targets:
        try:
            os.kill(process.pid, number)
        except (ProcessLookupError, PermissionError):
            continue


class Guard:
    """One program and all that it started."""

    def __init__(self, control: int, status: int, trusted_until: float) -> None:
        self.control = control
        self.status = status
        self.trusted_until = trusted_until
        self.leader = 0
        self.wait_status = 0
        """Of the program, once it is reaped."""
        self.stopping = False
        self.silent = False
        self.over = False

    def start(self, argv: list[str]) -> None:
        """Raises the OSError of an exec that failed."""
        for fd in (self.control, self.status):
            os.set_inheritable(fd, False)
        self.leader = os.posix_spawnp(
            argv[0], argv, _given_environment(), setsid=True, setsigmask=[], setsigdef=RESETTABLE
        )
        self.tell(f'{{"pid": {self.leader}}}')

    def watch(self) -> None:
        """Serve the worker until the program has ended, and with it all that has to end."""
        leader = os.pidfd_open(self.leader)
        while not self.over:
            left_s = max(0.0, self.trusted_until - time.monotonic())
            if self.stopping:
                ready = _readable([self.control], min(left_s, POLL_S))
            else:
                ready = _readable([self.control, leader], left_s)
            if self.control in ready:
                self.obey(os.read(self.control, PIPE_BYTES))
            elif left_s == 0:
                self.silent = True
                self.kill_all()
            elif leader in ready:
                self.end_session()
            elif self.stopping:
                self.over = not self.reap()

    def obey(self, orders: bytes) -> None:
        if not orders:
            self.kill_all()
            return
        for order in orders.split():
            if order != b"T":
                self.trusted_until = float(order)
            elif not self.stopping:
                self.terminate()
        if not self.stopping:
            self.reap_orphans()

    def terminate(self) -> None:
        self.stopping = True
        os.killpg(self.leader, TERM)  # at once for the group; the rest one by one
        send(TERM, [p for p in descendants(os.getpid()) if p.session != self.leader])

    def reap_orphans(self) -> None:
        """Collect ended strays, but not the program: while it is a zombie, its number is surely its own."""
        flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
        while (ended := os.waitid(os.P_ALL, 0, flags)) and ended.si_pid != self.leader:
            os.waitpid(ended.si_pid, 0)

    def reap(self) -> bool:
        """Collect what has ended; true while there are children."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return False
            if pid == self.leader:
                self.wait_status = status
            if pid == 0:
                return True

    def kill_all(self) -> None:
        """Kill until no descendant is left: each sweep catches what was born during the one before."""
        pause_s = 0.001
        while self.reap():
            send(KILL, descendants(os.getpid()))
            time.sleep(pause_s)
            pause_s = min(2 * pause_s, MAX_PAUSE_S)
        self.over = True

    def end_session(self) -> None:
        """The program ended by itself: kill what it left in its session and nothing else."""
        os.killpg(self.leader, KILL)  # it is not reaped yet, so the number is surely its own
        while self.reap():
            left = [p for p in descendants(os.getpid()) if p.session == self.leader]
            if not left:
                break
            send(KILL, left)
            time.sleep(0.001)
        self.over = True

    def tell(self, line: str) -> None:
        try:
            os.write(self.status, line.encode() + b"\n")
        except OSError:
            return  # the worker is dead; the control pipe says so too

    def tell_end(self) -> None:
        code = os.waitstatus_to_exitcode(self.wait_status)
        end = f'"exit": {code}' if code >= 0 else f'"signal": {-code}'
        self.tell("{" + end + (', "silent": true}' if self.silent else "}"))


def _readable(fds: list[int], timeout_s: float) -> list[int]:
    events = select.poll()
    for fd in fds:
        events.register(fd)
    return [fd for fd, _ in events.poll(1000 * timeout_s)]


def _read(path: str) -> bytes:
    with open(path, "rb") as file:  # noqa: PTH123 (pathlib is slow to load)
        return file.read()


def _given_environment() -> dict[bytes, bytes]:
    """The environment as the worker gave it: Python may have added an LC_CTYPE to `os.environ`."""
    items = (item.partition(b"=") for item in _read("/proc/self/environ").split(b"\0") if item)
    return {name: value for name, _, value in items}


def _protect_itself() -> None:
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    libc.signal.argtypes = (ctypes.c_int, ctypes.c_void_p)
    for number in IGNORED:
        libc.signal(number, SIG_IGN)
    if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "cannot become a subreaper")


def _let_go_of_streams(keep: tuple[int, ...]) -> None:
    """Close what only the program needs, so that its readers see an end when it closes its side."""
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208 (pathlib is slow to load)
        if int(name) > 2 and int(name) not in keep:
            try:
                os.close(int(name))
            except OSError:
                continue  # the listing's own


def main(args: list[str]) -> None:
    guard = Guard(int(args[0]), int(args[1]), float(args[2]))
    try:
        _protect_itself()
        guard.start(args[4:])
    except OSError as error:
        import json

        guard.tell(json.dumps({"error": error.strerror or str(error)}))
        return
    _let_go_of_streams(keep=(guard.control, guard.status))
    guard.watch()
    guard.tell_end()


if __name__ == "__main__":
    main(sys.argv[1:])
