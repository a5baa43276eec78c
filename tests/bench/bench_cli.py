"""How long the short commands take: the best of seven, and the CPU of that one.

    python tests/bench/bench_cli.py

The bare limit is the same Python with an empty program.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from measuring import CRONPILOT, Command, Row, cpu_of_children, environment, headless, make_tasks

ROUNDS = 7


def best(command: list[str]) -> tuple[float, float]:
    """Wall and CPU seconds of the fastest of several; one more before them fills the caches."""
    env = environment()
    figures = []
    for _ in range(ROUNDS + 1):
        began, cpu = time.perf_counter(), cpu_of_children()
        subprocess.run(command, env=env, check=False, capture_output=True)
        figures.append((time.perf_counter() - began, cpu_of_children() - cpu))
    return min(figures[1:])


def rows() -> Iterator[Row]:
    bare, _ = best([sys.executable, "-c", "pass"])
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        make_tasks(Path(folder), 20, schedule="30 2 * * *", resolved="30 2 * * *")
        there = ["--state-dir", folder]
        figures: list[tuple[str, float | None, float, float]] = [
            ("cronpilot --help", None, *best([*CRONPILOT, "--help"]))
        ]
        for words, budget in ((["list"], 0.6), (["history"], None), (["list", "--json"], None)):
            wall, cpu = best([*CRONPILOT, *words, *there])
            figures.append((f"cronpilot {' '.join(words)}, no engine", budget, wall, cpu))
        with headless(Path(folder)):
            for words, budget in ((["list"], 0.3), (["status"], None), (["logs", "x"], None)):
                wall, cpu = best([*CRONPILOT, *words, *there])
                figures.append((f"cronpilot {' '.join(words)}, with an engine", budget, wall, cpu))
    for what, budget, wall, cpu in figures:
        yield Row(what, wall, "s", budget, bare, f"CPU {cpu:.3f} s")


if __name__ == "__main__":
    Command(__doc__).show(lambda _: rows())
