"""The benchmark: `make bench`, or `make bench ARGS="cpu latency --runs 1"`.

It measures the connector against the embedded Twilio, which runs in this process, beside a plain
loop that is the floor, and two connectors from PyPI. The contenders take turns; what is printed is
the median of the runs, and the median of the ratios of the runs that stood side by side. Nothing
here asserts a time. docs/performance.md says what the figures mean.
"""

from __future__ import annotations

import argparse
import gc
import json
import math
import os
import platform
import re
import resource
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime, timedelta, timezone
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from sandbox import Request, Sandbox
from sandbox.api import ENDPOINTS, ROUTES
from sandbox.data import ACCOUNTS, Holder, seconds_of
from tools.contenders import (
    AIRBYTE,
    ROOT,
    Contender,
    Key,
    Output,
    Row,
    Task,
    airbyte_peer,
    ours,
    parsed,
    plain_loop,
    shown,
    tap_peer,
)

# Beyond this a run is killed, and counts as failed.
LIMIT_SECONDS = 1800
PAGE = 1000
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


# ------------------------------------------------------------------------------------- measuring


class Run(NamedTuple):
    """One run of one contender."""

    name: str
    code: int
    seconds: float  # wall
    cpu_seconds: float  # user and system
    memory_mb: float  # the peak of the resident memory
    first_record_seconds: float | None
    sandbox_cpu_seconds: float
    requests: list[Request]
    output: Output
    missing: int  # rows that Twilio shows, and that did not come

    @property
    def records(self) -> int:
        """The number of records."""
        return sum(self.output.records.values())

    @property
    def refused(self) -> int:
        """The number of requests that were answered 429."""
        return sum(request.status == 429 for request in self.requests)

    def microseconds(self, less: float = 0.0) -> float:
        """Return the CPU time per record, less so many seconds for the start."""
        return (self.cpu_seconds - less) / max(self.records, 1) * 1e6


def run(contender: Contender, task: Task, expected: Mapping[str, set[Key]] | None = None) -> Run:
    """Run a contender once."""
    command = contender.command(task)
    before, cpu = len(task.twilio.requests), own_cpu()
    figures, output = launch(command, task)
    spent = own_cpu() - cpu
    with output.open("rb") as lines:
        printed = parsed(iter(lines))
    output.unlink()
    missing = [keys - printed.keys.get(name, set()) for name, keys in (expected or {}).items()]
    done = Run(
        name=contender.name,
        **figures,
        sandbox_cpu_seconds=spent,
        requests=task.twilio.requests[before:],
        output=printed,
        missing=sum(map(len, missing)),
    )
    took = f"{done.seconds:.1f} s, {done.cpu_seconds:.1f} s CPU"
    say(f"  {done.name}: {done.records:,} records, {took}")
    return done


def launch(command: list[str], task: Task) -> tuple[dict[str, Any], Path]:
    """Run a command; return what it took, and the file with what it printed."""
    output, errors = task.folder / "output", task.folder / "errors"
    launcher = [sys.executable, "-I", "-S", str(Path(__file__).with_name("launch.py"))]
    said = subprocess.run(
        [*launcher, str(LIMIT_SECONDS), str(output), str(errors), *command],
        env={**os.environ, **task.twilio.environment},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=True,
    ).stdout
    figures: dict[str, Any] = json.loads(said)
    if figures["code"]:
        say(f"  exit code {figures['code']}: {errors.read_text('utf-8', 'replace')[-600:]}")
    return figures, output


