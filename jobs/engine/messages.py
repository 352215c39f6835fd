"""What a receiver of notices gets: the body, and the headers that prove where it comes from.

The headers are those of Standard Webhooks (https://www.standardwebhooks.com, specification 1.0.0): `Webhook-Id` is the
same for each try of one delivery, so that a receiver can tell a repetition, `Webhook-Timestamp` is the time of the try,
and `Webhook-Signature` is `v1,` and the Base64 of an HMAC-SHA256 over `id.timestamp.body`. Its key is the text of the
secret; one that begins with `whsec_` is Base64 of the key, as that specification has it.
"""

import base64
import binascii
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.conf import settings
from django.utils import timezone

from jobs.errors import RunFailed
from jobs.models import Delivery, Event, JobExecution

BASE64_KEY = "whsec_"
JSON = "application/json; charset=utf-8"


@dataclass(frozen=True)
class Message:
    """What is posted to a webhook."""

    body: bytes
    headers: Mapping[str, str] = field(default_factory=lambda: {"Content-Type": JSON})


Writer = Callable[[Delivery], Message]
_writers: Callable[[str], Writer | None] = lambda face: None  # noqa: E731, ARG005


def configure(writers: Callable[[str], Writer | None]) -> None:
    """Set who finds the writer of a face's messages; done once at start."""
    global _writers
    _writers = writers


def message_of(delivery: Delivery) -> Message:
    """In the words of the face whose subscription it is, else in the hub's own."""
    face = delivery.subscription.face
    write = _writers(face) if face else None
    return write(delivery) if write else own_message(delivery)


def own_message(delivery: Delivery) -> Message:
    document = {
        "type": f"execution.{delivery.event}",
        "timestamp": _time(delivery.created_at),
        "data": execution_of(delivery.execution),
    }
    return Message(json.dumps(document, ensure_ascii=False).encode())


def execution_of(execution: JobExecution) -> dict[str, object]:
    """What is told of an execution, as it is now. Not its params and output, which are not for everybody."""
    return {
        "id": execution.pk,
        "uuid": str(execution.uuid),
        "handle": execution.handle,
        "project": execution.project.name,
        "job": execution.job_name,
        "job_id": execution.job_id,
        "kind": execution.kind,
        "state": execution.state,
        "attempt": execution.attempt,
        "message": execution.message,
        "errors": execution.errors,
        "n_warnings": execution.n_warnings,
        "exit_code": execution.exit_code,
        "records": execution.records,
        "requested_by": execution.requested_by,
        "node": execution.node,
        "queued_at": _time(execution.queued_at),
        "started_at": _time(execution.started_at),
        "finished_at": _time(execution.finished_at),
        "retry_of": execution.retry_of_id,
        "url": page_of(execution),
    }


def page_of(execution: JobExecution) -> str | None:
    """Where people can look at it, if the hub knows how it is reached."""
    return f"{settings.BASE_URL}/admin/jobs/jobexecution/{execution.pk}/change/" if settings.BASE_URL else None


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


# -- what proves it ----------------------------------------------------------------------------------------------------
def signed(delivery: Delivery, message: Message, key: str) -> dict[str, str]:
    """All headers of a message; without a key there is no signature among them."""
    stamp = str(int(timezone.now().timestamp()))
    headers = {**message.headers, "Webhook-Id": str(delivery.uuid), "Webhook-Timestamp": stamp}
    if key:
        text = f"{delivery.uuid}.{stamp}.".encode() + message.body
        mac = hmac.digest(_key(key), text, "sha256")
        headers["Webhook-Signature"] = f"v1,{base64.b64encode(mac).decode()}"
    return headers


def _key(text: str) -> bytes:
    if not text.startswith(BASE64_KEY):
        return text.encode()
    try:
        return base64.b64decode(text.removeprefix(BASE64_KEY), validate=True)
    except binascii.Error:
        raise RunFailed(f"the signing secret begins with {BASE64_KEY!r}, but no Base64 follows") from None


# -- e-mail ------------------------------------------------------------------------------------------------------------
HAPPENED = {
    Event.SUCCEEDED: "succeeded",
    Event.FAILED: "failed",
    Event.ABORTED: "was aborted",
    Event.SOFT_TIMEOUT: "runs for longer than it should",
}


def subject_of(delivery: Delivery) -> str:
    execution = delivery.execution
    return f"[{execution.project.name}] {execution.job_name} {HAPPENED[Event(delivery.event)]}"


def text_of(delivery: Delivery) -> str:
    execution = delivery.execution
    told = {
        "Execution": execution.handle,
        "State": execution.state,
        "Message": execution.message,
        "Causes": "\n  ".join(execution.errors[1:]),
        "Requested by": execution.requested_by,
        "Node": execution.node,
        "Started": _time(execution.started_at),
        "Finished": _time(execution.finished_at),
        "Look at it": page_of(execution) or f"python manage.py execution show {execution.pk}",
    }
    lines = [f"{name}: {value}" for name, value in told.items() if value]
    return f"{execution.job_name} {HAPPENED[Event(delivery.event)]}.\n\n" + "\n".join(lines) + "\n"
