"""`manage.py web`: the web server alone."""

from typing import Any

from django.conf import settings

from jobhub import web
from jobhub.greeting import address
from jobhub.ports import check_ports
from jobhub.supervisor import Supervisor
from jobs.management.base import HubCommand
from jobs.management.preflight import WebLock, check_database, check_var


class Command(HubCommand):
    help = (
        "Run the web server on JOBHUB_BIND:JOBHUB_PORT with JOBHUB_WEB_WORKERS processes of JOBHUB_WEB_THREADS "
        "threads, and with HTTPS on JOBHUB_TLS_PORT, until TERM or Ctrl-C; open requests then get 10 seconds to end. "
        "Jobs run in `manage.py worker`; `manage.py up` runs both."
    )

    def handle(self, *_: Any, **_options: Any) -> None:
        check_var()
        lock = WebLock()
        lock.share()
        check_database()
        check_ports()
        application = web.preload()
        supervisor = Supervisor(web.parts(application), hurry=lambda: None)
        addresses = [address(port) for port in (None, *settings.HUB["TLS_PORT"])]
        self.stderr.write(f"the web server answers at {', '.join(addresses)}")
        supervisor.run(until_ready=lambda: True)
        self.stderr.write("stopped")
