"""As much of an Elasticsearch as the official client's bulk helper and aliases need, in this process."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

Documents = dict[str, dict[str, Any]]


class Elastic:
    """What it holds, and how often it was asked to take documents."""

    def __init__(self) -> None:
        self.indices: dict[str, Documents] = {}
        self.mappings: dict[str, Any] = {}
        self.aliases: dict[str, set[str]] = {}
        self.n_bulks = 0
        self.hosts: set[str] = set()
        self.logins: set[str] = set()
        self.url = ""

    def behind(self, name: str) -> list[str]:
        return [name] if name in self.indices else sorted(self.aliases.get(name, set()))

    def documents(self, name: str) -> Documents:
        return {key: body for index in self.behind(name) for key, body in self.indices[index].items()}

    def bulk(self, lines: list[bytes]) -> list[Any]:
        self.n_bulks += 1
        return [self._index(json.loads(lines[at])["index"], lines[at + 1]) for at in range(0, len(lines), 2)]

    def _index(self, header: dict[str, Any], raw: bytes) -> Any:
        body = json.loads(raw)
        index = self.indices.setdefault(header["_index"], {})
        key = header.get("_id", f"auto-{len(index)}")
        if body.get("name") == "poison":
            error = {"type": "mapper_parsing_exception", "reason": "failed to parse field [name]"}
            return {"index": {"_index": header["_index"], "_id": key, "status": 400, "error": error}}
        index[key] = body
        return {"index": {"_index": header["_index"], "_id": key, "status": 201, "result": "created"}}

    def update_aliases(self, actions: list[dict[str, Any]]) -> None:
        for action in actions:
            [(verb, what)] = action.items()
            if verb == "remove_index":
                del self.indices[what["index"]]
                for holders in self.aliases.values():
                    holders.discard(what["index"])
            elif verb == "remove":
                self.aliases[what["alias"]].discard(what["index"])
            else:
                assert what["alias"] not in self.indices, "an index of that name is in the way"
                self.aliases.setdefault(what["alias"], set()).add(what["index"])


class Handler(BaseHTTPRequestHandler):
    elastic: Elastic
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def _answer(self, status: int, body: Any) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("X-Elastic-Product", "Elasticsearch")
        self.send_header("Content-Type", "application/vnd.elasticsearch+json;compatible-with=8")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _handle(self) -> None:
        elastic, body = self.elastic, self._body()
        elastic.hosts.add(self.headers["Host"])
        elastic.logins.add(self.headers.get("Authorization", ""))
        name, _, verb = urlsplit(self.path).path.strip("/").partition("/")
        if name == "_bulk":
            items = elastic.bulk(body.splitlines())
            return self._answer(200, {"items": items, "errors": any("error" in item["index"] for item in items)})
        if name == "_aliases":
            elastic.update_aliases(json.loads(body)["actions"])
            return self._answer(200, {"acknowledged": True})
        if self.command == "PUT":
            elastic.indices[name] = {}
            elastic.mappings[name] = json.loads(body or b"{}").get("mappings", {})
            return self._answer(200, {"acknowledged": True})
        if verb == "_refresh" or self.command == "DELETE":
            if self.command == "DELETE":
                elastic.indices.pop(name, None)
            return self._answer(200, {"acknowledged": True})
        behind = elastic.behind(name)
        found = {index: {"mappings": elastic.mappings.get(index, {})} for index in behind}
        return self._answer(200 if found else 404, found)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _handle


@contextmanager
def running() -> Iterator[Elastic]:
    elastic = Elastic()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Here", (Handler,), {"elastic": elastic}))
    elastic.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield elastic
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
