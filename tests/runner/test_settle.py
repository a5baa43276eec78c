"""What a record says about a launch that no keeper knows. See design.md, "the record decides"."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cronpilot.runner import AttemptKey, Ended, NeverStarted
from cronpilot.runner.keeper import record
from cronpilot.runner.paths import log_path, prepare, record_path
from cronpilot.runner.settle import Adopt, boot_id, forget, settle

KEY = AttemptKey(7, 2)
T0 = 1_700_000_000_000_000_000
STARTED = datetime.fromtimestamp(1_700_000_000, UTC)
ENDED = datetime.fromtimestamp(1_700_000_050, UTC)
C = f"C v=1 run=7 launch=2 task=3 keeper=9 boot=x t={T0} bt=1 timeout=0 grace=1 limit=0 cookie=c\n"
S = "S 102 (sh) R 101 101 101 " + "0 " * 15 + "185517 0 0\n"
T = "T why=timeout t=1\n"
K = f"K code=5 sig=? why=- pid=101 started={T0} ended={T0 + 10**9} cpu=0.5 rss=4096 left=1\n"
NEVER = NeverStarted(KEY, "It was never started.", retry=True, revoked=True)


@pytest.fixture
def state_dir(tmp_path: Path) -> Path:
    """A state directory without any record."""
    prepare(tmp_path)
    return tmp_path


def write(state_dir: Path, text: str) -> Path:
    path = record_path(state_dir, KEY)
    path.write_text(text)
    os.utime(path, (1_700_000_050, 1_700_000_050))
    return path


def ended(code: int | None, why: str = "", **fields: object) -> Ended:
    common: dict[str, object] = {"pid": 101, "started_at": STARTED, "ended_at": ENDED}
    return Ended(KEY, code, fields.pop("signal", None), why, **common | fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        pytest.param("", NEVER, id="claimed, and nothing more: never started"),
        pytest.param(C, NEVER, id="no S: never started"),
        pytest.param(C + "Cannot fork\nX 2\n", NEVER, id="the shell could not fork"),
        pytest.param(C + "R errno=11 t=1\n", NEVER, id="refused"),
        pytest.param(C + S, Adopt(KEY), id="S without X: the keeper has to look"),
        pytest.param(C + S + T, Adopt(KEY), id="the same in the middle of a stop"),
        pytest.param(C + S + "X 4", Adopt(KEY), id="a torn X is none"),
        pytest.param(C + S + "X 4\n", ended(4), id="X: it ended, at the time of the file"),
        pytest.param(C + S + "Killed\nX 137\n", ended(137, signal=9), id="by a signal"),
        pytest.param(C + S + T + "X 143\n", ended(143, "timeout"), id="by a timeout"),
        pytest.param(
            C + "w: 4: cd: can't cd to /nope\nF stage=cd\nX 125\n",
            ended(
                125,
                "setup",
                pid=None,
                detail="The working directory cannot be entered: can't cd to /nope.",
            ),
            id="the directory was missing",
        ),
        pytest.param(
            C + S + "X 5\n" + K,
            ended(
                5,
                ended_at=datetime.fromtimestamp(1_700_000_001, UTC),
                cpu_s=0.5,
                max_rss=4096,
                left=True,
            ),
            id="K is the final word",
        ),
    ],
)
def test_the_record_decides(
    state_dir: Path, text: str, verdict: Ended | NeverStarted | Adopt
) -> None:
    write(state_dir, text)

    assert settle(state_dir, KEY, boot_id=boot_id()) == verdict


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        pytest.param("", ended(None, "host_restart", pid=None, started_at=None, ended_at=None)),
        pytest.param(C, ended(None, "host_restart", pid=None, ended_at=None)),
        pytest.param(C + S, ended(None, "host_restart", ended_at=None)),
        pytest.param(C + S + T, ended(None, "timeout", ended_at=None)),
        pytest.param(C + "R errno=11 t=1\n", NEVER),
        pytest.param(C + S + "X 4\n", ended(4)),
    ],
    ids=["empty", "C", "C S", "C S T", "C R", "C S X"],
)
def test_after_a_restart_of_the_machine_nothing_is_repeated_that_may_have_run(
    state_dir: Path, text: str, verdict: Ended | NeverStarted
) -> None:
    write(state_dir, text)

    assert settle(state_dir, KEY, boot_id="another boot") == verdict


def test_a_launch_without_record_is_revoked(state_dir: Path) -> None:
    assert settle(state_dir, KEY, boot_id=boot_id()) == NEVER

    with pytest.raises(FileExistsError):
        record.create(str(record_path(state_dir, KEY)))
    assert settle(state_dir, KEY, boot_id=boot_id()) == NEVER


def test_a_launch_of_another_boot_without_record_is_lost_and_not_repeated(state_dir: Path) -> None:
    """The power cut may have taken the record of a command that ran."""
    verdict = settle(state_dir, KEY, boot_id="another boot")

    assert isinstance(verdict, Ended)
    assert (verdict.exit_code, verdict.why) == (None, "host_restart")


@pytest.fixture
def held(state_dir: Path) -> Iterator[Path]:
    """A record whose keeper or wrapper lives."""
    path = write(state_dir, C)
    fd = record.reopen(str(path))
    assert record.lock(fd)
    yield path
    os.close(fd)


def test_whoever_holds_the_lock_lives(state_dir: Path, held: Path) -> None:
    assert settle(state_dir, KEY, boot_id=boot_id()) == Adopt(KEY)
    assert held.read_text() == C


@pytest.mark.parametrize(
    ("boot", "why"),
    [
        pytest.param(None, "", id="of this boot"),
        pytest.param("another", "host_restart", id="of another boot"),
    ],
)
def test_of_a_damaged_record_nothing_is_known_but_that_it_was_begun(state_dir, boot, why):
    write(state_dir, C + S + "X 5\n" + K.replace("code=5", "code=\0\0\0"))
    verdict = settle(state_dir, KEY, boot_id=boot or boot_id())

    assert (verdict.exit_code, verdict.why, verdict.started_at) == (None, why, None)


def test_a_fake_boot_can_be_set_for_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    real = boot_id()
    monkeypatch.setenv("CRONPILOT_FAKE_BOOT", "another")

    assert (len(real), boot_id()) == (36, "another")


def test_a_log_that_nobody_watched_is_cut_when_its_run_is_settled(state_dir: Path) -> None:
    log = log_path(state_dir, 3, 7)
    log.parent.mkdir()
    log.write_bytes(b"x" * 3_000_000)
    write(state_dir, C.replace("limit=0", "limit=1000000") + S + "X 0\n")

    settle(state_dir, KEY, boot_id=boot_id())

    assert log.stat().st_blocks * 512 <= 1_000_000
    assert log.stat().st_size == 3_000_000


def test_forgotten_records_are_gone_and_forgetting_twice_is_no_error(state_dir: Path) -> None:
    paths = [write(state_dir, C), state_dir / "records" / "7.2.sh"]
    paths[1].touch()

    forget(state_dir, [AttemptKey(7, 1), KEY])
    forget(state_dir, [KEY])

    assert not any(path.exists() for path in paths)
