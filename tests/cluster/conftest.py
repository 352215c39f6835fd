"""Hubs on each database and broker that this machine has."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import psycopg
import pytest
import redis

from tests.cluster.hub import Hub
from tests.cluster.templates import Templates

POSTGRES = os.environ.get("TEST_POSTGRES_URL", "postgresql://127.0.0.1:5432")
REDIS = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379/9")


class MakeHub(Protocol):
    def __call__(self, **settings: Any) -> Hub: ...


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Templates]:
    made = Templates(tmp_path_factory.mktemp("templates"))
    yield made
    made.close()


@pytest.fixture
def make_hub(tmp_path: Path, templates: Templates) -> Iterator[MakeHub]:
    hubs: list[Hub] = []

    def make(**settings: Any) -> Hub:
        hubs.append(Hub(tmp_path / f"hub{len(hubs)}", templates, **settings))
        return hubs[-1]

    yield make
    for hub in hubs:
        hub.close()


def postgres() -> str:
    try:
        psycopg.connect(f"{POSTGRES}/postgres", connect_timeout=3).close()
    except psycopg.Error as error:
        pytest.skip(f"no PostgreSQL at {POSTGRES}: {error}")
    return POSTGRES


def redis_broker() -> str:
    try:
        redis.from_url(REDIS).ping()
    except redis.RedisError as error:
        pytest.skip(f"no Redis at {REDIS}: {error}")
    return REDIS
