"""Time and memory: a record, a page, many rows, many accounts, limits, the start."""

from __future__ import annotations

import math
import sys
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any

from bench.contenders import AIRBYTE, Task, airbyte_peer, ours, plain_loop, tap_peer
from bench.measuring import (
    HEADS,
    Run,
    beside_empty,
    common,
    folder_of,
    four,
    in_turn,
    launch,
    mid,
    ratio,
    run,
    say,
    table,
    twilio_of,
)
from bench.options import Options
from bench.perfect_client import needed
from bench.requests_made import idle_since
from sandbox.data import ACCOUNTS


def cpu(options: Options, stack: ExitStack) -> str:
    """Full reads of 80,000 records of one stream in four accounts, without latency."""
    streams = ("messages", "calls", "recordings", "usage_records")
    number = options.rows(20_000)
    full = twilio_of(stack, four(**dict.fromkeys(streams, number)))
    empty = twilio_of(stack, four(**dict.fromkeys(streams, 0)))
    # So many days of usage reach further back than a year.
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


def growth(options: Options, stack: ExitStack) -> str:
    """10,000 to 1,000,000 messages in four accounts, and 1 to 500 subaccounts of few rows."""
    return f"{messages_growth(options, stack)}\n\n{accounts_growth(options, stack)}"


def messages_growth(options: Options, stack: ExitStack) -> str:
    """Return the table of ever more messages."""
    empty = twilio_of(stack, four(messages=0))
    rows = []
    for number in (10_000, 100_000, 1_000_000):
        with ExitStack() as inner:
            say(f" {options.rows(number):,} messages")
            twilio = twilio_of(inner, four(messages=options.rows(number // 4)))
            task = Task(twilio, folder_of(inner), ["messages"])
            contenders = [ours(), plain_loop()]
            found, net = beside_empty(contenders, task, empty, options.runs)
            state = found["ours"][-1].output.state_file()
            again = run(ours(), task._replace(state=state))
            least = needed(twilio, idle_since(), ["accounts", "messages"])
            for name, runs in found.items():
                mine = name == "ours"
                rows.append(
                    [
                        *common(runs),
                        mid(runs, net),
                        mid(runs, lambda one: one.memory_mb),
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
    """Return the table of ever more subaccounts."""
    rows = []
    for number in (1, 50, 500):
        with ExitStack() as inner:
            say(f" {number} subaccounts")
            holders = [(f"Account {each}", "active", HANDFUL) for each in range(number + 1)]
            task = Task(twilio_of(inner, holders), folder_of(inner), list(HANDFUL))
            contenders = [ours()] + ([airbyte_peer()] if options.peers == "all" else [])
            for runs in in_turn(contenders, task, options.runs).values():
                first = [one.first_record_seconds or math.nan for one in runs]
                rows.append(
                    [
                        *common(runs),
                        float(median(first)),
                        mid(runs, lambda one: one.cpu_seconds),
                        mid(runs, lambda one: one.memory_mb),
                        runs[-1].output.state_bytes,
                    ]
                )
                rows[-1][0] += f", subaccounts: {number}"
    return table([*HEADS, "first record s", "CPU s", "peak MB", "state bytes"], rows)


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


ONE_STREAM = {
    "version": "7.39.0",
    "type": "DeclarativeSource",
    "check": {"type": "CheckStream", "stream_names": ["accounts"]},
    "streams": [
        {
            "type": "DeclarativeStream",
            "name": "accounts",
            "primary_key": "sid",
            "schema_loader": {"type": "InlineSchemaLoader", "schema": {"type": "object"}},
            "retriever": {
                "type": "SimpleRetriever",
                "requester": {
                    "type": "HttpRequester",
                    "url": "https://api.twilio.com/2010-04-01/Accounts.json",
                    "authenticator": {
                        "type": "BasicHttpAuthenticator",
                        "username": "{{ config['account_sid'] }}",
                        "password": "{{ config['auth_token'] }}",
                    },
                },
                "record_selector": {
                    "type": "RecordSelector",
                    "extractor": {"type": "DpathExtractor", "field_path": ["accounts"]},
                },
            },
        }
    ],
    "spec": {
        "type": "Spec",
        "connection_specification": {"type": "object", "properties": {}},
    },
}


def startup(options: Options, stack: ExitStack) -> str:
    """`spec` and `check`, beside those of a manifest of one stream in the CDK's runner."""
    twilio = twilio_of(stack, ACCOUNTS[:1], scale=0)
    task = Task(twilio, folder_of(stack), [])
    program, runner = (
        str(Path(sys.executable).with_name(name))
        for name in ("source-twilio", "source-declarative-manifest")
    )
    manifest = ["--manifest-path", task.file("manifest.yaml", ONE_STREAM)]
    config = ["--config", task.config()]
    commands = {
        "ours: spec": [program, "spec"],
        "one stream: spec": [runner, "spec", *manifest],
        "ours: check": [program, "check", *config],
        "one stream: check": [runner, "check", *config, *manifest],
    }
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in commands}
    for _ in range(options.runs):
        for name, command in commands.items():
            figures, output = launch(command, task)
            output.unlink()
            say(f"  {name}: {figures['seconds']:.2f} s, {figures['cpu_seconds']:.2f} s CPU")
            found[name].append(figures)
    rows = []
    for name, runs in found.items():
        other = found[name.replace("ours", "one stream")]
        row: list[Any] = [name + (f" (exit {runs[-1]['code']})" if runs[-1]["code"] else "")]
        row += [float(median(one[figure] for one in runs)) for figure in FIGURES]
        if name.startswith("ours"):
            pairs = zip(runs, other, strict=True)
            row.append(float(median(a["cpu_seconds"] / b["cpu_seconds"] for a, b in pairs)))
        else:
            row.append(None)
        rows.append(row)
    return table(("command", "wall s", "CPU s", "peak MB", "CPU × one stream"), rows)


FIGURES = ("seconds", "cpu_seconds", "memory_mb")
