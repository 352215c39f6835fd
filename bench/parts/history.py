"""Lists and searches of every face over a long past, beside the same ones over a short past."""

import time
from collections.abc import Iterator

from bench.bench import Bench, SetUp
from bench.figures import Figure, Target, percentile
from bench.hub import Hub

LISTS = {
    "native: newest": "/hub/v1/executions",
    "native: failed ones of a kind": "/hub/v1/executions?state=failed&kind=backup",
    "native: one job": "/hub/v1/executions?job=past/job-7",
    "native: a day": "/hub/v1/executions?finished_from={day}T00:00:00Z&finished_to={day}T23:59:59Z",
    "vertica: jobs": "/jobs",
    "siren: log": "/_siren/connector/jobs/_search",
    "siren: errors of a type": "/_siren/connector/jobs/_search?state=error&type=ingestion",
    "siren: one id": "/_siren/connector/jobs/_search?id=past/job-5",
    "siren: all five filters": "/_siren/connector/jobs/_search?id=past/job-5&type=ingestion&state=successful"
    "&start_time_from=0&start_time_to=9999999999999",
    "siren: running": "/_siren/connector/jobs/ingestion",
    "datameer: running": "/rest/jobs/list-running",
    "datameer: one job": "/rest/job-configuration/job-history/{job}?start=0&length=10",
    "ontap: jobs": "/api/cluster/jobs?max_records=20&fields=*",
    "ontap: failures": "/api/cluster/jobs?state=failure&max_records=20",
}
GROWTH = 1.3
"""What a hundred times as long a past may cost at most."""
FEW, MANY = 10_000, 1_000_000


def measure(bench: Bench) -> Iterator[Figure]:
    few, many = (200, 2000) if bench.quick else (FEW, MANY)
    for set_up in bench.set_ups:
        with bench.hub("history", set_up) as hub:
            hub.start()
            hub.finished_path()
            hub.inside("past", n=few)
            rounds = bench.few(10, 300)
            short = {name: _p99(hub, path, rounds) for name, path in LISTS.items()}
            hub.inside("past", n=many - few)
            long = {name: _p99(hub, path, rounds) for name, path in LISTS.items()}
        yield from (_figure(set_up, name, many, long[name], short[name]) for name in LISTS)


def _figure(set_up: SetUp, name: str, n: int, long: float, short: float) -> Figure:
    return Figure(
        part="history",
        name=f"{name}, p99 of {n:,} (peer: the short past)",
        set_up=set_up.name,
        unit="ms",
        hub=long,
        peer=short,
        target=Target(ratio=round(1 / GROWTH, 3)),
    )


def _p99(hub: Hub, path: str, n: int) -> float:
    """Milliseconds; the first answers, which fill caches, do not count."""
    path = path.format(day=time.strftime("%Y-%m-%d", time.gmtime()), job=hub.job)
    with hub.connect() as connection:
        for _ in range(5):
            answer = connection.ask("GET", path)
            if answer.status != 200:
                raise RuntimeError(f"{path} was answered with {answer.status}: {answer.body[:200]!r}")
        found = []
        for _ in range(n):
            began_at = time.perf_counter()
            connection.ask("GET", path)
            found.append(1000 * (time.perf_counter() - began_at))
    return percentile(found, 0.99)
