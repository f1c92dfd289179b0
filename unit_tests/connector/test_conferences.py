"""Conferences, of which Twilio shows one status at a time (BEHAVIOR 32)."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine

from sandbox import Sandbox
from unit_tests.support.contract import (
    DAY,
    END,
    HOUR,
    Make,
    _haste,
    add,
    asked,
    config,
    cursors,
    opened,
    saved,
    sids,
    status,
)
from unit_tests.support.reading import final_state, problems, read, records

__all__ = ["_haste", "opened"]


def states(twilio: Sandbox) -> dict[str, str]:
    """Return the status of each conference, as Twilio knows it."""
    rows = [row for account in sids(twilio) for row in twilio.rows("conferences", account)]
    return {row["sid"]: row["status"] for row in rows}


@pytest.mark.parametrize("without_status", ["in-progress", "all"])
@pytest.mark.parametrize("dates", ["combined", "ignored"])
def test_every_status_arrives(
    without_status: str, dates: str, opened: Make, clock: time_machine.Traveller
) -> None:
    """Each conference arrives in its last state, in the first and in later syncs."""
    twilio = opened(conferences_without_status=without_status, conference_dates=dates)
    now = twilio.now()
    start = now - 400 * DAY
    for account in sids(twilio):
        for number, name in enumerate(["init", "in-progress", "completed"] * 4):
            add(twilio, "conferences", account, now - number * 8 * DAY - HOUR, status=name)
    first = read(config(twilio, start), "conferences")
    warehouse = {row["sid"]: row["status"] for row in records(first, "conferences")}
    expected = states(twilio)
    assert {sid: warehouse.get(sid) for sid in expected} == expected
    assert cursors(first, "conferences") == dict.fromkeys(sids(twilio), END)

    clock.shift(3 * DAY)
    for sid, name in expected.items():
        if name == "in-progress":
            twilio.update("conferences", sid, status="completed")
    state = {"conferences": final_state(first, "conferences")}
    second = read(config(twilio, start), "conferences", state=state)
    warehouse |= {row["sid"]: row["status"] for row in records(second, "conferences")}
    assert warehouse == states(twilio)
    assert problems(first) + problems(second) == []
    assert status(second, "conferences") == "COMPLETE"


def test_state_from_before(opened: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """A state without statuses goes back to where Twilio narrowed the list, once."""
    with time_machine.travel("2026-11-20T12:00:00Z", tick=False):
        twilio = opened()
        accounts = sids(twilio)
        cursors_before: list[dict[str, Any]] = [
            *saved("conferences", "2026-11-19T11:00:00Z", accounts[:1])["states"],
            *saved("conferences", "2026-08-01T00:00:00Z", accounts[1:])["states"],
        ]
        settings = config(twilio, lookback_window=0)
        first = read(settings, "conferences", state={"conferences": {"states": cursors_before}})
        bounds = {
            (account, query["DateUpdated>"]) for account, query in asked(twilio, "conferences")
        }
        assert {account: min(b for a, b in bounds if a == account) for account in accounts} == {
            accounts[0]: "2026-09-29",
            **dict.fromkeys(accounts[1:], "2026-08-01"),
        }
        assert problems(first) == [
            "conferences: earlier releases missed rows since 2026-09-29 (BEHAVIOR 32). They are "
            "read again from there, once."
        ]
        begin = len(twilio.requests)
        state = {"conferences": final_state(first, "conferences")}
        second = read(settings, "conferences", state=state)
        found = {query["DateUpdated>"] for _, query in asked(twilio, "conferences", begin)}
        assert found == {"2026-11-20"}
        assert problems(second) == []
