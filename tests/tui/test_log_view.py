"""Reading a log: looking for text, other looks, other runs, and taking something out of it."""

from __future__ import annotations

import asyncio
import base64
import stat
from datetime import timedelta

import pytest

from cronpilot.client.fake import NOON, FakeClient, make_run, make_task
from cronpilot.client.messages import LastRun
from cronpilot.domain.run import Status
from cronpilot.tui import clipboard
from cronpilot.tui.screens.dialog import Dialog
from cronpilot.tui.screens.save_log import SaveLog

LINES = [b"line %04d %s" % (n, b"\x1b[31mERROR\x1b[0m here" if n % 100 == 7 else b"ok")
         for n in range(3000)]  # fmt: skip


def run_of(number, **fields):
    """A run of backup-db that ended well."""
    started = NOON - timedelta(hours=9 - number)
    given = {"status": Status.SUCCESS, "exit_code": 0, "pid": None, "duration_s": 1.0,
             "queued_at": started, "started_at": started, "finished_at": NOON,
             **fields}  # fmt: skip
    return make_run(number, **given)


@pytest.fixture
def client(clock):
    """backup-db has run three times; run 3 goes on and has printed 3000 lines, every hundredth an
    error."""
    last = LastRun(id=3, status=Status.RUNNING, started_at=NOON)
    logs = {1: b"first run\n", 2: b"second run, one error\n", 3: b"\n".join(LINES) + b"\n"}
    return FakeClient([make_task(1, running=1, last_run=last)],
                      [run_of(1), run_of(2), make_run(3)], logs, clock)  # fmt: skip


async def in_log(screen, *, whole=True):
    """Into the log of run 3, at its end."""
    await screen.press("L" if whole else "l")
    await screen.until(lambda: "line 2999" in screen.text)
    return screen.dashboard.panel


async def find(screen, text, *keys):
    await screen.press("slash")
    await screen.until(lambda: screen.dashboard.panel.find_line is not None
                       and screen.dashboard.panel.find_line.has_focus_within)  # fmt: skip
    await screen.press(*keys, *text, "enter")


def shown_lines(screen):
    """What stands in the log, row by row."""
    panel = screen.dashboard.panel
    top = panel.output.region.y
    return [
        line.strip(" ▸┃") for line in screen.text.splitlines()[top : top + panel.output.size.height]
    ]


async def test_a_log_that_is_wanted_whole_does_not_wait_until_the_cursor_has_rested(
    show, clock, monkeypatch
):
    monkeypatch.setattr("cronpilot.tui.screens.log_reading.SETTLE", 3600)
    last = LastRun(id=2, status=Status.SUCCESS, started_at=NOON)
    tasks = [make_task(1), make_task(2, name="report", last_run=last)]
    client = FakeClient(tasks, [run_of(2, task_id=2)], {2: b"what it said\n"}, clock)
    async with show(client) as screen:
        await screen.press("j")
        await screen.until(lambda: screen.dashboard.log_wanted == 2)
        assert "what it said" not in screen.text
        await screen.press("L")
        await screen.until(lambda: "what it said" in screen.text)


# --- looking for text ----------------------------------------------------------------------------


async def test_a_text_is_found_upwards_first_and_counted_in_the_whole_log(show, client):
    async with show(client) as screen:
        panel = await in_log(screen)
        await find(screen, "error HERE")
        await screen.until(lambda: "30 of 30" in panel.head.text)
        assert "▸line 2907 ERROR here" in screen.text
        assert not panel.output.following
        await screen.press("N")
        await screen.until(lambda: "29 of 30" in panel.head.text)
        assert "▸line 2807 ERROR here" in screen.text
        await screen.press("n", "n")
        await screen.until(lambda: "No further match below." in screen.text)
        assert "30 of 30" in panel.head.text


