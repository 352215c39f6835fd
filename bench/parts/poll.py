"""A Freezer scheduler's poll: a page of its client's jobs, found by the search in the request's body."""

import json
import time
from collections.abc import Iterator

from bench.bench import Bench
from bench.figures import Figure, Target, percentile
from bench.hub import Hub

SEARCH = json.dumps({"match_not": [{"status": "completed"}], "match": [{"client_id": "bench"}]}).encode()
FEW, MANY = 1_000, 10_000
PATH = "/v2/default/jobs/?limit=10&offset={offset}&all_projects=False"
TARGET = Target(at_most=15, ratio=0.7)


def measure(bench: Bench) -> Iterator[Figure]:
    few, many = (20, 40) if bench.quick else (FEW, MANY)
    for set_up in bench.set_ups:
        with bench.hub("poll", set_up) as hub:
            hub.start()
            rounds = bench.few(10, 200)
            hub.inside("polled", n=few)
            short = _p50s(hub, few, rounds)
            hub.inside("polled", n=many - few)
            long = _p50s(hub, many, rounds)
        for page, target in (("first", TARGET), ("last", None)):
            yield Figure(
                part="poll",
                name=f"the {page} page of a client's {many:,} jobs, p50 (peer: of {few:,})",
                set_up=set_up.name,
                unit="ms",
                hub=long[page],
                peer=short[page],
                target=target,
            )


def _p50s(hub: Hub, n: int, rounds: int) -> dict[str, float]:
    return {"first": _p50(hub, 0, rounds), "last": _p50(hub, n - 10, rounds)}


def _p50(hub: Hub, offset: int, rounds: int) -> float:
    """Milliseconds; the first answers, which fill caches, do not count."""
    headers = {"Content-Type": "application/json", "Content-Length": str(len(SEARCH))}
    found = []
    with hub.connect() as connection:
        for number in range(rounds + 5):
            began_at = time.perf_counter()
            answer = connection.ask("GET", PATH.format(offset=offset), SEARCH, headers)
            found += [1000 * (time.perf_counter() - began_at)] if number >= 5 else []
            if answer.status != 200 or len(answer.json["jobs"]) != 10:
                raise RuntimeError(f"a poll was answered with {answer.status}: {answer.body[:200]!r}")
    return percentile(found, 0.5)
