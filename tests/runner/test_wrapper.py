"""The wrapper's text under every shell of this machine that may be /bin/sh somewhere."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cronpilot.runner.keeper import record, wrapper
from cronpilot.runner.keeper.record import Record

from ..patience import PATIENCE_S

SHELLS = [
    pytest.param(
        words, id=words[0], marks=pytest.mark.skipif(not shutil.which(words[0]), reason="not here")
    )
    for words in (["dash"], ["bash"], ["busybox", "sh"])
]
ENV = {"PATH": os.environ["PATH"], "CRONPILOT_RUN": "abc"}


class Wrapped:
    """Runs the wrapper as the keeper does, only with the given shell under the name sh."""

    def __init__(self, shell: list[str], folder: Path) -> None:
        self.shell, self.folder = shell, folder

    def run(self, *words: str, cwd: str = "/", limits: dict[str, int] | None = None) -> Record:
        fd = record.create(str(self.folder / "record"))
        fcntl.flock(fd, fcntl.LOCK_EX)
        argv = [*(["sh"] if len(self.shell) == 1 else self.shell), "-c"]
        with (self.folder / "log").open("ab") as log:
            subprocess.run(
                [*argv, wrapper.text(limits or {}, None), "cronpilot-run", cwd, *words],
                executable=shutil.which(self.shell[0]),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=fd,
                env=ENV,
                start_new_session=True,
                timeout=PATIENCE_S,
            )
        os.close(fd)
        return Record((self.folder / "record").read_text())

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()


@pytest.fixture(params=SHELLS)
def wrapped(request: pytest.FixtureRequest, tmp_path: Path) -> Wrapped:
    return Wrapped(request.param, tmp_path)


@pytest.mark.parametrize("code", [0, 1, 3, 125, 126, 127, 255])
def test_the_code_is_recorded(wrapped: Wrapped, code: int) -> None:
    seen = wrapped.run("/bin/sh", "-c", f"exit {code}")

    assert (seen.ended, seen.exit_code, seen.why) == (True, code, "")


def test_a_signal_is_recorded_as_its_code(wrapped: Wrapped) -> None:
    seen = wrapped.run("/bin/sh", "-c", "kill -9 $$")

    assert seen.exit_code == 137
    assert record.code_sig(seen.exit_code, seen.words)[1] in (9, None)


def test_words_and_directory_arrive_as_they_are(wrapped: Wrapped) -> None:
    folder = wrapped.folder / "a 'b\" $c\n*"
    folder.mkdir()
    words = ["a b", "$HOME", "*", "", "'\"", "\\n", "-n"]

    seen = wrapped.run("/bin/sh", "-c", 'pwd; printf "[%s]" "$@"', "x", *words, cwd=str(folder))

    assert seen.exit_code == 0
    assert wrapped.log == f"{folder}\n[a b][$HOME][*][]['\"][\\n][-n]"


def test_output_and_the_commands_errors_are_in_the_log_alone(wrapped: Wrapped) -> None:
    seen = wrapped.run("/bin/sh", "-c", "echo out; echo err >&2; no-such-thing")

    assert seen.words == [] and seen.exit_code == 127
    assert wrapped.log.startswith("out\nerr\n") and "no-such-thing" in wrapped.log


def test_a_missing_program_is_in_the_log(wrapped: Wrapped) -> None:
    seen = wrapped.run("no-such-program")

    assert (seen.ended, seen.exit_code, seen.words) == (True, 127, [])
    assert "no-such-program" in wrapped.log and "not found" in wrapped.log


def test_a_missing_directory_is_in_the_record(wrapped: Wrapped) -> None:
    seen = wrapped.run("echo", "reached", cwd="/no/such/place")

    assert (seen.ended, seen.exit_code, seen.why) == (True, 125, "setup")
    assert "cd: " in seen.words[0] and "/no/such/place" in seen.words[0]
    assert wrapped.log == ""


def test_the_command_has_three_descriptors_and_a_clean_environment(wrapped: Wrapped) -> None:
    wrapped.run(
        sys.executable,
        "-I",
        "-c",
        "import os; print(*os.environ, *os.listdir('/proc/self/fd'))",
    )

    names = set(wrapped.log.split()) - {"_", "LC_CTYPE"}  # _: bash's own; LC_CTYPE: python's own
    assert names - {"SHLVL", "OLDPWD"} == {"PATH", "CRONPILOT_RUN", "PWD", "0", "1", "2", "3"}
    assert "OLDPWD" not in names


def test_a_signal_to_the_whole_group_leaves_the_wrapper_to_record_it(wrapped: Wrapped) -> None:
    seen = wrapped.run("/bin/sh", "-c", "kill -TERM 0; sleep 20")

    assert seen.exit_code == 143


def test_limits_are_set(wrapped: Wrapped) -> None:
    limits = {"open_files": 77, "cpu": 9, "memory": 1 << 30}

    wrapped.run("/bin/sh", "-c", "ulimit -n; ulimit -St; ulimit -Ht; ulimit -v", limits=limits)

    assert wrapped.log.split() == ["77", "9", "14", "1048576"]


def test_the_record_is_free_when_the_wrapper_has_ended(wrapped: Wrapped) -> None:
    wrapped.run("/bin/sh", "-c", "sleep 20 >/dev/null & exit 0")

    fd = record.reopen(str(wrapped.folder / "record"))
    assert record.lock(fd), "the daemon that was left behind holds the record"
    os.close(fd)


def test_nice_and_user_come_in_front_of_the_command() -> None:
    words = wrapper.prefix({"nice": 5}, "nobody", 65534)

    assert words[:3] == ["/usr/bin/nice", "-n", "5"]
    assert words[3].endswith("/setpriv")
    assert words[4:] == ["--reuid=nobody", "--regid=65534", "--init-groups", "--"]
    assert wrapper.prefix({}, "", 0) == []
