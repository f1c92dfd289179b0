"""Once a day a sync goes back as far as rows still change (BEHAVIOR 20)."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any

import pytest
import requests_mock
import time_machine
from hypothesis import example, given
from hypothesis import strategies as st

from source_twilio.config import CLOCK_MARGIN
from source_twilio.state import AccountStateMigration, Asked, back_to_open, with_open_days
from source_twilio.timestamps import format_timestamp, parse_timestamp
from unit_tests.support.mock_twilio import ACCOUNT, CONFIG, MockTwilio, url
from unit_tests.support.reading import entries, final_state, problems, read

START = "2025-01-01T00:00:00Z"
# Cursor in the state, settings, and since when recordings are asked on 2026-01-15 at 12:00. The
# sync that left the state began an hour after the cursor, unless the name is in STARTED_AT.
CASES: dict[str, tuple[str | None, dict[str, Any], str]] = {
    "first of the day": ("2026-01-14T11:00:00Z", {}, "2025-12-31T00:00:00Z"),
    "just the first": ("2026-01-14T22:59:00Z", {}, "2025-12-31T00:00:00Z"),
    "after one at midnight": ("2026-01-14T23:00:00Z", {}, "2026-01-13T23:00:00Z"),
    "later in the day": ("2026-01-15T10:00:00Z", {}, "2026-01-14T10:00:00Z"),
    "once a week": ("2026-01-08T11:00:00Z", {}, "2025-12-25T00:00:00Z"),
    "the first was cut": ("2025-12-31T10:59:59Z", {}, "2025-12-30T10:59:59Z"),
    "a first sync was cut": ("2025-06-29T23:59:59Z", {}, "2025-06-28T23:59:59Z"),
    "switched off": ("2026-01-14T11:00:00Z", {"settling_days": 0}, "2026-01-13T11:00:00Z"),
    "thirty days": ("2026-01-14T11:00:00Z", {"settling_days": 30}, "2025-12-15T00:00:00Z"),
    "no lookback": ("2026-01-14T11:00:00Z", {"lookback_window": 0}, "2025-12-31T00:00:00Z"),
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
    "before releases that say when": ("2026-01-14T11:00:00Z", {}, "2025-12-31T00:00:00Z"),
    "cut the day before": (
        "2025-12-10T10:59:59Z",
        {"settling_days": 60},
        "2025-11-15T00:00:00Z",
    ),
    "stayed": ("2025-12-10T00:00:00Z", {}, "2025-12-09T00:00:00Z"),
}
STARTED_AT = {
    "the first was cut": "2026-01-15T09:00:00Z",
    "a first sync was cut": "2026-01-15T09:00:00Z",
    "before releases that say when": "",
    "cut the day before": "2026-01-14T09:00:00Z",
    "stayed": "2026-01-14T09:00:00Z",
}


def saved(cursor: str, began: str, start_date: str) -> dict[str, Any]:
    """Return a state of recordings, left by a sync that began then (BEHAVIOR 45)."""
    asked = {"region": "us1", "start_date": start_date, "parent_slice": {}}
    states = [{"partition": asked, "cursor": {"date_created": began}}] if began else []
    partition = {"account_sid": ACCOUNT, "parent_slice": {}}
    states.append({"partition": partition, "cursor": {"date_created": cursor}})
    return {"recordings": {"use_global_cursor": False, "states": states}}


@pytest.mark.parametrize("name", CASES)
def test_how_far_a_sync_goes_back(name: str, mock: MockTwilio, clock: object) -> None:
    """The first sync of a day asks what one with that lookback asks, and the others do not."""
    cursor, settings, since = CASES[name]
    mock.page(url("Accounts.json", PageSize=1000), "accounts", [{"sid": ACCOUNT}])
    query = {"PageSize": 1000, "DateCreated>": since, "IncludeSoftDeleted": "true"}
    mock.page(url(f"Accounts/{ACCOUNT}/Recordings.json", **query), "recordings", [])
    config = {key: value for key, value in CONFIG.items() if key != "settling_days"}
    config |= {"start_date": START, **settings}
    state = None
    if cursor:
        began = STARTED_AT.get(name, format_timestamp(parse_timestamp(cursor) + timedelta(hours=1)))
        state = saved(cursor, began, config["start_date"])
    output = read(config, "recordings", state=state)
    assert problems(output) == []
    [entry] = entries(output, "recordings")
    end = "2026-01-15T12:00:00Z" if name == "a fast clock" else "2026-01-15T11:00:00Z"
    assert entry["cursor"] == {"date_created": end}


MOMENTS = st.datetimes(
    datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(timezone.utc)
).map(lambda moment: moment.replace(microsecond=0))


def settles(config: dict[str, Any]) -> AccountStateMigration:
    """Return the migration of a stream whose rows settle."""
    stream: Any = SimpleNamespace(parameters={"settles": True}, retriever=None)
    return AccountStateMigration(stream, config)


@given(MOMENTS, MOMENTS, MOMENTS, st.integers(0, 400), st.integers(0, 30 * 1440))
def test_a_sync_that_is_cut_goes_on(
    cursor: datetime, former: datetime, now: datetime, settling: int, lookback: int
) -> None:
    """A deep sync goes back once: a cursor that it left, and one that stays, stay as they are."""
    migration = settles({"settling_days": settling, "lookback_window": lookback})
    with time_machine.travel(now, tick=False):
        begin = migration._apply_settling(cursor, None, Asked("", "", former))
        assert begin <= cursor
        assert migration._apply_settling(begin, None, Asked("", "", now)) == begin
        assert migration._apply_settling(cursor, None, Asked("", "", now)) == cursor
    if begin < cursor:
        with time_machine.travel(now + timedelta(days=1), tick=False):
            assert migration._apply_settling(begin, None, Asked("", "", now)) == begin


@given(
    MOMENTS, st.integers(4, 60), st.integers(0, 3 * 1440), st.integers(1, 4_000), st.integers(0, 70)
)
def test_the_first_sync_of_a_day_reads_what_may_have_changed(
    first: datetime, settling: int, lookback: int, minutes: int, cut: int
) -> None:
    """What may have changed since the first sync of the day before is read, also after a cut."""
    migration = settles({"settling_days": settling, "lookback_window": lookback})
    before, now = first, first
    for _ in range(100):
        began = now
        # A sync that is killed may leave any cursor.
        cursor = now - CLOCK_MARGIN - timedelta(days=cut)
        now += timedelta(minutes=minutes)
        with time_machine.travel(now, tick=False):
            begin = migration._apply_settling(cursor, None, Asked("", "", began))
        if now.date() > before.date():
            assert begin - timedelta(minutes=lookback) <= before - timedelta(days=settling)
            before = now


def test_a_usage_cursor_that_stays(mock: MockTwilio, clock: time_machine.Traveller) -> None:
    """BEHAVIOR 16: where a 404 keeps the cursor, it goes back once and no further."""
    state: dict[str, Any] = saved("2026-01-10T11:00:00Z", "2026-01-14T12:00:00Z", START)
    state["recordings"]["states"] = [
        {**entry, "cursor": {"start_date": moment}}
        for entry in state["recordings"]["states"]
        for moment in entry["cursor"].values()
    ]
    of_usage = state["recordings"]
    for since, shift in ((31, 1), (31, 24), (31, 24), (31, 0)):
        mock.page(url("Accounts.json", PageSize=1000), "accounts", [{"sid": ACCOUNT}])
        query = {"PageSize": 1000, "StartDate": f"2025-12-{since}", "IncludeSubaccounts": "false"}
        path = f"Accounts/{ACCOUNT}/Usage/Records/Daily.json"
        mock.expect(url(path, **query), {"code": 20404}, 404)
        config = {key: value for key, value in CONFIG.items() if key != "settling_days"}
        output = read(
            {**config, "start_date": START}, "usage_records", state={"usage_records": of_usage}
        )
        [entry] = entries(output, "usage_records")
        assert entry["cursor"] == {"start_date": "2026-01-01T00:00:00Z"}
        of_usage = final_state(output, "usage_records")
        clock.shift(timedelta(hours=shift))


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
    [entry] = entries(output, "recordings")
    assert entry["cursor"] == {"date_created": "2026-01-15T22:58:00Z"}


@example(
    datetime(2020, 1, 1, tzinfo=timezone.utc), [(4320, True), (61, True), (1, True)], [(4321, 1)], 0
)
@given(
    MOMENTS,
    st.lists(st.tuples(st.integers(1, 4_000), st.booleans()), min_size=2, max_size=40),
    st.lists(st.tuples(st.integers(0, 60_000), st.integers(1, 35 * 1440)), max_size=12),
    st.integers(0, 3 * 1440),
)
def test_open_rows_are_read_again_once_a_day(
    first: datetime, syncs: list[tuple[int, bool]], rows: list[tuple[int, int]], lookback: int
) -> None:
    """BEHAVIOR 6: the first complete sync of a day reads what was not final when the last ended.

    Syncs are minutes apart, and complete or not; rows are made at a minute, and open for some.
    """
    made = [(first + timedelta(minutes=m), first + timedelta(minutes=m + o)) for m, o in rows]
    now, back = first, timedelta(minutes=lookback)
    start = first - timedelta(days=1)
    cursor, last, known = None, first - timedelta(days=1), list[datetime]()
    for minutes, complete in syncs:
        now += timedelta(minutes=minutes)
        with time_machine.travel(now, tick=False):
            begin = start if cursor is None else back_to_open(cursor) - back
        if complete:
            if now.date() > last.date():
                assert [row for row in known if row < begin] == []
            assert [row for row, _ in made if last < row <= now and row < begin] == []
            last = now
            seen = [(row, until) for row, until in made if begin <= row <= now]
            opened = [row for row, until in seen if until > now]
            known = [row for row, until in made if row <= now < until]
            oldest = format_timestamp(min(opened)) if opened else None
            end = format_timestamp((now - CLOCK_MARGIN).replace(second=0))
            cursor = parse_timestamp(with_open_days(end, format_timestamp(begin), oldest))
        elif cursor is not None:
            cursor = begin + back
