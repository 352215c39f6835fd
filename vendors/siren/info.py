"""What `GET /` says of an Elasticsearch, and what makes its clients believe it."""

import base64
import hashlib
import hmac
from typing import Any

from django.conf import settings

PRODUCT = {"X-Elastic-Product": "Elasticsearch"}
VERSION = {
    "number": "7.17.13",
    "build_flavor": "default",
    "build_type": "tar",
    "build_hash": "2b211dbb8bfdecaf7f5b44d356bdfe54b1050c13",
    "build_date": "2023-08-31T17:33:19.958690787Z",
    "build_snapshot": False,
    "lucene_version": "8.11.1",
    "minimum_wire_compatibility_version": "6.8.0",
    "minimum_index_compatibility_version": "6.0.0-beta1",
}
"""Clients of 7.x check it before their first call; later ones do not look."""


def headers(_request: Any) -> dict[str, str]:
    return PRODUCT


def front(_request: Any) -> dict[str, Any]:
    return {
        "name": settings.NODE,
        "cluster_name": "jobhub",
        "cluster_uuid": _cluster_uuid(),
        "version": VERSION,
        "tagline": "You Know, for Search",
    }


def _cluster_uuid() -> str:
    """The same for all of a hub's processes, and at each start."""
    digest = hmac.digest(settings.SECRET_KEY.encode(), b"siren cluster_uuid", hashlib.sha256)
    return base64.urlsafe_b64encode(digest[:16]).rstrip(b"=").decode()
