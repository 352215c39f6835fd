"""What the hub's log says of requests that Django refuses."""

import logging

from jobhub.logs import RefusedForm


def test_an_unknown_host_names_the_hubs_own_setting() -> None:
    text = "Invalid HTTP_HOST header: 'x.example'. You may need to add 'x.example' to ALLOWED_HOSTS."
    record = logging.LogRecord("django.security.DisallowedHost", logging.ERROR, "", 0, text, None, None)

    assert RefusedForm().filter(record)
    assert (record.getMessage()[-28:], record.levelname) == ("'x.example' to JOBHUB_HOSTS.", "WARNING")
