"""The pages of the panel: plain HTML, nothing from outside, no script in it but our own files."""

from __future__ import annotations

from html import escape

from starlette.responses import HTMLResponse

# textual.js would also put a copy of xterm.css into the page; that is refused, and not missed.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self';"
    " connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {
    "Content-Security-Policy": _POLICY,
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",  # with none, a browser gives its forms' Origin as null
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
}

_FRAME = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>CronPilot</title>
<link rel="icon" href="/assets/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/assets/page.css">{head}
</head>
<body{kind}>
{body}
</body>
</html>
"""


def log_in_page(complaint: str = "", name: str = "", *, status: int = 200) -> HTMLResponse:
    """The form; with what was wrong about the last try."""
    alert = f'<p role="alert">{escape(complaint)}</p>\n' if complaint else ""
    on_name, on_password = ("", " autofocus") if name else (" autofocus", "")
    return _page(
        f"""<main>
<h1>CronPilot</h1>
<form method="post" action="/login">
{alert}<label for="name">Name</label>
<input id="name" name="name" value="{escape(name)}" autocomplete="username" autocapitalize="none"
 spellcheck="false" required{on_name}>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required\
{on_password}>
<button>Log in</button>
</form>
</main>""",
        status=status,
    )


def cockpit_page() -> HTMLResponse:
    """The screen, and over it the notice that says why it is gone."""
    return _page(
        """<div id="terminal" class="textual-terminal" data-session-websocket-url="/cockpit"
 data-font-size="14"></div>
<section id="notice" role="alert" hidden>
<h1></h1>
<p></p>
<button id="again">Open again</button>
<form method="post" action="/logout"><button class="second">Log out</button></form>
</section>
<noscript><main><h1>CronPilot</h1><p>The cockpit in the browser needs JavaScript. Everything it does
can be done over <code>/api</code> as well.</p></main></noscript>""",
        head="""
<link rel="stylesheet" href="/assets/textual/css/xterm.css">
<script src="/assets/cockpit.js" defer></script>""",
        kind=' class="cockpit"',
    )


def missing_page() -> HTMLResponse:
    """How to get the panel where it is not installed."""
    return _page(
        """<main>
<h1>CronPilot</h1>
<p>The engine answers here, but its admin panel is not installed.</p>
<p>Install it and start the engine again:</p>
<pre>pip install 'cronpilot[web]'</pre>
<p>The API works without it, under <code>/api</code>.</p>
</main>"""
    )


def _page(body: str, *, head: str = "", kind: str = "", status: int = 200) -> HTMLResponse:
    html = _FRAME.format(head=head, kind=kind, body=body)
    return HTMLResponse(html, status, headers=HEADERS)
