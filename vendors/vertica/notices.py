"""What a webhook's subscriber gets when a job ends: the job as `GET /jobs` shows it. The vendor documents no body."""

from jobs.engine.messages import JSON, Message
from jobs.models import Delivery
from vendors.vertica.shapes import job_json
from vendors.vertica.vendor import VENDOR, enveloped


def message(delivery: Delivery) -> Message:
    execution = delivery.execution
    body = enveloped(job_json(vars(execution)), f"/jobs/{execution.handle}", kind="job")
    return Message(VENDOR.json(body), {"Content-Type": JSON})
