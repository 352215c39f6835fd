"""A fresh process that calls one registered function: `python -m jobs.runners.child <name>`, started by the runner
`python`.

stdin brings one JSON document: what to call and everything the context holds. Over a pipe (`report_fd`) go JSON
lines to the worker: `{"call": "progress", "with": {...}}` for the methods of the context in CALLS, and one last line,
`{"result": ...}`, `{"stopped": true}` or `{"error": "...", "causes": [...]}`. Over another (`stop_fd`) comes the word
to stop, one line each. It sets up no Django, has no database connection, and starts fast: nothing heavy is imported.
"""

import json
import os
import select
import sys
import threading
import time
from pathlib import Path
from typing import Any

from jobs.errors import RunFailed, Stopped
from jobs.runners import callables
from jobs.runners.context import ArchiveRecord, Context, RunInfo, Stop

CALLS = frozenset({"log", "warn", "progress", "report", "checkpoint", "save_cursor"})
MERGE_S = 0.05
"""Progress is sent at most this often, and before any other word."""


class ChildContext(Context):
    """A context whose reports travel to the worker's."""

    def __init__(self, start: dict[str, Any]) -> None:
        remaining_s = start["remaining_s"]
        super().__init__(
            workdir=Path(start["workdir"]),
            info=RunInfo(**start["info"]),
            params=start["params"],
            saved=start["saved"],
            cursor=start["cursor"],
            deadline=None if remaining_s is None else time.monotonic() + remaining_s,
            lease_s=start["lease_s"],
            grace_s=start["grace_s"],
        )
        self.saw_stop = False
        """The callable asked, and was told to stop."""
        self._report_fd: int = start["report_fd"]
        self._stop_fd: int = start["stop_fd"]
        self._writing = threading.Lock()
        self._unsent: dict[str, dict[str, Any]] = {}
        self._sent_at = 0.0
        for fd in (self._report_fd, self._stop_fd):
            os.set_inheritable(fd, False)

    def _find_secret(self, name: str) -> str:
        raise RunFailed(f'a callable in a child process is given secrets in its args, as {{"secret": "{name}"}}')

    # -- being stopped -----------------------------------------------------------------------------------------
    @property
    def stop_reason(self) -> Stop | None:
        self._listen(0)
        return super().stop_reason

    def should_stop(self) -> bool:
        return self._note(super().should_stop())

    def should_abort(self) -> bool:
        return self._note(super().should_abort())

    def should_pause(self) -> bool:
        return self._note(super().should_pause())

    def wait(self, seconds: float) -> bool:
        self.flush()
        until = time.monotonic() + min(seconds, self.remaining_s())
        while self.stop_reason is None and (left_s := until - time.monotonic()) > 0:
            self._listen(left_s)
        return self.should_stop()

    def _note(self, told: bool) -> bool:
        self.saw_stop = self.saw_stop or told
        return told

    def _listen(self, timeout_s: float) -> None:
        events = select.poll()
        events.register(self._stop_fd, select.POLLIN)
        if events.poll(1000 * min(timeout_s, 3600)):
            for word in os.read(self._stop_fd, 4096).split():
                self.stop(Stop(word.decode()))

    # -- reporting ---------------------------------------------------------------------------------------------
    def log(self, text: str, stream: str = "stdout") -> None:
        self._call("log", text=text, stream=stream)

    def warn(self, text: str) -> None:
        self._call("warn", text=text)

    def progress(self, done: int, total: int | None = None, unit: str = "") -> None:
        super().progress(done, total, unit)
        self._call_soon("progress", done=self.done, total=self.total, unit=self.unit)

    def report(
        self,
        *,
        records: int | None = None,
        last_id: str | None = None,
        n_dropped: int | None = None,
        volume_bytes: int | None = None,
    ) -> None:
        super().report(records=records, last_id=last_id, n_dropped=n_dropped, volume_bytes=volume_bytes)
        told = ("records", "last_id", "n_dropped", "volume_bytes")
        self._call_soon("report", **{name: getattr(self, name) for name in told})

    def checkpoint(self, value: Any) -> None:
        self._call("checkpoint", value=value)
        super().checkpoint(value)

    def save_cursor(self, value: Any) -> None:
        self._call("save_cursor", value=value)
        super().save_cursor(value)

    def archive_made(self, record: ArchiveRecord) -> None:  # noqa: ARG002
        raise RunFailed("a callable in a child process makes no archives; register it with mode='inline'")

    def archive_removed(self, path: str) -> None:  # noqa: ARG002
        raise RunFailed("a callable in a child process removes no archives; register it with mode='inline'")

    def flush(self) -> None:
        """Send what was held back."""
        with self._writing:
            unsent, self._unsent = self._unsent, {}
            for name, values in unsent.items():
                self._write({"call": name, "with": values})
            self._sent_at = time.monotonic()

    def send(self, message: dict[str, Any]) -> None:
        self.flush()
        with self._writing:
            self._write(message)

    def _call(self, name: str, **values: Any) -> None:
        self.send({"call": name, "with": values})

    def _call_soon(self, name: str, **values: Any) -> None:
        self._unsent[name] = values
        if time.monotonic() - self._sent_at >= MERGE_S:
            self.flush()

    def _write(self, message: dict[str, Any]) -> None:
        data = memoryview(json.dumps(message).encode() + b"\n")
        while data:
            data = data[os.write(self._report_fd, data) :]


def call(start: dict[str, Any], context: ChildContext) -> dict[str, Any]:
    """The last word."""
    try:
        registered = callables.load(start["name"], start["modules"])
        value = registered.function(context, **start["args"])
        json.dumps(value)
    except Stopped:
        return {"stopped": True}
    # A callable may raise anything, also SystemExit: the worker must hear of it.
    except BaseException as error:  # noqa: BLE001
        return _failed(error, context)
    return {"stopped": True} if context.saw_stop else {"result": value}


def _failed(error: BaseException, context: ChildContext) -> dict[str, Any]:
    context.log(callables.trace(error), "stderr")
    failure = callables.failure(error)
    return {"error": failure.message, "causes": failure.causes, "exit_code": failure.exit_code}


def _take_start() -> dict[str, Any]:
    start: dict[str, Any] = json.loads(sys.stdin.buffer.read())
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    os.environ.pop("PYTHONPATH", None)  # it was for this interpreter, not for programs that the callable starts
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    return start


def main() -> None:
    start = _take_start()
    context = ChildContext(start)
    answer = call(start, context)
    sys.stdout.flush()
    sys.stderr.flush()
    context.send(answer)
    os._exit(0)  # a forgotten thread of the callable must not keep the process


if __name__ == "__main__":
    main()
