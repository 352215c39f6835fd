"""The web server: granians with processes forked from one that has loaded everything, so that they share its memory.

One serves the plain port. Each TLS port has its own, so that a renewed certificate disturbs nobody else.
"""

import gc
import logging
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.core.servers.basehttp import get_internal_wsgi_application
from django.db import connections
from django.urls import get_resolver
from granian import Granian
from granian.constants import HTTPModes, Interfaces, SSLProtocols
from granian.http import HTTP1Settings
from granian.log import LogLevels

from jobhub.bodies import BODIES
from jobhub.certificates import BadCertificate, Pair, Source, Watch
from jobhub.env import PREFIX
from jobhub.supervisor import Part
from jobs.management.base import EXIT_REFUSED
from jobs.worker.processes import die_with

log = logging.getLogger(__name__)

HEADER_TIMEOUT_MS = 10_000
"""For the headers of a request, and for the next request on a kept connection."""
HEADER_BYTES = 65_536
"""Largest request line and headers together; granian allows 100 headers."""
CONNECTIONS = 512
"""Open ones of one web process; more of them wait to be accepted."""
IDLE_THREAD_S = 600
"""As long as a connection to the database is kept: a thread that ends throws its own away."""
STOP_S = 10
"""What open requests get to end."""
LOOK_EVERY_S = 5.0
"""How often a TLS port looks for a renewed certificate."""
LOGGING = {
    "handlers": {},
    "loggers": {name: {"handlers": [], "propagate": True} for name in ("_granian", "granian.access")},
}

Application = Callable[..., Iterable[bytes]]


def preload() -> Application:
    """Load all that requests need, in the parent of the processes that will share it."""
    application = get_internal_wsgi_application()
    get_resolver().url_patterns  # noqa: B018 - imports every face
    connections.close_all()
    return application


def parts(application: Application) -> list[Part]:
    """The plain port, and each TLS port. Refuses when their certificate cannot be used."""
    found = [Part("web", lambda: serve(application))]
    if settings.HUB["TLS_PORT"]:
        source = _certificate()
        found += [TlsPort(application, port, source) for port in settings.HUB["TLS_PORT"]]
    return found


def _certificate() -> Source:
    source = Source(settings.HUB, Path(settings.HUB_DIR))
    try:
        source.prepare()
    except BadCertificate as error:
        raise CommandError(str(error), returncode=EXIT_REFUSED) from None
    except OSError as error:
        raise CommandError(
            f"cannot make a certificate in {settings.HUB_DIR}: {error}", returncode=EXIT_REFUSED
        ) from None
    return source


class TlsPort(Part):
    """One port that answers HTTPS. With a renewed certificate new processes take over, and the old ones end."""

    def __init__(self, application: Application, port: int, source: Source) -> None:
        super().__init__(f"web on {port}", lambda: serve(application, port=port, tls=source.pair))
        self._watch = Watch(source)

    def look_after(self) -> float:
        nap_s = super().look_after()
        if self._watch.has_news():
            log.info("%s takes the renewed certificate", self.name)
            self.send(signal.SIGHUP)
        return min(nap_s, LOOK_EVERY_S)


def serve(application: Application, *, port: int | None = None, tls: Pair | None = None) -> None:
    """Serve until TERM or INT; requests that are open then get `STOP_S` seconds. Replaces web processes that die."""
    gc.freeze()
    multiprocessing.set_start_method("fork", force=True)
    server = Granian(
        settings.WSGI_APPLICATION,
        address=settings.HUB["BIND"],
        port=port or settings.HUB["PORT"],
        interface=Interfaces.WSGI,
        workers=settings.HUB["TLS_WORKERS" if tls else "WEB_WORKERS"],
        blocking_threads=settings.HUB["WEB_THREADS"],
        blocking_threads_idle_timeout=IDLE_THREAD_S,
        backpressure=CONNECTIONS,
        # Granian finds out which HTTP it is without a time limit, and its HTTP/2 has none for headers.
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=HEADER_TIMEOUT_MS, max_buffer_size=HEADER_BYTES),
        websockets=False,
        log_level=LogLevels.error,
        log_dictconfig=LOGGING,
        respawn_failed_workers=True,
        respawn_interval=0.5,
        workers_kill_timeout=STOP_S,
        ssl_protocol_min=SSLProtocols.tls12,
        ssl_cert=tls.certificate if tls else None,
        ssl_key=tls.key if tls else None,
    )
    main = os.getpid()
    server.serve(target_loader=lambda: _in_worker(application, main), wrap_loader=False)


def _in_worker(application: Application, parent: int) -> Application:
    """What a web process does before its first request. Settings are read by now; granian would hand the whole
    environment, and with it the hub's secrets, to every request."""
    die_with(parent)
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        del os.environ[name]
    BODIES.start()
    return at_once(application)


def at_once(application: Application) -> Application:
    """Answers handed over whole: a client that reads slowly then holds no thread. Nothing here is ever streamed."""

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        response: Any = application(environ, start_response)
        try:
            return [b"".join(response)]
        finally:
            response.close()

    return answer
