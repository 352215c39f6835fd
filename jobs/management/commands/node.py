"""`manage.py node`: list nodes, drain, label and limit them."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from jobs.engine import nodes
from jobs.management.base import EXIT_REFUSED, HubCommand, add_deed, add_json, anywhere
from jobs.management.options import count
from jobs.management.show import moment
from jobs.models import Node

HEAD = ("NODE", "STATE", "RUNS", "WORKERS", "LABELS", "HEARD OF", "WHY")


class Command(HubCommand):
    help = "List the nodes, or keep new work from them, and say which labels they have and how much they run."

    def add_arguments(self, parser: CommandParser) -> None:
        deeds = parser.add_subparsers(dest="deed", required=True, metavar="DEED")
        add_json(add_deed(deeds, "list", "List the nodes: up, draining, drained or silent."))
        drain = self._named(deeds, "drain", "Give them no new work; what runs there goes on.")
        drain.add_argument("--reason", default="", help="Shown with what waits for them.")
        self._named(deeds, "undrain", "Give them work again.")
        label = self._named(deeds, "label", "Give them labels, to which jobs are pinned by `node: label:WORD`.")
        label.add_argument("--set", metavar="WORD", dest="words", nargs="*", help="All that they have; none: no more.")
        label.add_argument("--add", metavar="WORD", nargs="+", default=[], help="Beside those that they have.")
        label.add_argument("--remove", metavar="WORD", nargs="+", default=[], help="Which they have no more.")
        limit = self._named(deeds, "limit", "Let them run so many executions side by side.")
        limit.add_argument("--to", metavar="N", type=count, help="At most so many; left out: as many as the workers.")

    @staticmethod
    def _named(deeds: Any, name: str, text: str) -> CommandParser:
        parser = add_deed(deeds, name, text)
        parser.add_argument("names", metavar="NAME", nargs="+", help="Nodes by name, id or uuid.")
        add_json(parser)
        return parser

    def handle(self, *_: Any, **options: Any) -> None:
        if options["deed"] == "list":
            return self._list(list(Node.objects.all()), options)
        found = [nodes.find_node(name, actor=anywhere()) for name in options["names"]]
        for node in found:
            _do(node, options)
        return self._list(found, options)

    def _list(self, found: list[Node], options: dict[str, Any]) -> None:
        running = nodes.running_on(node.name for node in found)
        rows = [_shown(node, running.get(node.name, 0)) for node in found]
        if options["json"]:
            self.say_json(rows)
        elif rows:
            self.say_table(HEAD, [_cells(row) for row in rows])
        else:
            self.stderr.write("no node has reported yet")


def _do(node: Node, options: dict[str, Any]) -> None:
    if options["deed"] == "drain":
        nodes.drain(node, actor=anywhere(), reason=options["reason"])
    elif options["deed"] == "undrain":
        nodes.undrain(node, actor=anywhere())
    elif options["deed"] == "limit":
        nodes.change_node(node, {"max_running": options["to"]}, actor=anywhere())
    else:
        nodes.change_node(node, {"labels": _labels(node, options)}, actor=anywhere())


def _labels(node: Node, options: dict[str, Any]) -> list[str]:
    if options["words"] is not None and (options["add"] or options["remove"]):
        raise CommandError("--set says all labels: not beside --add or --remove", returncode=EXIT_REFUSED)
    if options["words"] is not None:
        return list(dict.fromkeys(options["words"]))
    kept = [word for word in [*node.labels, *options["add"]] if word not in options["remove"]]
    return list(dict.fromkeys(kept))


def _shown(node: Node, n_running: int) -> dict[str, Any]:
    plain = ("name", "workers", "max_running", "labels", "own_labels", "drained_at", "drain_reason", "seen_at")
    state = nodes.state_of(node, n_running).value
    return {**{name: getattr(node, name) for name in plain}, "state": state, "running": n_running}


def _cells(row: dict[str, Any]) -> tuple[Any, ...]:
    limit = "" if row["max_running"] is None else f" of {row['max_running']}"
    labels = ", ".join(sorted({*row["labels"], *row["own_labels"]}))
    runs = f"{row['running']}{limit}"
    return row["name"], row["state"], runs, row["workers"], labels, moment(row["seen_at"]), row["drain_reason"]
