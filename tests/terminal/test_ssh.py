"""The real program over a real sshd on loopback: the connection may drop, the engine goes on."""

from __future__ import annotations

import getpass
import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pexpect
import pytest

LONG = 90.0  # seconds until a condition that never comes true fails its test
SSHD = shutil.which("sshd") or shutil.which("sshd", path="/usr/sbin")

pytestmark = pytest.mark.skipif(
    SSHD is None or shutil.which("ssh") is None or shutil.which("ssh-keygen") is None,
    reason="needs openssh-server and openssh-client",
)


class Server:
    """An sshd of the user who runs the tests, with one key that opens it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("host", "user"):
            subprocess.run(
                ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)],
                check=True, timeout=LONG,
            )  # fmt: skip
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        (folder / "sshd_config").write_text(
            f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nPidFile none\n"
            f"AuthorizedKeysFile {folder}/user.pub\nStrictModes no\nUsePAM no\n"
            "PasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin yes\n"
        )
        with (folder / "sshd.log").open("w") as said:
            self.process = subprocess.Popen(
                [str(SSHD), "-D", "-e", "-f", str(folder / "sshd_config")], stderr=said
            )

    def command(self, *words: str) -> list[str]:
        """`ssh` that runs `words` on a terminal there."""
        there = " ".join(map(shlex.quote, ["env", "TZ=UTC", "LC_ALL=C.UTF-8", *words]))
        return ["ssh", "-tt", "-F", "none", "-p", str(self.port), "-i", str(self.folder / "user"),
                "-o", "StrictHostKeyChecking=no", "-o", f"UserKnownHostsFile={self.folder}/known",
                "-o", "LogLevel=ERROR", f"{getpass.getuser()}@127.0.0.1",
                f"cd {shlex.quote(str(self.folder))} && {there}"]  # fmt: skip

    def screen(self) -> pexpect.spawn[str]:
        """CronPilot over a connection of its own."""
        words = self.command(
            sys.executable, "-m", "cronpilot", "--state-dir", f"{self.folder}/state",
            "--tasks", f"{self.folder}/tasks.yaml",
        )  # fmt: skip
        return pexpect.spawn(
            words[0], words[1:], encoding="utf-8", timeout=LONG, dimensions=(30, 100),
            env={**os.environ, "TERM": "xterm-256color"},
        )  # fmt: skip

    def said(self, *words: str) -> str:
        """What the command line answers on this machine."""
        return subprocess.run(
            [sys.executable, "-m", "cronpilot", *words, "--state-dir", f"{self.folder}/state"],
            capture_output=True, text=True, timeout=LONG,
        ).stdout  # fmt: skip

    def engine(self) -> dict[str, Any]:
        return json.loads(self.said("status", "--json"))["engine"] or {}

    def newest(self) -> int:
        """The number of the newest run; 0 before the first."""
        runs = json.loads(self.said("history", "--limit", "1", "--json"))
        return int(runs[0]["id"]) if runs else 0


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """It listens, and lets the user in; skipped where this machine's sshd does not."""
    made = Server(tmp_path)
    (tmp_path / "tasks.yaml").write_text(
        "tasks:\n  - {name: tick, command: echo tock, schedule: every 1s}\n"
    )
    try:
        until(lambda: can_log_in(made) or made.process.poll() is not None, "a log-in")
        if made.process.poll() is not None:
            pytest.skip(f"sshd does not run here: {(tmp_path / 'sshd.log').read_text()[-200:]}")
        yield made
    finally:
        made.said("shutdown", "--with-tasks")
        made.process.terminate()
        made.process.wait(timeout=LONG)


def can_log_in(server: Server) -> bool:
    tried = subprocess.run(server.command("true"), capture_output=True, text=True, timeout=LONG)
    if "Permission denied" in tried.stderr:
        pytest.skip("sshd does not let the user of the tests in")
    return tried.returncode == 0


def until(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen"
        time.sleep(0.2)


def test_a_dropped_connection_leaves_the_engine_and_a_new_one_attaches(server: Server) -> None:
    first = server.screen()
    first.expect("every second")
    before = server.engine()

    first.kill(signal.SIGKILL)  # the client is gone without a word
    first.close(force=True)
    until(lambda: server.engine().get("role") == "headless", "going on alone")
    assert server.engine()["pid"] == before["pid"]

    newest = server.newest()
    second = server.screen()
    second.expect("ATTACHED")
    until(lambda: server.newest() > newest, "the next run")
    second.send("q")
    second.expect(pexpect.EOF)
    second.close()
    assert server.engine()["pid"] == before["pid"]
