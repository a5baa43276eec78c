"""Four harmless tasks to try the screen out with: a few seconds of `echo` and `sleep` each."""

from __future__ import annotations

from typing import Any

TAG = "demo"

_COUNT = """\
for step in 1 2 3 4 5 6 7 8 9 10; do
  echo "step $step of 10"
  sleep 2
done"""

_MOODY = """\
echo "the minute is $(date +%M)"
test $(( $(date +%M | sed 's/^0//') % 2 )) -eq 0 || { echo "odd minutes fail here" >&2; exit 1; }"""

DEMO_TASKS: tuple[dict[str, Any], ...] = (
    {
        "name": "demo-hello",
        "description": "Says hello every half minute",
        "command": 'echo "hello from $CRONPILOT_TASK, run $CRONPILOT_RUN_ID"',
        "schedule": {"type": "interval", "config": {"every": "30s"}},
    },
    {
        "name": "demo-long",
        "description": "Counts for 20 seconds: watch it in view 2, stop it with x",
        "command": _COUNT,
        "schedule": {"type": "custom", "config": {"cron_expression": "* * * * *"}},
    },
    {
        "name": "demo-moody",
        "description": "Fails in odd minutes: see view 5, and its retry in view 2",
        "command": _MOODY,
        "schedule": {"type": "custom", "config": {"cron_expression": "* * * * *"}},
        "max_retries": 1,
        "retry_delay": "20s",
    },
    {
        "name": "demo-disk",
        "description": "Looks at the disks every night",
        "command": ["df", "-h"],
        "schedule": {"type": "daily", "config": {"hour": 2, "minute": 30}},
    },
)
