"""The completeness test: `make soak`.

Twilio is the sandbox here. It lives through a history that is random, but the same for the same
seed: rows appear, change and vanish, days pass, an account is refused for a while, requests fail,
the connector is killed. After each step the connector syncs from the state that a platform would
have kept. A warehouse merges its records by primary key. In the end the warehouse must hold every
row that Twilio shows, as Twilio shows it, and no other: missing, stale and invented must be 0.

For how long rows change: messages, calls, recordings and usage for `--settle-days`, 14 by default;
a conference until it ends, at any age; a scheduled message until it is sent, fails or is canceled,
up to 35 days later.

`--bugs` puts known bugs of other connectors back, one at a time, and says which of them are caught.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter

from dev.soak.holders import HOLDERS
from dev.soak.known_bugs import BUGS, Bug
from dev.soak.readings import READINGS
from dev.soak.run import Soak


def main() -> int:
    """Run a history for each pair of reading and credentials, or one for each bug."""
    parser = argparse.ArgumentParser("python -m dev.soak", description=__doc__.partition("\n")[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--syncs", type=int, default=25, help="per history")
    parser.add_argument("--kill-share", type=float, default=0.3, help="of the syncs")
    parser.add_argument(
        "--settle-days", type=int, default=14, help="how long rows change; 0 is the lookback"
    )
    parser.add_argument("--bugs", action="store_true", help="put the known bugs back, one by one")
    options = parser.parse_args()
    if options.bugs:
        return sum(missed(bug, options.seed, options.syncs) for bug in BUGS)
    wrong = 0
    for number, (reading, holder) in enumerate(zip(READINGS, HOLDERS, strict=True)):
        seed = options.seed + number
        soak = Soak(seed, options.syncs, reading, holder, settle_days=options.settle_days)
        soak.kill_share = options.kill_share
        report = soak.run()
        print(f"seed {seed}, {holder.name}, {reading}\n  {report}", flush=True)
        for kind in ("missing", "stale", "invented"):
            for line in getattr(report, kind)[:20]:
                print(f"  {kind}: {line}")
        wrong += report.wrong
    return 1 if wrong else 0


def missed(bug: Bug, seed: int, syncs: int) -> bool:
    """Put a bug back; print which streams show it, and return whether none does.

    A bug that does not show gets a second and a third history.
    """
    for number in range(3):
        report = Soak(seed + number, syncs, READINGS[0], bug=bug).run()
        if report.wrong:
            break
    where = Counter(line.split()[0] for line in report.missing + report.stale + report.invented)
    said = ", ".join(f"{name} {count}" for name, count in where.most_common(4))
    print(f"{'caught' if report.wrong else 'MISSED'}  {bug.name}: {said or '-'}", flush=True)
    return not report.wrong


if __name__ == "__main__":
    sys.exit(main())
