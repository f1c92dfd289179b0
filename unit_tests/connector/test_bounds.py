"""Windows and rows without a date: every row arrives once."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
import time_machine

from sandbox import Sandbox
from unit_tests.conftest import NOW
from unit_tests.support.contract import (
    DATED,
    DAY,
    END,
    HOUR,
    MINUTE,
    SECOND,
    START,
    UNDATED,
    Make,
    Row,
    _haste,
    add,
    arrived,
    asked,
    config,
    cursors,
    identity,
    opened,
    queries,
    shown,
    sids,
    status,
    text,
    twilio,
)
from unit_tests.support.reading import final_state, problems, read, records

__all__ = ["_haste", "opened", "twilio"]
# Start date and length of the windows.
WINDOWS = {
    "messages": (START, 30 * DAY),
    "calls": (datetime(2025, 7, 1, tzinfo=timezone.utc), 90 * DAY),
    "recordings": (datetime(2024, 6, 1, tzinfo=timezone.utc), 365 * DAY),
    "conferences": (datetime(2024, 6, 1, tzinfo=timezone.utc), 365 * DAY),
    "usage_records": (datetime(2024, 6, 1, tzinfo=timezone.utc), 365 * DAY),
    "alerts": (datetime(2026, 1, 1, tzinfo=timezone.utc), DAY),
}


def edges(start: datetime, step: timedelta) -> list[datetime]:
    """Return the moments where windows meet, the last second of each, and those about now."""
    today = NOW.replace(hour=0)
    moments = [today - SECOND, today, today + SECOND, NOW - HOUR - SECOND, NOW - HOUR]
    moments += [NOW - HOUR + SECOND, NOW - SECOND, NOW]
    while start < NOW:
        moments += [start, start + SECOND, start + step - SECOND, start + step - DAY]
        start += step
    return sorted({moment for moment in moments if moment <= NOW})


@pytest.mark.parametrize("time_of_day", [True, False])
@pytest.mark.parametrize("upper_bound", ["exclusive", "inclusive"])
@pytest.mark.parametrize("stream", WINDOWS)
def test_first_sync_is_complete(
    stream: str, upper_bound: str, time_of_day: bool, opened: Make, clock: object
) -> None:
    """BEHAVIOR 1: what lies on the edge of a window arrives once, whatever a bound includes."""
    twilio = opened(upper_bound=upper_bound, time_of_day=time_of_day, page_size_max=7)
    start, step = WINDOWS[stream]
    for account in sids(twilio)[:2]:
        for moment in edges(start, step):
            add(twilio, stream, account, moment)
    output = read(config(twilio, start), stream)
    found = arrived(output, stream)
    # Rows without a date come once more if a later window is read before the first (BEHAVIOR 6).
    for row in records(output, stream):
        if not row.get(DATED[stream][0]):
            found[identity(stream, row, row["account_sid"])] = 1
    assert found == shown(twilio, stream, since=start)
    assert problems(output) == []
    assert status(output, stream) == "COMPLETE"


@pytest.mark.parametrize("pace", [timedelta(), 15 * MINUTE])
@pytest.mark.parametrize("stream", WINDOWS)
def test_rows_added_meanwhile(
    stream: str,
    pace: timedelta,
    twilio: Sandbox,
    clock: time_machine.Traveller,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """BEHAVIOR 1, 5: with each request a row and maybe time: none is lost, even past midnight."""
    clock.move_to(NOW.replace(hour=23, minute=40))
    start = NOW - 20 * DAY
    answer, left = twilio.answer, [30]

    def busy(host: str, path: str, *arguments: Any) -> tuple[int, bytes]:
        if left[0]:
            left[0] -= 1
            clock.shift(pace)
            account = sids(twilio)[left[0] % 3]
            add(twilio, stream, account, twilio.now())
            # One that shows up late, as if another machine's clock were slow.
            add(twilio, stream, account, twilio.now() - 20 * MINUTE)
        return answer(host, path, *arguments)

    monkeypatch.setattr(twilio, "answer", busy)
    first = read(config(twilio, start, lookback_window=0), stream)
    left[0] = 0
    clock.shift(10 * MINUTE)
    state = {stream: final_state(first, stream)}
    second = read(config(twilio, start, lookback_window=0), stream, state=state)
    both = arrived(first, stream) | arrived(second, stream)
    assert set(both) == set(shown(twilio, stream, since=start))
    assert problems(first) + problems(second) == []


STATES = ("scheduled", "queued", "failed", "canceled")


@pytest.mark.parametrize("null_dates", ["hidden", "shown"])
@pytest.mark.parametrize("stream", UNDATED)
def test_undated_rows(
    stream: str, null_dates: str, opened: Make, clock: time_machine.Traveller
) -> None:
    """BEHAVIOR 6: rows without a date arrive, and later what becomes of them."""
    twilio = opened(null_dates=null_dates)
    added = []
    for account in sids(twilio):
        for number, state in enumerate(STATES):
            when = [NOW, NOW - 2 * DAY, NOW - 31 * DAY, START][number]
            added += [add(twilio, stream, account, when, status=state, **UNDATED[stream])["sid"]]
    first = read(config(twilio), stream)
    assert set(arrived(first, stream)) == set(shown(twilio, stream, since=START))
    assert {row["sid"] for row in records(first, stream) if row["sid"] in added} == set(added)
    assert cursors(first, stream) == dict.fromkeys(sids(twilio), END)

    clock.shift(3 * DAY)
    done = {DATED[stream][0]: twilio.now(), "status": "delivered"}
    twilio.update(stream, added[0], **done)
    second = read(config(twilio), stream, state={stream: final_state(first, stream)})
    # Of the others, those come again that were not final: once a day, however long they take.
    found = {r["sid"]: (r["status"], r.get(DATED[stream][0])) for r in records(second, stream)}
    expected: dict[str, tuple[str, str | None]] = {
        added[4 * a + n]: (name, None) for a in range(3) for n, name in enumerate(STATES[:2])
    }
    expected[added[0]] = ("delivered", text(NOW + 3 * DAY))
    assert {sid: values for sid, values in found.items() if sid in added} == expected
    assert problems(first) + problems(second) == []
    assert [status(first, stream), status(second, stream)] == ["COMPLETE"] * 2


@pytest.mark.parametrize("null_dates", ["hidden", "shown"])
@pytest.mark.parametrize("stream", UNDATED)
def test_undated_pass_is_short(
    stream: str, null_dates: str, opened: Make, clock: time_machine.Traveller
) -> None:
    """BEHAVIOR 6: when nothing happened, a sync makes one request with and one without dates."""
    twilio = opened(null_dates=null_dates, page_size_max=2)
    for account in sids(twilio):
        for days in range(20, 30):
            add(twilio, stream, account, NOW - days * DAY)
    first = read(config(twilio), stream)
    clock.shift(5 * HOUR)
    begin = len(twilio.requests)
    state = {stream: final_state(first, stream)}
    second = read(config(twilio, lookback_window=0), stream, state=state)
    bound = {DATED[stream][1]: END}
    expected = [(account, query) for account in sids(twilio) for query in (bound, {})]
    assert asked(twilio, stream, begin) == sorted(expected, key=str)
    assert records(second, stream) == []
    assert cursors(second, stream) == dict.fromkeys(sids(twilio), "2026-01-15T16:00:00Z")


@pytest.mark.parametrize("num_workers", [1, 20])
@pytest.mark.parametrize("stream", ["messages", "calls", "recordings", "conferences", "alerts"])
def test_list_of_one_page(
    stream: str, num_workers: int, opened: Make, clock: time_machine.Traveller
) -> None:
    """BEHAVIOR 25: a list of one page is asked for once a sync, however many its windows."""
    twilio = opened(page_size_max=50, latency_ms=20)
    start = NOW - (29 if stream == "alerts" else 390) * DAY
    accounts = sids(twilio)
    for account in accounts:
        for days in (1, 20, 27, 30, 200, 389, 391):
            add(twilio, stream, account, NOW - days * DAY)
        if stream in UNDATED:
            add(twilio, stream, account, NOW - 100 * DAY, **UNDATED[stream])
    bound = {} if stream in UNDATED else {DATED[stream][1]: text(start)}
    if stream == "conferences":
        bound = {DATED[stream][1]: f"{start:%Y-%m-%d}"}
    begin = len(twilio.requests)
    first = read(config(twilio, start, num_workers=num_workers), stream)
    expected = [(one, {**bound, **query}) for one in accounts for query in queries(stream)]
    assert asked(twilio, stream, begin) == sorted(expected, key=str)
    assert arrived(first, stream) == shown(twilio, stream, since=start)
    assert cursors(first, stream) == dict.fromkeys(accounts, END)

    # The first sync of a day reads rows again that have no date and are not final.
    later = 5 * HOUR if stream in UNDATED else 3 * DAY
    clock.shift(later)
    add(twilio, stream, accounts[-1], NOW + later / 3)
    begin = len(twilio.requests)
    state = {stream: final_state(first, stream)}
    second = read(config(twilio, start, lookback_window=0), stream, state=state)
    expected_accounts = sorted(accounts * len(queries(stream)))
    assert [account for account, _ in asked(twilio, stream, begin)] == expected_accounts
    # Alerts may be late (BEHAVIOR 51).
    since = NOW - 26 * HOUR if stream == "alerts" else NOW + HOUR
    assert arrived(second, stream) == shown(twilio, stream, since=since)
    assert len(records(second, stream)) == (4 if stream == "alerts" else 1)
    assert cursors(second, stream) == dict.fromkeys(accounts, text(NOW + later - HOUR))
    assert problems(first) + problems(second) == []


CALL_STATUSES: dict[str, Row] = {
    "queued": {"start_time": None, "end_time": None, "duration": None},
    "ringing": {"start_time": None, "end_time": None, "duration": None},
    "in-progress": {"end_time": None, "duration": None},
    "completed": {"duration": "61"},
    "busy": {"duration": "0"},
    "failed": {"start_time": None, "end_time": None, "duration": "0"},
    "no-answer": {"end_time": None, "duration": "0"},
    "canceled": {"start_time": None, "end_time": None, "duration": "0"},
}


def test_calls_of_every_status(twilio: Sandbox, clock: time_machine.Traveller) -> None:
    """BEHAVIOR 6, 20: no status hides a call; a running one is corrected once it has ended."""
    [main, *_] = sids(twilio)
    added = {
        add(twilio, "calls", main, NOW - HOUR, status=name, **fields)["sid"]: name
        for name, fields in CALL_STATUSES.items()
    }
    first = read(config(twilio), "calls")
    found = {row["sid"]: row["status"] for row in records(first, "calls")}
    assert {sid: found[sid] for sid in added} == added

    clock.shift(HOUR)
    running = next(sid for sid, name in added.items() if name == "in-progress")
    twilio.update("calls", running, status="completed", end_time=NOW, duration="3600")
    second = read(config(twilio), "calls", state={"calls": final_state(first, "calls")})
    [row] = [row for row in records(second, "calls") if row["sid"] == running]
    assert (row["status"], row["end_time"], row["duration"]) == ("completed", text(NOW), 3600)
