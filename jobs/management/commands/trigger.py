"""`manage.py trigger`: start a job."""

import json
import sys
from argparse import ArgumentTypeError
from typing import Any

from django.core.management.base import CommandParser

from jobs.engine.execution_shape import fresh_json
from jobs.engine.find import find_execution, find_job
from jobs.engine.trigger import trigger
from jobs.management.base import HubCommand, acting, add_json, add_project
from jobs.management.follow import OUTCOMES, Lines, Printer, bar_or_lines, exit_code, follow
from jobs.management.options import moment_option, param
from jobs.models import Condition, JobExecution


class Command(HubCommand):
    help = (
        "Start a job by its name, id or uuid, and print the handle of the execution. With --wait or --follow the exit "
        "code tells how it ended; Ctrl-C then leaves it running."
    )
    epilog = OUTCOMES

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="The job's name, id or uuid.")
        parser.add_argument(
            "--param", metavar="K=V", action="append", type=param, default=[], help="A param as text; may be repeated."
        )
        parser.add_argument("--params", metavar="JSON", type=json_object, default={}, help="All params as JSON.")
        parser.add_argument(
            "--after", metavar="REF", action="append", default=[], help="Wait for this execution; may be repeated."
        )
        parser.add_argument(
            "--on", choices=Condition.values, default="success", help="How those have to end; default: success."
        )
        parser.add_argument("--at", metavar="TIME", type=moment_option, help="Not before this time (ISO 8601).")
        parser.add_argument("--priority", type=int, help="Higher ones go first; default: the job's own.")
        parser.add_argument("--idempotency-key", metavar="KEY", default="", help="Start it once for this key.")
        parser.add_argument("--wait", action="store_true", help="Wait for its end and show its progress.")
        parser.add_argument("--follow", action="store_true", help="Wait for its end and print its output.")
        parser.add_argument("--timeout", metavar="S", type=float, help="Wait so many seconds at most.")
        add_project(parser)
        add_json(parser)

    def handle(self, *_: Any, **options: Any) -> None:
        execution = self._trigger(options)
        if options["wait"] or options["follow"]:
            execution = self._wait(execution, options)
            if options["json"]:
                self.say_json(fresh_json(execution))
            if code := exit_code(execution):
                sys.exit(code)
        elif options["json"]:
            self.say_json(fresh_json(execution))
        else:
            self.say(execution.handle)

    def _trigger(self, options: dict[str, Any]) -> JobExecution:
        actor = acting(options)
        execution, is_new = trigger(
            find_job(options["name"], actor=actor),
            actor=actor,
            params={**options["params"], **dict(options["param"])},
            after=[find_execution(ref, actor=actor) for ref in options["after"]],
            condition=Condition(options["on"]),
            idempotency_key=options["idempotency_key"],
            run_at=options["at"],
            priority=options["priority"],
        )
        if not is_new:
            self.stderr.write(f"{execution.handle} was started for this idempotency key before")
        return execution

    def _wait(self, execution: JobExecution, options: dict[str, Any]) -> JobExecution:
        if options["follow"]:
            printer = None if options["json"] else Printer(self.stdout)
            lines = Lines(self.stderr, with_progress=False)
            return follow(execution, watcher=lines, on_output=printer, timeout_s=options["timeout"])
        with bar_or_lines(self.stderr) as watcher:
            return follow(execution, watcher=watcher, on_output=None, timeout_s=options["timeout"])


def json_object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise ArgumentTypeError(f"wanted a JSON object: {error}") from None
    if not isinstance(value, dict):
        raise ArgumentTypeError("wanted a JSON object")
    return value
