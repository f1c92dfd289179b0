"""The benchmark: `make bench`, or `make bench ARGS="cpu latency --runs 1"`.

It compares the connector with three others: a plain loop, which is a lower bound of the cost, and
two connectors from PyPI. All read the sandbox, which runs in this process. The candidates take
turns. A figure is the median of the runs, a ratio the median of the ratios of runs in one turn.
Nothing here asserts a time. docs/performance.md explains the figures.
"""

from __future__ import annotations

import argparse
import gc
import os
import platform
import re
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from dev.bench.accounts import accounts
from dev.bench.counting import steady, windows
from dev.bench.daily import daily
from dev.bench.growth import growth
from dev.bench.kills import kills
from dev.bench.large import idle, many, shards
from dev.bench.measuring import Options, log
from dev.bench.reading import cpu, latency, limits
from dev.bench.startup import startup
from dev.bench.tables import write
from dev.bench.week import week

SCENARIOS: dict[str, Callable[[Options, ExitStack], str]] = {
    scenario.__name__: scenario
    for scenario in (
        cpu,
        latency,
        windows,
        steady,
        growth,
        accounts,
        many,
        idle,
        shards,
        limits,
        startup,
        week,
        daily,
        kills,
    )
}


def machine() -> str:
    """Describe the machine."""
    cores = Path("/proc/cpuinfo")
    names = re.findall(r"model name\s*: (.*)", cores.read_text()) if cores.exists() else []
    return (
        f"{os.cpu_count()} cores ({names[0] if names else platform.machine()}), "
        f"{platform.system()}, Python {platform.python_version()}"
    )


def main() -> int:
    """Run the scenarios and print their tables."""
    parser = argparse.ArgumentParser("python -m dev.bench", description=__doc__.partition("\n")[0])
    parser.add_argument("scenarios", nargs="*", metavar="scenario", help=", ".join(SCENARIOS))
    parser.add_argument(
        "--runs", type=int, default=3, help="runs of each candidate (default: %(default)s)"
    )
    parser.add_argument(
        "--competitors",
        choices=("none", "messages", "all"),
        default="messages",
        help="streams that the connectors from PyPI read too (default: %(default)s)",
    )
    parser.add_argument(
        "--scale", type=float, default=1.0, help="factor of all row counts (default: %(default)s)"
    )
    parser.add_argument("--write", type=Path, help="a page to write the tables into, too")
    given = parser.parse_args()
    if unknown := set(given.scenarios) - set(SCENARIOS):
        parser.error(f"unknown scenario: {', '.join(unknown)}; known are {', '.join(SCENARIOS)}")
    options = Options(given.runs, given.competitors, given.scale)
    tables = {"machine": f"{machine()}; {options.runs} runs of each."}
    print(f"{tables['machine']}\n", flush=True)
    for name in given.scenarios or SCENARIOS:
        scenario = SCENARIOS[name]
        title = (scenario.__doc__ or "").partition("\n")[0]
        log(f"{name}: {title}")
        with ExitStack() as stack:
            tables[name] = scenario(options, stack)
        gc.unfreeze()
        print(f"### {name}\n\n{title}\n\n{tables[name]}\n", flush=True)
        if given.write:
            page = given.write.read_text("utf-8")
            for each, figures in tables.items():
                page = write(page, each, figures)
            given.write.write_text(page, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
