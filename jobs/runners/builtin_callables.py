"""The callables that every hub has."""

import time

from jobs.runners.callables import register
from jobs.runners.context import Context

MIN_STEP_S = 0.1
MAX_STEP_S = 1.0


@register("noop", mode="inline", on_lost="rerun")
def noop(context: Context) -> None:
    """Nothing, as fast as it goes: for measuring."""


@register("sleep", can_pause=True, on_lost="rerun")
def sleep(context: Context, seconds: float = 1.0) -> str:
    """Pass the time and report it in milliseconds; a pause keeps what has passed."""
    slept_s = float(context.saved or 0.0)
    step_s = min(max(seconds / 100, MIN_STEP_S), MAX_STEP_S)
    while slept_s < seconds:
        context.progress(round(1000 * slept_s), round(1000 * seconds), "ms")
        began_at = time.monotonic()
        stopped = context.wait(min(step_s, seconds - slept_s))
        slept_s += time.monotonic() - began_at
        if stopped:
            context.checkpoint(slept_s)
            context.raise_if_stopped()
    context.progress(round(1000 * seconds), round(1000 * seconds), "ms")
    return f"slept {seconds:g} s"
