"""The ports of the web server, looked at before anything starts."""

import errno
import socket

from django.conf import settings
from django.core.management.base import CommandError

from jobs.management.base import EXIT_REFUSED


def check_ports() -> None:
    """Refuses when one cannot be listened on."""
    _check(settings.HUB["PORT"], "JOBHUB_PORT")
    for port in settings.HUB["TLS_PORT"]:
        _check(port, "JOBHUB_TLS_PORT")


def _check(port: int, setting: str) -> None:
    """Asks without SO_REUSEPORT: a granian's port counts as taken."""
    host = settings.HUB["BIND"]
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen(1)
    except socket.gaierror as error:
        text = f"cannot listen on {host!r} ({error.strerror}); set JOBHUB_BIND to an address of this machine"
        raise CommandError(text, returncode=EXIT_REFUSED) from None
    except OSError as error:
        raise CommandError(_advice(error, host, port, setting), returncode=EXIT_REFUSED) from None


def _advice(error: OSError, host: str, port: int, setting: str) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} is in use; set {setting} to a free one"
    if error.errno == errno.EACCES:
        return f"port {port} may not be used without special rights; set {setting} to one above 1023"
    return f"cannot listen on {host} ({error.strerror}); set JOBHUB_BIND to an address of this machine"