def own_cpu() -> float:
    """Return the CPU seconds of this process, which are the sandbox's while it waits."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def say(text: str) -> None:
    """Tell how far it is, beside the tables."""
    print(text, file=sys.stderr, flush=True)


Runs = dict[str, list[Run]]


def in_turn(contenders: Sequence[Contender], task: Task, runs: int, compare: bool = True) -> Runs:
    """Run the contenders one after the other, so many times."""
    expected = {name: shown(task.twilio, name) for name in task.streams} if compare else {}
    found: Runs = {contender.name: [] for contender in contenders}
    for number in range(runs):
        say(f" run {number + 1} of {runs}: {', '.join(task.streams)}")
        for contender in contenders:
            found[contender.name].append(run(contender, task, expected))
    return found


def twilio_of(stack: ExitStack, holders: Sequence[Holder], **settings: Any) -> Sandbox:
    """Return a sandbox that lasts as long as the stack."""
    twilio = stack.enter_context(Sandbox(holders=holders, **settings))
    # The rows live as long as the sandbox: the collector need not visit them again and again.
    gc.collect()
    gc.freeze()
    return twilio


def four(**counts: int) -> list[Holder]:
    """Return four accounts that hold so many rows each."""
    return [(f"Account {number}", "active", counts) for number in range(1, 5)]


def folder_of(stack: ExitStack) -> Path:
    """Return a folder that lasts as long as the stack."""
    (ROOT / "build").mkdir(exist_ok=True)
    return Path(stack.enter_context(tempfile.TemporaryDirectory(dir=ROOT / "build")))


# ---------------------------------------------------------------------------------------- tables


def table(heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Return a Markdown table; the first column is text, the others are numbers."""
    lines = ["| " + " | ".join(heads) + " |", "|---|" + "--:|" * (len(heads) - 1)]
    lines += ["| " + " | ".join(map(cell, row)) + " |" for row in rows]
    return "\n".join(lines)


