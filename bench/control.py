"""The control: no figure counts that was won with authentication or audit switched off."""

import contextlib
from dataclasses import asdict, dataclass
from typing import Any

from bench.hub import Hub
from bench.past import PREFIX
from bench.stack import eventually

WRONG_KEY = "0000000000000000.wrong"


@dataclass(frozen=True)
class Control:
    """What one hub answered, with its own settings, right after it was measured."""

    part: str
    set_up: str
    wrong_password: int
    wrong_key: int
    nobody: int
    right_key: int
    triggers_audited: int
    executions: int
    logins_refused: int

    @property
    def is_passed(self) -> bool:
        refused = {self.wrong_password, self.wrong_key, self.nobody} == {401} and self.logins_refused >= 2
        return refused and self.right_key == 200 and self.triggers_audited == self.executions > 0

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "is_passed": self.is_passed}

    def __str__(self) -> str:
        return (
            f"{self.part}, {self.set_up}: wrong password {self.wrong_password}, wrong key {self.wrong_key}, "
            f"no credentials {self.nobody}, right key {self.right_key}; {self.logins_refused} refused logins and "
            f"{self.triggers_audited} triggers of {self.executions} executions in the audit log: "
            f"{'passed' if self.is_passed else 'FAILED'}"
        )


def check(hub: Hub, part: str, set_up: str) -> Control:
    """Ask a running hub with wrong and right credentials, and count its audit log."""
    path = hub.finished_path()
    answers = {
        "wrong_password": hub.get(path, hub.with_password("wrong")).status,
        "wrong_key": hub.get(path, {"Authorization": f"Bearer {WRONG_KEY}"}).status,
        "nobody": hub.get(path).status,
        "right_key": hub.get(path, hub.with_key).status,
    }
    with contextlib.suppress(TimeoutError):  # they are written a second later, by each process for itself
        eventually(lambda: _n_deeds(hub, "refuse login") >= 2, "refused logins in the audit log", within_s=10)
    return Control(
        part,
        set_up,
        **answers,
        triggers_audited=_n_deeds(hub, "trigger"),
        executions=hub.database.rows(f"SELECT count(*) FROM jobs_jobexecution WHERE handle NOT LIKE '{PREFIX}%'")[0][0],
        logins_refused=_n_deeds(hub, "refuse login"),
    )


def _n_deeds(hub: Hub, deed: str) -> int:
    return int(hub.database.rows(f"SELECT count(*) FROM jobs_auditevent WHERE deed = '{deed}'")[0][0])
