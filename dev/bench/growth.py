"""The scenario with more and more messages, and with more and more subaccounts."""

from __future__ import annotations

import math
from contextlib import ExitStack
from statistics import median

from dev.bench.candidates import Task, airbyte_competitor, ours, plain_loop
from dev.bench.counting import idle_since
from dev.bench.measuring import (
    Options,
    four_accounts,
    log,
    measure_net,
    run,
    run_in_turn,
    start_sandbox,
    temporary_folder,
)
from dev.bench.perfect_client import requests_needed
from dev.bench.tables import HEADS, common, median_of, ratio, table


def growth(options: Options, stack: ExitStack) -> str:
    """10,000 to 1,000,000 messages in four accounts, and 1 to 500 subaccounts of few rows."""
    return f"{messages_growth(options, stack)}\n\n{accounts_growth(options, stack)}"


def messages_growth(options: Options, stack: ExitStack) -> str:
    """Return the table of 10,000 to 1,000,000 messages."""
    empty = start_sandbox(stack, four_accounts(messages=0))
    rows = []
    for number in (10_000, 100_000, 1_000_000):
        with ExitStack() as inner:
            log(f" {options.rows(number):,} messages")
            twilio = start_sandbox(inner, four_accounts(messages=options.rows(number // 4)))
            task = Task(twilio, temporary_folder(inner), ["messages"])
            candidates = [ours(), plain_loop()]
            found, net = measure_net(candidates, task, empty, options.runs)
            state = found["ours"][-1].output.state_file()
            again = run(ours(), task._replace(state=state))
            least = requests_needed(twilio, idle_since(), ["accounts", "messages"])
            for name, runs in found.items():
                mine = name == "ours"
                rows.append(
                    [
                        *common(runs),
                        median_of(runs, net),
                        median_of(runs, lambda one: one.memory_mb),
                        ratio(found, name, "plain loop", net),
                        runs[-1].output.state_bytes if mine else None,
                        len(again.requests) if mine else None,
                        sum(least.values()) if mine else None,
                    ]
                )
    heads = [*HEADS, "CPU µs/record, net", "peak MB", "net × plain loop", "state bytes"]
    return table([*heads, "requests, idle sync", "least, idle sync"], rows)


HANDFUL = {"messages": 12, "calls": 8, "incoming_phone_numbers": 2, "usage_records": 10}


def accounts_growth(options: Options, stack: ExitStack) -> str:
    """Return the table of 1 to 500 subaccounts."""
    rows = []
    for number in (1, 50, 500):
        with ExitStack() as inner:
            log(f" {number} subaccounts")
            holders = [(f"Account {each}", "active", HANDFUL) for each in range(number + 1)]
            task = Task(start_sandbox(inner, holders), temporary_folder(inner), list(HANDFUL))
            candidates = [ours()] + ([airbyte_competitor()] if options.competitors == "all" else [])
            for runs in run_in_turn(candidates, task, options.runs).values():
                first = [one.first_record_seconds or math.nan for one in runs]
                rows.append(
                    [
                        *common(runs),
                        float(median(first)),
                        median_of(runs, lambda one: one.cpu_seconds),
                        median_of(runs, lambda one: one.memory_mb),
                        runs[-1].output.state_bytes,
                    ]
                )
                rows[-1][0] += f", subaccounts: {number}"
    return table([*HEADS, "first record s", "CPU s", "peak MB", "state bytes"], rows)
