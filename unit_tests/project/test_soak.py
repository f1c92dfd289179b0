"""The completeness test in short; `make soak` is the long one."""

from __future__ import annotations

import random
from datetime import timedelta
from email.utils import parsedate_to_datetime

import pytest

from dev.soak.credential_cases import CASES, PACKAGE, CredentialCase
from dev.soak.filter_semantics import SEMANTICS, FilterSemantics
from dev.soak.history import LOOKBACK, History
from dev.soak.known_bugs import BUGS
from dev.soak.run import COUNTS, START, Soak
from sandbox import Sandbox


@pytest.mark.parametrize(
    ("semantics", "case"),
    [
        pytest.param(SEMANTICS[0], CASES[0], id="strictest"),
        pytest.param(
            SEMANTICS[-1],
            CASES[3],
            id="laxest, with a key that may not list accounts",
        ),
    ],
)
def test_nothing_is_missing_stale_or_invented(
    semantics: FilterSemantics, case: CredentialCase
) -> None:
    """Kills and faults included, the warehouse ends up with what Twilio shows."""
    report = Soak(seed=11, syncs=5, semantics=semantics, case=case).run()
    assert report.missing + report.stale + report.invented == []
    assert report.syncs == 5


def test_a_bug_shows() -> None:
    """The soak can fail: rows beyond the first page are missing if the next is not read."""
    [bug] = [bug for bug in BUGS if bug.name == "only the first page"]
    report = Soak(seed=11, syncs=1, semantics=SEMANTICS[0], bug=bug).run()
    short = {"calls", "conferences", "message_media", "messages", "recordings", "usage_records"}
    assert {line.split()[0] for line in report.missing} >= short


def test_each_bug_still_fits() -> None:
    """Each of the known bugs is an edit of the code as it stands."""
    stale = [bug.name for bug in BUGS if bug.old not in (PACKAGE / bug.file).read_text("utf-8")]
    assert stale == []


def test_all_semantics_of_conferences_have_a_history() -> None:
    """Both defaults with both semantics of dates beside Status, under both upper bounds."""
    pairs = {("in-progress", "combined"), ("in-progress", "ignored")}
    pairs |= {("all", "combined"), ("all", "ignored")}
    for bound in ("exclusive", "inclusive"):
        assert {tuple(r[3:5]) for r in SEMANTICS if r.upper_bound == bound} == pairs
    assert len({semantics[:3] for semantics in SEMANTICS}) == len(SEMANTICS) == len(CASES)


# Stream and status of what changes later than the lookback, however the rest settles.
LATE = {
    *(("conferences", status) for status in ("in-progress", "completed")),
    *(("messages", status) for status in ("canceled", "delivered", "failed")),
}
SETTLING = {("calls", "completed"), ("recordings", "completed"), ("recordings", "deleted")}


@pytest.mark.parametrize(
    ("settle_days", "late"), [pytest.param(0, LATE, id="usual"), (14, LATE | SETTLING)]
)
def test_late_changes(settle_days: int, late: set[tuple[str, str]]) -> None:
    """Conferences end at any age, scheduled messages late; the rest settles as it is told to."""
    found, ages, undated = set(), dict.fromkeys(("calls", "recordings"), timedelta()), set()
    with Sandbox(seed=1, counts=COUNTS, scale=0.02, clock=START) as twilio:
        history = History(twilio, random.Random(1), settle_days)
        for _ in range(60):
            history.step()
        for stream in ("calls", "conferences", "messages", "recordings"):
            for account in twilio.accounts:
                for row in twilio.rows(stream, account.sid, {"IncludeSoftDeleted": "true"}):
                    created = parsedate_to_datetime(row["date_created"])
                    updated = parsedate_to_datetime(row["date_updated"])
                    if created < START or updated - created <= LOOKBACK:
                        continue
                    found.add((stream, row["status"]))
                    if stream in ages:
                        ages[stream] = max(ages[stream], updated - created)
                    if stream == "messages" and row["date_sent"] is None:
                        undated.add(row["status"])
    assert (found, undated) == (late, {"canceled", "failed"})
    assert max(ages.values()) <= timedelta(days=settle_days)
