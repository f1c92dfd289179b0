"""The scenario of thousands of accounts, each with a cursor for each of its lists."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import datetime, timedelta, timezone

from dev.bench.contenders import Task, ours
from dev.bench.measuring import Options, folder_of, run, say, twilio_of
from dev.bench.printed import key, shown
from dev.bench.tables import cell, table

# Three lists of each account, so three cursors (BEHAVIOR 32, 44).
STREAM = "conferences"
# What a sync reads again on purpose counts here as read twice.
SETTINGS = {"lookback_window": 0, "settling_days": 0}


def accounts(options: Options, stack: ExitStack) -> str:
    """3,400 accounts, of which one is refused in the first sync and opens in the second."""
    number = options.rows(3_400)
    say(f" {number:,} accounts")
    holders = [(f"Account {each}", "active", {STREAM: 2}) for each in range(number)]
    twilio = twilio_of(stack, holders)
    task = Task(twilio, folder_of(stack), [STREAM], SETTINGS)
    late, old = twilio.accounts[-1].sid, datetime.now(timezone.utc) - timedelta(days=100)
    twilio.add(STREAM, late, status="completed", date_created=old, date_updated=old)
    by_late = {key(STREAM, {"account_sid": late, **row}) for row in twilio.rows(STREAM, late)}
    twilio.restrict(late, 403)
    first = run(ours(), task, {STREAM: shown(twilio, STREAM) - by_late})
    twilio.restrict(late, None)
    second = run(ours(), task._replace(state=first.output.state_file()), {STREAM: by_late})
    twice = second.records - (len(by_late) - second.missing)
    rows = [
        [
            name,
            one.records,
            one.missing,
            len(one.requests),
            one.cpu_seconds,
            one.seconds,
            one.memory_mb,
            one.output.state_bytes,
        ]
        for name, one in (("first", first), ("second", second))
    ]
    heads = ("sync", "records", "missing", "requests", "CPU s", "wall s", "peak MB", "state bytes")
    return f"{table(heads, rows)}\n\nRows read twice: {cell(twice)}."
