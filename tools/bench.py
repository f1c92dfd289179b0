"""The benchmark: `make bench`, or `make bench ARGS="cpu latency --runs 1"`.

It measures the connector against the embedded Twilio, which runs in this process, beside a plain
loop that is the floor, and two connectors from PyPI. The contenders take turns; what is printed is
the median of the runs, and the median of the ratios of the runs that stood side by side. Nothing
here asserts a time. docs/performance.md says what the figures mean.
"""

from __future__ import annotations

import argparse
import gc
import math
import os
import platform
import re
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import datetime, timedelta, timezone
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from sandbox.api import ENDPOINTS
from sandbox.data import ACCOUNTS
from tools.contenders import AIRBYTE, Task, airbyte_peer, ours, plain_loop, shown, tap_peer
from tools.measuring import (
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
from tools.perfect_client import kind, needed
from tools.week import HEADS as HEADS_OF_WEEK
from tools.week import lines as lines_of_week

LOOKBACK = timedelta(days=1)  # the connector's default
CLOCK_MARGIN = timedelta(hours=1)  # how far before now its cursors stop


class Options(NamedTuple):
    """What the command line asks for."""

    runs: int
    peers: str
    scale: float

    def rows(self, number: int) -> int:
        """Return a number of rows at the scale."""
        return round(number * self.scale)


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


def every_stream() -> list[str]:
    """Return the names of all streams, which are the sandbox's lists."""
    return [endpoint.stream for endpoint in ENDPOINTS]


def idle_since() -> float:
    """Return from when on a sync reads that follows one right now, as POSIX time."""
    return (datetime.now(timezone.utc) - CLOCK_MARGIN - LOOKBACK).timestamp()


def twice(task: Task) -> tuple[Run, Run]:
    """Return a first sync, and one right after it, when nothing has happened."""
    first = run(ours(), task, {name: shown(task.twilio, name) for name in task.streams})
    return first, run(ours(), task._replace(state=first.output.state_file()))


def by_kind(runs: Mapping[str, Run], least: Mapping[str, int]) -> str:
    """Return the numbers of requests for each list, and the least that would do."""
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


def steady(options: Options, stack: ExitStack) -> str:
    """All streams of six accounts: a first sync, and a second when nothing has happened."""
    twilio = twilio_of(stack, ACCOUNTS)
    since = idle_since()
    first, second = twice(Task(twilio, folder_of(stack), every_stream()))
    runs = {"first sync": first, "idle sync": second}
    closed = [account.sid for account in twilio.accounts if account.status == "closed"]
    refused = sum(any(sid in request.path for sid in closed) for request in second.requests)
    lines = [
        by_kind(runs, needed(twilio, since, every_stream())),
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
    twilio = twilio_of(stack, [("Old", "active", {})])
    since = idle_since()
    settings = {"start_date": "2010-01-01T00:00:00Z"}
    first, second = twice(Task(twilio, folder_of(stack), every_stream(), settings))
    runs = {"first sync": first, "idle sync": second}
    return by_kind(runs, needed(twilio, since, every_stream()))


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


def week(options: Options, stack: ExitStack) -> str:
    """A week of syncs, hourly and daily, of an account with 2,100 messages and calls a day."""
    return table(HEADS_OF_WEEK, [*lines_of_week()])


FIGURES = ("seconds", "cpu_seconds", "memory_mb")
SCENARIOS: dict[str, Callable[[Options, ExitStack], str]] = {
    scenario.__name__: scenario
    for scenario in (cpu, latency, windows, steady, growth, limits, startup, week)
}


def machine() -> str:
    """Describe where the figures come from."""
    cores = Path("/proc/cpuinfo")
    names = re.findall(r"model name\s*: (.*)", cores.read_text()) if cores.exists() else []
    return (
        f"{os.cpu_count()} cores ({names[0] if names else platform.machine()}), "
        f"{platform.system()}, Python {platform.python_version()}"
    )


def put(text: str, name: str, figures: str) -> str:
    """Return a page with the figures between the marks of that name, if it has them."""
    marks = re.compile(rf"(<!-- bench {name} -->\n).*?(<!-- end -->)", re.DOTALL)
    return marks.sub(lambda found: f"{found[1]}\n{figures}\n\n{found[2]}", text)


def main() -> int:
    """Run the scenarios and print their tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("scenarios", nargs="*", metavar="scenario", help=", ".join(SCENARIOS))
    parser.add_argument("--runs", type=int, default=3, help="of each contender, in turn")
    parser.add_argument(
        "--peers",
        choices=("none", "messages", "all"),
        default="messages",
        help="which streams the connectors from PyPI read too",
    )
    parser.add_argument("--scale", type=float, default=1.0, help="factor on the numbers of rows")
    parser.add_argument("--write", type=Path, help="a page to put the tables into as well")
    given = parser.parse_args()
    if unknown := set(given.scenarios) - set(SCENARIOS):
        parser.error(f"no such scenario: {', '.join(unknown)}; there are {', '.join(SCENARIOS)}")
    options = Options(given.runs, given.peers, given.scale)
    tables = {"machine": f"{machine()}; {options.runs} runs of each."}
    print(f"{tables['machine']}\n", flush=True)
    for name in given.scenarios or SCENARIOS:
        scenario = SCENARIOS[name]
        title = (scenario.__doc__ or "").partition("\n")[0]
        say(f"{name}: {title}")
        with ExitStack() as stack:
            tables[name] = scenario(options, stack)
        gc.unfreeze()
        print(f"### {name}\n\n{title}\n\n{tables[name]}\n", flush=True)
        if given.write:
            page = given.write.read_text("utf-8")
            for each, figures in tables.items():
                page = put(page, each, figures)
            given.write.write_text(page, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
