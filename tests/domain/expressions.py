"""Random cron expressions, weighted towards the hours at which clocks are changed."""

from __future__ import annotations

from random import Random

NAMES = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
MONTH_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def expression(random: Random, hours: range, day: int, month: int) -> str:
    """One that Debian's cron reads, or one of our additions; fires around that day mostly."""
    return " ".join(
        (
            random.choice((_minutes, _minutes, _star_or_step, _star))(random, 0, 59),
            random.choice((_near, _near, _star_or_step, _star))(random, hours),
            _days(random, day),
            random.choice(("*", "*", "*", str(month), MONTH_NAMES[month - 1], "*/2")),
            _weekdays(random),
        )
    )


def _star(random: Random, *_: object) -> str:
    return "*"


def _star_or_step(random: Random, *_: object) -> str:
    step = f"*/{random.choice((2, 3, 5, 7, 9, 15, 20, 30))}"
    return random.choice((step, step, f"{step},{random.randrange(20)}", f"{random.randrange(9)},*"))


def _minutes(random: Random, low: int, high: int) -> str:
    first = random.randint(low, high)
    last = random.randint(first, high)
    return random.choice(
        (
            str(first),
            "0",
            "30",
            f"{first:02}",
            f"{first}-{last}",
            f"{first}-{last}/{random.randint(1, 40)}",
            f"{first}/{random.randint(1, 40)}",
            f"{first},{last}",
            f"0,{first}-{last}/7",
            f"{first}-{first}/3",
        )
    )


def _near(random: Random, hours: range) -> str:
    first = random.choice(hours) % 24
    last = min(23, first + random.randrange(5))
    return random.choice(
        (
            str(first),
            str(first),
            f"{first}-{last}",
            f"{first}-{last}/2",
            f"{first},{random.randrange(24)}",
            f"{first}/3",
        )
    )


def _days(random: Random, day: int) -> str:
    return random.choice(
        ("*",) * 6
        + (
            str(day),
            f"{max(1, day - 1)}-{day}",
            "*/2",
            "*/3",
            f"{day}/2",
            "1-31",
            "L",
            "LW",
            "15,L",
        )
    )


def _weekdays(random: Random) -> str:
    first = random.randrange(8)
    last = random.randint(first, 7)
    return random.choice(
        ("*",) * 8
        + (
            str(first),
            f"{first}-{last}",
            f"{first}-{last}/2",
            f"{first}/2",
            "*/2",
            random.choice(NAMES),
            "mon-fri",
            "sun-tue",
            f"{random.choice(NAMES)}#{random.randint(1, 5)}",
            f"{first}L",
            f"{first},{last}#2",
        )
    )
