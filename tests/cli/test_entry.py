"""What goes wrong: sentences, exit codes, crash files, closed pipes, ctrl+c."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cronpilot.cli import main
from cronpilot.client import Client
from cronpilot.config.settings import Settings
from cronpilot.errors import (
    Complaint,
    CronPilotError,
    InvalidFile,
    KeeperProblem,
    StateDirectoryBusy,
    StorageProblem,
)

from ..patience import PATIENCE_S
from .conftest import Running


def failing(error: BaseException):  # type: ignore[no-untyped-def]
    def fail(settings: Settings, *, need_engine: bool) -> Client:
        raise error

    return fail


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (StateDirectoryBusy("Another engine owns it.", "Stop it first."), 6),
        (StorageProblem("The database is full.", "Make room."), 7),
        (KeeperProblem("/bin/sh cannot do it.", "Install dash."), 8),
        (CronPilotError("Something."), 1),
    ],
)
def test_our_errors_are_sentences_with_their_exit_code(
    error: CronPilotError, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["list", "--json"], open_client=failing(error)) == code

    assert capsys.readouterr() == ("", f"cronpilot: {error}\n")


def test_an_error_never_steers_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    main(["list"], open_client=failing(CronPilotError("There is no '\x1b[2J\n'.", "\x9b")))

    assert capsys.readouterr().err == "cronpilot: There is no '\\x1b[2J␤'. \\x9b\n"


def test_a_bad_file_is_told_line_by_line(capsys: pytest.CaptureFixture[str]) -> None:
    complaints = [
        Complaint("config.yaml", 3, "scheduler.max_workers", "is not a number.", "Use 10."),
        Complaint("config.yaml", 9, "pools", "is\x1b[0m strange."),
    ]

    assert main(["list"], open_client=failing(InvalidFile(complaints))) == 2

    assert capsys.readouterr().err == (
        "config.yaml:3: scheduler.max_workers: is not a number. Use 10.\n"
        "config.yaml:9: pools: is\\x1b[0m strange.\n"
    )


def test_a_bug_is_one_sentence_and_a_private_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = tmp_path / "state"
    state.mkdir()

    code = main(["list", "--state-dir", str(state)], open_client=failing(ZeroDivisionError("x")))

    out, err = capsys.readouterr()
    [report] = state.iterdir()
    assert (code, out) == (70, "")
    assert err == (
        "cronpilot: this should not have happened: ZeroDivisionError."
        f" What is known of it: {report}\n"
    )
    assert stat.S_IMODE(report.stat().st_mode) == 0o600
    assert "ZeroDivisionError: x" in report.read_text()


def test_without_a_state_directory_the_report_is_among_the_temporary_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    main(["list", "--state-dir", "/nowhere"], open_client=failing(ZeroDivisionError("x")))

    assert str(next(tmp_path.glob("crash-*"))) in capsys.readouterr().err


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "cronpilot", *words]


@pytest.fixture
def environ() -> dict[str, str]:
    """So that a process elsewhere finds the package."""
    return {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}


@pytest.mark.parametrize("words", [["list"], ["list", "--json"], ["--help"]])
def test_a_reader_who_leaves_is_no_error(
    engine: Running, environ: dict[str, str], words: list[str]
) -> None:
    read, write = os.pipe()
    os.close(read)
    program = subprocess.run(
        command(*words, "--connect", str(engine.path)) if words[0] != "--help" else command(*words),
        stdout=write,
        stderr=subprocess.PIPE,
        env=environ,
        timeout=PATIENCE_S,
    )
    os.close(write)

    assert program.stderr == b""


@pytest.mark.parametrize("words", [["run", "report", "--wait"], ["logs", "-f", "1"]])
def test_ctrl_c_ends_the_waiting_and_leaves_the_run_alone(
    engine: Running, environ: dict[str, str], words: list[str]
) -> None:
    program = subprocess.Popen(
        command(*words, "--connect", str(engine.path)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environ,
    )
    _wait_until_it_waits(program, engine, words)
    program.send_signal(signal.SIGINT)
    _, err = program.communicate(timeout=PATIENCE_S)

    assert (program.returncode, err) == (130, b"")
    assert not [call for call in engine.fake.calls if call[0] == "stop_run"]


def _wait_until_it_waits(
    program: subprocess.Popen[bytes], engine: Running, words: list[str]
) -> None:
    if words[0] == "logs":
        assert program.stdout is not None
        assert program.stdout.readline() == b"one\n"
        return
    deadline = time.monotonic() + 30
    while not engine.fake.calls and time.monotonic() < deadline:
        time.sleep(0.01)


def test_words_that_are_not_utf8_are_no_crash(engine: Running, environ: dict[str, str]) -> None:
    program = subprocess.run(
        [*command("run", "--connect", str(engine.path)), b"caf\xe9"],
        capture_output=True,
        env=environ,
        timeout=PATIENCE_S,
    )

    assert program.returncode == 2
    assert program.stderr == b"cronpilot: 'caf\\udce9' is not UTF-8 text.\n"


def test_a_locale_without_the_characters_is_no_error(
    engine: Running, environ: dict[str, str]
) -> None:
    program = subprocess.run(
        command("list", "--connect", str(engine.path)),
        capture_output=True,
        env={**environ, "PYTHONIOENCODING": "ascii"},
        timeout=PATIENCE_S,
    )

    assert (program.returncode, program.stderr) == (0, b"")
    assert b"\\u2424" in program.stdout  # the mark for a newline in a name


def test_a_mistyped_option_is_told_in_whole_sentences(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "--xyzzy"]) == 2

    assert capsys.readouterr().err == (
        "cronpilot: No such option: --xyzzy. See: cronpilot --help\n"
    )


def test_an_engine_is_not_started_at_another_engine(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--headless", "--connect", "/run/other.sock"]) == 2

    assert capsys.readouterr().err == (
        "cronpilot: --connect leads to an engine; --headless starts one. Drop one.\n"
    )
