"""Runs a candidate, and measures time, CPU and memory."""

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
from dev.bench.candidates import Candidate, Task
from dev.bench.output import Key, Output, expected_keys, parse_output
from sandbox import Request, Sandbox
from sandbox.data import AccountSpec

# A run that takes longer is killed and counts as failed.
LIMIT_SECONDS = 1800


class Options(NamedTuple):
    """The options of the command line."""

    runs: int
    competitors: str
    scale: float

    def rows(self, number: int) -> int:
        """Return a number of rows, scaled."""
        return round(number * self.scale)


class Run(NamedTuple):
    """One run of one candidate."""

    name: str
    code: int
    seconds: float  # wall
    cpu_seconds: float  # user and system
    memory_mb: float  # the peak of the resident memory
    first_record_seconds: float | None
    sandbox_cpu_seconds: float
    requests: list[Request]
    output: Output
    missing: int  # rows of Twilio that the candidate did not print

    @property
    def records(self) -> int:
        """The number of records."""
        return sum(self.output.records.values())

    @property
    def rate_limited(self) -> int:
        """The number of 429 responses."""
        return sum(request.status == 429 for request in self.requests)

    def microseconds(self, startup: float = 0.0) -> float:
        """Return the CPU time per record, without the seconds of the start."""
        return (self.cpu_seconds - startup) / max(self.records, 1) * 1e6


def run(candidate: Candidate, task: Task, expected: Mapping[str, set[Key]] | None = None) -> Run:
    """Run a candidate once."""
    command = candidate.command(task)
    before, cpu = len(task.twilio.requests), own_cpu()
    figures, output = launch(command, task)
    sandbox_cpu = own_cpu() - cpu
    with output.open("rb") as lines:
        printed = parse_output(iter(lines))
    output.unlink()
    missing = [keys - printed.keys.get(name, set()) for name, keys in (expected or {}).items()]
    # A run may have a million keys.
    printed.keys.clear()
    done = Run(
        name=candidate.name,
        **figures,
        sandbox_cpu_seconds=sandbox_cpu,
        requests=task.twilio.requests[before:],
        output=printed,
        missing=sum(map(len, missing)),
    )
    time = f"{done.seconds:.1f} s, {done.cpu_seconds:.1f} s CPU"
    log(f"  {done.name}: {done.records:,} records, {time}")
    return done


def launch(command: list[str], task: Task) -> tuple[dict[str, Any], Path]:
    """Run a command; return its figures, and the file with its output."""
    output, errors = task.folder / "output", task.folder / "errors"
    launcher = [sys.executable, "-I", "-S", str(Path(__file__).with_name("launch.py"))]
    printed = subprocess.run(
        [*launcher, str(LIMIT_SECONDS), str(output), str(errors), *command],
        env={**os.environ, **task.twilio.environment},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=True,
    ).stdout
    figures: dict[str, Any] = json.loads(printed)
    if figures["code"]:
        log(f"  exit code {figures['code']}: {errors.read_text('utf-8', 'replace')[-600:]}")
    return figures, output


def own_cpu() -> float:
    """Return the CPU seconds of this process. While a candidate runs, they are the sandbox's."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def log(text: str) -> None:
    """Print progress to stderr; stdout is for the tables."""
    print(text, file=sys.stderr, flush=True)


Runs = dict[str, list[Run]]


def run_in_turn(
    candidates: Sequence[Candidate], task: Task, runs: int, compare: bool = True
) -> Runs:
    """Run the candidates one after the other, `runs` times."""
    expected = {name: expected_keys(task.twilio, name) for name in task.streams} if compare else {}
    found: Runs = {candidate.name: [] for candidate in candidates}
    for number in range(runs):
        log(f" run {number + 1} of {runs}: {', '.join(task.streams)}")
        for candidate in candidates:
            found[candidate.name].append(run(candidate, task, expected))
    return found


def measure_net(
    candidates: Sequence[Candidate], task: Task, empty: Sandbox, runs: int
) -> tuple[Runs, Callable[[Run], float]]:
    """Run the candidates; return the runs, and a function that gives the net figure of a run.

    The net figure is the CPU time per record in microseconds, without the median CPU time that the
    same candidate takes for empty lists.
    """
    idle = run_in_turn(candidates, task._replace(twilio=empty), runs, compare=False)
    starts = {name: float(median(one.cpu_seconds for one in those)) for name, those in idle.items()}
    return run_in_turn(candidates, task, runs), lambda one: one.microseconds(starts[one.name])


def start_sandbox(stack: ExitStack, holders: Sequence[AccountSpec], **settings: Any) -> Sandbox:
    """Start a sandbox that ends with the stack."""
    twilio = stack.enter_context(Sandbox(account_specs=holders, **settings))
    # The rows stay as long as the sandbox: the garbage collector need not scan them.
    gc.collect()
    gc.freeze()
    return twilio


def four_accounts(**counts: int) -> list[AccountSpec]:
    """Return four accounts with so many rows each."""
    return [(f"Account {number}", "active", counts) for number in range(1, 5)]


def temporary_folder(stack: ExitStack) -> Path:
    """Create a folder that is removed with the stack."""
    (ROOT / "build").mkdir(exist_ok=True)
    return Path(stack.enter_context(tempfile.TemporaryDirectory(dir=ROOT / "build")))
