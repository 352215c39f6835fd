"""Callables for the tests, imported by the worker and by its child processes."""

import os
import signal
import subprocess
import sys
import threading
import time
from typing import Any

from jobs.errors import RunFailed
from jobs.runners.callables import register
from jobs.runners.context import Context


@register("t.echo")
def echo(context: Context, value: Any = None) -> Any:
    return value


@register("t.echo_inline", mode="inline", on_lost="rerun")
def echo_inline(context: Context, value: Any = None) -> Any:
    return value


@register("t.describe")
def describe(context: Context) -> str:
    """What a child knows."""
    known = [context.info.job, context.params, context.saved, context.cursor, str(context.workdir), os.getcwd()]
    return repr([*known, 0 < context.remaining_s() <= 3600])


@register("t.surroundings")
def surroundings(context: Context) -> str:
    heavy = [name for name in ("django", "pydantic", "asyncio") if name in sys.modules]
    fds = sorted(os.readlink(f"/proc/self/fd/{fd}").split(":")[0] for fd in os.listdir("/proc/self/fd") if _is_open(fd))
    return repr((heavy, fds, sorted(name for name in os.environ if "SECRET" in name or name == "PYTHONPATH")))


def _is_open(fd: str) -> bool:
    return os.path.exists(f"/proc/self/fd/{fd}")


@register("t.reports")
def reports(context: Context) -> None:
    print("printed")
    print("complained", file=sys.stderr)
    context.log("logged\n")
    context.warn("look here")
    for done in range(50_000):
        context.progress(done, 49_999, "rows")
    context.report(records=7, last_id="g")
    context.checkpoint({"big": "x" * 300_000})
    context.save_cursor({"at": 5})


@register("t.stubborn")
def stubborn(context: Context) -> None:
    """Ignores everything, with a child and a stray that do so too."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    child = subprocess.Popen(["sleep", "60"])
    stray = subprocess.Popen(["setsid", "sleep", "60"])
    context.log(f"{os.getpid()} {child.pid} {stray.pid} ready")
    while True:
        time.sleep(1)


@register("t.die")
def die(context: Context, number: int) -> None:
    print("last words", file=sys.stderr, flush=True)
    os.kill(os.getpid(), number)
    time.sleep(60)


@register("t.vanish")
def vanish(context: Context) -> None:
    os._exit(3)


@register("t.exit")
def exit_(context: Context) -> None:
    sys.exit(3)


def _fail() -> None:
    try:
        {}["colour"]  # type: ignore[index]
    except KeyError as error:
        raise OSError("no paint") from error


@register("t.fail")
def fail(context: Context) -> None:
    try:
        _fail()
    except OSError as error:
        raise ValueError("the wall stays white") from None if context.params.get("silent") else error


@register("t.fail_inline", mode="inline")
def fail_inline(context: Context) -> None:
    fail(context)


@register("t.refuse")
def refuse(context: Context) -> None:
    raise RunFailed("the wall is wet", causes=["rain"], exit_code=4)


@register("t.obey")
def obey(context: Context, how: str) -> str:
    """Waits for the word, then leaves in one of the ways."""
    context.log("ready")
    if how == "returns":
        while not context.should_abort():
            time.sleep(0.01)
        return "returned early"
    context.wait(3600)
    context.raise_if_stopped()
    return "never"


@register("t.deaf")
def deaf(context: Context) -> str:
    """Told to stop, but finishes without looking."""
    context.log("ready")
    time.sleep(0.3)
    return "finished"


@register("t.count", can_pause=True)
def count(context: Context, to: int) -> dict[str, Any]:
    """Counts, and stays at 3 until it is paused, unless it has been there."""
    number = context.saved or 0
    while number < to:
        number += 1
        context.checkpoint(number)
        context.log(f"{number}\n")
        while number == 3 and not context.should_pause():
            context.wait(0.05)
        context.raise_if_stopped()
    return {"message": f"counted to {to}", "records": number, "last_id": str(number)}


@register("t.forget")
def forget(context: Context) -> str:
    threading.Thread(target=time.sleep, args=(60,)).start()
    return "gone"


@register("t.babble")
def babble(context: Context) -> None:
    os.write(context._report_fd, b"]garbage[\n")  # type: ignore[attr-defined]
    time.sleep(60)


@register("t.stop_unasked")
def stop_unasked(context: Context) -> None:
    from jobs.errors import Stopped

    raise Stopped


@register("t.unspeakable")
def unspeakable(context: Context) -> set[int]:
    return {1}
