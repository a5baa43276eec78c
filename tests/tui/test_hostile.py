"""Names, details and output that want to be markup, or to command the terminal."""

from __future__ import annotations

import unicodedata

import pytest
from textual import events

from cronpilot.client.fake import NOON, FakeClient, make_run, make_task
from cronpilot.client.messages import Banner, LastRun
from cronpilot.domain.run import Status
from cronpilot.errors import Refused

NAMES = [
    "[/]",
    "[@click=app.quit]x[/]",
    "[red]red",
    "\x1b]0;owned\x07bell\x07",
    "a\x9b2Jb",
    "\u202egnp.exe",
    "line\nbreak\r",
    "tab\there",
    "\ud800lone",
    "界" * 60,
    "../../etc/passwd",
]


def no_controls(text):
    return not any(unicodedata.category(char) in ("Cc", "Cs") for char in text if char != "\n")


TOGETHER = [
    pytest.param("".join(NAMES[:3]), id="markup"),
    pytest.param("".join(NAMES[3:8]) + NAMES[10], id="control characters"),
    pytest.param(NAMES[9], id="wide"),
]


@pytest.fixture(params=NAMES, ids=ascii)
def hostile(request, clock):
    """Everything that comes from outside is the same hostile text."""
    return all_of(request.param, clock)


@pytest.fixture(params=TOGETHER)
def mixed(request, clock):
    """The same of several hostile texts in one: forms take seconds to open."""
    return all_of(request.param, clock)


def all_of(name, clock):
    last = LastRun(id=1, status=Status.RUNNING, started_at=NOON)
    task = make_task(1, name, schedule_words=name, command=name, tags=[name], running=1,
                     last_run=last)  # fmt: skip
    runs = [
        make_run(1, task_name=name, detail=name),
        make_run(2, task_name=name, detail=name, status=Status.QUEUED, started_at=None),
    ]
    log = {1: (name * 3 + "\n").encode("utf-8", "surrogatepass") * 5}
    banner = Banner(key="x", text=name, hint=name)
    return FakeClient([task], runs, log, clock, banners=[banner])


async def test_every_view_shows_it_and_obeys_nothing_of_it(show, hostile):
    async with show(hostile) as screen:
        for keys in ([], ["2"], ["j"], ["L"], ["escape"], ["x"], ["escape"], ["question_mark"]):
            await screen.press(*keys)
            await screen.pilot.pause(0.15)
            assert no_controls(screen.text)
        assert screen.app.return_value is None


async def test_the_panel_the_comparison_and_all_logs_obey_nothing_of_it(show, clock):
    name = "[/][@click=app.quit]x\x1b]0;owned\x07\x9b2J\u202egnp.exe\nline"
    last = LastRun(id=1, status=Status.RUNNING, started_at=NOON)
    task = make_task(1, name, command=name, tags=[name], env={name: name}, running=1, last_run=last)
    done = make_run(2, task_name=name, status=Status.SUCCESS, environment={name: name})
    going = make_run(1, task_name=name, environment={name: name + "2"})
    client = FakeClient([task], [going, done], {1: HOSTILE_LOG, 2: b"e\n" + HOSTILE_LOG}, clock)
    async with show(client) as screen:
        for keys in (["]"], ["]"], ["]"], ["]"], ["2"], ["C"], ["escape"], ["M"], ["escape"],
                     ["L"], ["w"], ["t"], ["/", *"e", "enter"], ["&"], ["s"]):  # fmt: skip
            await screen.press(*(NAMED.get(key, key) for key in keys))
            await screen.pilot.pause(0.15)
            assert no_controls(screen.text)
        assert screen.app.return_value is None


NAMED = {"]": "right_square_bracket", "/": "slash", "&": "ampersand"}
HOSTILE_LOG = (
    b"\x1b]52;c;aGFjaw==\x07clip\n\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\\n"
    b"\x1bPq#0\x1b\\sixel\n\xc2\x9b2JC1 \x9b2J\n\x1b_apc\x1b\\\x1b^pm\x1b\\\x1bXsos\x1b\\\n"
    + "\u202egnp.exe \u2066iso\u2069\n".encode()
)


async def test_an_error_with_it_is_told_and_obeys_nothing_of_it(show, hostile, monkeypatch):
    name = hostile._tasks[1].name

    async def refuse(task_id, *, request_id):
        raise Refused(f"No: {name}", f"Because of {name}")

    monkeypatch.setattr(hostile, "run_now", refuse)
    async with show(hostile) as screen:
        await screen.press("r")
        await screen.until(lambda: "No: " in screen.text)
        assert no_controls(screen.text)


async def test_a_filter_may_be_anything(show, hostile):
    async with show(hostile) as screen:
        await screen.press("slash", *"[/", "enter")
        await screen.pilot.pause(0.2)
        assert no_controls(screen.text)


async def test_forms_show_it_and_obey_nothing_of_it(show, mixed):
    """No lone surrogates: no engine has such a name, TaskSpec refuses them."""
    async with show(mixed) as screen:
        for key in ("E", "D"):
            await screen.press(key)
            await screen.until(lambda: screen.app.screen is not screen.dashboard)
            await screen.pilot.pause(0.3)
            assert no_controls(screen.text)
            await screen.press("escape")
            await screen.until(lambda: screen.app.screen is screen.dashboard)


async def test_what_is_pasted_into_a_form_obeys_nothing(show, clock):
    async with show(all_of("harmless", clock)) as screen:
        await screen.press("a")
        await screen.until(lambda: screen.app.screen is not screen.dashboard)
        for field in ("name", "command"):
            screen.app.screen.rows[field].control.focus()
            await screen.pilot.pause()
            for name in NAMES:
                screen.app.post_message(events.Paste(f"{name}\x1b[2J\nmore"))
                await screen.pilot.pause(0.1)
                assert no_controls(screen.text)
