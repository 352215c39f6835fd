"""Notices that go by e-mail."""

import socket
from collections.abc import Iterator
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope
from django.core import mail
from django.core.mail.backends.smtp import EmailBackend

from jobhub import env
from jobs.engine.notices import subscribe
from jobs.engine.rights import Actor
from jobs.models import Subscription
from tests.jobs.receivers import again, carry, only, tell

PASSWORD = "p@ss word"


@pytest.fixture
def ops(op: Actor, settings: Any) -> Subscription:
    settings.EMAIL_IS_ON, settings.BASE_URL = True, "https://jobs.example.org"
    return subscribe({"email": ["ops@example.org", "b@example.org"], "events": ["failed", "soft_timeout"]}, actor=op)


def test_an_e_mail_tells_the_same(ops: Subscription, failed: Any) -> None:
    tell(failed, "failed")
    carry()
    sent = mail.outbox[0]
    assert (sent.subject, sent.to) == ("[alpha] nightly/db failed", ["ops@example.org", "b@example.org"])
    assert f"Execution: {failed.handle}" in sent.body
    assert f"https://jobs.example.org/admin/jobs/jobexecution/{failed.pk}/change/" in sent.body
    assert only().outcome == "delivered"


def test_an_e_mail_that_cannot_be_sent_waits(ops: Subscription, failed: Any, settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", _closed_port()
    tell(failed, "failed")
    carry()
    assert (only().outcome, only().error) == ("pending", "ConnectionRefusedError: [Errno 111] Connection refused")


def _closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        return int(closed.getsockname()[1])


# -- a real server -----------------------------------------------------------------------------------------------------
class Postman:
    """Takes mails, and logs in who knows the password; what came is in `seen`."""

    def __init__(self) -> None:
        self.seen: list[Envelope] = []
        self.answer = "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:
        self.seen.append(envelope)
        return self.answer

    def check(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        return AuthResult(success=data.password == PASSWORD.encode(), handled=False)


@pytest.fixture
def postman() -> Iterator[Any]:
    postman = Postman()
    given = {"auth_require_tls": False, "authenticator": postman.check}
    controller = Controller(postman, hostname="127.0.0.1", port=_closed_port(), **given)
    controller.start()
    postman.port = controller.port
    yield postman
    controller.stop()


def use(settings: Any, url: str) -> None:
    """As `jobhub.settings` does."""
    given = env.email_url(url)
    settings.EMAIL_BACKEND, settings.DEFAULT_FROM_EMAIL = given["backend"], "hub@example.org"
    settings.EMAIL_FILE_PATH = given.get("folder")
    settings.EMAIL_HOST, settings.EMAIL_PORT = given.get("host"), given.get("port")
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = given.get("user"), given.get("password")
    settings.EMAIL_USE_SSL, settings.EMAIL_USE_TLS = given.get("tls") == "smtps", given.get("tls") == "submission"


def test_a_real_server_gets_it(ops: Subscription, failed: Any, settings: Any, postman: Any) -> None:
    use(settings, f"smtp://hub:p%40ss%20word@127.0.0.1:{postman.port}")
    tell(failed, "failed")
    carry()
    (envelope,) = postman.seen
    sent = message_from_bytes(envelope.content, policy=policy.default)
    assert (envelope.mail_from, envelope.rcpt_tos) == ("hub@example.org", ["ops@example.org", "b@example.org"])
    assert sent["subject"] == "[alpha] nightly/db failed"
    assert "Causes: because" in sent.get_content()
    assert only().outcome == "delivered"


def test_a_refusal_is_told_and_tried_again(ops: Subscription, failed: Any, settings: Any, postman: Any) -> None:
    use(settings, f"smtp://hub:p%40ss%20word@127.0.0.1:{postman.port}")
    postman.answer = "451 try later"
    tell(failed, "failed")
    carry()
    assert (only().outcome, "try later" in only().error) == ("pending", True)
    postman.answer = "250 OK"
    again()
    carry()
    assert only().outcome == "delivered"


def test_a_wrong_password_is_told_without_it(ops: Subscription, failed: Any, settings: Any, postman: Any) -> None:
    use(settings, f"smtp://hub:wrong-one@127.0.0.1:{postman.port}")
    tell(failed, "failed")
    carry()
    assert (only().outcome, postman.seen) == ("pending", [])
    assert only().error.startswith("SMTPAuthenticationError")
    assert "wrong-one" not in only().error


def test_mails_can_become_files(ops: Subscription, failed: Any, settings: Any, tmp_path: Path) -> None:
    use(settings, f"file://{tmp_path}")
    tell(failed, "failed")
    carry()
    (file,) = tmp_path.iterdir()
    assert "Subject: [alpha] nightly/db failed" in file.read_text()


@pytest.mark.parametrize(
    ("url", "port", "ssl", "tls"),
    [
        ("smtp://mail.example.org", 25, False, False),
        ("smtps://mail.example.org", 465, True, False),
        ("submission://mail.example.org", 587, False, True),
        ("submission://mail.example.org:2525", 2525, False, True),
    ],
)
def test_the_scheme_says_how_it_is_encrypted(settings: Any, url: str, port: int, ssl: bool, tls: bool) -> None:
    use(settings, url)
    backend = EmailBackend()
    assert (backend.host, backend.port, backend.use_ssl, backend.use_tls) == ("mail.example.org", port, ssl, tls)
