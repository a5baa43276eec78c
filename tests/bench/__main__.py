"""All benchmarks of the engine, one table: python tests/bench [--peers]"""

from __future__ import annotations

import argparse
from itertools import chain

import bench_api
import bench_cli
import bench_due
import bench_engine
import bench_lateness
import bench_peers
import bench_resident
import bench_retention
import bench_start
import bench_telling
import bench_web
from measuring import show

BENCHES = (
    bench_engine,
    bench_due,
    bench_lateness,
    bench_resident,
    bench_cli,
    bench_start,
    bench_retention,
    bench_api,
    bench_telling,
    bench_web,
)

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python tests/bench", description=__doc__)
    parser.add_argument(
        "--peers", action="store_true", help="other schedulers too; pip fetches them (3 minutes)"
    )
    peers = (bench_peers,) if parser.parse_args().peers else ()
    show(chain.from_iterable(bench.rows() for bench in (*BENCHES, *peers)))
