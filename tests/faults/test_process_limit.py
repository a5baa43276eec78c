"""No process to spare: nothing is started, nothing is lost, people are told, and it goes on."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import cronpilot
from cronpilot.client.http import HttpClient
from cronpilot.client.messages import EngineStatus, RunView
from cronpilot.domain.run import Status

from .product import PATIENCE_S, until

# Nobody's: what counts for the limit is what this number runs, so each process has its own.
UID = 61_184 + os.getpid() % 4000
# It may read what only root may, so that it can run an installation in root's own folders.
BECOME = [
    "setpriv", f"--reuid={UID}", f"--regid={UID}", "--clear-groups",
    "--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search",
]  # fmt: skip


_LIMIT = """
import resource, sys
pid, soft = map(int, sys.argv[1:])
hard = resource.prlimit(pid, resource.RLIMIT_NPROC)[1]
resource.prlimit(pid, resource.RLIMIT_NPROC, (hard if soft < 0 else soft, hard))
"""


def _cannot() -> str:
    if os.geteuid() != 0:
        return "only root can become another user, and limits do not bind root"
    if shutil.which("setpriv") is None:
        return "there is no setpriv here"
    if subprocess.run([*BECOME, "true"], capture_output=True).returncode:
        return "this root cannot hand on the right to read"
    # access(2) asks for the number alone, whatever the rights: Alembic looks at its folder with it.
    look = "import os, sys; sys.exit(not os.access(sys.argv[1], os.F_OK))"
    package = str(Path(cronpilot.__file__).parent)
    done = subprocess.run([*BECOME, sys.executable, "-c", look, package], capture_output=True)
    return "other users cannot reach this checkout" if done.returncode else ""


class Bound:
    """An engine of a user whose processes can be limited."""

    def __init__(self, root: Path) -> None:
        self.state_dir = root / "state"
        (root / "tasks.yaml").write_text(
            "tasks:\n- {name: quick, command: echo done; exit 0, schedule: manual}\n"
        )
        self.stderr = root / "stderr"
        with self.stderr.open("wb") as errors:
            self.engine = subprocess.Popen(
                [*BECOME, sys.executable, "-m", "cronpilot", "--headless",
                 "--state-dir", str(self.state_dir), "--tasks", str(root / "tasks.yaml")],
                stdin=subprocess.DEVNULL, stdout=errors, stderr=errors, start_new_session=True,
                cwd=Path(__file__).parents[2],
                env={**os.environ, "HOME": str(root), "CRONPILOT_KEEPER_IDLE": "0.2"},
            )  # fmt: skip

    def wait_ready(self) -> None:
        """Until engine and keeper are there."""
        until(lambda: "cronpilot: ready" in self.said() or self.has_ended(), "the engine")
        assert not self.has_ended(), self.said()
        until(lambda: self.keeper, "the keeper")

    def said(self) -> str:
        return self.stderr.read_text()

    def has_ended(self) -> bool:
        return self.engine.poll() is not None

    @property
    def keeper(self) -> int | None:
        try:
            return int((self.state_dir / "keeper.lock").read_text())
        except (OSError, ValueError):
            return None

    def limit(self, processes: int) -> None:
        """How many processes and threads this user may have from now on; -1: as many as before."""
        for pid in (self.engine.pid, self.keeper):
            # As that user: root itself may lack the right to limit others, in containers.
            words = [*BECOME, sys.executable, "-c", _LIMIT, str(pid), str(processes)]
            subprocess.run(words, check=True)

    def threads(self) -> int:
        """How many there are."""
        return sum(
            len(list(Path(f"/proc/{pid}/task").iterdir())) for pid in (self.engine.pid, self.keeper)
        )

    def ask(self, question: Any) -> Any:
        """What the engine answers."""

        async def ask() -> Any:
            client = HttpClient.over_socket(self.state_dir / "engine.sock")
            try:
                return await question(client)
            finally:
                await client.close()

        return asyncio.run(ask())

    def status(self) -> EngineStatus:
        return self.ask(lambda client: client.status())

    def run(self, run_id: int) -> RunView:
        return self.ask(lambda client: client.run(run_id))

    def end(self) -> None:
        if not self.has_ended():
            self.engine.terminate()
            try:
                self.engine.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                os.kill(self.engine.pid, signal.SIGKILL)
                self.engine.wait()


@pytest.fixture
def bound() -> Iterator[Bound]:
    """An engine of a user of its own, with a task that is started by hand."""
    if problem := _cannot():
        pytest.skip(problem)
    root = Path(tempfile.mkdtemp(prefix="cronpilot-nproc-"))  # not below root's own 0700
    os.chown(root, UID, UID)
    made = Bound(root)
    try:
        made.wait_ready()
        yield made
    finally:
        made.end()
        shutil.rmtree(root, ignore_errors=True)


@pytest.mark.parametrize(
    "spare",
    [pytest.param(-1, id="no process at all"), pytest.param(1, id="room for the wrapper alone")],
)
def test_what_cannot_be_started_waits_and_starts_when_there_is_room(
    bound: Bound, spare: int
) -> None:
    bound.limit(bound.threads() + spare if spare > 0 else 1)
    run = bound.ask(lambda client: client.run_now(1, request_id="r"))

    refused = until(lambda: _queued_with_reason(bound.run(run.id)), "the refusal")
    banners = until(lambda: bound.status().banners, "the banner")
    assert refused.attempts == 0
    assert refused.detail.startswith("waits: no process could be started")
    assert [banner.key for banner in banners] == ["starts"]
    assert "This machine starts no more commands" in banners[0].text
    assert bound.ask(_many_questions) == [1] * 30

    bound.limit(-1)
    over = until(lambda: _final(bound.run(run.id)), "its end")
    assert (over.status, over.exit_code, over.attempts) == (Status.SUCCESS, 0, 1)
    until(lambda: not bound.status().banners, "the end of the banner")
    assert not bound.has_ended(), bound.said()


async def _many_questions(client: HttpClient) -> list[int]:
    """As many at once as would need every thread that waits in the loop's place."""
    answers = await asyncio.gather(*(client.status() for _ in range(30)))
    return [answer.total_tasks for answer in answers]


def _queued_with_reason(run: RunView) -> RunView | None:
    return run if run.status is Status.QUEUED and run.detail else None


def _final(run: RunView) -> RunView | None:
    return run if run.status.is_final else None
