"""Cursors: late changes, failures, odd states, and accounts that are independent."""

from __future__ import annotations

from base64 import b64encode
from datetime import datetime, timezone
from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest
import time_machine

from sandbox import Sandbox
from unit_tests.conftest import NOW
from unit_tests.connector.test_bounds import edges
from unit_tests.support.contract import (
    DATED,
    DAY,
    END,
    HOUR,
    KINDS,
    LAST,
    MINUTE,
    RESOURCES,
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
    errors,
    identity,
    moment_of,
    opened,
    queries,
    refusal,
    saved,
    shown,
    sids,
    since_last,
    status,
    text,
    twilio,
    warnings,
    with_media,
)
from unit_tests.support.reading import final_state, problems, read, records

__all__ = ["_haste", "opened", "twilio"]


@pytest.mark.parametrize(
    ("stream", "bound"),
    [
        ("messages", "2026-01-15T09:30:00Z"),
        ("calls", "2026-01-15T09:30:00Z"),
        ("recordings", "2026-01-15T09:30:00Z"),
        ("conferences", "2026-01-15"),
        ("usage_records", "2026-01-15"),
        # They may be late (BEHAVIOR 51).
        ("alerts", "2026-01-14T10:00:00Z"),
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
        f"messages: account {failing} failed; its cursor was not advanced."
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
        "and Twilio shows 400 days only: what lies between is no longer available from Twilio "
        "(BEHAVIOR 10)."
        for number in warned
    ]
    assert status(output, "messages") == "COMPLETE"
    ends = [cursors(output, "messages")[account] for account in accounts]
    assert ends == [END if bounds[0] else text(NOW), END, END]


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
        f"{stream}: account {failing} failed; its cursor was not advanced."
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


def test_a_state_while_nothing_comes(
    opened: Make, clock: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pages without rows have the state said when it is due, lest a platform takes it for dead."""
    ticks = count(NOW.timestamp(), 60)
    monkeypatch.setattr("source_twilio.state.time", SimpleNamespace(time=lambda: next(ticks)))
    twilio = opened()
    for account in sids(twilio):
        for row in twilio.rows("conversations", account):
            for message in twilio.rows("conversation_messages", account):
                if message["conversation_sid"] == row["sid"]:
                    twilio.delete("conversation_messages", message["sid"])
    output = read(config(twilio, num_workers=1), "conversation_messages")
    assert problems(output) == []
    pages = sum("/Messages" in request.path for request in twilio.requests)
    # One for each page but the first, before which no time has passed, and one at the end.
    assert (len(output.state_messages), pages) == (27, 27)
    assert records(output, "conversation_messages") == []
