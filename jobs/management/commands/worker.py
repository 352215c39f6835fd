"""`manage.py worker`: a cluster of worker processes."""

from typing import Any

from django.conf import settings

from jobs.management.base import HubCommand
from jobs.management.preflight import ClusterLock, check_broker, check_database, check_var


class Command(HubCommand):
    help = (
        "Run a cluster of JOBHUB_WORKERS worker processes until TERM or Ctrl-C; what runs then gets JOBHUB_DRAIN_S "
        "seconds to end. With PostgreSQL it may run on several machines, with SQLite there is one for each file. "
        "`manage.py up` runs web and workers together."
    )

    def handle(self, *_: Any, **_options: Any) -> None:
        from jobs.worker.cluster import Cluster

        check_var()
        check_database()
        check_broker()
        lock = ClusterLock()
        lock.take()
        self.stderr.write(f"{settings.HUB['WORKERS']} workers of the node {settings.NODE!r} look for work")
        Cluster().run()
        self.stderr.write("stopped")
