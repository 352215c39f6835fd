"""`manage.py up`: web server and workers together, on one machine."""

import gc
import time
from typing import Any

from django.core.management.base import CommandParser

from jobhub import web
from jobhub.first_run import FirstRun, set_up
from jobhub.greeting import Greeting
from jobhub.ports import check_ports
from jobhub.supervisor import Part, Supervisor
from jobs import runners
from jobs.management.base import HubCommand
from jobs.management.preflight import ClusterLock, check_broker, check_database, check_var


class Command(HubCommand):
    help = (
        "Run the web server and the workers on this machine until TERM or Ctrl-C, and start again what dies. Stopping "
        "gives running work JOBHUB_DRAIN_S seconds to end while the web server still answers; a second Ctrl-C "
        "stops that work at once, a third kills it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--setup", action="store_true", help="Do what `manage.py setup` does before the start.")

    def handle(self, *_: Any, **options: Any) -> None:
        began_at = time.monotonic()
        check_var()
        lock = ClusterLock()
        lock.take()
        check_ports()
        check_broker()
        made = set_up(self.say) if options["setup"] else None
        check_database()
        self._run(began_at, made)

    def _run(self, began_at: float, made: FirstRun | None) -> None:
        """Everything is loaded before the first fork, and no thread is started: the parts share this memory."""
        from jobs.worker.cluster import Cluster
        from jobs.worker.drain import drain  # noqa: F401 - what the workers will run
        from jobs.worker.flags import FLAGS

        application = web.preload()
        for name in runners.RUNNERS:
            runners.get(name)
        gc.collect()
        gc.freeze()
        parts = [Part("workers", lambda: Cluster().run()), *web.parts(application)]
        greeting = Greeting(self.say, began_at=began_at, made=made)
        supervisor = Supervisor(parts, hurry=lambda: FLAGS.drain(time.monotonic()))
        supervisor.run(until_ready=greeting.is_said)
        self.say("stopped")
