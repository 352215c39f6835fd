"""How one notice leaves the hub: as a POST, or as an e-mail. What is sent knows no database."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from django.core.mail import EmailMessage, get_connection

from jobs.client import Request, Url, send
from jobs.engine import messages, secrets
from jobs.engine.deliveries import GONE, Outcome, says_it_cannot
from jobs.errors import RunFailed
from jobs.masking import Masker
from jobs.models import Channel, Delivery

TIMEOUT_S = 10.0
LIMIT_BYTES = 4096
SHOWN_CHARS = 200


@dataclass(frozen=True)
class Letter:
    """Ready to be sent, from any thread."""

    send: Callable[[], Outcome]
    masked: Callable[[str], str]


def letter_of(delivery: Delivery) -> Letter:
    """Raises what a missing secret or a face's own writer raises."""
    masker = Masker()
    if delivery.subscription.channel == Channel.EMAIL:
        mail = EmailMessage(messages.subject_of(delivery), messages.text_of(delivery), to=delivery.subscription.target)
        return Letter(lambda: _mail(mail), masker.mask)
    request = _request(delivery, masker)
    keeps_body = not isinstance(delivery.subscription.target, dict)
    return Letter(lambda: _post(request, masker, keeps_body=keeps_body), masker.mask)


def _request(delivery: Delivery, masker: Masker) -> Request:
    subscription = delivery.subscription

    def reveal(name: str) -> str:
        value = secrets.reveal(name, subscription.project_id)
        masker.add(value)
        return value

    key = reveal(subscription.secret) if subscription.secret else ""
    target = subscription.target
    url = reveal(target["secret"]) if isinstance(target, dict) else target
    try:
        parsed = Url.parse(url)
    except ValueError as error:
        raise RunFailed(str(error)) from None
    message = messages.message_of(delivery)
    return Request("POST", parsed, messages.signed(delivery, message, key), message.body)


def _post(request: Request, masker: Masker, *, keeps_body: bool) -> Outcome:
    """What a secret URL answers may hold any part of that URL, so it is not kept."""
    try:
        answer = send(request, timeout_s=TIMEOUT_S, limit_bytes=LIMIT_BYTES)
    except RunFailed as error:
        return Outcome(error=masker.mask(": ".join((error.message, *error.causes))), is_down=True)
    if 200 <= answer.status < 300:
        return Outcome(answer.status)
    said = " ".join(answer.body.decode(errors="replace").split()) if keeps_body else ""
    text = f"it answered {answer.status} {answer.reason}: {said}".rstrip(": ")
    return Outcome(
        answer.status,
        masker.mask(text)[:SHOWN_CHARS],
        is_down=says_it_cannot(answer.status),
        rest_s=_seconds(answer.headers.get("retry-after", "")),
        is_gone=answer.status == GONE,
    )


def _seconds(retry_after: str) -> float:
    """What `Retry-After` asks for, in seconds or until a date (RFC 9110, 10.2.3); 0 for anything else."""
    if retry_after.isascii() and retry_after.isdecimal():
        return float(retry_after[:9])
    try:
        return max(0.0, parsedate_to_datetime(retry_after).timestamp() - time.time())
    except ValueError:
        return 0.0


def _mail(mail: EmailMessage) -> Outcome:
    with get_connection() as connection:
        connection.send_messages([mail])
    return Outcome()
