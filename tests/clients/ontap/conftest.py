"""NetApp's Python library, its newest release and an old one, as programs that speak to the hub over HTTPS."""

import json
import os
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from tests.clients.hub import PASSWORD, ClientsHub
from tests.clients.venvs import environment

Program = Callable[..., Any]
PRELUDE = """
import json, os, sys
from netapp_ontap import HostConnection, NetAppRestError, config, utils
from netapp_ontap.resources import Cluster, Job, Node, Svm

config.STRICT_FIELD_ACCEPTANCE = True


def connect(password=os.environ["PASSWORD"]):
    conn = HostConnection("localhost", "admin", password, verify=os.environ["CERTIFICATE"], poll_interval=1)
    conn.port = int(os.environ["PORT"])  # 9.10 takes no port in the constructor
    return conn


def refused(call):
    try:
        call()
    except NetAppRestError as error:
        answer = error.http_err_response.http_response
        return [answer.status_code, answer.json()["error"]["code"]]


def trigger(name):
    return conn.session.post(f"{conn.origin}/api/jobhub/jobs/{name}/trigger", json={})


def tell(*what):
    print(json.dumps(what, default=str))


conn = config.CONNECTION = connect()
"""


@pytest.fixture(params=["netapp-ontap", "netapp-ontap-9-10"])
def netapp(request: pytest.FixtureRequest, hub: ClientsHub) -> Program:
    """`netapp("tell(…)")`: what a program that uses the library tells."""
    python = environment(request.param) / "python"

    def run(text: str) -> Any:
        env = {name: value for name, value in os.environ.items() if not name.endswith("CA_BUNDLE")}
        env |= {"PASSWORD": PASSWORD, "CERTIFICATE": str(hub.certificate), "PORT": str(hub.tls_port)}
        done = subprocess.run(
            [str(python), "-W", "error::UserWarning", "-c", PRELUDE + text],
            env=env,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        return json.loads(done.stdout)

    return run
