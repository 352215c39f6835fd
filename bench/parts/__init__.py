"""What is measured, by name."""

from collections.abc import Callable, Iterable

from bench.bench import Bench
from bench.figures import Figure
from bench.parts import engine, history, idle, ingestion, latency, notices, poll, read, retention, start, throughput

PARTS: dict[str, Callable[[Bench], Iterable[Figure]]] = {
    "latency": latency.measure,
    "throughput": throughput.measure,
    "engine": engine.measure,
    "read": read.measure,
    "history": history.measure,
    "idle": idle.measure,
    "start": start.measure,
    "ingestion": ingestion.measure,
    "notices": notices.measure,
    "poll": poll.measure,
    "retention": retention.measure,
}
