"""What BEHAVIOR.md promises, against the embedded Twilio: records, requests, warnings, states.

Each test names the entry of BEHAVIOR.md that it holds the connector to.
"""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import subprocess
import sys
import time
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
import time_machine
from airbyte_cdk.models import AirbyteStream
from airbyte_cdk.test.entrypoint_wrapper import EntrypointOutput

from sandbox import Sandbox
from sandbox.data import seconds_of
from sandbox.server import Faults
from source_twilio import SourceTwilio
from unit_tests.conftest import NOW
from unit_tests.reading import final_state, problems, read, records

ROOT = Path(__file__).parents[1]
DAY, HOUR, MINUTE, SECOND = (timedelta(**{u: 1}) for u in ("days", "hours", "minutes", "seconds"))
START = datetime(2025, 11, 1, tzinfo=timezone.utc)
# Where the newest window ends.
END = "2026-01-15T11:00:00Z"
# The field that the date filter of a stream acts on, and the filter's lower bound.
DATED = {
    "messages": ("date_sent", "DateSent>"),
    "calls": ("start_time", "StartTime>"),
    "recordings": ("date_created", "DateCreated>"),
    "conferences": ("date_updated", "DateUpdated>"),
    "usage_records": ("start_date", "StartDate"),
    "alerts": ("date_generated", "StartDate"),
}
ACCOUNT_DATED = [name for name in DATED if name != "alerts"]
RESOURCES = {
    "usage_records": "/Usage/Records/Daily.json",
    "alerts": "/v1/Alerts",
    "message_media": "/Messages.json",
    "incoming_phone_numbers": "/IncomingPhoneNumbers.json",
}
# What tells the rows of an account apart, where it is not the SID.
KEYS = {
    "available_phone_number_countries": ["country_code"],
    "available_phone_numbers_local": ["phone_number"],
    "available_phone_numbers_mobile": ["phone_number"],
    "available_phone_numbers_toll_free": ["phone_number"],
    "conference_participants": ["conference_sid", "call_sid"],
    "usage_records": ["category", "start_date"],
}
# The queries that the connector makes of these lists, but for dates.
QUERIES = {
    "recordings": {"IncludeSoftDeleted": "true"},
    "usage_records": {"IncludeSubaccounts": "false"},
}
# The lists of an account that are asked one by one (BEHAVIOR 32).
STATUSES = ({"Status": "init"}, {"Status": "in-progress"}, {"Status": "completed"})
UNDATED = {
    "messages": {"date_sent": None},
    "calls": {"start_time": None, "end_time": None},
}

Make = Callable[..., Sandbox]
Row = dict[str, Any]
Found = Counter[tuple[str, ...]]