async def test_a_match_far_away_is_reached_and_one_can_read_on_from_there(
    show, client, monkeypatch
):
    monkeypatch.setattr("cronpilot.tui.log_feed.TAIL", 4000)
    async with show(client) as screen:
        panel = await in_log(screen)
        await find(screen, "line 0107")
        await screen.until(lambda: "1 of 1" in panel.head.text)
        await screen.until(lambda: "▸line 0107" in screen.text)
        for _ in range(60):
            if "line 0400" in screen.text:
                break
            await screen.press("pagedown")
        assert "line 0400" in screen.text
        await screen.press("g")
        await screen.until(lambda: shown_lines(screen)[0] == "line 0000 ok")
        await screen.press("f")
        await screen.until(lambda: "line 2999" in screen.text and panel.output.following)
        client.append_log(3, b"news\n")
        await screen.until(lambda: "news" in screen.text)


async def test_what_is_found_is_marked_and_its_colour_kept(show, client):
    async with show(client) as screen:
        panel = await in_log(screen)
        await find(screen, "error")
        await screen.until(lambda: "30 of 30" in panel.head.text)
        row = next(i for i, line in enumerate(shown_lines(screen)) if "2907" in line)
        segments = list(panel.output.render_line(row))
        marked = [one for one in segments if one.style and one.style.reverse]
        assert [one.text for one in marked] == ["ERROR"]
        assert marked[0].style.color.number == 1


async def test_a_regular_expression_is_asked_for_by_a_key(show, client):
    async with show(client) as screen:
        panel = await in_log(screen)
        await find(screen, "^line 29.7 E", "ctrl+r")
        await screen.until(lambda: "1 of 1" in panel.head.text)
        await screen.until(lambda: any(
            one.style and one.style.reverse and one.text == "line 2907 "
            for y in range(panel.output.size.height) for one in panel.output.render_line(y)
        ))  # fmt: skip


async def test_a_wrong_expression_is_said_in_words_and_can_be_mended(show, client):
    async with show(client) as screen:
        panel = await in_log(screen)
        await find(screen, "(", "ctrl+r")
        await screen.until(lambda: "The pattern cannot be used" in screen.text)
        assert panel.find_line.has_focus_within
        await screen.press("backspace", *"2907", "enter")
        await screen.until(lambda: "1 of 1" in panel.head.text)


async def test_capital_letters_matter_only_if_asked(show, client):
    async with show(client) as screen:
        panel = await in_log(screen)
        await find(screen, "error", "ctrl+t")
        await screen.until(lambda: "none" in panel.head.text)
        assert "capitals matter" not in screen.text


async def test_only_matching_lines_and_all_of_them_again(show, client):
    async with show(client) as screen:
        panel = await in_log(screen)
        await find(screen, "error")
        await screen.until(lambda: "30 of 30" in panel.head.text)
        await screen.press("ampersand")
        await screen.until(lambda: shown_lines(screen)[:2] == ["line 0007 ERROR here",
                                                               "line 0107 ERROR here"])  # fmt: skip
        client.append_log(3, b"quiet\none more error\n")
        await screen.until(lambda: "one more error" in screen.text)
        assert "quiet" not in screen.text
        await screen.press("N", "N")
        await screen.until(lambda: "▸line 2907" in screen.text)
        await screen.press("ampersand")
        await screen.until(lambda: "▸line 2907" in screen.text and "line 2908 ok" in screen.text)


async def test_lines_that_match_are_seen_while_more_are_looked_for(show, client, monkeypatch):
    search = client.search_log

    async def search_some(run_id, query):
        """Upwards only the last three are found before it takes for ever."""
        if query.backwards and query.raw:
            if query.offset < len(b"\n".join(LINES[:2800])):
                await asyncio.Event().wait()
            query = query.model_copy(update={"limit": 3})
        return await search(run_id, query)

    monkeypatch.setattr(client, "search_log", search_some)
    async with show(client) as screen:
        await in_log(screen)
        await find(screen, "error")
        await screen.until(lambda: "30 of 30" in screen.dashboard.panel.head.text)
        await screen.press("ampersand")
        await screen.until(lambda: "line 2707 ERROR here" in screen.text)
        assert "line 2907 ERROR here" in screen.text


