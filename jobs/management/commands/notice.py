"""`manage.py notice`: who is told how executions end, and what was sent."""

from typing import Any

from django.core.management.base import CommandParser

from jobs.engine import deliveries, notices
from jobs.engine.find import find_delivery, find_execution, find_subscription
from jobs.engine.rights import Actor
from jobs.management.base import HubCommand, acting, add_deed, add_json, add_project
from jobs.management.options import count
from jobs.management.show import moment
from jobs.models import Delivery, Event, Subscription

RECEIVERS = ("ID", "OF", "TO", "EVENTS", "STATE")
DELIVERY = (
    "event",
    "created_at",
    "next_at",
    "delivered_at",
    "n_tries",
    "tried_at",
    "answer",
    "error",
    "duration_ms",
    "outcome",
)
LOG = ("ID", "AT", "EXECUTION", "EVENT", "TO", "OUTCOME", "TRIES", "ANSWER")


class Command(HubCommand):
    help = (
        "Tell receivers of all executions of a project how they end, by webhook or e-mail, and look at what was sent. "
        "A single job's receivers stand in its document as `notify`."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        deeds = parser.add_subparsers(dest="deed", required=True, metavar="DEED")
        rows = add_deed(deeds, "list", "List the receivers, also those of jobs.")
        add = add_deed(deeds, "add", "Add a receiver.")
        add.add_argument("--webhook", metavar="URL", help="Where to post to.")
        add.add_argument("--secret", metavar="NAME", default="", help="The secret that the webhook is signed with.")
        add.add_argument("--email", metavar="ADDRESS", action="append", default=[], help="May be repeated.")
        words = ", ".join(Event.values)
        add.add_argument("--on", metavar="EVENT", action="append", help=f"One of {words}; may be repeated.")
        remove = add_deed(deeds, "remove", "Remove receivers and their logs.")
        log = add_deed(deeds, "deliveries", "List what was sent and will be, newest first.")
        log.add_argument("--execution", metavar="REF", help="Only of this execution.")
        log.add_argument("--outcome", choices=["pending", "delivered", "failed"])
        log.add_argument("--limit", type=count, default=20, metavar="N")
        again = add_deed(deeds, "replay", "Send notices again, with the same ids.")
        for one in (remove, again):
            one.add_argument("ids", metavar="ID", nargs="+")
        for one in (rows, add, remove, log, again):
            add_project(one)
            add_json(one)

    def handle(self, *_: Any, **options: Any) -> None:
        deeds = {
            "list": self._list,
            "add": self._add,
            "remove": self._remove,
            "deliveries": self._log,
            "replay": self._replay,
        }
        deeds[options["deed"]](acting(options), options)

    def _list(self, actor: Actor, options: dict[str, Any]) -> None:
        rows = list(Subscription.objects.filter(project=actor.home).select_related("job").order_by("pk"))
        if options["json"]:
            return self.say_json([_shown(row) for row in rows])
        return self.say_table(RECEIVERS, [_receiver(row) for row in rows])

    def _add(self, actor: Actor, options: dict[str, Any]) -> None:
        given = {"webhook": options["webhook"], "email": options["email"], "events": options["on"]}
        said = {name: value for name, value in given.items() if value}
        row = notices.subscribe({**said, "secret": options["secret"]}, actor=actor)
        self._tell(options, _shown(row), f"{row.pk}: {row}, on {', '.join(row.words)}")

    def _remove(self, actor: Actor, options: dict[str, Any]) -> None:
        for row in [find_subscription(ref, actor=actor) for ref in options["ids"]]:
            notices.unsubscribe(row, actor=actor)
        self._tell(options, {"removed": options["ids"]}, "\n".join(f"{ref}: removed" for ref in options["ids"]))

    def _log(self, actor: Actor, options: dict[str, Any]) -> None:
        rows = Delivery.objects.filter(project=actor.home).select_related("execution", "subscription").order_by("-pk")
        if options["execution"]:
            rows = rows.filter(execution=find_execution(options["execution"], actor=actor))
        if options["outcome"]:
            rows = rows.filter(**deliveries.OUTCOMES[options["outcome"]])
        found = list(rows[: options["limit"]])
        if options["json"]:
            return self.say_json([_logged(row) for row in found])
        return self.say_table(LOG, [_line(row) for row in found])

    def _replay(self, actor: Actor, options: dict[str, Any]) -> None:
        for row in [find_delivery(ref, actor=actor) for ref in options["ids"]]:
            deliveries.replay(row, actor=actor)
        self._tell(options, {"replayed": options["ids"]}, "\n".join(f"{ref}: sent again" for ref in options["ids"]))

    def _tell(self, options: dict[str, Any], document: dict[str, Any], text: str) -> None:
        if options["json"]:
            self.say_json(document)
        else:
            self.say(text)


def _shown(row: Subscription) -> dict[str, Any]:
    return {"id": row.pk, "job": row.job.name if row.job else None, **notices.document_of(row)}


def _receiver(row: Subscription) -> tuple[Any, ...]:
    whose = f"job {row.job.name}" if row.job else f"all, through {row.face}" if row.face else "all"
    resting = f"resting until {moment(row.resting_until)}" if row.resting_until else "on"
    return row.pk, whose, str(row), ", ".join(row.words), resting if row.is_enabled else "off"


def _logged(row: Delivery) -> dict[str, Any]:
    told = {name: getattr(row, name) for name in DELIVERY}
    ids = {"execution": row.execution_id, "handle": row.execution.handle, "subscription": row.subscription_id}
    return {"id": row.pk, "uuid": row.uuid, **ids, **told}


def _line(row: Delivery) -> tuple[Any, ...]:
    answer = row.error or row.answer
    return (
        row.pk,
        moment(row.created_at),
        row.execution.handle,
        row.event,
        str(row.subscription),
        row.outcome,
        row.n_tries,
        answer,
    )
