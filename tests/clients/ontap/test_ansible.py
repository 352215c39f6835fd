"""Ansible's modules for ONTAP, unmodified: a playbook starts jobs, waits for them, and lists what runs."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.clients.hub import PASSWORD, ClientsHub
from tests.clients.ontap.test_netapp import command
from tests.clients.venvs import environment

Play = Callable[..., list[dict[str, Any]]]
PLAYBOOK = """
- hosts: localhost
  gather_facts: false
  module_defaults:
    group/netapp.ontap.netapp_ontap:
      hostname: localhost
      http_port: {port}
      https: true
      username: admin
      password: {password}
  tasks: {tasks}
"""


@pytest.fixture
def play(hub: ClientsHub, tmp_path: Path) -> Play:
    """`play(task, …)`: what each task of a playbook gave back. The certificate is checked."""
    programs = environment("ansible")

    def run(*tasks: dict[str, Any], password: str = PASSWORD) -> list[dict[str, Any]]:
        book = tmp_path / "play.yml"
        given = [{**task, "ignore_errors": True} for task in tasks]
        book.write_text(PLAYBOOK.format(port=hub.tls_port, password=password, tasks=json.dumps(given)))
        env = {
            **os.environ,
            "ANSIBLE_HOME": str(tmp_path / "home"),
            "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json",
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
            "ANSIBLE_PYTHON_INTERPRETER": str(programs / "python"),
            "REQUESTS_CA_BUNDLE": str(hub.certificate),
        }
        done = subprocess.run(
            [str(programs / "ansible-playbook"), "-i", "localhost,", "-c", "local", str(book)],
            env=env,
            capture_output=True,
            text=True,
            timeout=180,
        )
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        (told,) = json.loads(done.stdout[done.stdout.index("{") :])["plays"]
        return [task["hosts"]["localhost"] for task in told["tasks"]]

    return run


def start(job: str) -> dict[str, Any]:
    return {
        "netapp.ontap.na_ontap_restit": {
            "api": f"jobhub/jobs/{job}/trigger",
            "method": "POST",
            "wait_for_completion": True,
            "body": {},
        }
    }


def test_a_play_starts_jobs_and_waits_for_them(hub: ClientsHub, apply: Callable[..., None], play: Play) -> None:
    apply(command("ansible/good", "sleep 0.5"), command("ansible/bad", "echo no; exit 3"))
    cancel = {
        "api": "cluster/jobs/{{ listed.response.records[0].uuid }}",
        "method": "PATCH",
        "query": {"action": "cancel"},
    }
    listing = {"api": "cluster/jobs", "query": {"description": "ansible/good", "fields": "state"}}
    good, bad, listed, too_late = play(
        start("ansible%2Fgood"),
        start("ansible%2Fbad"),
        {"netapp.ontap.na_ontap_restit": listing, "register": "listed"},
        {"netapp.ontap.na_ontap_restit": cancel},
    )

    assert (good["changed"], hub.wait_for_end("ansible/good")["state"]) == (True, "succeeded")
    assert bad["failed"]
    assert "exit" in bad["msg"]
    assert [record["state"] for record in listed["response"]["records"]] == ["success"]
    assert (too_late["status_code"], too_late["error_code"]) == (409, "458762")


def test_a_play_reads_all_pages(hub: ClientsHub, apply: Callable[..., None], play: Play) -> None:
    names = [f"ansible-pages/{number}" for number in range(5)]
    apply(*(command(name, "true") for name in names))
    for name in names:
        hub.ask("POST", f"jobs/{name}/trigger", {})
    for name in names:
        hub.wait_for_end(name)
    asked = {
        "gather_subset": ["cluster/jobs", "cluster/nodes", "cluster"],
        "fields": ["*"],
        "max_records": 2,
        "hal_linking": False,
    }
    (info,) = play({"netapp.ontap.na_ontap_rest_info": asked})
    found = info["ontap_info"]["cluster/jobs"]["records"]

    assert set(names) <= {record["description"] for record in found}
    assert ["_links" in record for record in found[:3]] == [
        False,
        False,
        True,
    ]  # it asks for the first page only without
    assert info["ontap_info"]["cluster/nodes"]["num_records"] >= 1


def test_a_play_with_a_wrong_password(play: Play) -> None:
    (refused,) = play({"netapp.ontap.na_ontap_restit": {"api": "cluster/jobs"}}, password="wrong")

    assert refused["failed"]
    assert "not authorized" in json.dumps(refused).lower()
