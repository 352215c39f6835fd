"""Who may do what through the Kiln face."""

from tests.vendors.rights import EDIT, LOGGED_IN, SEE, TRIGGER, Row

ONE = {"route": "firings/<str:ref>", "path": "/kiln/v1/firings/{execution.pk}"}
ROWS = [
    Row(method="get", route="firings", need=LOGGED_IN, path="/kiln/v1/firings"),
    Row(method="post", route="firings", need=TRIGGER, path="/kiln/v1/firings", status=201, body={"ware": "{job.uuid}"}),
    Row(method="get", need=SEE, **ONE),
    Row(method="delete", need=EDIT, status=204, **ONE),
]
