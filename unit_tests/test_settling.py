"""Once a day a sync goes back as far as rows still change (BEHAVIOR 20)."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any

import pytest
import requests_mock
import time_machine
from airbyte_cdk.sources.types import StreamSlice
from hypothesis import given
from hypothesis import strategies as st

from source_twilio.dates import from_text, to_text
from source_twilio.state import CLOCK_MARGIN, AccountStateMigration
from source_twilio.windows import cut
from unit_tests.mock_twilio import ACCOUNT, CONFIG, MockTwilio, url
from unit_tests.reading import final_state, problems, read

START = "2025-01-01T00:00:00Z"
# Cursor in the state, settings, and since when recordings are asked on 2026-01-15 at 12:00.
CASES: dict[str, tuple[str | None, dict[str, Any], str]] = {
    "first of the day": ("2026-01-14T11:00:00Z", {}, "2025-12-30T23:59:59Z"),
    "just the first": ("2026-01-14T22:59:00Z", {}, "2025-12-30T23:59:59Z"),
    "after one at midnight": ("2026-01-14T23:00:00Z", {}, "2026-01-13T23:00:00Z"),
    "later in the day": ("2026-01-15T10:00:00Z", {}, "2026-01-14T10:00:00Z"),
    "once a week": ("2026-01-08T11:00:00Z", {}, "2025-12-24T23:59:59Z"),
    "the first was cut": ("2025-12-31T10:59:59Z", {}, "2025-12-30T10:59:59Z"),
    "a first sync was cut": ("2025-06-29T23:59:59Z", {}, "2025-06-28T23:59:59Z"),
    "switched off": ("2026-01-14T11:00:00Z", {"settling_days": 0}, "2026-01-13T11:00:00Z"),
    "thirty days": ("2026-01-14T11:00:00Z", {"settling_days": 30}, "2025-12-14T23:59:59Z"),
    "no lookback": ("2026-01-14T11:00:00Z", {"lookback_window": 0}, "2025-12-30T23:59:59Z"),
    "a longer lookback": (
        "2026-01-14T11:00:00Z",
        {"lookback_window": 20 * 1440},
        "2025-12-25T11:00:00Z",
    ),
    "a fast clock": ("2026-02-01T00:00:00Z", {}, "2026-01-14T12:00:00Z"),
    "a late start": (
        "2026-01-14T11:00:00Z",
        {"start_date": "2026-01-10T00:00:00Z"},
        "2026-01-10T00:00:00Z",
    ),
    "no state": (None, {}, START),
}


def saved(cursor: str) -> dict[str, Any]:
    """Return a state of recordings."""
    partition = {"account_sid": ACCOUNT, "parent_slice": {}}
    entry = {"partition": partition, "cursor": {"date_created": cursor}}
    return {"recordings": {"use_global_cursor": False, "states": [entry]}}


@pytest.mark.parametrize("name", CASES)
def test_how_far_a_sync_goes_back(name: str, mock: MockTwilio, clock: object) -> None:
    """The first sync of a day asks what one with that lookback asks, and the others do not."""
    cursor, settings, since = CASES[name]
    mock.page(url("Accounts.json", PageSize=1000), "accounts", [{"sid": ACCOUNT}])
    query = {"PageSize": 1000, "DateCreated>": since, "IncludeSoftDeleted": "true"}
    mock.page(url(f"Accounts/{ACCOUNT}/Recordings.json", **query), "recordings", [])
    config = {key: value for key, value in CONFIG.items() if key != "settling_days"}
    state = saved(cursor) if cursor else None
    output = read({**config, "start_date": START, **settings}, "recordings", state=state)
    assert problems(output) == []
    [entry] = final_state(output, "recordings")["states"]
    end = "2026-01-15T12:00:00Z" if name == "a fast clock" else "2026-01-15T11:00:00Z"
    assert entry["cursor"] == {"date_created": end}


def test_a_complete_read_leaves_full_minutes(
    mock: MockTwilio, clock: time_machine.Traveller
) -> None:
    """By its seconds a cursor tells whether the read that left it was complete."""
    clock.shift(timedelta(seconds=17))
    mock.page(url("Accounts.json", PageSize=1000), "accounts", [{"sid": ACCOUNT}])
    query = {"PageSize": 1000, "DateCreated>": START, "IncludeSoftDeleted": "true"}
    mock.page(url(f"Accounts/{ACCOUNT}/Recordings.json", **query), "recordings", [])
    output = read({**CONFIG, "start_date": START}, "recordings")
    [entry] = final_state(output, "recordings")["states"]
    assert entry["cursor"] == {"date_created": "2026-01-15T11:00:00Z"}


MOMENTS = st.datetimes(
    datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(timezone.utc)
).map(lambda moment: moment.replace(microsecond=0))


def settles(config: dict[str, Any]) -> AccountStateMigration:
    """Return the migration of a stream whose rows settle."""
    stream: Any = SimpleNamespace(parameters={"settles": True}, retriever=None)
    return AccountStateMigration(stream, config)


@given(MOMENTS, MOMENTS, st.integers(0, 400), st.integers(0, 30 * 1440), st.integers(1, 400))
def test_a_sync_that_is_cut_goes_on(
    cursor: datetime, now: datetime, settling: int, lookback: int, window: int
) -> None:
    """A deep sync goes back once; one that is killed goes on from its last complete window."""
    migration = settles({"settling_days": settling, "lookback_window": lookback})
    with time_machine.travel(now, tick=False):
        begin = migration._deep(cursor, None)
        assert migration._deep(begin, None) == begin
        assert cursor - timedelta(days=settling + 1, seconds=1) <= begin <= cursor
        if begin == cursor:
            return
        asked = to_text(begin - timedelta(minutes=lookback))
        bounds = {"start_time": asked, "end_time": to_text(now.replace(second=0))}
        whole = StreamSlice(partition={}, cursor_slice=bounds)
        *closed, _ = cut(whole, timedelta(days=window))
        for one in closed:
            end = from_text(one["end_time"])
            assert migration._deep(end, None) == end


@given(MOMENTS, st.integers(4, 40), st.integers(0, 3 * 1440), st.integers(1, 4_000))
def test_the_first_sync_of_a_day_reads_what_may_have_changed(
    first: datetime, settling: int, lookback: int, minutes: int
) -> None:
    """Rows that may have changed since the first sync of the day before are read, without a gap."""
    migration = settles({"settling_days": settling, "lookback_window": lookback})
    before, now = first, first
    for _ in range(100):
        cursor = now.replace(second=0) - CLOCK_MARGIN
        now += timedelta(minutes=minutes)
        with time_machine.travel(now, tick=False):
            since = migration._deep(cursor, None) - timedelta(minutes=lookback)
        if now.date() > before.date():
            assert since <= before - timedelta(days=settling)
            before = now


def test_a_sync_that_runs_past_midnight(
    mock: MockTwilio, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It leaves a cursor of the day on which it began: the next day's first sync is deep too."""
    answer = mock.answer

    def late(request: Any, context: Any) -> bytes:
        clock.move_to(datetime(2026, 1, 16, 0, 2, tzinfo=timezone.utc))
        return answer(request, context)

    monkeypatch.setattr(mock, "answer", late)
    clock.move_to(datetime(2026, 1, 15, 23, 58, tzinfo=timezone.utc))
    with requests_mock.Mocker() as mocker:
        mock.mount(mocker)
        mock.page(url("Accounts.json", PageSize=1000), "accounts", [{"sid": ACCOUNT}])
        query = {"PageSize": 1000, "DateCreated>": START, "IncludeSoftDeleted": "true"}
        mock.page(url(f"Accounts/{ACCOUNT}/Recordings.json", **query), "recordings", [])
        output = read({**CONFIG, "start_date": START}, "recordings")
    [entry] = final_state(output, "recordings")["states"]
    assert entry["cursor"] == {"date_created": "2026-01-15T22:58:00Z"}
