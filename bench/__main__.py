"""`python -m bench [PART …]`: measure, and print one table."""

import argparse
import json
import os
import signal
import sys
import tempfile
from pathlib import Path

import psycopg
import redis

from bench import databases, machine
from bench.bench import Bench, SetUp
from bench.parts import PARTS
from bench.report import Report

EXIT_VOID = 1
DATABASE = "postgresql://127.0.0.1:5432"
REDIS = "redis://127.0.0.1:6379/10"
SERVER_WORKERS = 4


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(EXIT_VOID))  # what was started is stopped on the way out
    options = _options()
    set_up, missing = machine.described(), list[str]()
    servers = _servers(options, set_up, missing)
    with tempfile.TemporaryDirectory(prefix="jobhub-bench-") as folder:
        bench = Bench(Path(folder), options.quick, servers)
        report = Report(set_up, bench.in_force, bench.controls, missing=missing)
        for name in options.parts or PARTS:
            print(f"measuring {name} (load {os.getloadavg()[0]:.2f})", file=sys.stderr)
            report.figures += PARTS[name](bench)
    print(json.dumps(report.as_json(), indent=2, default=str) if options.json else report.as_text())
    return 0 if report.is_valid else EXIT_VOID


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="The hub's figures beside a plain peer's.")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"any of {', '.join(PARTS)}; default: all")
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.add_argument("--quick", action="store_true", help="everything small: shows that it works, measures nothing")
    parser.add_argument("--database", default=os.environ.get("BENCH_POSTGRES_URL", DATABASE), metavar="URL",
                        help="of a PostgreSQL server where databases may be made; empty: embedded only")  # fmt: skip
    parser.add_argument("--redis", default=os.environ.get("BENCH_REDIS_URL", REDIS), metavar="URL",
                        help="of a Redis database that nothing else uses; empty: embedded only")  # fmt: skip
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"unknown part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    return options


def _servers(options: argparse.Namespace, set_up: dict[str, str], missing: list[str]) -> SetUp | None:
    """PostgreSQL and Redis, if both answer; else why not."""
    if not options.database or not options.redis:
        missing.append("PostgreSQL + Redis: not asked for")
        return None
    try:
        set_up["servers"] = (
            f"PostgreSQL {databases.postgres_version(options.database)}, Redis {databases.redis_version(options.redis)}"
        )
    except (psycopg.Error, redis.RedisError) as error:
        missing.append(f"PostgreSQL + Redis: {str(error).splitlines()[0]}")
        return None
    return SetUp("PostgreSQL + Redis", options.database, options.redis, SERVER_WORKERS)


if __name__ == "__main__":
    sys.exit(main())
