"""One engine per database, by a lock that the kernel frees."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cronpilot.errors import StateDirectoryBusy
from cronpilot.storage.lock import DatabaseLock

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
    lock = DatabaseLock(tmp_path / "db")

    with pytest.raises(StateDirectoryBusy, match=f"pid {holder.pid}"):
        lock.take_patiently(0.1)


def test_the_death_of_the_owner_frees_it(tmp_path, holder):
    os.kill(holder.pid, signal.SIGKILL)

    DatabaseLock(tmp_path / "db").take_patiently()


def test_the_file_stays_and_is_for_its_owner_alone(tmp_path):
    lock = DatabaseLock(tmp_path / "db")
    assert lock.take()
    lock.release()

    assert (tmp_path / "db.lock").stat().st_mode & 0o777 == 0o600
