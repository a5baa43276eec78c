"""The words, the variables and the directory that a command gets."""

from __future__ import annotations

import os
import pwd
import random
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cronpilot.errors import ConfigError
from cronpilot.runner.environment import (
    Account,
    Attempt,
    account,
    build_environment,
    read_env_file,
    to_argv,
    working_directory,
)

from ..patience import PATIENCE_S


@pytest.mark.parametrize(
    ("command", "argv"),
    [
        ("true", ["true"]),
        ("/usr/bin/df -h /", ["/usr/bin/df", "-h", "/"]),
        ("tar --exclude=x -czf a.tgz dir", ["tar", "--exclude=x", "-czf", "a.tgz", "dir"]),
        ("./run.sh a@b:c 50%,1+1", ["./run.sh", "a@b:c", "50%,1+1"]),
        ("echo hi", ["/bin/sh", "-c", "echo hi"]),
        ("cd", ["/bin/sh", "-c", "cd"]),
        (". ./env", ["/bin/sh", "-c", ". ./env"]),
        ("A=b env", ["/bin/sh", "-c", "A=b env"]),
        ("ls | wc", ["/bin/sh", "-c", "ls | wc"]),
        ("ls *.txt", ["/bin/sh", "-c", "ls *.txt"]),
        ("ls ~", ["/bin/sh", "-c", "ls ~"]),
        ("ls  -l", ["/bin/sh", "-c", "ls  -l"]),
        ("ls ", ["/bin/sh", "-c", "ls "]),
        ("ls\n", ["/bin/sh", "-c", "ls\n"]),
        ("ls -l\nls", ["/bin/sh", "-c", "ls -l\nls"]),
        ("grüße", ["/bin/sh", "-c", "grüße"]),
        ("-x", ["/bin/sh", "-c", " -x"]),
        ("+x y", ["/bin/sh", "-c", " +x y"]),
        ("%1", ["/bin/sh", "-c", "%1"]),
        ("", ["/bin/sh", "-c", ""]),
        (["df", "-h", "a b"], ["df", "-h", "a b"]),
        (["echo"], ["echo"]),
    ],
)
def test_plain_words_are_run_directly_and_all_else_by_the_shell(
    command: str | list[str], argv: list[str]
) -> None:
    assert to_argv(command) == argv


def test_another_shell_is_always_asked() -> None:
    assert to_argv("df -h", "/bin/bash") == ["/bin/bash", "-c", "df -h"]


@pytest.mark.parametrize("argv", [[], [""], ["-x"], ["--", "ls"]])
def test_a_list_must_begin_with_a_program(argv: list[str]) -> None:
    with pytest.raises(ConfigError, match="cannot be a program"):
        to_argv(argv)


PIECES = """
    printenv printf echo ls true false : . env test [ ] - -- -n + % @ , = A=b a=b /bin/echo ./x x
    exit 3 2>&1 > < | || & && ; ( ) { } ! # ' " \\ $ $$ $HOME ${x} `id` * ? [a] ~ ~root = if then
    fi while do done case in esac time function select kill umask cd pwd type times local jobs
    alias source declare let a:b a,b 50% é
"""
WORDS = [*PIECES.split(), "", "\t", "\n", " "]


def _outcome(argv: list[str]) -> tuple[int, bytes]:
    """By way of a shell's exec, as the wrapper does; the name in its complaints cut off."""
    result = subprocess.run(
        ["/bin/sh", "-c", 'exec "$@"', "sh", *argv],
        capture_output=True,
        stdin=subprocess.DEVNULL,
        env={"PATH": "/usr/bin:/bin", "HOME": "/"},
        cwd="/",
        timeout=PATIENCE_S,
    )
    return result.returncode, result.stdout


