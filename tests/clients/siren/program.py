"""A user's script: run by the Python of one of the official Elasticsearch clients, it knows nothing of the hub.

Reads from standard input what to do (`url`, `login`, `through`, `calls`), prints what came back of each call. `login`
are arguments of the client. `through` says how the calls are made: `client` (as the client's users call an API that it
has no method for) or `transport` (the way of 7.x, which 8 and 9 still have, with other manners).
"""

import json
import sys
import time

import elasticsearch

VERSION = elasticsearch.__version__[0]
API_ERROR = elasticsearch.TransportError if VERSION == 7 else elasticsearch.ApiError
asked = json.load(sys.stdin)
es = elasticsearch.Elasticsearch(asked["url"], **asked["login"])


def ask(method, path, params=None, body=None, headers=None):
    if VERSION == 7:
        return es.transport.perform_request(method, path, params=params, body=body, headers=headers)
    headers = {"accept": "application/json", **(headers or {})}
    if body is not None:
        headers["content-type"] = "application/json"
    if asked["through"] == "client":
        return es.perform_request(method, path, params=params, body=body, headers=headers).body
    return es.transport.perform_request(method, path, body=body, headers=headers).body


def poll(path):
    """As everybody does it."""
    while True:
        job = ask("GET", path)
        if not job["status"]["is_running"]:
            return job
        time.sleep(0.05)


def outcome(call):
    try:
        if "typed" in call:
            found = getattr(es, call["typed"])()
            return {"raised": "", "body": getattr(found, "body", found)}
        if "poll" in call:
            return {"raised": "", "body": poll(call["poll"])}
        return {"raised": "", "body": ask(**call)}
    except API_ERROR as error:
        status = error.status_code if VERSION == 7 else error.meta.status
        return {"raised": type(error).__name__, "status": status, "body": error.info}


json.dump([outcome(call) for call in asked["calls"]], sys.stdout)
