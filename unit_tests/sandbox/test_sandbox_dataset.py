"""The sandbox's year agrees with itself: what a row refers to is there, and fits it."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any

import pytest

from sandbox import Sandbox
from sandbox.traffic import ERRORS, MESSAGES, PHONES
from sandbox.wire import seconds_of

Rows = dict[str, dict[str, Any]]
STREAMS = ("alerts", "calls", "incoming_phone_numbers", "messages", "recordings", "transcriptions")
ALL = {"recordings": {"IncludeSoftDeleted": "true"}}


@pytest.fixture(params=range(4))
def year(request: pytest.FixtureRequest, sandbox: Sandbox) -> dict[str, Rows]:
    """The lists of an account by SID."""
    account = sandbox.accounts[request.param].sid
    lists = {name: sandbox.rows(name, account, ALL.get(name)) for name in STREAMS}
    return {name: {row["sid"]: row for row in rows} for name, rows in lists.items()}


def test_owned_numbers(year: dict[str, Rows]) -> None:
    """Each message and call has one end at a number of the account; two numbers have none."""
    owned = {row["phone_number"]: row["sid"] for row in year["incoming_phone_numbers"].values()}
    used = set()
    for row in (year["messages"] | year["calls"]).values():
        own, other = ("to", "from") if row["direction"] == "inbound" else ("from", "to")
        assert row.get("phone_number_sid", owned[row[own]]) == owned[row[own]]
        assert row[other].startswith(tuple(PHONES))
        used.add(row[own])
    assert len(owned) - len(used) == 2


def test_numbers_have_one_owner(sandbox: Sandbox) -> None:
    """No number belongs to two accounts."""
    owned = [
        row["phone_number"]
        for account in sandbox.accounts
        for row in sandbox.rows("incoming_phone_numbers", account.sid)
    ]
    assert len({*owned}) == len(owned) == 20


def test_recordings(year: dict[str, Rows]) -> None:
    """A recording is of a call that took place, within its time, and priced by the minute."""
    assert year["recordings"]
    for row in year["recordings"].values():
        call = year["calls"][row["call_sid"]]
        assert call["status"] in ("completed", "in-progress")
        assert seconds_of(row["date_created"]) >= seconds_of(call["start_time"])
        if call["status"] == "completed":
            assert int(row["duration"]) <= int(call["duration"])
        if row["status"] != "processing":
            minutes = -(-int(row["duration"]) // 60)
            assert Decimal(row["price"]) == Decimal("-0.0025") * minutes
    for row in year["transcriptions"].values():
        assert row["recording_sid"] in year["recordings"]


def test_alerts(year: dict[str, Rows]) -> None:
    """An alert is about a call or a failed message, with the code that it failed with."""
    assert year["alerts"]
    for row in year["alerts"].values():
        about = row["resource_sid"]
        assert int(row["error_code"]) in ERRORS
        if message := year["messages"].get(about):
            assert row["error_code"] == str(message["error_code"])
        else:
            assert about in year["calls"]
            assert row["error_code"] == "11200"


def test_outcomes(year: dict[str, Rows]) -> None:
    """Status, error, dates and price of a message or a call go together."""
    for row in year["messages"].values():
        error = row["status"] in ("failed", "undelivered")
        assert (row["error_message"] is not None) == (row["error_code"] is not None) == error
        if row["status"] in ("queued", "accepted", "sending", "scheduled", "canceled"):
            assert (row["date_sent"], row["price"]) == (None, None)
        if row["status"] in ("delivered", "received"):
            assert Decimal(row["price"]) < 0
    for row in year["calls"].values():
        done = row["status"] == "completed"
        assert (row["price"] is not None) == (int(row["duration"] or 0) > 0) == done


def test_media(sandbox: Sandbox) -> None:
    """A message has as many files as it says, and they are its account's."""
    account = sandbox.accounts[0].sid
    said = {row["sid"]: int(row["num_media"]) for row in sandbox.rows("messages", account)}
    assert {*said.values()} == {0, 1, 2, 3}
    files = Counter(row["parent_sid"] for row in sandbox.rows("message_media", account))
    assert files == {sid: number for sid, number in said.items() if number}


def test_rates() -> None:
    """Of many messages most arrive; each way to fail takes a few in a hundred."""
    with Sandbox(seed=1) as twilio:
        rows = twilio.rows("messages", twilio.accounts[0].sid)
    share = {name: n / len(rows) for name, n in Counter(row["status"] for row in rows).items()}
    assert {outcome.status for outcome in MESSAGES} <= {*share}
    assert share["delivered"] > 0.5
    assert share["received"] > 0.3
    assert 0.03 < share["failed"] + share["undelivered"] < 0.07
