"""The completeness test: `make soak`.

It replays random changes in the sandbox, the same for the same seed: rows are created, changed and
deleted, days pass, an account is refused for a while. It kills syncs and injects faults. Each sync
starts from the state that a platform would have saved, and a warehouse merges the records by
primary key. At the end the warehouse must hold every row of Twilio, unchanged, and no other:
missing, stale and invented must be 0.

Rows change for as long as Twilio's do: messages, calls, recordings and usage for `--settle-days`;
a conference until it ends, at any age; a scheduled message until it is sent, fails or is canceled,
up to 35 days later.

`--bugs` applies known bugs of other connectors, one at a time, and prints which of them are caught.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter

from dev.soak.credential_cases import CASES
from dev.soak.filter_semantics import SEMANTICS
from dev.soak.known_bugs import BUGS, Bug
from dev.soak.run import Soak


def main() -> int:
    """Run a history for each pair of filter semantics and credentials, or one for each bug."""
    parser = argparse.ArgumentParser("python -m dev.soak", description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--seed", type=int, default=1, help="of the first history (default: %(default)s)"
    )
    parser.add_argument(
        "--syncs", type=int, default=25, help="of each history (default: %(default)s)"
    )
    parser.add_argument(
        "--kill-share",
        type=float,
        default=0.3,
        help="share of the syncs that are killed, 0 to 1 (default: %(default)s)",
    )
    parser.add_argument(
        "--settle-days",
        type=int,
        default=14,
        help="days for which rows change; 0 means the lookback (default: %(default)s)",
    )
    parser.add_argument("--bugs", action="store_true", help="apply the known bugs, one by one")
    options = parser.parse_args()
    if options.bugs:
        return sum(missed(bug, options.seed, options.syncs) for bug in BUGS)
    wrong = 0
    for number, (semantics, case) in enumerate(zip(SEMANTICS, CASES, strict=True)):
        seed = options.seed + number
        soak = Soak(seed, options.syncs, semantics, case, settle_days=options.settle_days)
        soak.kill_share = options.kill_share
        report = soak.run()
        print(f"seed {seed}, {case.name}, {semantics}\n  {report}", flush=True)
        for kind in ("missing", "stale", "invented"):
            for line in getattr(report, kind)[:20]:
                print(f"  {kind}: {line}")
        wrong += report.wrong
    return 1 if wrong else 0


def missed(bug: Bug, seed: int, syncs: int) -> bool:
    """Apply a bug; print in which streams it is caught, and return whether in none.

    A bug that is not caught gets a second and a third history.
    """
    for number in range(3):
        report = Soak(seed + number, syncs, SEMANTICS[0], bug=bug).run()
        if report.wrong:
            break
    streams = Counter(line.split()[0] for line in report.missing + report.stale + report.invented)
    text = ", ".join(f"{name} {count}" for name, count in streams.most_common(4))
    print(f"{'caught' if report.wrong else 'MISSED'}  {bug.name}: {text or '-'}", flush=True)
    return not report.wrong


if __name__ == "__main__":
    sys.exit(main())
