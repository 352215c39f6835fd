"""Virtual indices: kept as they are."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from tests.vendors.siren.conftest import INDEX, reason_of
from vendors.models import VendorDocument

BODY = {
    "datasource": "shop",
    "resource": "events",
    "key": "id",
    "search_fields": [{"function": "LIKE", "field": "NAME"}],
}


def test_it_comes_back_as_it_was_put(client: APIClient, db: None) -> None:
    made = client.put(f"{INDEX}/events", BODY, format="json")
    again = client.put(f"{INDEX}/events", {**BODY, "key": "no"}, format="json")

    assert (made.status_code, again.status_code) == (201, 200)
    assert client.get(f"{INDEX}/events").json() == {
        "_id": "events",
        "_version": 2,
        "found": True,
        "_source": {**BODY, "key": "no"},
    }
    assert client.get(f"{INDEX}/_search").json()["hits"]["hits"] == [
        {"_id": "events", "_source": {**BODY, "key": "no"}}
    ]


def test_a_deleted_one_is_gone(client: APIClient, db: None) -> None:
    client.put(f"{INDEX}/events", BODY, format="json")

    assert client.delete(f"{INDEX}/events").json()["result"] == "deleted"
    assert client.get(f"{INDEX}/events").status_code == client.delete(f"{INDEX}/events").status_code == 404


@pytest.mark.parametrize("id", ["Events", "-events", "+events", "ev ents", "ev,ents", "ev*", "..", "x" * 256])
def test_a_name_that_no_index_can_have(client: APIClient, db: None, id: str) -> None:
    response = client.put(f"{INDEX}/{id}", BODY, format="json")

    assert response.status_code == 400
    assert reason_of(response) == f"Invalid index name [{id[:100]}], must be lowercase"


@pytest.mark.parametrize("body", [{}, {"datasource": "shop"}, {"datasource": "", "resource": "x"}])
def test_a_body_without_what_it_needs(client: APIClient, db: None, body: dict[str, Any]) -> None:
    assert client.put(f"{INDEX}/events", body, format="json").status_code == 400
    assert not VendorDocument.objects.exists()