def test_direct_words_mean_what_the_shell_would_have_made_of_them() -> None:
    """Seeded: 3,000 commands of odd pieces; those that are run directly are run both ways."""
    rng = random.Random(7)
    commands = {
        " ".join(rng.choice(WORDS) for _ in range(rng.randrange(1, 5))) for _ in range(3000)
    }
    direct = [command for command in sorted(commands) if to_argv(command)[1:2] != ["-c"]]

    assert len(direct) > 50
    for command in direct[:: max(1, len(direct) // 120)]:
        assert _outcome(to_argv(command)) == _outcome(["/bin/sh", "-c", command]), command


# --- variables -----------------------------------------------------------------------------------

WHO = Account("ann", "/home/ann")
ATTEMPT = Attempt(
    "nightly [/] \x1b", 12, 2, Path("/state"), datetime(2026, 3, 4, 2, 30, tzinfo=UTC)
)


def build(tmp_path: Path, **fields: object) -> dict[str, str]:
    defaults: dict[str, object] = {"env": {}, "working_dir": str(tmp_path)}
    return build_environment(ATTEMPT, WHO, **defaults | fields)  # type: ignore[arg-type]


def test_the_environment_is_crons_and_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANG", "de_DE.UTF-8")
    monkeypatch.setenv("SECRET", "of the engine")

    assert build(tmp_path) == {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:"
        + os.path.dirname(sys.executable),
        "HOME": "/home/ann",
        "SHELL": "/bin/sh",
        "LOGNAME": "ann",
        "USER": "ann",
        "LANG": "de_DE.UTF-8",
        "CRONPILOT_TASK": "nightly [/] \x1b",
        "CRONPILOT_RUN_ID": "12",
        "CRONPILOT_ATTEMPT": "2",
        "CRONPILOT_STATE_DIR": "/state",
        "CRONPILOT_SCHEDULED_FOR": "2026-03-04T02:30:00Z",
    }


def test_a_manual_run_has_no_slot_and_a_machine_may_have_no_lang(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LANG", raising=False)
    manual = Attempt("x", 1, 1, Path("/state"), None)

    env = build_environment(manual, WHO, env={}, working_dir="/")

    assert "CRONPILOT_SCHEDULED_FOR" not in env
    assert env["LANG"] == "C.UTF-8"


def test_tz_is_set_only_when_the_task_sets_a_zone(tmp_path: Path) -> None:
    assert "TZ" not in build(tmp_path)
    assert build(tmp_path, timezone="Asia/Tokyo")["TZ"] == "Asia/Tokyo"


def test_the_tasks_env_wins_over_its_file_and_both_over_the_defaults(tmp_path: Path) -> None:
    (tmp_path / "vars").write_text("PATH=/file\nA=file\nB=file\n")

    env = build(tmp_path, env_file="vars", env={"A": "task"})

    assert (env["PATH"], env["A"], env["B"]) == ("/file", "task", "file")


def test_an_env_file_is_read_line_by_line(tmp_path: Path) -> None:
    path = tmp_path / "vars"
    path.write_text(
        "# a comment\n\nA=1\n  B = 2\nexport C=3\nD='a b # c'\nE=\"$x\"\nF=\nG=a=b\r\nH=it's\nA=4\n"
        "I= spaced \n"
    )

    with pytest.raises(ConfigError, match=r"vars:4: 'B ' is not the name of a variable"):
        read_env_file(path)
    path.write_text(path.read_text().replace("  B = 2\n", "  B=2\n"))
    assert read_env_file(path) == {
        "A": "4",
        "B": "2",
        "C": "3",
        "D": "a b # c",
        "E": "$x",
        "F": "",
        "G": "a=b",
        "H": "it's",
        "I": " spaced",
    }


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("A=1\nB\n", "vars:2: 'B' has no value."),
        ("A='x\n", "vars:1: a quote is not closed."),
        ('A="\n', "vars:1: a quote is not closed."),
        ("9A=1\n", "vars:1: '9A' is not the name of a variable."),
        ("BASH_ENV=/x\n", "vars:1: BASH_ENV cannot be set"),
        ("CRONPILOT_RUN=1\n", "vars:1: CRONPILOT_RUN cannot be set"),
        ("A=\0\n", "vars:1: a NUL character"),
        ("A=\udcff", "vars: it is not UTF-8 text."),
        ("A=" + "x" * (1 << 20), "vars: it is larger than 1 MiB."),
    ],
)
def test_a_bad_env_file_is_told_with_file_and_line(
    tmp_path: Path, text: str, complaint: str
) -> None:
    (tmp_path / "vars").write_bytes(text.encode("utf-8", "surrogateescape"))

    with pytest.raises(ConfigError) as raised:
        build(tmp_path, env_file="vars")

    assert complaint in raised.value.problem


def test_a_missing_env_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.env: No such file or directory\."):
        build(tmp_path, env_file="none.env")


@pytest.mark.parametrize(
    ("setting", "directory"),
    [
        (None, "/home/ann"),
        ("~", "/home/ann"),
        ("~/x", "/home/ann/x"),
        ("x/y", "/home/ann/x/y"),
        ("/srv", "/srv"),
        ("~bob", "/home/ann/~bob"),
    ],
)
def test_the_working_directory_is_absolute(setting: str | None, directory: str) -> None:
    assert working_directory(setting, "/home/ann") == directory


def test_our_own_account_is_the_default() -> None:
    entry = pwd.getpwuid(os.geteuid())

    assert account(None) == Account(entry.pw_name, entry.pw_dir)
    assert account(entry.pw_name) == account(None)


def test_an_unknown_account_is_refused() -> None:
    with pytest.raises(ConfigError, match="There is no user 'nobody-at-all'"):
        account("nobody-at-all")


def test_only_root_becomes_somebody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 65534)

    with pytest.raises(ConfigError, match="Only root can run a command as 'root'"):
        account("root")


def test_an_arbitrary_uid_of_a_container_has_a_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1_234_567)
    monkeypatch.setenv("HOME", "/work")

    assert account(None) == Account("1234567", "/work")
