"""An import job as the vendor's pages have one, and how the tests send and read such documents."""

import json
from typing import Any

from rest_framework.test import APIClient

from jobs.engine.documents import document_of
from jobs.models import Job

PATH = "/Data/ImportJobs/URLS.imp"
IMPORT: dict[str, Any] = {
    "version": "2.1.1",
    "className": "datameer.dap.common.entity.DataSourceConfigurationImpl",
    "file": {
        "uuid": "2d5d3741-9f5d-42e1-9d54-e38c849f3a5a",
        "path": PATH,
        "description": "All URLs",
        "name": "URLS",
        "fullDataPermission": 63,
    },
    "pullType": "MANUALLY",
    "minKeepCount": 1,
    "properties": {
        "fileType": ["CSV"],
        "jobhub.query": ["SELECT * FROM urls"],
        "jobhub.target": ["{data}/urls.jsonl"],
        "jobhub.source": ["sqlite:///{data}/urls.sqlite3"],
    },
    "hadoopProperties": "",
    "validationStrategy": "DROP_RECORD",
    "maxLogErrors": 1000,
    "fields": [{"id": 7, "name": "url", "deleted": False}],
}


def sent(client: APIClient, path: str, body: Any, method: str = "POST") -> Any:
    """As `curl -d` sends it."""
    content_type = "application/x-www-form-urlencoded"
    return client.generic(method, path, json.dumps(body), content_type=content_type)


def made(client: APIClient, path: str, body: Any) -> Job:
    response = sent(client, path, body)
    assert response.status_code == 200, response.content
    return Job.objects.get(pk=response.json()["configuration-id"])


def steps(job: Job) -> list[Any]:
    return [{name: step[name] for name in ("runner", "spec")} for step in document_of(job)["actions"]]


def with_properties(document: dict[str, Any], **properties: Any) -> dict[str, Any]:
    own = {f"jobhub.{name}": [value] for name, value in properties.items() if value is not None}
    gone = {f"jobhub.{name}" for name, value in properties.items() if value is None}
    kept = {name: value for name, value in document["properties"].items() if name not in gone}
    return {**document, "properties": {**kept, **own}}
