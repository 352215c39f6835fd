"""What may be done to a job: `action=pause`, `resume` or `cancel`, and why it was not."""

from jobs.engine import aborts, verbs
from jobs.engine.rights import Actor
from jobs.errors import Conflict
from jobs.models import JobExecution
from jobs.states import FINAL, State
from vendors.ontap import problems
from vendors.ontap.parameters import Parameters

ACTIONS = {"pause": verbs.pause, "resume": verbs.resume, "cancel": aborts.abort}
WAITING = frozenset({State.QUEUED, State.PAUSED})


def chosen(parameters: Parameters) -> str | None:
    """The action that is asked for; ONTAP does not require one. Raises `Refused` for an unknown one."""
    given = parameters.last("action")
    if given is not None and given.lower() not in ACTIONS:
        raise problems.invalid(given, "action", "|".join(ACTIONS))
    return given and given.lower()


def act(action: str | None, execution: JobExecution, *, actor: Actor) -> None:
    """Do it, or ask for it: a cancelled job goes on `running` until it has stopped. Raises `Refused`."""
    if action is None:
        return
    try:
        ACTIONS[action](execution, actor=actor)
    except Conflict:
        now = JobExecution.objects.filter(pk=execution.pk).values_list("state", flat=True).first()
        raise _refusal(action, now) from None
    except JobExecution.DoesNotExist:
        raise problems.no_entry() from None


def _refusal(action: str, now: str | None) -> problems.Refused:
    if now is None:
        return problems.no_entry()
    if now in FINAL:
        return problems.of_job(problems.TERMINAL)
    if action == "resume":
        return problems.of_job(problems.RUNNING)
    if action == "cancel":
        return problems.of_job(problems.NO_CANCEL)
    return problems.of_job(problems.NOT_RUNNING if now in WAITING else problems.NO_PAUSE)
