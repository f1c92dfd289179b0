"""The scenario of thousands of accounts, each with a cursor for each of its lists."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import datetime, timedelta, timezone

from dev.bench.candidates import Task, ours
from dev.bench.measuring import Options, log, run, start_sandbox, temporary_folder
from dev.bench.output import expected_keys, key
from dev.bench.tables import format_cell, table

# Three lists of each account, so three cursors (BEHAVIOR 32, 44).
STREAM = "conferences"
# Without intended re-reads, each row that is read again counts as read twice.
SETTINGS = {"lookback_window": 0, "settling_days": 0}


def accounts(options: Options, stack: ExitStack) -> str:
    """3,400 accounts; one is refused in the first sync and readable in the second."""
    number = options.rows(3_400)
    log(f" {number:,} accounts")
    holders = [(f"Account {each}", "active", {STREAM: 2}) for each in range(number)]
    twilio = start_sandbox(stack, holders)
    task = Task(twilio, temporary_folder(stack), [STREAM], SETTINGS)
    late, old = twilio.accounts[-1].sid, datetime.now(timezone.utc) - timedelta(days=100)
    twilio.add(STREAM, late, status="completed", date_created=old, date_updated=old)
    by_late = {key(STREAM, {"account_sid": late, **row}) for row in twilio.rows(STREAM, late)}
    twilio.restrict(late, 403)
    first = run(ours(), task, {STREAM: expected_keys(twilio, STREAM) - by_late})
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
    return f"{table(heads, rows)}\n\nRows read twice: {format_cell(twice)}."
