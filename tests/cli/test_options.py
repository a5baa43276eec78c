"""The global options stand anywhere; nobody else's value is taken for one."""

from __future__ import annotations

from pathlib import Path

import pytest

from cronpilot import __version__
from cronpilot.cli import main
from cronpilot.cli.session import Session
from cronpilot.client import Client
from cronpilot.client.fake import FakeClient, make_task
from cronpilot.config.settings import Settings

from .conftest import Cronpilot, Running


class Asked:
    """Notes with which settings a client was asked for."""

    def __init__(self, client: FakeClient) -> None:
        self.client = client
        self.settings: list[Settings] = []

    def __call__(self, settings: Settings, *, need_engine: bool) -> Client:
        self.settings.append(settings)
        return self.client


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(["--state-dir", "D", "--tasks", "T", "list", "--json"], id="before"),
        pytest.param(["list", "--state-dir", "D", "--json", "--tasks=T"], id="after"),
        pytest.param(["--json", "--tasks", "T", "list", "--state-dir=D"], id="both"),
        pytest.param(["--state-dir", "X", "--tasks", "T", "list", "--state-dir", "D", "--json"],
                     id="the last one wins"),
    ],
)  # fmt: skip
def test_global_options_stand_before_or_after(
    words: list[str], somewhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (somewhere / "T").write_text("tasks: []\n")
    asked = Asked(FakeClient())

    code = main(words, open_client=asked)

    assert (code, capsys.readouterr().out) == (0, "[]\n")
    [settings] = asked.settings
    assert (settings.state_dir, settings.tasks_file) == (somewhere / "D", somewhere / "T")


def test_after_two_dashes_everything_is_a_name(capsys: pytest.CaptureFixture[str]) -> None:
    client = FakeClient([make_task(1, "--json")])

    code = main(["run", "--", "--json"], open_client=Asked(client))

    assert (code, capsys.readouterr().out) == (0, "Run 1 of --json has started.\n")


def test_the_value_of_an_option_is_not_taken_for_another_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code = main(["stop", "1", "--signal", "--json"], open_client=Asked(FakeClient()))

    assert code == 2
    assert "'--json' is no signal" in capsys.readouterr().err


def test_a_config_file_is_read(somewhere: Path) -> None:
    (somewhere / "c.yaml").write_text("scheduler: {max_workers: 3}\n")
    asked = Asked(FakeClient())

    main(["list", "--config", "c.yaml"], open_client=asked)

    assert asked.settings[0].max_workers == 3


@pytest.mark.parametrize("form", ["{}", "unix://{}"])
def test_connect_takes_a_socket(engine: Running, alone: Cronpilot, form: str) -> None:
    assert alone("status", "--connect", form.format(engine.path)).code == 0


def test_connect_asks_for_a_password_where_somebody_sits(alone: Cronpilot) -> None:
    said = alone("list", "--connect", "https://localhost:1")

    assert said.code == 2
    assert "there is no terminal to ask for it. Use --password-file FILE" in said.err


def test_connect_without_an_engine_there_is_said_in_words(alone: Cronpilot, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("secret\n")

    said = alone("list", "--connect", "https://localhost:1", "--password-file",
                 str(tmp_path / "password"))  # fmt: skip

    assert said.code == 5
    assert said.err.startswith("cronpilot: No engine answers at https://localhost:1.")


def test_words_of_connect_need_it(alone: Cronpilot) -> None:
    said = alone("list", "--user", "anna")

    assert said.code == 2
    assert "need --connect" in said.err


@pytest.mark.parametrize(
    ("words", "method"),
    [([], "run_screen"), (["--headless"], "run_engine")],
    ids=["screen", "alone"],
)
def test_no_command_starts_the_program(
    words: list[str], method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[Path] = []

    def start(session: Session, *, take_over: bool, log_level: str = "info", **_: bool) -> int:
        assert (take_over, log_level) == (False, "info")
        started.append(session.settings.state_dir)
        return 6

    monkeypatch.setattr(Session, method, start)

    assert main([*words, "--state-dir", "/srv/cp"]) == 6
    assert started == [Path("/srv/cp")]


def test_another_level_of_the_log_is_named(alone: Cronpilot) -> None:
    said = alone("--headless", "--log-level", "loud")

    assert (said.code, said.err) == (
        2, "cronpilot: 'loud' is no level of the log. Use info or warning.\n",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--headless", "list"], "--headless starts the engine and takes no command."),
        (["--json"], "--json needs a command. For example: cronpilot status --json"),
        (["frob"], "No such command 'frob'."),
        (["list", "--frob"], "No such option: --frob"),
        (["logs"], "Missing argument 'NAME|RUN"),
        (["history", "--limit", "0"], "Invalid value for '--limit'"),
        (["list", "extra"], "Got unexpected extra argument"),
        (["\x1b[31m"], "No such command '\\x1b[31m'."),
    ],
)
def test_a_wrong_word_is_a_sentence_and_exit_code_2(
    alone: Cronpilot, words: list[str], sentence: str
) -> None:
    said = alone(*words)

    assert said.code == 2
    assert said.err.startswith(f"cronpilot: {sentence}")
    assert "\x1b" not in said.err
    assert said.err.count("\n") == 1


def test_version(alone: Cronpilot) -> None:
    assert alone("--version").out == f"cronpilot {__version__}\n"


COMMANDS = [
    "list", "next", "pause", "resume", "run", "stop", "history", "logs", "status", "reload",
    "backup", "shutdown", "validate",
]  # fmt: skip


def test_help_names_every_command_and_exit_code(alone: Cronpilot) -> None:
    out = alone("--help").out

    assert [word for word in COMMANDS if f"\n  {word} " not in out] == []
    assert [code for code in (0, 1, 2, 3, 4, 5, 6, 7, 8, 70, 130) if f" {code}  " not in out] == []
    assert max(map(len, out.splitlines())) <= 80


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help_of_its_own(alone: Cronpilot, command: str) -> None:
    said = alone(command, "--help")

    assert said.code == 0
    assert said.out.startswith(f"Usage: cronpilot {command}")
    assert "--state-dir DIR" in said.out
