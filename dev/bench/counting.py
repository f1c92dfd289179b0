"""The scenarios that count requests, compared with those of a perfect client."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import datetime, timedelta, timezone
from typing import Any

from dev.bench.candidates import Task, ours
from dev.bench.measuring import Options, Run, run, start_sandbox, temporary_folder
from dev.bench.output import expected_keys
from dev.bench.perfect_client import kind, requests_needed
from dev.bench.tables import table
from sandbox.data import ACCOUNTS
from sandbox.streams import STREAMS

LOOKBACK = timedelta(days=1)  # the connector's default
CLOCK_MARGIN = timedelta(hours=1)  # how far before now its cursors stop


def steady(options: Options, stack: ExitStack) -> str:
    """All streams of six accounts: a first sync, and a second one without changes."""
    twilio = start_sandbox(stack, ACCOUNTS)
    since = idle_since()
    first, second = run_twice(Task(twilio, temporary_folder(stack), every_stream()))
    runs = {"first sync": first, "idle sync": second}
    closed = [account.sid for account in twilio.accounts if account.status == "closed"]
    refused = sum(any(sid in request.path for sid in closed) for request in second.requests)
    lines = [
        by_kind(runs, requests_needed(twilio, since, every_stream())),
        "",
        f"Of the idle sync's requests {refused} went to the closed account, which the least leaves "
        f"out. First sync: {first.records:,} records, {first.missing} missing.",
        "",
        table(
            ("sync", "records", "wall s", "CPU s", "peak MB", "state bytes"),
            [
                (
                    name,
                    one.records,
                    one.seconds,
                    one.cpu_seconds,
                    one.memory_mb,
                    one.output.state_bytes,
                )
                for name, one in runs.items()
            ],
        ),
    ]
    return "\n".join(lines)


def windows(options: Options, stack: ExitStack) -> str:
    """An account with little data whose start date lies more than sixteen years back."""
    twilio = start_sandbox(stack, [("Old", "active", {})])
    since = idle_since()
    settings = {"start_date": "2010-01-01T00:00:00Z"}
    first, second = run_twice(Task(twilio, temporary_folder(stack), every_stream(), settings))
    runs = {"first sync": first, "idle sync": second}
    return by_kind(runs, requests_needed(twilio, since, every_stream()))


def every_stream() -> list[str]:
    """Return the names of all streams."""
    return [*STREAMS]


def idle_since() -> float:
    """Return the start of the windows of a sync right after another one, as POSIX time."""
    return (datetime.now(timezone.utc) - CLOCK_MARGIN - LOOKBACK).timestamp()


def run_twice(task: Task) -> tuple[Run, Run]:
    """Run a first sync, and a second one right after it without changes."""
    first = run(ours(), task, {name: expected_keys(task.twilio, name) for name in task.streams})
    return first, run(ours(), task._replace(state=first.output.state_file()))


def by_kind(runs: Mapping[str, Run], least: Mapping[str, int]) -> str:
    """Return the table of requests by list, with those of a perfect client."""
    counts = {name: Counter(map(kind, one.requests)) for name, one in runs.items()}
    names = sorted(set(least).union(*counts.values()))
    rows: list[list[Any]] = [
        [name, *(counted[name] for counted in counts.values()), least.get(name, 0)]
        for name in names
    ]
    sums = [sum(counted.values()) for counted in counts.values()]
    total = sum(least.values())
    rows.append(["**total**", *sums, total])
    rows.append(["× least", *(one / total for one in sums), None])
    return table(("requests for", *counts, "least, idle sync"), rows)
