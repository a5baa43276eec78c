"""cronpilot keys."""

from __future__ import annotations

import json

from cronpilot.cli.entry import main


def test_the_keys_are_printed_so_that_they_can_be_kept_in_a_file(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert main(["keys"]) == 0
    said = capsys.readouterr()
    assert "these are the built-in keys" in said.err
    assert 'run = "r"  # Start this task now, whatever its schedule' in said.out

    (tmp_path / "keys.toml").write_text(said.out.replace('run = "r"', 'run = "R"'))
    assert main(["keys", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["task.run"] == ["R"]


def test_a_bad_file_is_named_with_line_and_remedy(tmp_path, capsys):
    (tmp_path / "x.toml").write_text('[task]\nrnu = "R"\n')
    assert main(["keys", str(tmp_path / "x.toml")]) == 2
    assert "x.toml:2: task.rnu: is not a known action. Did you mean task.run?" in (
        capsys.readouterr().err
    )


def test_a_file_may_be_named_as_for_the_screen(tmp_path, capsys):
    (tmp_path / "x.toml").write_text('[task]\nrun = "R"\n')
    assert main(["--keys", str(tmp_path / "x.toml"), "keys"]) == 0
    assert 'run = "R"' in capsys.readouterr().out


def test_a_file_that_is_not_there_is_a_sentence(tmp_path, capsys):
    assert main(["keys", str(tmp_path / "none.toml")]) == 2
    assert "there is no file" in capsys.readouterr().err


def test_looks_given_on_the_command_line_count_before_config_yaml(tmp_path, monkeypatch):
    (tmp_path / "config.yaml").write_text("tui: {theme: contrast, mouse: true, ascii: false}\n")
    (tmp_path / "keys.toml").write_text("")
    shown = []
    monkeypatch.setattr("cronpilot.bootstrap.screen.run_screen",
                        lambda settings, remote: shown.append(settings) or 0)  # fmt: skip

    given = ["--config", str(tmp_path / "config.yaml"), "--keys", str(tmp_path / "keys.toml")]
    assert main([*given, "--ascii", "--no-mouse"]) == 0
    assert main(given) == 0

    flags, file = (one.tui for one in shown)
    assert (flags.theme, flags.ascii, flags.mouse) == ("contrast", True, False)
    assert (file.ascii, file.mouse) == (False, True)
    assert shown[0].keys_file == tmp_path / "keys.toml"
