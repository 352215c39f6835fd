"""The Python functions that a job may call by name: those registered in the modules of JOBHUB_CALLABLES.

    from jobs.runners.callables import register

    @register("tidy", can_pause=True)
    def tidy(context, folder):
        ...

A function is called with the context (`jobs.runners.context.Context`) and the spec's `args` as keywords. It returns
nothing, a text (the message), or a dict with any of `message`, `records` and `last_id`. Told to stop, it leaves by
`context.raise_if_stopped()`, or returns once it has seen it.

This module is loaded in every child process: it imports nothing heavy.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal, TypeVar

from jobs.errors import Invalid, RunFailed

BUILTIN = "jobs.runners.builtin_callables"
MAX_CHAIN = 20

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Registered:
    name: str
    function: Callable[..., Any]
    mode: Literal["child", "inline"]
    """`child`: in a fresh process, which may hang or crash. `inline`: in the worker itself, short and trusted."""
    can_pause: bool
    on_lost: Literal["rerun", "fail"]

    @property
    def module(self) -> str:
        return self.function.__module__


_registered: dict[str, Registered] = {}
_modules: list[str] = [BUILTIN]


def register(
    name: str,
    *,
    mode: Literal["child", "inline"] = "child",
    can_pause: bool = False,
    on_lost: Literal["rerun", "fail"] = "fail",
) -> Callable[[F], F]:
    """Make a function callable by this name. `can_pause`: it heeds `context.should_pause()`, saves a checkpoint
    and goes on from `context.saved`."""
    if mode not in ("child", "inline") or on_lost not in ("rerun", "fail"):
        raise ValueError(f"callable {name!r}: mode is 'child' or 'inline', on_lost 'rerun' or 'fail'")

    def enter(function: F) -> F:
        known = _registered.get(name)
        if known and (known.module, known.function.__qualname__) != (function.__module__, function.__qualname__):
            raise ValueError(f"callable {name!r} is registered twice: in {known.module} and {function.__module__}")
        _registered[name] = Registered(name, function, mode, can_pause, on_lost)
        return function

    return enter


def configure(modules: Sequence[str]) -> None:
    """Import the modules of the setting; `Invalid` names the one that cannot be imported."""
    for module in (BUILTIN, *modules):
        try:
            import_module(module)
        except Exception as error:
            why = f"cannot import {module!r}: {type(error).__name__}: {error}"
            raise Invalid.field("JOBHUB_CALLABLES", why) from error
    _modules[:] = dict.fromkeys((BUILTIN, *modules))


def find(name: str) -> Registered:
    """The callable of that name, or `Invalid` that lists what there is."""
    if name not in _registered:
        import_module(BUILTIN)
    if name not in _registered:
        known = ", ".join(sorted(_registered))
        raise Invalid.field("callable", f"unknown callable {name!r}; registered: {known}")
    return _registered[name]


def modules_of(callable_: Registered) -> list[str]:
    """Where a fresh process finds it: first the likely module, then all that are allowed."""
    return list(dict.fromkeys((callable_.module, *_modules)))


def load(name: str, modules: Sequence[str]) -> Registered:
    """In a fresh process: import until it is registered."""
    for module in modules:
        if name not in _registered:
            import_module(module)
    return find(name)


def failure(error: BaseException) -> RunFailed:
    """The error of a callable with the chain of its causes, the outermost first."""
    message, *chain = (_text(link) for link in _chain(error))
    if isinstance(error, RunFailed):
        return RunFailed(message, causes=error.causes or chain, exit_code=error.exit_code)
    return RunFailed(message, causes=chain)


def trace(error: BaseException) -> str:
    """The traceback of an error that a callable raised, without the frame that called it."""
    import traceback  # slow to load, and rarely needed

    begin = error.__traceback__ and error.__traceback__.tb_next
    return "".join(traceback.format_exception(type(error), error, begin))


def _text(error: BaseException) -> str:
    if isinstance(error, RunFailed):
        return error.message
    text = str(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen and len(seen) < MAX_CHAIN:
        seen.add(id(link))
        yield link
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
