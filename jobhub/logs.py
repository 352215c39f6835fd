"""What the hub's log leaves out."""

import logging


class RefusedForm(logging.Filter):
    """Makes one line of a request that Django refuses for its form (an unknown host, too large a body).

    Its traceback tells nothing of the hub, and whoever sends many such requests would fill the disk with them.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.startswith("django.security."):
            record.exc_info = None
            record.levelno, record.levelname = logging.WARNING, "WARNING"
            if isinstance(record.msg, str):
                record.msg = record.msg.replace("ALLOWED_HOSTS", "JOBHUB_HOSTS")
        return True
