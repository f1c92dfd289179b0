"""States of other connectors go on (BEHAVIOR 7, 24)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sandbox import Sandbox
from unit_tests.support.contract import (
    DATED,
    END,
    START,
    Row,
    _haste,
    asked,
    config,
    cursors,
    opened,
    sids,
    status,
    text,
    twilio,
)
from unit_tests.support.reading import problems, read

__all__ = ["_haste", "opened", "twilio"]


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
        # Alerts may be 25 hours late (BEHAVIOR 51).
        ("2025-12-25T07:00:00Z", "2025-12-16T12:10:00Z", "2025-12-16T12:10:00Z"),
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
        # Alerts may be 25 hours late (BEHAVIOR 51).
        ("2025-12-25T07:00:00Z", "2025-12-16T12:10:00Z", "2025-12-16T12:10:00Z"),
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
