"""The scenarios that read many records: CPU time, wall time, and a limit on requests."""

from __future__ import annotations

from contextlib import ExitStack

from dev.bench.contenders import AIRBYTE, Task, airbyte_peer, ours, plain_loop, tap_peer
from dev.bench.measuring import Options, Run, beside_empty, folder_of, four, in_turn, twilio_of
from dev.bench.tables import HEADS, common, mid, ratio, table


def cpu(options: Options, stack: ExitStack) -> str:
    """Full reads of 80,000 records of one stream in four accounts, without latency."""
    streams = ("messages", "calls", "recordings", "usage_records")
    number = options.rows(20_000)
    full = twilio_of(stack, four(**dict.fromkeys(streams, number)))
    empty = twilio_of(stack, four(**dict.fromkeys(streams, 0)))
    # So many rows of usage go back further than the usual start date.
    settings = {"start_date": "2010-01-01T00:00:00Z"}
    heads = [*HEADS, "CPU µs/record, whole", "CPU µs/record, net", "peak MB"]
    heads += ["whole × plain loop", "net × plain loop", "whole × Airbyte's"]
    parts = []
    for stream in streams:
        contenders = [ours(), plain_loop()]
        if options.peers == "all" or (options.peers == "messages" and stream == "messages"):
            contenders += [airbyte_peer()]
            contenders += [tap_peer()] if stream != "usage_records" else []
        task = Task(full, folder_of(stack), [stream], settings if stream == "usage_records" else {})
        found, net = beside_empty(contenders, task, empty, options.runs)
        rows = [
            [
                *common(runs),
                mid(runs, Run.microseconds),
                mid(runs, net),
                mid(runs, lambda one: one.memory_mb),
                ratio(found, name, "plain loop", Run.microseconds),
                ratio(found, name, "plain loop", net),
                ratio(found, name, AIRBYTE, Run.microseconds),
            ]
            for name, runs in found.items()
        ]
        parts.append(f"{stream}:\n\n{table(heads, rows)}")
    return "\n\n".join(parts)


def latency(options: Options, stack: ExitStack) -> str:
    """80,000 messages and 20,000 calls in four accounts; each answer takes 100 ms."""
    holders = four(messages=options.rows(20_000), calls=options.rows(5_000))
    twilio = twilio_of(stack, holders, latency_ms=100)
    contenders = [ours(5), ours(10), ours(20), plain_loop()]
    contenders += [airbyte_peer()] if options.peers != "none" else []
    task = Task(twilio, folder_of(stack), ["messages", "calls"])
    found = in_turn(contenders, task, options.runs)

    def wall(one: Run) -> float:
        return one.seconds

    rows = [
        [
            *common(runs),
            mid(runs, lambda one: one.cpu_seconds),
            mid(runs, lambda one: one.memory_mb),
            ratio(found, name, "plain loop", wall),
            ratio(found, name, AIRBYTE, wall),
        ]
        for name, runs in found.items()
    ]
    heads = (*HEADS, "CPU s", "peak MB", "wall × plain loop", "wall × Airbyte's")
    return table(heads, rows)


def limits(options: Options, stack: ExitStack) -> str:
    """120 accounts, eight short lists each; 100 ms an answer, 429 beyond 10 at a time."""
    streams = ["addresses", "applications", "calls", "keys", "messages", "queues"]
    streams += ["transcriptions", "usage_triggers"]
    counts = dict.fromkeys(streams, 10)
    holders = [(f"Account {number}", "active", counts) for number in range(options.rows(120))]
    twilio = twilio_of(stack, holders, latency_ms=100, concurrency_limit=10)
    task = Task(twilio, folder_of(stack), streams)
    heads = (*HEADS, "429 of requests", "CPU s", "peak MB")
    parts = []
    for seconds in (1, None):
        twilio.retry_after = seconds
        contenders = [ours(5), ours(10), ours(20), ours(40)]
        found = in_turn(contenders, task, options.runs)
        rows = [
            [
                *common(runs),
                f"{mid(runs, lambda one: one.refused / len(one.requests)):.1%}",
                mid(runs, lambda one: one.cpu_seconds),
                mid(runs, lambda one: one.memory_mb),
            ]
            for runs in found.values()
        ]
        said = f"Retry-After: {seconds}" if seconds else "no Retry-After"
        parts.append(f"{said}\n\n{table(heads, rows)}")
    return "\n\n".join(parts)