async def test_esc_ends_the_search_and_then_leaves_the_log(show, client):
    async with show(client) as screen:
        panel = await in_log(screen)
        await find(screen, "error")
        await screen.until(lambda: "30 of 30" in panel.head.text)
        await screen.press("escape")
        assert panel.finder is None
        assert "of 30" not in panel.head.text
        await screen.press("escape")
        assert screen.dashboard.shown_size() == "part"


async def test_what_is_looked_for_stays_with_the_runs_of_the_task(show, client):
    async with show(client) as screen:
        panel = await in_log(screen)
        await find(screen, "error")
        await screen.until(lambda: "30 of 30" in panel.head.text)
        await screen.press("left_square_bracket")
        await screen.until(lambda: "second run, one error" in screen.text)
        await screen.until(lambda: "1 line" in panel.head.text)


# --- other runs, other looks ---------------------------------------------------------------------


async def test_brackets_go_through_the_runs_and_the_newest_waits(show, client):
    async with show(client) as screen:
        panel = await in_log(screen)
        await screen.press("left_square_bracket")
        await screen.until(lambda: "second run" in screen.text)
        await screen.press("left_square_bracket")
        await screen.until(lambda: "first run" in screen.text)
        await screen.press("left_square_bracket")
        await screen.until(lambda: "This is its oldest run." in screen.text)
        client.append_log(3, b"more\n")
        client.put_run(client._runs[3])
        await screen.until(lambda: "run 3 has begun: End" in panel.head.text)
        await screen.press("f")
        await screen.until(lambda: "line 2999" in screen.text)


async def test_long_lines_are_cut_with_a_mark_or_wrapped(show, client):
    client.append_log(3, b"".join(b"%04d " % n for n in range(60)) + b"\n")
    async with show(client) as screen:
        await in_log(screen)
        assert "0059" not in screen.text
        assert "…" in shown_lines(screen)[-1]
        await screen.press("right")
        assert "0020" in shown_lines(screen)[-1]
        await screen.press("w")
        rows = shown_lines(screen)[-3:]
        assert "0000" in rows[0] and "0059" in rows[2]
        assert "wrapped" in screen.dashboard.panel.head.text
        await screen.press("k")
        assert "0059" not in screen.text
        await screen.press("w")
        assert "…" in screen.text


async def test_times_are_those_at_which_lines_were_seen_to_come_and_no_others(show, client):
    async with show(client) as screen:
        panel = await in_log(screen)
        await screen.press("t")
        assert "times: when seen here" in panel.head.text
        screen.clock.advance(seconds=5)
        client.append_log(3, b"fresh\n")
        await screen.until(lambda: "12:00:05 fresh" in screen.text)
        assert all(":" not in line for line in shown_lines(screen)[:-1])


async def test_following_that_ended_says_so(show, client):
    async with show(client) as screen:
        panel = await in_log(screen)
        assert "following" in panel.head.text
        await screen.press("k")
        assert "not following: f" in panel.head.text
        await screen.press("f")
        assert panel.output.following


# --- taking something out of it ------------------------------------------------------------------


@pytest.fixture
def copied(monkeypatch):
    """What was sent to the terminal's clipboard."""
    sent = []
    monkeypatch.delenv("TMUX", raising=False)
    monkeypatch.setattr("cronpilot.tui.app.CronPilotApp.copy_to_clipboard",
                        lambda self, text: sent.append(text))  # fmt: skip
    return sent


async def test_y_copies_the_match_and_v_a_selection_and_says_how_much(show, client, copied):
    async with show(client) as screen:
        panel = await in_log(screen)
        await find(screen, "error")
        await screen.until(lambda: "30 of 30" in panel.head.text)
        await screen.press("y")
        await screen.until(lambda: "Copied the line of the match" in screen.text)
        assert "1 line, 21 characters" in screen.text
        await screen.press("v", "j", "j")
        await screen.until(lambda: "3 lines chosen" in panel.head.text)
        await screen.press("y")
        await screen.until(lambda: len(copied) == 2)
        assert copied == ["line 2907 ERROR here\n",
                          "line 2907 ERROR here\nline 2908 ok\nline 2909 ok\n"]  # fmt: skip
        await screen.press("escape", "escape", "f", "Y")
        await screen.until(lambda: len(copied) == 3)
        assert copied[2].endswith("line 2999 ok\n")
        assert copied[2].count("\n") == panel.output.size.height


