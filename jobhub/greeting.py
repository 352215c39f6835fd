"""What a person is told once the hub answers."""

import http.client
import shlex
import socket
import sys
import time

from django.conf import settings

from jobhub.first_run import ADMIN, FirstRun, Say

ASK_TIMEOUT_S = 1.0
PATIENCE_S = 30.0
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}


class Greeting:
    """Asks the hub whether it is ready and, once it is, says where to look."""

    def __init__(self, say: Say, *, began_at: float, made: FirstRun | None) -> None:
        self._say = say
        self._began_at = began_at
        self._made = made
        self._has_complained = False

    def is_said(self) -> bool:
        """Whether it has been said; asks the hub when not."""
        answer = self._ask()
        if answer == "ready":
            answer = self._ask_tls()
        if answer == "ready":
            self._greet()
        elif not self._has_complained and time.monotonic() - self._began_at > PATIENCE_S:
            self._has_complained = True
            self._say(f"not ready after {PATIENCE_S:g} s: {answer}")
        return answer == "ready"

    @staticmethod
    def _ask() -> str:
        host = EVERYWHERE.get(settings.HUB["BIND"], settings.HUB["BIND"])
        connection = http.client.HTTPConnection(host, settings.HUB["PORT"], timeout=ASK_TIMEOUT_S)
        try:
            connection.request("GET", "/readyz", headers={"Host": "localhost"})
            response = connection.getresponse()
            return "ready" if response.status == 200 else response.read(500).decode(errors="replace")
        except (OSError, http.client.HTTPException) as error:
            return f"the web server does not answer ({error})"
        finally:
            connection.close()

    @staticmethod
    def _ask_tls() -> str:
        host = EVERYWHERE.get(settings.HUB["BIND"], settings.HUB["BIND"])
        for port in settings.HUB["TLS_PORT"]:
            try:
                socket.create_connection((host, port), timeout=ASK_TIMEOUT_S).close()
            except OSError as error:
                return f"port {port} does not answer ({error})"
        return "ready"

    def _greet(self) -> None:
        url = settings.BASE_URL or address()
        self._say(f"\nJobHub is ready after {time.monotonic() - self._began_at:.1f} s at {url}/\n")
        self._say(f"  admin     {url}/admin/   log in as {self._login()}")
        self._say(f"  REST API  {url}/hub/v1/   also in a browser; its description is at {url}/hub/v1/schema")
        for port in settings.HUB["TLS_PORT"]:
            self._say(f"  TLS       {address(port)}/   {self._certificate()}")
        self._say(f"  shell     {self._command('executions')}   what runs and ran")
        for execution in self._made.executions[-1:] if self._made else []:
            self._say(f"            {self._command(f'log {execution.pk} --follow')}   what the last example prints")
        self._say(f"            {self._command('--help')}   all commands")
        self._say("\nCtrl-C stops the hub and lets running work end first.")

    def _login(self) -> str:
        if self._made is None:
            return f"before ({self._command(f'user set {ADMIN}')} makes a new password)"
        if self._made.password is None:
            return f"{ADMIN!r} with the password from JOBHUB_ADMIN_PASSWORD"
        return f"{ADMIN!r} with the password {self._made.password} (shown this once)"

    @staticmethod
    def _certificate() -> str:
        if settings.HUB["TLS_CERT"]:
            return f"with the certificate {settings.HUB['TLS_CERT']}"
        return f"with a certificate of its own; clients check it by {settings.HUB_DIR}/tls.crt"

    @staticmethod
    def _command(text: str) -> str:
        return f"{shlex.quote(sys.executable)} manage.py {text}"


def address(tls_port: int | None = None) -> str:
    """Where this machine's own clients reach the plain port, or that TLS port."""
    host = EVERYWHERE.get(settings.HUB["BIND"], settings.HUB["BIND"])
    shown = f"[{host}]" if ":" in host else host
    return f"https://{shown}:{tls_port}" if tls_port else f"http://{shown}:{settings.HUB['PORT']}"
