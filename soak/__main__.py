"""The completeness test: `make soak`.

Twilio (the sandbox) lives through a random but seeded history: rows appear, change and vanish, the
clock moves on, an account is refused for a while, requests fail, the connector is killed. After
each step the connector syncs, from the state that a platform would have kept, and what it emitted
is merged by primary key as a warehouse would. In the end the warehouse must hold every row that
Twilio shows, as Twilio shows it, and nothing else: missing, stale and invented must be 0.

Messages, calls and recordings change for `--settle-days`, 14 by default; other rows within the
lookback of the connector. Two kinds change later too, as at Twilio: a conference ends at any age,
and a scheduled message is sent or canceled weeks after its creation.

`--bugs` puts known bugs of other connectors back, one at a time, and says which of them it catches.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter

from soak.holders import HOLDERS, READINGS
from soak.known_bugs import BUGS, Bug
from soak.syncs import Soak


def main() -> int:
    """Run a history for each reading of the date filters and kind of credentials, or each bug."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
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

    A rare one gets a second and a third history.
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
