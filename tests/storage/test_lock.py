"""One engine per database, by a lock that the kernel frees."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cronpilot.errors import StateDirectoryBusy, StorageProblem
from cronpilot.storage import lock
from cronpilot.storage.lock import DatabaseLock, refuse_network_disk

HOLDER = """
import sys, time
from pathlib import Path
from cronpilot.storage.lock import DatabaseLock
assert DatabaseLock(Path(sys.argv[1])).take()
print("taken", flush=True)
time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path: Path):
    """Another process that holds the lock of `tmp_path/db`."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path / "db")], stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"taken\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_a_second_owner_is_refused_and_told_who_holds_it(tmp_path, holder):
    ours = DatabaseLock(tmp_path / "db")

    with pytest.raises(StateDirectoryBusy, match=f"pid {holder.pid}"):
        ours.take_patiently(0.1)


def test_the_death_of_the_owner_frees_it(tmp_path, holder):
    os.kill(holder.pid, signal.SIGKILL)

    DatabaseLock(tmp_path / "db").take_patiently()


def test_the_file_stays_and_is_for_its_owner_alone(tmp_path):
    ours = DatabaseLock(tmp_path / "db")
    assert ours.take()
    ours.release()

    assert (tmp_path / "db.lock").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("where", ["/mnt/my share/state", "/mnt/my share"])
def test_a_network_disk_is_refused(tmp_path, monkeypatch, where):
    mounts = tmp_path / "mounts"
    mounts.write_text(
        "/dev/sda1 / ext4 rw 0 0\n"
        "host:/x /mnt/my\\040share nfs4 rw 0 0\n"
        "tmpfs /mnt/t tmpfs rw 0 0\n"
    )
    monkeypatch.setattr(lock, "_MOUNTS", mounts)

    refuse_network_disk(Path("/mnt/t/state"))
    refuse_network_disk(Path("/mnt/my"))
    with pytest.raises(StorageProblem, match="nfs4"):
        refuse_network_disk(Path(where))


def test_the_disk_of_the_tests_is_none(tmp_path):
    refuse_network_disk(tmp_path)
