"""As process 1 of a container: orphans are buried, and SIGTERM leaves no run without a verdict.

A PID namespace stands for the container; who may not make one skips this.
"""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from ..patience import PATIENCE_S
from .product import Product, until

UNSHARE = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child", "--"]


def may_unshare() -> bool:
    try:
        return subprocess.run([*UNSHARE, "true"], capture_output=True).returncode == 0
    except FileNotFoundError:
        return False


pytestmark = pytest.mark.skipif(not may_unshare(), reason="PID namespaces cannot be made here")

TASKS = [
    {"name": "orphans", "schedule": "every 1s",
     "command": "for n in 1 2 3; do (setsid sh -c 'sleep 0.1' &) ; done"},
    {"name": "long", "schedule": "manual", "command": "trap 'echo bye; exit 9' TERM\n"
     "echo ready; sleep 300 & wait"},
]  # fmt: skip


def children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def zombies_below(pid: int) -> list[int]:
    found = []
    for child in children(pid):
        try:
            if Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                found.append(child)
        except FileNotFoundError:
            continue
    return found


@pytest.fixture
def container(product) -> Product:
    """An engine that is process 1 of a namespace; `engine` is the `unshare` around it."""
    made: Product = product(TASKS)
    with made.stderr.open("ab") as errors:
        made._said_before = errors.tell()
        made.engine = subprocess.Popen(
            [*UNSHARE, *made.command("--headless")], stdin=subprocess.DEVNULL, stdout=errors,
            stderr=errors, start_new_session=True, env={**os.environ},
        )  # fmt: skip
    made.wait_ready()
    return made


def test_orphans_are_buried_and_sigterm_gives_every_run_its_verdict(container: Product):
    assert container.engine is not None
    [first] = children(container.engine.pid)
    until(lambda: len(container.rows("orphans")) >= 3, "some orphans")
    subprocess.run(container.command("run", "long"), check=True, capture_output=True)
    until(
        lambda: [container.log(row) for row in container.rows("long")] == ["ready\n"],
        "the long run to begin",
    )
    until(lambda: not zombies_below(first), "the orphans to be buried")

    os.kill(first, signal.SIGTERM)

    assert container.engine.wait(PATIENCE_S) == 0, container.said()
    assert container.open_rows() == 0
    [long] = container.rows("long")
    assert (long["status"], long["reason"]) == ("stopped", "user")
    assert container.log(long) == "ready\nbye\n"


def test_the_exit_code_is_that_of_the_engine(product):
    made: Product = product([])
    made.tasks_file.write_text("tasks: [nonsense\n")
    made.config_file.write_text("nonsense: 1\n")
    done = subprocess.run([*UNSHARE, *made.command("--headless")], capture_output=True, text=True)

    assert done.returncode == 2
    assert "nonsense" in done.stderr
