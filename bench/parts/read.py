"""One execution by its id, in each face: with credentials checked on every request, beside a bare Django view."""

from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from bench.bench import Bench
from bench.figures import Figure, Target, middle
from bench.hub import Hub
from bench.load import Load, flood

ROUNDS = 3
CONNECTIONS = 8
WARM_UPS = 30
BARE = "bare"
STATUS = Target(at_least=1500, ratio=0.5)
UNCHANGED = "with a key, If-None-Match"
TARGETS = {UNCHANGED: Target(at_least=3000)}
Measured = tuple[float, float]
"""Requests per second, and milliseconds of CPU for one."""


def measure(bench: Bench) -> Iterator[Figure]:
    with bench.hub("read", bench.embedded) as hub:
        hub.env["DJANGO_SETTINGS_MODULE"] = "bench.settings"
        hub.start()
        asked = _asked(hub)
        seconds = bench.few(1, 5)
        for load, _ in asked.values():
            _warm_up(hub, load)
        turns = [
            {name: _flood(hub, load, status, seconds) for name, (load, status) in asked.items()}
            for _ in range(bench.few(1, ROUNDS))
        ]
    for name in asked:
        if name == BARE:
            continue
        yield from _figures(
            name, TARGETS.get(name, STATUS), [turn[name] for turn in turns], [turn[BARE] for turn in turns]
        )


def _asked(hub: Hub) -> dict[str, tuple[Load, int]]:
    """Each kind of request with the status that it must be answered with."""
    path = hub.finished_path()
    etag = hub.get(path, hub.with_key).headers["etag"]
    faces = hub.get(f"{path}/faces", hub.with_key).json["results"]
    others = {f"in the face {one['face']}": urlsplit(one["url"]).path for one in faces if one["face"] != "native"}
    return {
        BARE: (_load(hub, f"/bench/bare/{path.rpartition('/')[2]}", {}), 200),
        "with a key": (_load(hub, path, hub.with_key), 200),
        "with a password": (_load(hub, path, hub.with_password()), 200),
        UNCHANGED: (_load(hub, path, {**hub.with_key, "If-None-Match": etag}), 304),
        **{name: (_load(hub, its_path, hub.with_key), 200) for name, its_path in others.items()},
    }


def _load(hub: Hub, path: str, headers: Mapping[str, str]) -> Load:
    return Load(port=hub.port, path=path, headers=headers, connections=CONNECTIONS)


def _warm_up(hub: Hub, load: Load) -> None:
    """Both web processes have seen the request, and the password, which one at a time is checked the slow way."""
    for _ in range(WARM_UPS):
        hub.get(load.path, load.headers)


def _flood(hub: Hub, load: Load, status: int, seconds: float) -> Measured:
    before = hub.cpu_s()
    rate = flood(Load(**{**vars(load), "seconds": seconds}), status)
    return rate, 1000 * (hub.cpu_s() - before) / (rate * seconds)


def _figures(name: str, target: Target, hub: list[Measured], bare: list[Measured]) -> Iterator[Figure]:
    yield Figure(
        part="read",
        name=f"GET one execution {name}",
        set_up="embedded",
        unit="/s",
        hub=middle([rate for rate, _ in hub]),
        peer=middle([rate for rate, _ in bare]),
        is_rate=True,
        target=target,
        rounds=tuple(rate for rate, _ in hub),
    )
    yield Figure(
        part="read",
        name=f"  its CPU, {name}",
        set_up="embedded",
        unit="ms",
        hub=middle([cpu for _, cpu in hub]),
        peer=middle([cpu for _, cpu in bare]),
        rounds=tuple(cpu for _, cpu in hub),
    )
