"""keys.toml: what may stand in it, and what is said where it cannot."""

from __future__ import annotations

import pytest

from cronpilot.errors import InvalidFile
from cronpilot.tui.key_catalogue import catalogue
from cronpilot.tui.key_names import NO_KEY, NotAKey, key_name, read_key
from cronpilot.tui.keymap import Keymap, as_toml, load_keymap, parse_keymap


def read(text: str) -> Keymap:
    return parse_keymap(text, "keys.toml", catalogue())


def refused(text: str) -> list[str]:
    with pytest.raises(InvalidFile) as caught:
        read(text)
    return [str(one) for one in caught.value.complaints]


def test_actions_get_one_key_or_several_or_none():
    keymap = read('[task]\nrun = "R"\nstop = ["X", "ctrl+k"]\ndelete = []\n')

    assert keymap.changed == {"task.run": ("R",), "task.stop": ("X", "ctrl+k"),
                              "task.delete": (NO_KEY,)}  # fmt: skip
    assert keymap.key("task.run", "r") == "R"
    assert keymap.key("task.pause", "p") == "p"
    assert keymap.key("task.delete", "D") == ":"  # where it still can be had


def test_two_actions_can_change_places():
    assert read('[task]\nrun = "x"\nstop = "r"\n').key("task.stop", "x") == "r"


def test_one_key_may_mean_the_same_movement_in_each_pane():
    assert read('[table]\ndown = "ctrl+n"\n[log]\ndown = "ctrl+n"\n').changed


def test_what_is_printed_can_be_read_again():
    printed = as_toml(read('[task]\nrun = "R"\ndelete = []\n'), catalogue())

    assert 'run = "R"  # Start this task now, whatever its schedule' in printed
    assert read(printed).key("task.run", "r") == "R"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[task]\nrnu = "R"',
         "keys.toml:2: task.rnu: is not a known action. Did you mean task.run?"),
        ('[tsak]\nrun = "R"', "keys.toml:1: tsak: is not a known section. Did you mean [task]?"),
        ('[task]\n\nrun = "pagedwn"',
         "keys.toml:3: task.run: 'pagedwn' is not a key. Did you mean pagedown?"),
        ('[task]\nrun = "ctrl+i"',
         "keys.toml:2: task.run: 'ctrl+i' cannot be used: terminals send it for Tab."),
        ('[task]\nrun = "hyper+r"',
         "keys.toml:2: task.run: 'hyper+r' is not a key. Known before a +: ctrl, alt, shift."),
        ("[task]\nrun = 5",
         'keys.toml:2: task.run: must be a key or a list of keys. Such as "R" or ["R", "f5"].'),
        ('run = "R"',
         'keys.toml:1: run: must be a [section] with actions. Such as run = "R" below [task].'),
        ('[form]\nsave = "s"',
         "keys.toml:2: form.save: would be typed there as text. Use a key such as ctrl+o."),
        ('[task]\nrun = "x"',
         "keys.toml:2: task.run: x already means task.stop. Give one of them another key."),
        ('[task]\nrun = "q"',
         "keys.toml:2: task.run: q already means app.quit. Give one of them another key."),
        ('[history]\nfailed = "j"',
         "keys.toml:2: history.failed: j already means table.down. Give one of them another key."),
        ('[table]\ndown = "r"',
         "keys.toml:2: table.down: r already means task.run. Give one of them another key."),
        ("[task\n", "keys.toml:1: is not TOML: Expected ']' at the end of a table declaration."
         ' Such as run = "R" below [task].'),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_named_with_its_line(text, said):
    assert refused(text)[0] == said


def test_every_mistake_is_told_at_once():
    assert len(refused('[task]\nrnu = "R"\nstop = "nokey"\n[viwe]\n')) == 3


def test_a_file_that_is_not_there_or_not_text_is_told(tmp_path):
    with pytest.raises(InvalidFile, match="No such file"):
        load_keymap(tmp_path / "keys.toml", catalogue())
    (tmp_path / "keys.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(InvalidFile, match="is not UTF-8"):
        load_keymap(tmp_path / "keys.toml", catalogue())


@pytest.mark.parametrize(
    ("written", "key", "told"),
    [("?", "question_mark", "?"), ("G", "G", "G"), ("Esc", "escape", "Esc"), (",", "comma", ","),
     (" ", "space", "Space"), ("PgDn", "pagedown", "PgDn"), ("ctrl+D", "ctrl+d", "ctrl+d"),
     ("shift+Tab", "shift+tab", "shift+Tab"), ("+", "plus", "+"), ("F5", "f5", "f5"),
     ("alt+ctrl+x", "ctrl+alt+x", "ctrl+alt+x")],
)  # fmt: skip
def test_keys_are_written_as_people_call_them(written, key, told):
    assert (read_key(written), key_name(key)) == (key, told)


@pytest.mark.parametrize("text", ["", "ctrl+", "ctrl++", "two words", "shift+a", "\x1b", "ctrl+c"])
def test_what_is_no_key_is_refused(text):
    with pytest.raises(NotAKey):
        read_key(text)
