"""The server in the pictures: its tasks, and what their commands print. All of it is made up.

Each command is a small script that prints its lines and sleeps between them, nothing else. Of the
days before there is the same output, written by `past.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

ZONE = "Europe/Berlin"
POOLS = {"db": 1, "reports": 1}
BUSY = "gateway-busy"
"""A file in the working directory: while it is there, `payment-sync` fails."""
OLD_FEED, NEW_FEED = "https://supplier.example/v1/prices", "https://supplier.example/v2/prices"
_RED, _YELLOW, _GREEN, _PLAIN = "\033[31m", "\033[33m", "\033[32m", "\033[0m"


@dataclass(frozen=True, slots=True)
class Play:
    """What a command does: prints `lines` in `seconds`, more or less.

    Attributes:
        fails: one attempt in so many ends badly, with `trouble` as its last lines; 0: none.
    """

    seconds: float
    lines: list[str]
    fails: int = 0
    exit_code: int = 1
    trouble: list[str] = field(default_factory=list)
    memory_mb: int = 12


def _counted(words: str, most: int, steps: int) -> list[str]:
    return [words.format(f"{most * n // steps:,}", f"{most:,}") for n in range(1, steps + 1)]


def _stocks() -> list[str]:
    lines = _counted("compared {} of {} articles", 12_600, 30)
    for place, article in ((5, 4711), (9, 10826), (14, 2203), (22, 9050)):
        words = f"article {article}: stock is below zero, set to 0"
        lines.insert(place, f"{_YELLOW}warning: {words}{_PLAIN}")
    return lines


_TABLES = ("customers", "addresses", "orders", "order_items", "invoices", "payments", "products",
           "prices", "stock", "reviews", "coupons", "sessions")  # fmt: skip
FEED_FAILS = [
    f"GET {NEW_FEED}",
    "200 OK, 611,204 bytes of JSON",
    f"{_RED}error: line 1, column 18: 'price' is a text (\"19,90\"), not a number{_PLAIN}",
    "nothing was imported",
]
PLAYS: dict[str, Play] = {
    "backup-db": Play(
        252,
        ["connected to db-1, PostgreSQL 16.4", *(f"dumped table {name}" for name in _TABLES),
         "compressed to 1.9 GB", "removed shop-14.sql.gz", f"{_GREEN}done{_PLAIN}"],
        memory_mb=148,
    ),
    "backup-media": Play(
        1085, ["listing /srv/shop/media", *_counted("copied {} of {} files", 48_200, 40)],
        memory_mb=61,
    ),
    "verify-backups": Play(
        540, ["restoring the newest dump into a scratch database",
              *_counted("checked {} of {} rows", 9_400_000, 12), "all sums agree"],
        memory_mb=204,
    ),
    "mail-queue": Play(1.8, ["6 messages waiting", "6 sent, 0 put back"], fails=140, exit_code=75,
                       trouble=["421 too many connections from this host"]),
    "payment-sync": Play(
        6.2, ["asking for payments since the last mark", "14 payments, 1 refund", "mark moved"],
        fails=70, exit_code=75, memory_mb=34,
        trouble=[f"{_YELLOW}gateway: 504 after 5.0 s{_PLAIN}"],
    ),
    "orders-export": Play(9.4, ["23 new orders", "wrote orders.csv", "uploaded to the warehouse"],
                          memory_mb=41),
    "search-index": Play(
        92, ["48,000 products to look at", *_counted("indexed {} of {} products", 48_000, 46),
             "the new index is in use"],
        memory_mb=183,
    ),
    "thumbnails": Play(
        44, [f"made {n * 12:>3} of 528: product-{20114 + n * 7}.webp" for n in range(1, 45)],
        memory_mb=96,
    ),
    "stock-sync": Play(
        63, ["warehouse answers in 41 ms", *_stocks(), "82 stocks changed"],
        memory_mb=47,
    ),
    "price-feed": Play(
        11.5, [f"GET {OLD_FEED}", "200 OK, 598,310 bytes of JSON", "4,812 prices read",
               "127 prices changed", f"{_GREEN}imported{_PLAIN}"],
        memory_mb=52,
    ),
    "probe-shop": Play(0.7, ["GET https://shop.example/health", "200 OK in 84 ms"], fails=300,
                       trouble=[f"{_RED}no answer within 5 s{_PLAIN}"]),
    "certificates": Play(3.1, ["shop.example: 61 days left", "api.shop.example: 61 days left",
                               "nothing to renew"]),
    "disk-space": Play(0.2, ["/      41 % of 80 GB", "/srv   67 % of 500 GB"]),
    "sales-report": Play(
        58, ["sales of yesterday by country", *(f"{land:<12} {number:>6} orders" for land, number in
             (("Germany", 412), ("Austria", 96), ("Switzerland", 71), ("France", 55),
              ("Italy", 43), ("Spain", 38), ("Netherlands", 37), ("Poland", 29),
              ("Denmark", 22), ("Sweden", 19))), "report sent to 4 people"],
        memory_mb=77,
    ),
    "invoices": Play(36, _counted("wrote {} of {} invoices", 180, 18), memory_mb=118),
    "newsletter": Play(724, _counted("sent {} of {} letters", 18_400, 36), memory_mb=38),
    "sitemap": Play(101, _counted("wrote {} of {} addresses", 61_000, 12), memory_mb=29),
    "cart-reminders": Play(12.6, ["31 carts left behind", "31 reminders sent"], fails=90,
                           trouble=["the template 'reminder-b' has no subject"]),
    "clean-sessions": Play(4.8, ["deleted 2,114 sessions"]),
    "us-feed": Play(21, ["wrote feed-us.xml", "uploaded"], memory_mb=33),
    "import-catalog": Play(388, _counted("read {} of {} articles", 22_000, 20), memory_mb=91),
    "resize-banners": Play(33, _counted("resized {} of {} banners", 240, 12)),
}  # fmt: skip


def tasks_yaml(folder: Path, feed: str, sale: datetime) -> str:
    """The tasks file; `sale` is a moment to come."""
    return f"""\
