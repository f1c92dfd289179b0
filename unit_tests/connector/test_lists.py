"""Retention, split_full_windows queries, lists below a list, and usage."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from sandbox import Sandbox
from unit_tests.conftest import NOW
from unit_tests.support.contract import (
    DAY,
    END,
    HOUR,
    LAST,
    MINUTE,
    SECOND,
    START,
    Make,
    _haste,
    add,
    arrived,
    asked,
    config,
    cursors,
    errors,
    identity,
    moment_of,
    opened,
    saved,
    shown,
    sids,
    status,
    twilio,
    warnings,
    with_media,
)
from unit_tests.support.reading import final_state, problems, read, records

__all__ = ["_haste", "opened", "twilio"]


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
        f"{stream}: account {short} shows its last 30 days only; older rows are no longer "
        "available from Twilio."
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
    ends = ["2026-01-13T23:59:59Z", END, END]
    assert cursors(output, "alerts") == dict(zip(sids(twilio), ends, strict=True))


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
