"""The scenarios that read many records: CPU time, wall time, and a limit on requests."""

from __future__ import annotations

from contextlib import ExitStack

from dev.bench.candidates import AIRBYTE, Task, airbyte_competitor, ours, plain_loop, tap_competitor
from dev.bench.measuring import (
    Options,
    Run,
    four_accounts,
    measure_net,
    run_in_turn,
    start_sandbox,
    temporary_folder,
)
from dev.bench.tables import HEADS, common, median_of, ratio, table


def cpu(options: Options, stack: ExitStack) -> str:
    """Full reads of 80,000 records of one stream in four accounts, without latency."""
    streams = ("messages", "calls", "recordings", "usage_records")
    number = options.rows(20_000)
    full = start_sandbox(stack, four_accounts(**dict.fromkeys(streams, number)))
    empty = start_sandbox(stack, four_accounts(**dict.fromkeys(streams, 0)))
    # So many rows of usage are older than the default start date.
    settings = {"start_date": "2010-01-01T00:00:00Z"}
    heads = [*HEADS, "CPU µs/record, whole", "CPU µs/record, net", "peak MB"]
    heads += ["whole × plain loop", "net × plain loop", "whole × Airbyte's"]
    parts = []
    for stream in streams:
        candidates = [ours(), plain_loop()]
        if options.competitors == "all" or (
            options.competitors == "messages" and stream == "messages"
        ):
            candidates += [airbyte_competitor()]
            candidates += [tap_competitor()] if stream != "usage_records" else []
        task = Task(
            full, temporary_folder(stack), [stream], settings if stream == "usage_records" else {}
        )
        found, net = measure_net(candidates, task, empty, options.runs)
        rows = [
            [
                *common(runs),
                median_of(runs, Run.microseconds),
                median_of(runs, net),
                median_of(runs, lambda one: one.memory_mb),
                ratio(found, name, "plain loop", Run.microseconds),
                ratio(found, name, "plain loop", net),
                ratio(found, name, AIRBYTE, Run.microseconds),
            ]
            for name, runs in found.items()
        ]
        parts.append(f"{stream}:\n\n{table(heads, rows)}")
    return "\n\n".join(parts)


def latency(options: Options, stack: ExitStack) -> str:
    """80,000 messages and 20,000 calls in four accounts; each response takes 100 ms."""
    holders = four_accounts(messages=options.rows(20_000), calls=options.rows(5_000))
    twilio = start_sandbox(stack, holders, latency_ms=100)
    candidates = [ours(5), ours(10), ours(20), plain_loop()]
    candidates += [airbyte_competitor()] if options.competitors != "none" else []
    task = Task(twilio, temporary_folder(stack), ["messages", "calls"])
    found = run_in_turn(candidates, task, options.runs)

    def wall(one: Run) -> float:
        return one.seconds

    rows = [
        [
            *common(runs),
            median_of(runs, lambda one: one.cpu_seconds),
            median_of(runs, lambda one: one.memory_mb),
            ratio(found, name, "plain loop", wall),
            ratio(found, name, AIRBYTE, wall),
        ]
        for name, runs in found.items()
    ]
    heads = (*HEADS, "CPU s", "peak MB", "wall × plain loop", "wall × Airbyte's")
    return table(heads, rows)


def limits(options: Options, stack: ExitStack) -> str:
    """120 accounts, eight short lists each; 100 ms a response, 429 beyond 10 at a time."""
    streams = ["addresses", "applications", "calls", "keys", "messages", "queues"]
    streams += ["transcriptions", "usage_triggers"]
    counts = dict.fromkeys(streams, 10)
    holders = [(f"Account {number}", "active", counts) for number in range(options.rows(120))]
    twilio = start_sandbox(stack, holders, latency_ms=100, concurrency_limit=10)
    task = Task(twilio, temporary_folder(stack), streams)
    heads = (*HEADS, "429 of requests", "CPU s", "peak MB")
    parts = []
    for seconds in (1, None):
        twilio.retry_after = seconds
        candidates = [ours(5), ours(10), ours(20), ours(40)]
        found = run_in_turn(candidates, task, options.runs)
        rows = [
            [
                *common(runs),
                f"{median_of(runs, lambda one: one.rate_limited / len(one.requests)):.1%}",
                median_of(runs, lambda one: one.cpu_seconds),
                median_of(runs, lambda one: one.memory_mb),
            ]
            for runs in found.values()
        ]
        heading = f"Retry-After: {seconds}" if seconds else "no Retry-After"
        parts.append(f"{heading}\n\n{table(heads, rows)}")
    return "\n\n".join(parts)
