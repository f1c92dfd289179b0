"""The completeness test in short; `make soak` is the long one."""

from __future__ import annotations

import pytest

from tools.known_bugs import BUGS
from tools.soak import HOLDERS, PACKAGE, READINGS, Holder, Reading, Soak


@pytest.mark.parametrize(
    ("reading", "holder"),
    [
        pytest.param(READINGS[0], HOLDERS[0], id="strictest"),
        pytest.param(READINGS[-1], HOLDERS[3], id="laxest, with a key that may not list accounts"),
    ],
)
def test_nothing_is_missing_stale_or_invented(reading: Reading, holder: Holder) -> None:
    """Kills and faults included, the warehouse ends up with what Twilio shows."""
    report = Soak(seed=11, syncs=5, reading=reading, holder=holder).run()
    assert report.missing + report.stale + report.invented == []
    assert report.syncs == 5


def test_a_bug_shows() -> None:
    """The soak can fail: rows beyond the first page are missing if the next is not asked for."""
    [bug] = [bug for bug in BUGS if bug.name == "only the first page"]
    report = Soak(seed=11, syncs=1, reading=READINGS[0], bug=bug).run()
    short = {"calls", "conferences", "message_media", "messages", "recordings", "usage_records"}
    assert {line.split()[0] for line in report.missing} == short


def test_each_bug_still_fits() -> None:
    """Each of the known bugs is an edit of the code as it stands."""
    stale = [bug.name for bug in BUGS if bug.old not in (PACKAGE / bug.file).read_text("utf-8")]
    assert stale == []