def test_no_more_is_copied_than_terminals_take():
    kept = clipboard.fitting("0123456789\n" * 10_000)

    assert len(base64.b64encode(kept.encode())) <= 75_000
    assert kept.endswith("9\n")


async def test_s_saves_the_log_for_its_reader_alone_and_overwrites_nothing(show, client, tmp_path):
    there = tmp_path / "there.log"
    there.write_text("mine\n")
    async with show(client) as screen:
        await in_log(screen)
        await screen.press("s")
        await screen.until(lambda: isinstance(screen.app.screen, SaveLog))
        assert "~/backup-db-run-3.log" in screen.text
        await screen.press("ctrl+u", *str(tmp_path / "new.log"), "enter")
        await screen.until(lambda: "readable by you alone" in screen.text)
        saved = tmp_path / "new.log"
        assert saved.read_bytes() == b"\n".join(LINES) + b"\n"
        assert stat.S_IMODE(saved.stat().st_mode) == 0o600
        assert [path.name for path in tmp_path.iterdir() if path.suffix == ".log"]

        await screen.press("s")
        await screen.until(lambda: isinstance(screen.app.screen, SaveLog))
        await screen.press("ctrl+u", *str(there), "enter")
        await screen.until(lambda: isinstance(screen.app.screen, Dialog))
        assert "It exists already, with 5 B." in screen.text
        await screen.press("n")
        await screen.until(lambda: screen.app.screen is screen.dashboard)
        assert there.read_text() == "mine\n"


async def test_what_cannot_be_written_is_said(show, client, tmp_path):
    async with show(client) as screen:
        await in_log(screen)
        await screen.press("s")
        await screen.until(lambda: isinstance(screen.app.screen, SaveLog))
        await screen.press("ctrl+u", *str(tmp_path / "none" / "x.log"), "enter")
        await screen.until(lambda: "There is no directory" in screen.text)


# --- a line that has no end yet ------------------------------------------------------------------


async def test_of_a_line_without_end_one_follows_its_newest_bytes(show, client):
    async with show(client) as screen:
        panel = await in_log(screen)
        client.append_log(3, b"." * 300_000 + b"NEWEST")
        await screen.until(lambda: shown_lines(screen)[-1].endswith("...NEWEST"))
        assert shown_lines(screen)[-1].startswith("…...")
        client.append_log(3, b" AND NEWER")
        await screen.until(lambda: shown_lines(screen)[-1].endswith("...NEWEST AND NEWER"))
        await screen.press("w")
        await screen.until(lambda: shown_lines(screen)[-1].endswith("NEWEST AND NEWER"))
        assert "[... beginning left out ...] ...." in screen.text
        await screen.press("w")
        client.append_log(3, b"\nnext\n")
        await screen.until(lambda: shown_lines(screen)[-1] == "next")
        assert shown_lines(screen)[-2].endswith("....…")
        assert panel.output.following


async def test_the_last_line_of_a_run_that_is_over_is_shown_from_its_beginning(show, client):
    client.append_log(3, b"begins so" + b"." * 300)
    async with show(client) as screen:
        await screen.press("L")
        await screen.until(lambda: shown_lines(screen)[-1].startswith("…..."))
        client.finish(3, Status.SUCCESS, exit_code=0)
        await screen.until(lambda: shown_lines(screen)[-1].startswith("begins so..."))


async def test_very_long_lines_fill_the_screen_nevertheless(show, client):
    client.append_log(3, b"".join(b"%d " % n + b"x" * 20_000 + b"\n" for n in range(50)))
    async with show(client) as screen:
        await screen.press("L")
        await screen.until(lambda: shown_lines(screen)[-1].startswith("49 x"))
        await screen.until(lambda: shown_lines(screen)[0].startswith("1"))