def cell(value: Any) -> str:
    """Return a value as a table shows it."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def mid(runs: Iterable[Run], figure: Callable[[Run], float]) -> float:
    """Return the median of a figure."""
    return float(median(map(figure, runs)))


def ratio(runs: Runs, name: str, to: str, figure: Callable[[Run], float]) -> float | None:
    """Return the median of the ratios of a figure in runs that stood side by side."""
    if name == to or to not in runs:
        return None
    pairs = zip(runs[name], runs[to], strict=True)
    return float(median(figure(one) / max(figure(other), 1e-9) for one, other in pairs))


HEADS = ("contender", "records", "missing", "requests", "429", "wall s", "sandbox CPU/wall")


def common(runs: list[Run]) -> list[Any]:
    """Return the cells that every table begins with; counts are those of the last run."""
    last = runs[-1]
    failed = f" (exit {last.code})" if last.code else ""
    share = mid(runs, lambda one: one.sandbox_cpu_seconds / one.seconds)
    return [
        last.name + failed,
        last.records,
        last.missing,
        len(last.requests),
        last.refused,
        mid(runs, lambda one: one.seconds),
        f"{share:.0%}",
    ]


def kind(request: Request) -> str:
    """Return the list that a request asks for."""
    product = request.host.partition(".")[0]
    for owner, pattern, endpoint in ROUTES:
        if owner == product and pattern.fullmatch(request.path):
            return endpoint.stream
    return request.path


# ------------------------------------------------------------------------------------- scenarios


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
        idle = in_turn(contenders, task._replace(twilio=empty), options.runs, compare=False)
        starts = {name: mid(runs, lambda one: one.cpu_seconds) for name, runs in idle.items()}
        found = in_turn(contenders, task, options.runs)

        def net(one: Run, starts: Mapping[str, float] = starts) -> float:
            return one.microseconds(starts[one.name])

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


def needed(twilio: Sandbox, since: float, streams: Iterable[str]) -> Counter[str]:
    """Return how many requests for each list a perfect client needs when nothing has happened.

    It knows which accounts are closed and asks each list that has what it wants once, page by page:
    a list with a date filter for the rows `since` that POSIX time, a list below a list for each
    parent that can have something. What two streams need it asks for once.
    """
    wanted = set(streams)
    wanted |= {endpoint.parent for endpoint in ENDPOINTS if endpoint.stream in wanted}
    found: Counter[str] = Counter()
    open_accounts = [account.sid for account in twilio.accounts if account.status != "closed"]
    for endpoint in ENDPOINTS:
        if endpoint.stream not in wanted:
            continue
        main_only = endpoint.stream == "accounts" or endpoint.product != "api"
        for account in open_accounts[: 1 if main_only else None]:
            if endpoint.parent:
                parents = twilio.rows(endpoint.parent, account)
                found[endpoint.stream] += sum(has(endpoint.stream, row, since) for row in parents)
                continue
            rows = twilio.rows(endpoint.stream, account)
            if endpoint.dates or any(endpoint.between):
                rows = [row for row in rows if newest(row) >= since]
            found[endpoint.stream] += max(1, math.ceil(len(rows) / PAGE))
    return found


def has(stream: str, parent: Row, since: float) -> bool:
    """Return whether a parent can have rows of the stream that a sync has to fetch."""
    if stream == "conference_participants":
        return bool(parent["status"] != "completed")
    if stream == "message_media":
        return parent["num_media"] != "0" and newest(parent) >= since
    if stream.startswith("available_phone_numbers"):
        return stream.removeprefix("available_phone_numbers_") in parent["subresource_uris"]
    return True


def newest(row: Row) -> float:
    """Return the newest date of a row that a filter can act on, as POSIX time."""
    return max(seconds_of(row[name]) for name in DATES if row.get(name))


DATES = (
    *("date_created", "date_sent", "date_updated", "start_time", "date_generated"),
    *("start_date", "end_date"),
)


def steady(options: Options, stack: ExitStack) -> str:
    """All streams of six accounts: a first sync, and a second when nothing has happened."""
    twilio = twilio_of(stack, ACCOUNTS)
    since = (datetime.now(timezone.utc) - CLOCK_MARGIN - LOOKBACK).timestamp()
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
    since = (datetime.now(timezone.utc) - CLOCK_MARGIN - LOOKBACK).timestamp()
    settings = {"start_date": "2010-01-01T00:00:00Z"}
    first, second = twice(Task(twilio, folder_of(stack), every_stream(), settings))
    runs = {"first sync": first, "idle sync": second}
    return by_kind(runs, needed(twilio, since, every_stream()))


def limits(options: Options, stack: ExitStack) -> str:
    """24 accounts of 400 messages and 100 calls; 100 ms an answer, 429 beyond 10 at a time."""
    counts = {"messages": options.rows(400), "calls": options.rows(100)}
    holders = [(f"Account {number}", "active", counts) for number in range(24)]
    twilio = twilio_of(stack, holders, latency_ms=100, concurrency_limit=10)
    task = Task(twilio, folder_of(stack), ["messages", "calls"])
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
SCENARIOS: dict[str, Callable[[Options, ExitStack], str]] = {
    scenario.__name__: scenario for scenario in (cpu, latency, windows, steady, limits, startup)
}


def machine() -> str:
    """Describe where the figures come from."""
    cores = Path("/proc/cpuinfo")
    names = re.findall(r"model name\s*: (.*)", cores.read_text()) if cores.exists() else []
    return (
        f"{os.cpu_count()} cores ({names[0] if names else platform.machine()}), "
        f"{platform.system()}, Python {platform.python_version()}"
    )


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
    given = parser.parse_args()
    if unknown := set(given.scenarios) - set(SCENARIOS):
        parser.error(f"no such scenario: {', '.join(unknown)}; there are {', '.join(SCENARIOS)}")
    options = Options(given.runs, given.peers, given.scale)
    print(f"{machine()}; {options.runs} runs\n", flush=True)
    for name in given.scenarios or SCENARIOS:
        scenario = SCENARIOS[name]
        title = (scenario.__doc__ or "").partition("\n")[0]
        say(f"{name}: {title}")
        with ExitStack() as stack:
            print(f"### {name}\n\n{title}\n\n{scenario(options, stack)}\n", flush=True)
        gc.unfreeze()
    return 0


if __name__ == "__main__":
    sys.exit(main())
