"""The scenarios of customers with many accounts: requests, memory when idle, and shards."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import datetime, timedelta, timezone
from typing import Any

from dev.bench.candidates import Task, ours
from dev.bench.counting import every_stream
from dev.bench.measuring import Options, Run, log, run, start_sandbox, temporary_folder
from dev.bench.output import Row, expected_keys
from dev.bench.tables import table

# Without intended re-reads.
SETTINGS = {"lookback_window": 0, "settling_days": 0}


def many(options: Options, stack: ExitStack) -> str:
    """All streams of 5, 300 and 1,000 accounts with very little in them: requests an account."""
    lines, sizes = [], [5, options.rows(300), options.rows(1_000)]
    for number in sizes:
        with ExitStack() as inner:
            log(f" {number:,} accounts")
            holders = [(f"Account {each}", "active", 0) for each in range(number)]
            task = Task(
                start_sandbox(inner, holders), temporary_folder(inner), every_stream(), SETTINGS
            )
            one = run(ours(), task)
            lines.append((number, *figures(one), f"{len(one.requests) / number:.1f}"))
    return table_with_growth(("accounts", *HEADS, "requests an account"), lines, sizes)


def idle(options: Options, stack: ExitStack) -> str:
    """An idle sync of messages, of 200, 400 and 750 accounts with 1,000 old messages each."""
    lines, sizes = [], [options.rows(each) for each in (200, 400, 750)]
    for number in sizes:
        with ExitStack() as inner:
            log(f" {number:,} accounts")
            holders = [(f"Account {each}", "active", {"messages": 1_000}) for each in range(number)]
            task = Task(
                start_sandbox(inner, holders), temporary_folder(inner), ["messages"], SETTINGS
            )
            sids = [account.sid for account in task.twilio.accounts]
            again = run(ours(), task._replace(state=[just_read(sids)]))
            lines.append((number, *figures(again), again.output.state_bytes))
    return table_with_growth(("accounts", *HEADS, "state bytes"), lines, sizes)


def shards(options: Options, stack: ExitStack) -> str:
    """2,000 accounts with two calls each, as 1, 2, 4 and 8 shards, one after the other."""
    number, stream = options.rows(2_000), "calls"
    holders = [(f"Account {each}", "active", {stream: 2}) for each in range(number)]
    twilio = start_sandbox(stack, holders)
    task = Task(twilio, temporary_folder(stack), [stream], SETTINGS)
    expected, lines = expected_keys(twilio, stream), []
    for of in (1, 2, 4, 8):
        runs = []
        for shard in range(1, of + 1):
            mine = {**SETTINGS, "account_shard": f"{shard} of {of}"}
            runs.append(run(ours(), task._replace(settings=mine)))
        records = sum(one.records for one in runs)
        lines.append(
            (
                of,
                records,
                records - len(expected),
                sum(len(one.requests) for one in runs),
                max(len(one.requests) for one in runs),
                max(one.cpu_seconds for one in runs),
                max(one.memory_mb for one in runs),
                max(one.output.state_bytes for one in runs),
            )
        )
    return table(SHARD_HEADS, lines)


def just_read(sids: Sequence[str]) -> Row:
    """Return the state of messages that a sync of these accounts would have saved just now."""
    cursor = {"date_sent": f"{datetime.now(timezone.utc) - timedelta(hours=1):%Y-%m-%dT%H:%M:01Z}"}
    states = [
        {"partition": {"rows": rows, "account_sid": sid, "parent_slice": {}}, "cursor": cursor}
        for sid in sids
        for rows in ("dated", "undated")
    ]
    return {
        "type": "STREAM",
        "stream": {
            "stream_descriptor": {"name": "messages"},
            "stream_state": {"use_global_cursor": False, "states": states},
        },
    }


HEADS = ("records", "requests", "CPU s", "wall s", "peak MB")
SHARD_HEADS = (
    "shards",
    "records",
    "records less rows",
    "requests of all",
    "of the largest",
    "its CPU s",
    "its peak MB",
    "its state bytes",
)


def figures(one: Run) -> tuple[Any, ...]:
    """Return the cells of a run."""
    return one.records, len(one.requests), one.cpu_seconds, one.seconds, one.memory_mb


def table_with_growth(heads: Sequence[str], lines: list[tuple[Any, ...]], sizes: list[int]) -> str:
    """Return the table, and below it the growth of requests, CPU and memory with the accounts."""
    found = []
    for name in ("requests", "CPU s", "peak MB"):
        column = heads.index(name)
        growth = math.log(lines[-1][column] / lines[-2][column]) / math.log(sizes[-1] / sizes[-2])
        found.append(f"{name} {growth:.2f}")
    last = f"{sizes[-2]:,} to {sizes[-1]:,} accounts"
    return f"{table(heads, lines)}\n\nGrowth exponents from {last}: {', '.join(found)}."
