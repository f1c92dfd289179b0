"""Runs a contender, and measures what it took."""

from __future__ import annotations

import gc
import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from dev.bench import ROOT
from dev.bench.contenders import Contender, Task
from dev.bench.printed import Key, Output, parsed, shown
from sandbox import Request, Sandbox
from sandbox.data import Holder

# A run that takes longer is killed and counts as failed.
LIMIT_SECONDS = 1800


class Options(NamedTuple):
    """What the command line asks for."""

    runs: int
    peers: str
    scale: float

    def rows(self, number: int) -> int:
        """Return a number of rows at the scale."""
        return round(number * self.scale)


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
    missing: int  # rows that Twilio shows and the contender did not print

    @property
    def records(self) -> int:
        """The number of records."""
        return sum(self.output.records.values())

    @property
    def refused(self) -> int:
        """The number of requests that were answered 429."""
        return sum(request.status == 429 for request in self.requests)

    def microseconds(self, less: float = 0.0) -> float:
        """Return the CPU time per record, after `less` seconds are taken off for the start."""
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
    # There may be a million keys in each run.
    printed.keys.clear()
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
    """Return the CPU seconds of this process. While a contender runs, they are the sandbox's."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def say(text: str) -> None:
    """Print progress to standard error; standard output is for the tables."""
    print(text, file=sys.stderr, flush=True)


Runs = dict[str, list[Run]]


def in_turn(contenders: Sequence[Contender], task: Task, runs: int, compare: bool = True) -> Runs:
    """Run the contenders one after the other, `runs` times."""
    expected = {name: shown(task.twilio, name) for name in task.streams} if compare else {}
    found: Runs = {contender.name: [] for contender in contenders}
    for number in range(runs):
        say(f" run {number + 1} of {runs}: {', '.join(task.streams)}")
        for contender in contenders:
            found[contender.name].append(run(contender, task, expected))
    return found


def beside_empty(
    contenders: Sequence[Contender], task: Task, empty: Sandbox, runs: int
) -> tuple[Runs, Callable[[Run], float]]:
    """Run the contenders; return the runs, and a function that gives the net figure of a run.

    The net figure is in CPU microseconds per record. The median CPU time that the same contender
    takes where the lists are empty is taken off.
    """
    idle = in_turn(contenders, task._replace(twilio=empty), runs, compare=False)
    starts = {name: float(median(one.cpu_seconds for one in those)) for name, those in idle.items()}
    return in_turn(contenders, task, runs), lambda one: one.microseconds(starts[one.name])


def twilio_of(stack: ExitStack, holders: Sequence[Holder], **settings: Any) -> Sandbox:
    """Return a sandbox that lasts as long as the stack."""
    twilio = stack.enter_context(Sandbox(holders=holders, **settings))
    # The rows live as long as the sandbox, so the garbage collector need not look at them.
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