@pytest.fixture(autouse=True)
def _haste(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing wait long, yet let threads that poll give way to each other."""
    sleep = time.sleep
    monkeypatch.setattr(time, "sleep", lambda seconds: sleep(min(seconds, 0.005)))


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Makes an embedded Twilio of three accounts, with `closed` of four, and little in it."""
    with ExitStack() as stack:

        def make(*, closed: bool = False, **settings: Any) -> Sandbox:
            small: Row = {"seed": 7, "scale": 0, "page_size_max": 5, "retry_after": 0}
            twilio = stack.enter_context(Sandbox(**{**small, **settings}))
            kept = {"Northwind", "Northwind Retail", "Northwind Field"}
            kept |= {"Northwind Closed"} if closed else set()
            for number, row in enumerate(twilio.rows("accounts", twilio.accounts[0].sid)):
                if row["friendly_name"] not in kept:
                    twilio.delete("accounts", row["sid"])
                else:
                    twilio.update("accounts", row["sid"], auth_token=f"{number:08}" + "5ec2e7" * 4)
            for name, value in twilio.environment.items():
                monkeypatch.setenv(name, value)
            return twilio

        yield make


@pytest.fixture
def twilio(opened: Make, clock: time_machine.Traveller) -> Sandbox:
    """An embedded Twilio with the usual settings, at NOW."""
    return opened()


def text(moment: datetime) -> str:
    """Return a moment as states and filters spell it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def config(twilio: Sandbox, start: datetime = START, **more: Any) -> Row:
    """Return a configuration that starts at START, and reads no days again (test_settling.py)."""
    return {**twilio.config, "start_date": text(start), "settling_days": 0, **more}


def sids(twilio: Sandbox) -> list[str]:
    """Return the accounts, the main one first."""
    return [account.sid for account in twilio.accounts]


def identity(stream: str, row: Mapping[str, Any], account: str) -> tuple[str, ...]:
    """Return what tells a row apart from all others of its stream."""
    return account, *(str(row[field]) for field in KEYS.get(stream, ["sid"]))


def moment_of(stream: str, row: Mapping[str, Any]) -> int:
    """Return the time that counts for a row: by the filter's field, else of its creation."""
    return seconds_of(row[DATED[stream][0]] or row["date_created"])


def shown(
    twilio: Sandbox, stream: str, accounts: Iterable[str] = (), since: datetime | None = None
) -> Found:
    """Return what Twilio shows, of all accounts if none is given."""
    query = QUERIES.get(stream)
    found: Found = Counter()
    for account in accounts or sids(twilio):
        if stream == "accounts" and account != twilio.accounts[0].sid:
            continue
        for row in twilio.rows(stream, account, query):
            if since is None or moment_of(stream, row) >= since.timestamp():
                found[identity(stream, row, "" if stream == "accounts" else account)] += 1
    return found


def arrived(output: EntrypointOutput, stream: str) -> Found:
    """Return what the connector emitted."""
    rows = records(output, stream)
    return Counter(identity(stream, row, row.get("account_sid", "")) for row in rows)


def status(output: EntrypointOutput, stream: str) -> str:
    """Return what the connector says of the stream in the end."""
    return str(output.get_stream_statuses(stream)[-1].value)


def cursors(output: EntrypointOutput, stream: str, rows: str = "") -> dict[str, str]:
    """Return the final cursor of each account: of several lists the one furthest behind.

    Of messages `rows` picks one: the cursor of those without a date goes back once a day.
    """
    found: dict[str, str] = {}
    states = final_state(output, stream)["states"]
    for entry in states:
        account, [cursor] = entry["partition"]["account_sid"], entry["cursor"].values()
        if entry["partition"].get("rows", rows) == rows or not rows:
            found[account] = min(cursor, found.get(account, cursor))
    assert len(found) * LISTS.get(stream, 1) == len(states)
    return found


# How many lists of an account have a cursor of their own.
LISTS = {"messages": 2, "calls": 2, "message_media": 2, "conferences": 3}


def saved(stream: str, cursor: str, accounts: Iterable[str]) -> Row:
    """Return a state as this connector saves it."""
    field = DATED[stream][0] if stream in DATED else CURSOR_FIELDS[stream]
    return {
        "use_global_cursor": False,
        "states": [
            {"partition": {"account_sid": account, "parent_slice": {}}, "cursor": {field: cursor}}
            for account in accounts
        ],
    }


CURSOR_FIELDS = {"incoming_phone_numbers": "date_updated", "message_media": "date_created"}


def asked(twilio: Sandbox, stream: str, begin: int = 0) -> list[tuple[str, Row]]:
    """Return account and query of the requests for a list, less the page size, in some order."""
    path = RESOURCES.get(stream, f"/{stream.capitalize()}.json")
    found = []
    for request in twilio.requests[begin:]:
        if request.path.endswith(path):
            account = re.search("AC[0-9a-f]{32}", request.path)
            query = {name: value for name, value in request.pairs if name != "PageSize"}
            found.append((account[0] if account else request.account, query))
    return sorted(found, key=str)


def queries(stream: str) -> tuple[Row, ...]:
    """Return what the queries for a list hold, less dates."""
    return STATUSES if stream == "conferences" else (QUERIES.get(stream, {}),)


def refusal(stream: str, account: str, status: int) -> str:
    """Return the warning about an account that Twilio refuses to show."""
    return (
        f"{stream}: Twilio refuses to show account {account} (HTTP {status}): "
        "skipped, its cursor stays."
    )


def warnings(output: EntrypointOutput, stream: str) -> list[str]:
    """Return what the connector itself logged as a warning of the stream, less the CDK's."""
    return [message for message in problems(output) if message.startswith(f"{stream}: ")]


def errors(output: EntrypointOutput) -> list[tuple[str, str]]:
    """Return failure type and message of the errors that were raised."""
    found = [m.trace.error for m in output.errors if m.trace and m.trace.error]
    return [(str(e.failure_type.value if e.failure_type else ""), str(e.message)) for e in found]


def raised(output: EntrypointOutput, stream: str) -> list[str]:
    """Return the messages of the errors that a stream ended with, less the CDK's summary."""
    found = [m.trace.error for m in output.errors if m.trace and m.trace.error]
    return [
        f"{error.message} {error.internal_message}"
        for error in found
        if error.stream_descriptor and error.stream_descriptor.name == stream
    ]


# --------------------------------------------------------------------------------------------------
# Bounds
# --------------------------------------------------------------------------------------------------

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


def add(twilio: Sandbox, stream: str, account: str, when: datetime, **fields: Any) -> Row:
    """Add a row whose dates are all that moment; usage of a category of its own."""
    if stream == "usage_records":
        fields = {"category": f"c{len(twilio.rows(stream, account, NO_CHILDREN))}", **fields}
        return twilio.add(stream, account, start_date=f"{when:%Y-%m-%d}", **fields)
    if stream == "alerts":
        fields = {"date_generated": when, **fields}
    return twilio.add(stream, account, date_created=when, **fields)


NO_CHILDREN = QUERIES["usage_records"]


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


# --------------------------------------------------------------------------------------------------
# Rows without a date
# --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("null_dates", ["hidden", "shown"])
@pytest.mark.parametrize("stream", UNDATED)
def test_undated_rows(
    stream: str, null_dates: str, opened: Make, clock: time_machine.Traveller
) -> None:
    """BEHAVIOR 6: rows without a date arrive, and later what becomes of them."""
    twilio = opened(null_dates=null_dates)
    added = []
    for account in sids(twilio):
        for number, state in enumerate(("scheduled", "queued", "failed", "canceled")):
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
    # Of the others, those within the lookback come again as they are; of messages those of the last
    # 36 days, once a day, because a scheduled message can end without a date.
    found = {r["sid"]: (r["status"], r.get(DATED[stream][0])) for r in records(second, stream)}
    again = ("scheduled", "queued", "failed") if stream == "messages" else ("scheduled",)
    expected: dict[str, tuple[str, str | None]] = {
        added[4 * a + n]: (name, None) for a in range(3) for n, name in enumerate(again)
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

    # The first sync of a day reads more messages.
    later = 5 * HOUR if stream == "messages" else 3 * DAY
    clock.shift(later)
    added = add(twilio, stream, accounts[-1], NOW + later / 3)
    begin = len(twilio.requests)
    state = {stream: final_state(first, stream)}
    second = read(config(twilio, start, lookback_window=0), stream, state=state)
    expected_accounts = sorted(accounts * len(queries(stream)))
    assert [account for account, _ in asked(twilio, stream, begin)] == expected_accounts
    assert [row["sid"] for row in records(second, stream)] == [added["sid"]]
    assert cursors(second, stream) == dict.fromkeys(accounts, text(NOW + later - HOUR))
    assert problems(first) + problems(second) == []


CALL_STATUSES: dict[str, Row] = {
    "queued": {"start_time": None, "end_time": None, "duration": None},
    "ringing": {"start_time": None, "end_time": None, "duration": None},
    "in-progress": {"end_time": None, "duration": None},
    "completed": {"duration": "61"},
    "busy": {"end_time": None, "duration": "0"},
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


# --------------------------------------------------------------------------------------------------
# Late changes and cursors
# --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stream", "bound"),
    [
        ("messages", "2026-01-15T09:30:00Z"),
        ("calls", "2026-01-15T09:30:00Z"),
        ("recordings", "2026-01-15T09:30:00Z"),
        ("conferences", "2026-01-15"),
        ("usage_records", "2026-01-15"),
        ("alerts", "2026-01-15T09:30:00Z"),
    ],
)
def test_lookback_is_in_minutes(
    stream: str, bound: str, twilio: Sandbox, clock: time_machine.Traveller
) -> None:
    """BEHAVIOR 20: an idle sync asks each account for the lookback, to the second, and no more."""
    twilio.empty_usage = "empty"
    accounts = sids(twilio)
    first = read(config(twilio, lookback_window=90), stream)
    assert cursors(first, stream) == dict.fromkeys(accounts, END)
    clock.shift(HOUR)
    begin = len(twilio.requests)
    state = {stream: final_state(first, stream)}
    second = read(config(twilio, lookback_window=90), stream, state=state)
    found = [{DATED[stream][1]: bound, **query} for query in queries(stream)]
    found += [{}] if stream in UNDATED else []
    expected = [(account, query) for account in accounts for query in found]
    assert asked(twilio, stream, begin) == sorted(expected, key=str)
    assert len(twilio.requests) - begin == len(expected) + 1
    assert cursors(second, stream) == dict.fromkeys(accounts, "2026-01-15T12:00:00Z")


@pytest.mark.parametrize(
    ("stream", "change"),
    [
        ("messages", {"status": "undelivered", "error_code": 30003}),
        ("calls", {"status": "completed", "price": "-0.02000"}),
        ("recordings", {"status": "deleted"}),
        ("conferences", {"status": "completed", "reason_conference_ended": "participant-left"}),
        ("usage_records", {"count": "99"}),
    ],
)
def test_late_changes(
    stream: str, change: Row, twilio: Sandbox, clock: time_machine.Traveller
) -> None:
    """BEHAVIOR 17, 20: what changes within the lookback arrives; conferences at any age."""
    account = sids(twilio)[1]
    state = {stream: saved(stream, END, sids(twilio))}
    inside, outside = NOW - 2 * HOUR, NOW - 3 * DAY
    # Rows of the last hours exist anyway; two more that change, on either side of the lookback.
    expected = shown(twilio, stream, since=NOW - HOUR - 90 * MINUTE)
    new, old = (add(twilio, stream, account, when) for when in (inside, outside))
    key = "{category}:{start_date}" if stream == "usage_records" else "{sid}"
    for row in (new, old):
        twilio.update(stream, key.format(**row), **change)
    output = read(config(twilio, lookback_window=90), stream, state=state)
    expected += shown(twilio, stream, since=NOW - HOUR - 90 * MINUTE) - expected
    ids = [identity(stream, row, account) for row in (new, old)]
    if stream == "conferences":
        assert expected[ids[1]] == 1
    else:
        assert expected[ids[1]] == 0
    found = arrived(output, stream)
    rows = {identity(stream, r, r["account_sid"]): r for r in records(output, stream)}
    assert found[ids[0]] == 1
    assert found[ids[1]] == expected[ids[1]]
    converted = {"count": 99, "price": -0.02} if stream in ("usage_records", "calls") else {}
    for id_ in ids:
        if expected[id_]:
            assert {name: rows[id_][name] for name in change} == {
                name: converted.get(name, value) for name, value in change.items()
            }


def test_failed_window(twilio: Sandbox, clock: time_machine.Traveller) -> None:
    """BEHAVIOR 5: a window that failed holds its account's cursor, and only that one."""
    main, failing, other = sids(twilio)
    for account in (main, failing, other):
        for moment in edges(START, 30 * DAY):
            add(twilio, "messages", account, moment)
    twilio.fail(f"{failing}/Messages.*DateSent>=2025-12-01", status=500, times=None)
    first = read(config(twilio), "messages", expecting_exception=True)
    assert status(first, "messages") == "INCOMPLETE"
    assert warnings(first, "messages") == [
        f"messages: account {failing} is incomplete; its cursor stays."
    ]
    held = "2025-11-30T23:59:59Z"
    assert cursors(first, "messages") == {main: END, failing: held, other: END}
    complete = shown(twilio, "messages", since=START)
    december = (
        datetime(2025, 12, 1, tzinfo=timezone.utc),
        datetime(2025, 12, 31, tzinfo=timezone.utc),
    )
    lost = {
        identity("messages", row, failing)
        for row in twilio.rows("messages", failing)
        if row["date_sent"]
        and december[0].timestamp() <= moment_of("messages", row) < december[1].timestamp()
    }
    assert set(arrived(first, "messages")) == set(complete) - lost

    twilio.heal()
    state = {"messages": final_state(first, "messages")}
    second = read(config(twilio, lookback_window=0), "messages", state=state)
    assert lost - set(arrived(second, "messages")) == set()
    assert cursors(second, "messages") == dict.fromkeys(sids(twilio), END)


FUTURE = "2026-02-01T00:00:00Z"
VANISHED = "AC" + "9" * 32


@pytest.mark.parametrize(
    ("state", "bounds", "warned"),
    [
        pytest.param({}, [text(START)] * 3, [], id="empty"),
        pytest.param({"states": []}, [text(START)] * 3, [], id="no accounts"),
        # The future begins now: there is nothing to ask for yet.
        pytest.param({0: FUTURE, 1: END}, ["", END, text(START)], [], id="future"),
        pytest.param({0: None, 1: END}, [text(START), END, text(START)], [], id="null"),
        pytest.param({0: END, 9: END}, [END, text(START), text(START)], [], id="vanished"),
        pytest.param(
            {0: "2024-06-01T00:00:00Z", 1: END, 2: END},
            ["2024-12-11T12:10:00Z", END, END],
            ["0"],
            id="older than what Twilio keeps",
        ),
    ],
)
def test_odd_states(
    state: Any, bounds: list[str], warned: list[str], twilio: Sandbox, clock: object
) -> None:
    """BEHAVIOR 5, 7, 10: whatever the state, each account is read from where it left off."""
    accounts = sids(twilio)
    if 0 in state:
        names = [*accounts, *[VANISHED] * 7]
        entries = [saved("messages", cursor, [names[n]]) for n, cursor in state.items()]
        state = {"states": [entry["states"][0] for entry in entries]}
    start = NOW - 500 * DAY if warned else START
    output = read(config(twilio, start, lookback_window=0), "messages", state={"messages": state})
    first = dict.fromkeys(accounts, "")
    for account, query in asked(twilio, "messages"):
        if "DateSent>" in query:
            first[account] = min(query["DateSent>"], first[account] or "~")
    assert first == dict(zip(accounts, bounds, strict=True))
    assert problems(output) == [
        f"messages: the last sync of account {accounts[int(number)]} reached 2024-06-01T00:00:00Z, "
        "and Twilio shows 400 days only: what lies between is out of reach (BEHAVIOR 10)."
        for number in warned
    ]
    assert status(output, "messages") == "COMPLETE"
    ends = [cursors(output, "messages")[account] for account in accounts]
    assert ends == [END if bounds[0] else text(NOW), END, END]


# --------------------------------------------------------------------------------------------------
# Accounts are independent
# --------------------------------------------------------------------------------------------------

# A list with dates, one without, and one below a list.
KINDS = ["messages", "incoming_phone_numbers", "message_media"]
LAST = "2026-01-01T00:00:00Z"


def with_media(twilio: Sandbox) -> None:
    """Add messages with media, and numbers, to all accounts."""
    for account in sids(twilio):
        for days in (1, 5):
            row = add(twilio, "messages", account, NOW - days * DAY, num_media="2")
            for _ in range(2):
                twilio.add("message_media", account, row["sid"], date_created=NOW - days * DAY)
            add(twilio, "incoming_phone_numbers", account, NOW - days * DAY)


def since_last(twilio: Sandbox, stream: str, accounts: Iterable[str]) -> Found:
    """Return what these accounts show since LAST."""
    if stream == "messages":
        return shown(twilio, stream, accounts, since=datetime(2026, 1, 1, tzinfo=timezone.utc))
    rows = [(a, row) for a in accounts for row in twilio.rows(stream, a)]
    bound = seconds_of(LAST)
    return Counter(
        identity(stream, row, a) for a, row in rows if seconds_of(row["date_created"]) >= bound
    )


@pytest.mark.parametrize(
    ("code", "reason"), [(401, 20003), (403, 20003), (404, 20404), (403, 20005)]
)
@pytest.mark.parametrize("stream", KINDS)
def test_refused_account(stream: str, code: int, reason: int, opened: Make, clock: object) -> None:
    """BEHAVIOR 9: a refused account is skipped with one warning, and its cursor stays."""
    twilio = opened(closed=True)
    main, refused, other, closed = sids(twilio)
    with_media(twilio)
    twilio.restrict(refused, code, reason)
    state = {stream: saved(stream, LAST, sids(twilio))}
    output = read(config(twilio, lookback_window=0), stream, state=state)
    assert status(output, stream) == "COMPLETE"
    assert sorted(problems(output)) == sorted(
        [refusal(stream, refused, code), refusal(stream, closed, 401)]
    )
    assert arrived(output, stream) == since_last(twilio, stream, [main, other])
    expected = {main: END, refused: LAST, other: END, closed: LAST}
    assert cursors(output, stream, "dated") == expected


@pytest.mark.parametrize(
    "stream",
    [
        *KINDS,
    ],
)
def test_failing_account(stream: str, twilio: Sandbox, clock: object) -> None:
    """BEHAVIOR 8, 9: an account that fails ends nothing but itself."""
    main, failing, other = sids(twilio)
    with_media(twilio)
    path = RESOURCES.get(stream, "/Messages.json")
    twilio.fail(failing + path, status=500, times=None)
    state = {stream: saved(stream, LAST, sids(twilio))}
    output = read(config(twilio, lookback_window=0), stream, state=state, expecting_exception=True)
    assert status(output, stream) == "INCOMPLETE"
    assert warnings(output, stream) == [
        f"{stream}: account {failing} is incomplete; its cursor stays."
    ]
    assert arrived(output, stream) == since_last(twilio, stream, [main, other])
    assert cursors(output, stream, "dated") == {main: END, failing: LAST, other: END}


@pytest.mark.parametrize("stream", KINDS)
def test_wrong_token(stream: str, twilio: Sandbox, clock: object) -> None:
    """BEHAVIOR 9: a wrong token fails at once, and says which settings to look at."""
    token = "deadbeef" * 4
    output = read({**config(twilio), "auth_token": token}, stream, expecting_exception=True)
    assert [request.path for request in twilio.requests] == ["/2010-04-01/Accounts.json"] * 3
    message = (
        "Twilio refused account_sid and auth_token (HTTP 401, code 20003): take the current Auth "
        "Token of that account in region us1; the account must be active."
    )
    assert errors(output)[0] == ("config_error", message)
    everything = str([*output.get_message_iterator()])
    assert everything.count(token) == 0
    assert everything.count(b64encode(f"{sids(twilio)[0]}:{token}".encode()).decode()) == 0


# --------------------------------------------------------------------------------------------------
# Retention and capped queries
# --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("num_workers", [1, 20])
@pytest.mark.parametrize("stream", ["messages", "message_media"])
def test_short_retention(stream: str, num_workers: int, opened: Make, clock: object) -> None:
    """BEHAVIOR 10: an account that keeps messages for 30 days is read as far as it goes."""
    # It takes a while to answer, so that the windows out of reach are asked for side by side.
    twilio = opened(latency_ms=20)
    main, short, other = sids(twilio)
    twilio.message_retention_overrides[short] = 30
    with_media(twilio)
    for account in sids(twilio):
        for days in (29, 31, 60):
            row = add(twilio, "messages", account, NOW - days * DAY, num_media="1")
            twilio.add("message_media", account, row["sid"], date_created=NOW - days * DAY)
    start = NOW - 150 * DAY
    output = read(config(twilio, start, num_workers=num_workers), stream)
    assert status(output, stream) == "COMPLETE"
    assert problems(output) == [
        f"{stream}: account {short} shows its last 30 days only; older rows are out of reach."
    ]
    parents = shown(twilio, "messages", since=start)
    if stream == "messages":
        assert set(arrived(output, stream)) == set(parents)
    else:
        assert arrived(output, stream) == Counter(
            identity(stream, row, account)
            for account in sids(twilio)
            for row in twilio.rows(stream, account)
            if (account, row["parent_sid"]) in parents
        )
    assert cursors(output, stream) == dict.fromkeys(sids(twilio), END)


def test_alerts_of_thirty_days(twilio: Sandbox, clock: object) -> None:
    """BEHAVIOR 10: alerts are asked for as far back as Twilio shows them, without a 400."""
    main = sids(twilio)[0]
    for days in (1, 29, 31, 60):
        add(twilio, "alerts", main, NOW - days * DAY)
    output = read(config(twilio), "alerts")
    assert arrived(output, "alerts") == shown(twilio, "alerts", since=NOW - 30 * DAY + 10 * MINUTE)
    assert {request.status for request in twilio.requests} == {200}
    assert problems(output) == []
    assert status(output, "alerts") == "COMPLETE"


@pytest.mark.parametrize(
    ("first", "pause"),
    [
        pytest.param(NOW - 3 * DAY, 20 * MINUTE, id="days"),
        pytest.param(NOW - 3 * DAY, 20 * SECOND, id="an hour"),
        pytest.param(NOW - HOUR, 16 * SECOND, id="the last hour"),
        pytest.param(NOW - 3 * DAY, 1 * SECOND, id="four minutes"),
    ],
)
@pytest.mark.parametrize("upper_bound", ["exclusive", "inclusive"])
def test_capped_alerts(
    first: datetime, pause: timedelta, upper_bound: str, opened: Make, clock: object
) -> None:
    """BEHAVIOR 23: more alerts than one query shows arrive nonetheless, and each once."""
    twilio = opened(alerts_cap=60, page_size_max=20, upper_bound=upper_bound)
    for number in range(216):
        # Every tenth reaches Twilio's list a quarter of an hour late.
        moment = first + number * pause
        created = min(moment + 15 * MINUTE * (number % 10 == 4), NOW)
        add(twilio, "alerts", sids(twilio)[0], created, date_generated=moment)
    output = read(config(twilio, NOW - 10 * DAY), "alerts")
    assert arrived(output, "alerts") == shown(twilio, "alerts", since=NOW - 10 * DAY)
    assert status(output, "alerts") == "COMPLETE"
    assert problems(output) == []


def test_too_many_alerts_in_a_second(opened: Make, clock: object) -> None:
    """BEHAVIOR 23: what cannot be had fails, so that the cursor does not move past it."""
    twilio = opened(alerts_cap=60, page_size_max=20)
    for _ in range(70):
        add(twilio, "alerts", sids(twilio)[0], NOW - DAY)
    output = read(config(twilio, NOW - 5 * DAY), "alerts", expecting_exception=True)
    assert status(output, "alerts") == "INCOMPLETE"
    message = "There are more rows in one second than Twilio shows of one query."
    assert errors(output)[0] == ("transient_error", message)
    ends = ["2026-01-14T11:59:59Z", END, END]
    assert cursors(output, "alerts") == dict(zip(sids(twilio), ends, strict=True))


# --------------------------------------------------------------------------------------------------
# Lists below a list
# --------------------------------------------------------------------------------------------------


def test_media_requests(twilio: Sandbox, clock: object) -> None:
    """BEHAVIOR 8: each message that has media is asked for it once, and no other."""
    with_media(twilio)
    output = read(config(twilio), "message_media")
    home = "/2010-04-01/Accounts/{}/Messages/{}/Media.json"
    messages = [(a, row) for a in sids(twilio) for row in twilio.rows("messages", a)]
    found = [request.path for request in twilio.requests if "/Media" in request.path]
    assert sorted(found) == sorted(
        home.format(account, row["sid"])
        for account, row in messages
        if row["num_media"] != "0" and moment_of("messages", row) >= START.timestamp()
    )
    assert len(records(output, "message_media")) == 12


def test_media_of_few_messages(opened: Make, clock: object) -> None:
    """BEHAVIOR 6: messages without media end the undated pass too, page by page of old ones."""
    twilio = opened(page_size_max=5)
    main = sids(twilio)[0]
    for number in range(40):
        add(twilio, "messages", main, NOW - (100 + number) * DAY)
    state = {"message_media": saved("message_media", LAST, sids(twilio))}
    read(config(twilio, lookback_window=0), "message_media", state=state)
    paths = [r.path for r in twilio.requests if r.path.endswith(f"{main}/Messages.json")]
    assert len(paths) == 2


@pytest.mark.parametrize("stream", ["message_media", "conference_participants"])
def test_state_does_not_grow(stream: str, twilio: Sandbox, clock: object) -> None:
    """BEHAVIOR 8: the state holds one cursor per account, however many parents there are."""
    with_media(twilio)
    for _ in range(20):
        add(twilio, "conferences", sids(twilio)[0], NOW, status="in-progress")
    output = read(config(twilio), stream)
    state = final_state(output, stream)
    assert sorted(cursors(output, stream)) == sorted(sids(twilio))
    assert len(json.dumps(state)) // (3 * 1024) == 0


def test_participants_of_live_conferences(twilio: Sandbox, clock: object) -> None:
    """BEHAVIOR 15: live conferences alone are asked for participants."""
    output = read(config(twilio), "conference_participants")
    home = "/2010-04-01/Accounts/{}/Conferences/{}/Participants.json"
    live = [
        home.format(account, row["sid"])
        for account in sids(twilio)
        for row in twilio.rows("conferences", account)
        if row["status"] != "completed"
    ]
    found = [request.path for request in twilio.requests if "/Participants" in request.path]
    assert len(live) == 12
    assert sorted(found) == sorted(live)
    assert arrived(output, "conference_participants") == shown(twilio, "conference_participants")


# --------------------------------------------------------------------------------------------------
# States of other connectors
# --------------------------------------------------------------------------------------------------


def uri(account: str, path: str) -> Row:
    """Return a partition of Airbyte's own source-twilio."""
    return {"subresource_uri": f"/2010-04-01/Accounts/{account}/{path}.json"}


def entry(partition: Row, field: str, cursor: str) -> Row:
    """Return one partition's state."""
    return {"partition": partition, "cursor": {field: cursor}}


def wrapped(field: str, *states: Row) -> Row:
    """Return a state as release 0.16 saved it."""
    return {
        "use_global_cursor": False,
        "states": [*states],
        "state": {field: "2026-01-14 00:00:00Z"},
        "lookback_window": 1,
        "parent_state": {},
    }


# Stream, state given the first two accounts, and where these two and the third are read from.
LEGACY: list[tuple[str, str, Callable[[str, str], Row], tuple[str, str, str]]] = [
    (
        "0.11",
        "calls",
        lambda one, two: {"end_time": "2026-01-10T08:00:00Z"},
        ("2025-12-26T08:00:00Z",) * 3,
    ),
    ("0.11", "usage_records", lambda one, two: {"start_date": "2026-01-10"}, ("2025-12-26",) * 3),
    (
        "0.12",
        "calls",
        lambda one, two: {
            "states": [
                entry(uri(one, "Calls"), "end_time", "2026-01-10T08:00:00Z"),
                entry(uri(two, "Calls"), "end_time", "2026-01-11T09:00:00Z"),
            ]
        },
        ("2025-12-26T08:00:00Z", "2025-12-27T09:00:00Z", text(START)),
    ),
    (
        "0.12",
        "usage_records",
        lambda one, two: {
            "states": [
                entry(
                    {"account_sid": account, "date_created": "Tue, 17 Nov 2020 04:08:53 +0000"},
                    "start_date",
                    cursor,
                )
                for account, cursor in ((one, "2026-01-10"), (two, "2026-01-11"))
            ]
        },
        ("2025-12-26", "2025-12-27", "2025-11-01"),
    ),
    (
        "0.12",
        "message_media",
        lambda one, two: {
            "states": [
                entry(uri(one, f"Messages/MM{number:032}/Media"), "date_created", cursor)
                for number, cursor in ((1, "2026-01-12T00:00:00Z"), (2, "2026-01-10T08:00:00Z"))
            ]
        },
        ("2025-12-26T08:00:00Z", text(START), text(START)),
    ),
    (
        "0.12",
        "alerts",
        lambda one, two: {"states": [entry({}, "date_generated", "2026-01-10T08:00:00Z")]},
        ("2025-12-26T08:00:00Z", "2025-12-16T12:10:00Z", "2025-12-16T12:10:00Z"),
    ),
    (
        "0.16",
        "messages",
        lambda one, two: wrapped(
            "date_sent",
            entry(
                {"parent_slice": {}, **uri(one, "Messages")}, "date_sent", "2026-01-10 10:00:00Z"
            ),
            entry({"parent_slice": {}, **uri(two, "Messages")}, "date_sent", "2026-01-11"),
        ),
        ("2025-12-26T10:00:00Z", "2025-12-27T00:00:00Z", text(START)),
    ),
    (
        "0.16",
        "recordings",
        lambda one, two: wrapped(
            "date_created",
            entry(
                {"parent_slice": {}, **uri(two, "Recordings")},
                "date_created",
                "2026-01-10 10:00:00Z",
            ),
        ),
        (text(START), "2025-12-26T10:00:00Z", text(START)),
    ),
    (
        "0.16",
        "message_media",
        lambda one, two: wrapped(
            "date_created",
            *(
                entry(
                    {
                        **uri(one, f"Messages/MM{number:032}/Media"),
                        "parent_slice": {**uri(one, "Messages"), "parent_slice": {}},
                    },
                    "date_created",
                    cursor,
                )
                for number, cursor in ((1, "2026-01-12 00:00:00Z"), (2, "2026-01-10 08:00:00Z"))
            ),
        ),
        ("2025-12-26T08:00:00Z", text(START), text(START)),
    ),
    (
        "0.16",
        "alerts",
        lambda one, two: {"date_generated": "2026-01-10T08:00:00Z"},
        ("2025-12-26T08:00:00Z", "2025-12-16T12:10:00Z", "2025-12-16T12:10:00Z"),
    ),
    (
        "0.16, many",
        "messages",
        lambda one, two: {
            "use_global_cursor": True,
            "state": {"date_sent": "2026-01-10 10:00:00Z"},
            "lookback_window": 1,
            "parent_state": {},
        },
        ("2025-12-26T10:00:00Z",) * 3,
    ),
    (
        "later",
        "conferences",
        lambda one, two: wrapped(
            "date_created",
            *(
                entry(
                    {"parent_slice": {}, **uri(one, "Conferences"), "conference_status": name},
                    "date_created",
                    cursor,
                )
                for name, cursor in (
                    ("init", "2026-01-11"),
                    ("in-progress", "2026-01-10"),
                    ("completed", "2026-01-12"),
                )
            ),
        ),
        ("2025-12-26", "2025-11-01", "2025-11-01"),
    ),
]


@pytest.mark.parametrize(
    ("stream", "state", "bounds"),
    [
        pytest.param(*case, id=f"{release} {case[0]}")
        for release, case in ((case[0], case[1:]) for case in LEGACY)
    ],
)
def test_states_of_others(
    stream: str,
    state: Callable[[str, str], Row],
    bounds: tuple[str, ...],
    twilio: Sandbox,
    clock: object,
) -> None:
    """BEHAVIOR 24: another connector's state is taken over, fifteen days back, per account."""
    twilio.empty_usage = "empty"
    accounts = sids(twilio)
    before = state(accounts[0], accounts[1])
    output = read(config(twilio, lookback_window=0), stream, state={stream: before})
    name = DATED["messages" if stream == "message_media" else stream][1]
    first: dict[str, str] = {}
    for account, query in asked(twilio, stream):
        if name in query:
            first[account] = min(query[name], first.get(account, "~"))
    assert first == dict(zip(accounts, bounds, strict=True))
    assert cursors(output, stream) == dict.fromkeys(first, END)
    assert problems(output) == []
    assert status(output, stream) == "COMPLETE"


# --------------------------------------------------------------------------------------------------
# Usage
# --------------------------------------------------------------------------------------------------


def test_usage_adds_up(twilio: Sandbox, clock: object) -> None:
    """BEHAVIOR 16: the accounts' own usage adds up to what the main account says of all."""
    start = NOW - 400 * DAY
    main = sids(twilio)[0]
    for account in sids(twilio):
        twilio.add("usage_records", account, start_date="2026-01-10", count="3", usage="1.5")
    output = read(config(twilio, start), "usage_records")
    assert {query["IncludeSubaccounts"] for _, query in asked(twilio, "usage_records")} == {"false"}
    everything = twilio.rows("usage_records", main, {"IncludeSubaccounts": "true"})
    for name in ("count", "usage", "price"):
        rows = records(output, "usage_records")
        found = sum(Decimal(str(row[name])) for row in rows if row.get(name) is not None)
        expected = sum(Decimal(row[name]) for row in everything if row[name] is not None)
        assert found == expected
    assert arrived(output, "usage_records") == shown(twilio, "usage_records", since=start)


def test_usage_fails_at_large_pages(opened: Make, clock: object) -> None:
    """BEHAVIOR 16: where usage fails at the largest page, smaller pages bring it."""
    twilio = opened(usage_page_limit=200, page_size_max=1000)
    main = sids(twilio)[0]
    for days in range(150):
        add(twilio, "usage_records", main, NOW - days % 60 * DAY)
    output = read(config(twilio), "usage_records")
    assert arrived(output, "usage_records") == shown(twilio, "usage_records", since=START)
    assert warnings(output, "usage_records") == []
    assert status(output, "usage_records") == "COMPLETE"
    sizes = Counter(
        dict(request.pairs)["PageSize"]
        for request in twilio.requests
        if request.path.endswith(f"{main}/Usage/Records/Daily.json")
    )
    assert set(sizes) == {"1000", "100"}
    assert sizes["100"] == 2


@pytest.mark.parametrize("empty_usage", ["404", "empty"])
def test_no_usage(empty_usage: str, opened: Make, clock: object) -> None:
    """BEHAVIOR 16: a range without usage is empty, whichever way Twilio says so."""
    twilio = opened(empty_usage=empty_usage)
    # The sandbox's rows end yesterday.
    start = NOW.replace(hour=0)
    output = read(config(twilio, start), "usage_records")
    assert records(output, "usage_records") == []
    assert problems(output) == []
    assert status(output, "usage_records") == "COMPLETE"


# --------------------------------------------------------------------------------------------------
# Faults
# --------------------------------------------------------------------------------------------------

ALL = sorted(stream.name for stream in SourceTwilio(config={"start_date": ""}).streams({}))


def test_faults(opened: Make, clock: object) -> None:
    """BEHAVIOR 12, 22: faults of all kinds cost time and not a row."""
    twilio = opened()
    rates: Row = {"rate_429": 0.05, "rate_500": 0.05, "rate_503_html": 0.05}
    rates |= {"reset": 0.05, "truncate": 0.05, "cut": 0.05}
    twilio.faults = Faults(seed=3, retry_after="mixed", **rates)
    output = read(config(twilio, NOW - 366 * DAY), *ALL)
    for stream in ALL:
        since = NOW - 366 * DAY if stream in DATED else None
        since = NOW - 30 * DAY if stream == "alerts" else since
        expected = shown(twilio, stream, since=since)
        if stream in UNDATED:
            assert set(arrived(output, stream)) == set(expected)
        else:
            assert arrived(output, stream) == expected
    assert {stream: status(output, stream) for stream in ALL} == dict.fromkeys(ALL, "COMPLETE")
    assert {request.status for request in twilio.requests} == {0, 200, 429, 500, 503}


@pytest.mark.parametrize("retry_after", [0, 1, None])
def test_rate_limit(retry_after: float | None, opened: Make, clock: object) -> None:
    """BEHAVIOR 22: forty workers find out what is allowed, and lose nothing."""
    twilio = opened(concurrency_limit=3, retry_after=retry_after, latency_ms=5)
    for account in sids(twilio):
        for number in range(300):
            add(twilio, "messages", account, NOW - number * DAY)
    begin = len(twilio.requests)
    output = read(config(twilio, NOW - 390 * DAY, num_workers=40), "messages")
    assert set(arrived(output, "messages")) == set(shown(twilio, "messages", since=NOW - 390 * DAY))
    found = Counter(request.status for request in twilio.requests[begin:])
    assert set(found) == {200, 429}
    # No storm: less than one in eight, with pauses that are cut to a request's own time here.
    assert found[429] * 8 // found.total() == 0
    assert status(output, "messages") == "COMPLETE"


BODIES: dict[str, Any] = {
    "no list": {"next_page_uri": None},
    "an object": {"{key}": {}},
    "null": {"{key}": None},
    "texts": {"{key}": ["one"]},
    "not an object": b"[]",
    "html": b"<html>Please sign in</html>",
    "nothing": b"",
}


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("stream", ["messages", "incoming_phone_numbers"])
def test_not_a_list(stream: str, body: str, twilio: Sandbox, clock: object) -> None:
    """BEHAVIOR 12: a 200 without the list is an error that names stream and request."""
    failing = sids(twilio)[1]
    path = RESOURCES.get(stream, "/Messages.json")
    content = BODIES[body]
    if isinstance(content, dict):
        content = {name.format(key=stream): value for name, value in content.items()}
    twilio.fail(failing + path, status=200, body=content, times=None)
    output = read(config(twilio, NOW - 5 * DAY), stream, expecting_exception=True)
    assert status(output, stream) == "INCOMPLETE"
    request = f"GET https://api.twilio.com/2010-04-01/Accounts/{failing}{path}"
    assert {request in message for message in raised(output, stream)} == {True}
    assert cursors(output, stream)[sids(twilio)[0]] == END


HOSTS = {"messages": "https://api.twilio.com", "alerts": "https://monitor.twilio.com"}


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/2010-04-01/Accounts.json",
        "//evil.example/2010-04-01/Accounts.json",
        "https://eviltwilio.com/2010-04-01/Accounts.json",
        "http://api.twilio.com/2010-04-01/Accounts.json",
    ],
)
@pytest.mark.parametrize("stream", HOSTS)
def test_foreign_link(
    stream: str, link: str, twilio: Sandbox, clock: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """BEHAVIOR 11: a link to another host, or in the clear, is not followed."""
    reached = set()
    send = requests.adapters.HTTPAdapter.send

    def watched(self: Any, request: requests.PreparedRequest, *args: Any, **more: Any) -> Any:
        parts = urlsplit(str(request.url))
        reached.add(f"{parts.scheme}://{parts.hostname}")
        return send(self, request, *args, **more)

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", watched)
    path = "/v1/Alerts" if stream == "alerts" else "/Messages.json"
    body: Row = {stream: [], "next_page_uri": link}
    if stream == "alerts":
        body = {stream: [], "meta": {"key": stream, "next_page_url": link}}
    twilio.fail(rf"{path}\?", status=200, body=body, times=None)
    output = read(config(twilio, NOW - HOUR * 2), stream, expecting_exception=True)
    assert reached == {HOSTS[stream], HOSTS["messages"]}
    assert status(output, stream) == "INCOMPLETE"


# --------------------------------------------------------------------------------------------------
# Secrets
# --------------------------------------------------------------------------------------------------


# The command, which waits for nothing.
CHILD = """
import time
sleep = time.sleep
time.sleep = lambda seconds: sleep(min(seconds, 0.01))
from source_twilio.run import run
run()
"""


@pytest.fixture
def connection(opened: Make, tmp_path: Path) -> tuple[Sandbox, list[str], Path]:
    """An embedded Twilio of today, the command that reads all of it, and its temporary folder."""
    twilio = opened(closed=True)
    catalog = SourceTwilio(config=twilio.config).discover(logging.getLogger(), twilio.config)
    streams = [
        {
            "stream": {"name": s.name, "json_schema": {}, "supported_sync_modes": modes(s)},
            "sync_mode": modes(s)[-1],
            "destination_sync_mode": "append",
        }
        for s in catalog.streams
    ]
    (tmp_path / "config.json").write_text(json.dumps(config(twilio, twilio.now() - 40 * DAY)))
    (tmp_path / "catalog.json").write_text(json.dumps({"streams": streams}))
    folder = tmp_path / "tmp"
    folder.mkdir()
    files = ["--config", str(tmp_path / "config.json"), "--catalog", str(tmp_path / "catalog.json")]
    return twilio, [sys.executable, "-c", CHILD, "read", "--debug", *files], folder


def modes(stream: AirbyteStream) -> list[str]:
    """Return the modes of a stream, of which the last may be the incremental one."""
    return [mode.value for mode in stream.supported_sync_modes]


def secrets(twilio: Sandbox) -> list[bytes]:
    """Return what nobody may see: every token and secret, alone and as Basic sends it."""
    pairs = [(account.sid, account.auth_token) for account in twilio.accounts]
    pairs += [(key.sid, key.secret) for key in twilio._keys.values()]
    basics = [b64encode(f"{user}:{password}".encode()) for user, password in pairs]
    return [password.encode() for _, password in pairs] + basics


@pytest.mark.parametrize("kind", ["token", "key"])
@pytest.mark.parametrize("killed_after", [None, 40])
def test_secrets(
    killed_after: int | None,
    kind: str,
    connection: tuple[Sandbox, list[str], Path],
    tmp_path: Path,
) -> None:
    """BEHAVIOR 2, 14: no secret is printed or left on disk, with DEBUG, errors, a kill midway."""
    twilio, command, folder = connection
    if kind == "key":
        twilio.main_keys_open = "subaccounts"
        key = twilio.key(sids(twilio)[0])
        settings = json.loads((tmp_path / "config.json").read_text())
        del settings["auth_token"]
        secret = {"api_key_sid": key.sid, "api_key_secret": key.secret}
        settings["credentials"] = {"auth_type": "api_key", **secret}
        (tmp_path / "config.json").write_text(json.dumps(settings))
    _, _, failing, closed = sids(twilio)
    twilio.fail(f"{failing}/Queues", status=200, body=b"<html></html>", times=None)
    twilio.fail(f"{failing}/Keys", status=400, code=20001, times=None)
    twilio.fail("v1/Alerts", status=500, times=2)
    twilio.fail("v1/Alerts", status=400, code=20001, times=1)
    link = "https://evil.example/Applications.json"
    twilio.fail(
        rf"{failing}/Applications.json\?", 200, body={"applications": [], "next_page_uri": link}
    )
    environment = {**os.environ, "TMPDIR": str(folder)}
    twilio.latency_ms = 10 if killed_after else 0
    printed = tmp_path / "printed"
    with printed.open("wb") as file:
        child = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=file, stderr=file)
        while killed_after and len(twilio.requests) < killed_after and child.poll() is None:
            time.sleep(0.005)
        if killed_after:
            child.kill()
        child.wait(timeout=120)
    output = printed.read_bytes()
    assert child.returncode == (-signal.SIGKILL if killed_after else 1)
    left = {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    # The account list is kept in memory only.
    assert [name for name, content in left.items() if b"owner_account_sid" in content] == []
    assert output.count(b"owner_account_sid") != 0
    # Subaccounts' tokens were in use, if there was time.
    asked = {r.account for r in twilio.requests if r.host == "monitor.twilio.com"}
    # Unless another list has shown before that it is refused.
    assert killed_after or asked | {closed} == set(sids(twilio))
    # Which secret, and where. The CDK's copy of the config has a test of its own.
    found = [
        (number, name)
        for number, secret in enumerate(secrets(twilio))
        for name, content in {**left, "config.json": b"", "printed": output}.items()
        if secret in content
    ]
    assert found == []


def test_config_is_not_copied(twilio: Sandbox, tmp_path: Path) -> None:
    """BEHAVIOR 2: the token is not written to the folder that the CDK makes for a command."""
    SourceTwilio(config=twilio.config).configure(twilio.config, str(tmp_path))
    assert list(tmp_path.iterdir()) == []