defaults:
  working_dir: {folder}
  timeout: 2h
tasks:
  - {{name: backup-db, command: bin/backup-db --keep 14, schedule: daily 02:30, pool: db,
     max_retries: 3, retry_delay: 5m, tags: [backup, db], description: Nightly dump of the shop,
     env: {{DEST: /srv/backup, PGUSER: backup}}}}
  - {{name: backup-media, command: bin/backup-media, schedule: daily 03:10, timeout: 1h,
     tags: [backup], env: {{DEST: /srv/backup}}}}
  - {{name: verify-backups, command: bin/verify-backups, schedule: weekly sun 05:00,
     tags: [backup]}}
  - {{name: mail-queue, command: bin/mail-queue, schedule: "*/10 7-22 * * *",
     missed: skip, tags: [mail]}}
  - {{name: payment-sync, command: bin/payment-sync --since-mark, schedule: every 10m, pool: db,
     max_retries: 2, retry_delay: 60s, tags: [orders, db],
     description: Fetches payments and refunds from the gateway}}
  - {{name: orders-export, command: bin/orders-export, schedule: "*/15 * * * *", pool: db,
     tags: [orders]}}
  - {{name: search-index, command: bin/search-index, schedule: "*/15 6-23 * * *",
     missed: skip, tags: [shop]}}
  - {{name: thumbnails, command: bin/thumbnails --new, schedule: every 20m, missed: skip,
     tags: [shop], limits: {{nice: 10}}}}
  - {{name: stock-sync, command: bin/stock-sync, schedule: hourly :20, max_retries: 1,
     tags: [orders]}}
  - {{name: price-feed, command: bin/price-feed, schedule: "7,37 * * * *", tags: [shop],
     description: Imports the supplier's prices, env: {{FEED: "{feed}"}}}}
  - {{name: probe-shop, command: bin/probe-shop, schedule: every 10m, missed: skip,
     timeout: 30s, tags: [health]}}
  - {{name: certificates, command: bin/certificates --renew, schedule: daily 04:20,
     tags: [health], alarms: {{silent: 2d}}}}
  - {{name: disk-space, command: bin/disk-space, schedule: hourly :05, tags: [health],
     quiet: [upkeep]}}
  - {{name: sales-report, command: bin/sales-report, schedule: "30 6 * * 1-5", pool: reports,
     tags: [reports], quiet: [holidays]}}
  - {{name: invoices, command: bin/invoices, schedule: daily 23:30, pool: reports, tags: [reports]}}
  - {{name: newsletter, command: bin/newsletter, schedule: weekly thu 10:00, tags: [mail],
     quiet: [holidays]}}
  - {{name: sitemap, command: bin/sitemap, schedule: daily 02:45, tags: [shop],
     quiet: [holidays, upkeep]}}
  - {{name: cart-reminders, command: bin/cart-reminders, schedule: "40 9-21 * * *",
     missed: skip, tags: [mail], quiet: [holidays]}}
  - {{name: clean-sessions, command: bin/clean-sessions, schedule: "45 */4 * * *", tags: [db]}}
  - {{name: us-feed, command: bin/us-feed, schedule: "*/30 * * * *", pool: db,
     timezone: America/New_York, tags: [shop]}}
  - {{name: import-catalog, command: bin/import-catalog, schedule: daily 05:45, tags: [shop]}}
  - {{name: resize-banners, command: bin/resize-banners, schedule: manual, tags: [shop]}}
  - {{name: start-sale, command: bin/start-sale, schedule: "once {sale:%Y-%m-%d} 08:00",
     tags: [shop]}}
"""


def config_yaml(now: datetime) -> str:
    """The settings: pools, two days off that are near, a window each night."""
    first, second = (f"{now + timedelta(days=ahead):%Y-%m-%d}" for ahead in (2, 3))
    pools = ", ".join(f"{name}: {most}" for name, most in POOLS.items())
    return f"""\
scheduler: {{timezone: {ZONE}}}
pools: {{{pools}}}
api: {{port: 0}}
quiet:
  holidays: {{days: [{first}, {second}]}}
  upkeep: {{windows: [sun 02:00-04:00, thu 02:00-04:00], then: after}}
"""


def write_scripts(folder: Path) -> None:
    """The commands as they are now: prices fail, and payments while the gateway is busy."""
    commands = folder / "bin"
    commands.mkdir(parents=True)
    (folder / BUSY).touch()
    for name, play in PLAYS.items():
        lines = FEED_FAILS if name == "price-feed" else play.lines
        pause = 0.8 if name == "price-feed" else play.seconds / len(lines)
        body = [f"say {pause:.2f} {_quoted(line)}" for line in lines]
        if name == "price-feed":
            body.append("exit 65")
        if name == "payment-sync":
            trouble = " ".join(f"say 0.6 {_quoted(line)};" for line in play.trouble)
            body.insert(1, f"if [ -e {BUSY} ]; then {trouble} exit {play.exit_code}; fi")
        path = commands / name
        path.write_text("\n".join([_HEAD, *body, ""]))
        path.chmod(0o755)


_HEAD = f"""\
#!/bin/sh
export TZ={ZONE}
say() {{ printf '%s  %s\\n' "$(date +%T)" "$2"; sleep "$1"; }}"""


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
