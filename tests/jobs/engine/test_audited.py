"""Every verb of the engine that takes an actor leaves a row in the audit, unless it only reads."""

import ast
from pathlib import Path

from django.conf import settings

ENGINE = Path(settings.BASE_DIR) / "jobs" / "engine"
READS = {"find_job", "find_execution", "find_node", "find_subscription", "find_delivery", "list_secrets"}
BY_ANOTHER = {
    "patch": "define",
    "retry": "trigger",
    "retry_once": "retry",
    "retry_all": "retry_once",
    "abort_all": "abort",
    "trigger": "_insert",
    "run": "trigger",
    "new_execution": "",
    "expire": "partial",
    "keep_execution": "_set_kept",
    "unkeep_execution": "_set_kept",
    "remove_expired": "_clear",
    "set_secret": "_write",
    "keep": "_write",
}
"""Verbs whose row another one writes; `new_execution` saves nothing."""


def functions() -> dict[str, ast.FunctionDef]:
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in sorted(ENGINE.glob("*.py"))]
    return {node.name: node for tree in trees for node in tree.body if isinstance(node, ast.FunctionDef)}


def calls(function: ast.FunctionDef) -> set[str]:
    return {ast.unparse(node.func) for node in ast.walk(function) if isinstance(node, ast.Call)}


def test_each_verb_audits_or_calls_one_that_does() -> None:
    known = functions()
    verbs = {
        name: function
        for name, function in known.items()
        if not name.startswith("_") and any(argument.arg == "actor" for argument in function.args.kwonlyargs)
    }
    silent = {name for name, function in verbs.items() if "audit" not in calls(function)} - READS

    assert len(verbs) > 25
    assert silent == set(BY_ANOTHER)
    assert all(another in calls(known[name]) for name, another in BY_ANOTHER.items() if another)
