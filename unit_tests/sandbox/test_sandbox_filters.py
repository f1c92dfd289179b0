"""The filters of the sandbox's lists, and the sums of usage."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from sandbox import Sandbox
from sandbox.data import seconds_of
from unit_tests.support.sandbox_client import HOSTS, NOON, client_of, follow, get, refusal

# Calls at these hours of the 9th to 11th of June, the last one without a start.
HOURS = ("09T23:59:59", "10T00:00:00", "10T12:00:00", "11T00:00:00", None)


@pytest.mark.parametrize(
    ("query", "exclusive", "inclusive"),
    [
        ({"StartTime>": "2024-06-10"}, "123", "123"),
        ({"StartTime<": "2024-06-10"}, "0", "012"),
        ({"StartTime": "2024-06-10"}, "12", "12"),
        ({"StartTime>": "2024-06-10", "StartTime<": "2024-06-10"}, "", "12"),
        ({"StartTime>": "2024-06-10", "StartTime<": "2024-06-11"}, "12", "123"),
        ({"StartTime>": "2024-06-10T12:00:00Z"}, "23", "23"),
        ({"StartTime<": "2024-06-10T12:00:00Z"}, "01", "012"),
        ({"StartTime<": "2024-06-10 12:00:00"}, "01", "012"),
        ({"Start": "2024-06-10"}, "01234", "01234"),
        ({"Status": "busy"}, "1", "1"),
        ({"Status": "busy", "StartTime>": "2024-06-11"}, "", ""),
    ],
)
def test_date_filters(
    twilio: Sandbox, query: dict[str, str], exclusive: str, inclusive: str
) -> None:
    """Both readings of an upper bound; a parameter that Twilio does not know is ignored."""
    sid = twilio.accounts[0].sid
    for row in twilio.rows("calls", sid):
        twilio.delete("calls", row["sid"])
    for number, hour in enumerate(HOURS):
        start = datetime.fromisoformat(f"2024-06-{hour}+00:00") if hour else None
        status = "busy" if number == 1 else "completed"
        twilio.add("calls", sid, annotation=str(number), start_time=start, status=status)
    found = {}
    for twilio.upper_bound in ("exclusive", "inclusive"):
        calls = get(twilio, "Calls", query).json()["calls"]
        found[twilio.upper_bound] = "".join(sorted(call["annotation"] for call in calls))
    assert found == {"exclusive": exclusive, "inclusive": inclusive}


def test_filter_cut_to_the_day(twilio: Sandbox) -> None:
    """Without a time of day, a bound falls back to its midnight."""
    twilio.time_of_day = False
    whole = get(twilio, "Messages", {"DateSent>": "2024-03-01"}).json()["messages"]
    assert (
        get(twilio, "Messages", {"DateSent>": "2024-03-01T23:00:00Z"}).json()["messages"] == whole
    )


@pytest.mark.parametrize("null_dates", ["hidden", "shown"])
def test_filter_on_null(twilio: Sandbox, null_dates: Any) -> None:
    """A row without the date is out of every filter, or is judged by its creation."""
    twilio.null_dates = null_dates
    sid, since = twilio.accounts[0].sid, date(2024, 3, 1)
    expected = [
        row["sid"]
        for row in twilio.rows("messages", sid)
        if (row["date_sent"] or (null_dates == "shown" and row["date_created"]))
        and seconds_of(row["date_sent"] or row["date_created"]) >= seconds_of(str(since))
    ]
    found = client_of(twilio).messages.list(date_sent_after=since, page_size=9)
    assert [message.sid for message in found] == expected


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("Messages", {"DateSent": ">=2024-01-01"}),
        ("Messages", {"DateSent>": "yesterday"}),
        ("Messages", {"DateSent<": "2024-02-30"}),
        ("Messages", {"DateSent<": ""}),
        ("Conferences", {"DateUpdated>": "01/02/2024"}),
        ("Usage/Records/Daily", {"StartDate": "nonsense"}),
        ("/v1/Alerts", {"StartDate": "-3days"}),
        ("/v1/Alerts", {"StartDate": "2024-05-16T11:59:59Z"}),
        ("Messages", {"PageSize": "0"}),
        ("Messages", {"Page": "x"}),
    ],
)
def test_invalid_values(twilio: Sandbox, path: str, query: dict[str, str]) -> None:
    """A value that is no date or number, or lies before the alerts that are kept."""
    assert refusal(get(twilio, path, query)) == (400, 20001)


# Conferences by name: status, day of creation, day of the last change.
CONFERENCES = {
    "a": ("init", 10, 10),
    "b": ("in-progress", 1, 1),
    "c": ("in-progress", 1, 10),
    "d": ("completed", 1, 1),
    "e": ("completed", 1, 10),
    "f": ("completed", 10, 10),
}


@pytest.mark.parametrize(
    ("query", "narrow", "narrow_undated", "wide", "wide_undated"),
    [
        ({}, "bc", "bc", "abcdef", "abcdef"),
        ({"DateUpdated>": "2024-06-05"}, "c", "c", "acef", "acef"),
        ({"DateCreated<": "2024-06-05"}, "bc", "bc", "bcde", "bcde"),
        ({"FriendlyName": "d"}, "", "", "d", "d"),
        ({"Status": "init"}, "a", "a", "a", "a"),
        ({"Status": "in-progress"}, "bc", "bc", "bc", "bc"),
        ({"Status": "completed"}, "def", "def", "def", "def"),
        ({"Status": "completed", "DateUpdated>": "2024-06-05"}, "ef", "def", "ef", "def"),
        ({"Status": "completed", "DateUpdated<": "2024-06-05"}, "d", "def", "d", "def"),
        ({"Status": "completed", "DateCreated": "2024-06-10"}, "f", "def", "f", "def"),
        ({"Status": "in-progress", "DateUpdated>": "2024-06-05"}, "c", "bc", "c", "bc"),
        ({"Status": "completed", "FriendlyName": "e"}, "e", "e", "e", "e"),
        ({"Status": "unheard-of"}, "", "", "", ""),
    ],
)
def test_conferences(
    twilio: Sandbox,
    query: dict[str, str],
    narrow: str,
    narrow_undated: str,
    wide: str,
    wide_undated: str,
) -> None:
    """Without Status those in progress or all; beside Status, dates count or are ignored."""
    sid = twilio.accounts[0].sid
    for row in twilio.rows("conferences", sid):
        twilio.delete("conferences", row["sid"])
    for name, (status, created, updated) in CONFERENCES.items():
        created_at, updated_at = (NOON.replace(day=day) for day in (created, updated))
        twilio.add(
            *("conferences", sid),
            friendly_name=name,
            status=status,
            date_created=created_at,
            date_updated=updated_at,
        )
    found = []
    for twilio.conferences_without_status in ("in-progress", "all"):
        for twilio.conference_dates in ("combined", "ignored"):
            rows = get(twilio, "Conferences", query).json()["conferences"]
            found.append("".join(sorted(row["friendly_name"] for row in rows)))
            names = [row["friendly_name"] for row in twilio.rows("conferences", sid)]
            assert sorted(names) == sorted(CONFERENCES)
    assert found == [narrow, narrow_undated, wide, wide_undated]


def test_conferences_of_each_status(twilio: Sandbox) -> None:
    """Twilio's client finds all conferences by one list for each status, and by no other way."""
    sid, client = twilio.accounts[0].sid, client_of(twilio)
    lists = {
        status: [item.sid for item in client.conferences.list(status=status, page_size=2)]
        for status in ("init", "in-progress", "completed")
    }
    assert [len(found) for found in lists.values()] == [1, 3, 2]
    every = [row["sid"] for row in twilio.rows("conferences", sid)]
    assert sorted(sum(lists.values(), [])) == sorted(every)
    assert [item.sid for item in client.conferences.list(page_size=2)] == lists["in-progress"]


def test_links_of_conferences_say_what_was_asked(twilio: Sandbox) -> None:
    """The links of a list without Status name none, and lead on within that list."""
    live = twilio.rows("conferences", twilio.accounts[0].sid, {"Status": "in-progress"})
    first = get(twilio, "Conferences", {"PageSize": 2}).json()
    second = follow(twilio, HOSTS["api"] + first["next_page_uri"])
    assert "Status" not in first["uri"] + first["next_page_uri"]
    assert (first["conferences"], second["conferences"]) == (live[:2], live[2:])
    assert second["next_page_uri"] is None


def test_a_conference_ends(twilio: Sandbox) -> None:
    """It leaves the list of those in progress for that of the completed, with a new date."""
    client, sid = client_of(twilio), twilio.accounts[0].sid
    conference = twilio.rows("conferences", sid, {"Status": "in-progress"})[0]["sid"]
    seen = []
    for status in ("in-progress", "completed"):
        twilio.advance(timedelta(days=40))
        twilio.update("conferences", conference, status=status)
        today = {"date_updated_after": twilio.now().date()}
        seen.append(
            [
                [item.sid for item in client.conferences.list(**today, **asked)]
                for asked in ({}, {"status": "in-progress"}, {"status": "completed"})
            ]
        )
    assert seen == [[[conference], [conference], []], [[], [], [conference]]]


def test_soft_deleted_recordings(twilio: Sandbox) -> None:
    """Deleted recordings are listed on request only."""
    client, listed = client_of(twilio), {}
    for deleted in (True, False):
        found = client.recordings.list(include_soft_deleted=deleted, page_size=40)
        listed[deleted] = sorted({recording.status for recording in found})
    assert listed == {
        True: ["completed", "deleted", "processing"],
        False: ["completed", "processing"],
    }


def test_alerts_by_time(twilio: Sandbox) -> None:
    """Alerts go back 30 days, are filtered to the second and belong to who asks."""
    sid = twilio.accounts[0].sid
    for created in (NOON - timedelta(days=30, seconds=1), NOON - timedelta(days=30), NOON):
        twilio.add("alerts", sid, date_created=created, date_generated=created, alert_text="new")
    times = [
        [row["date_generated"] for row in body["alerts"] if row["alert_text"] == "new"]
        for query in ({}, {"StartDate": "2024-06-15T12:00:00Z"}, {"EndDate": "2024-06-15"})
        for body in [get(twilio, "/v1/Alerts", {"PageSize": 1000} | query).json()]
    ]
    last, first = "2024-06-15T12:00:00Z", "2024-05-16T12:00:00Z"
    assert times == [[last, first], [last], [first]]


def test_usage_of_subaccounts(twilio: Sandbox) -> None:
    """By default the main account's rows hold the sums of all accounts."""
    sums: dict[tuple[str, str], Decimal] = {}
    for account in twilio.accounts:
        for row in twilio.rows("usage_records", account.sid, {"IncludeSubaccounts": "false"}):
            key = row["category"], row["start_date"]
            sums[key] = sums.get(key, Decimal()) + Decimal(row["usage"])
    rows = twilio.rows("usage_records", twilio.accounts[0].sid)
    found = {(row["category"], row["start_date"]): Decimal(row["usage"]) for row in rows}
    assert found == sums
    assert {row["account_sid"] for row in rows} == {twilio.accounts[0].sid}


@pytest.mark.parametrize(
    ("query", "days"),
    [
        ({"StartDate": "2024-06-13", "EndDate": "2024-06-14"}, ["2024-06-14", "2024-06-13"]),
        ({"StartDate": "-1days"}, ["2024-06-15", "2024-06-14"]),
        ({"EndDate": "2024-06-12"}, ["2024-06-12"]),
        ({"StartDate": "2024-06-16"}, 404),
        ({"Category": "mms"}, 404),
    ],
)
def test_usage_range(twilio: Sandbox, query: dict[str, str], days: Any) -> None:
    """Both days of a range count; where there is nothing, Twilio may say 404."""
    sid = twilio.accounts[0].sid
    for row in twilio.rows("usage_records", sid, {"IncludeSubaccounts": "false"}):
        twilio.delete("usage_records", f"{row['category']}:{row['start_date']}")
    for day in ("12", "13", "14", "15"):
        twilio.add("usage_records", sid, start_date=f"2024-06-{day}", end_date=f"2024-06-{day}")
    query["IncludeSubaccounts"] = "false"
    response = get(twilio, "Usage/Records/Daily", query)
    if days == 404:
        assert refusal(response) == (404, 20404)
        twilio.empty_usage, days = "empty", []
        response = get(twilio, "Usage/Records/Daily", query)
    assert [row["start_date"] for row in response.json()["usage_records"]] == days


def test_usage_is_restated(twilio: Sandbox) -> None:
    """`as_of` follows the clock."""
    stamps = []
    for hours in (0, 3):
        twilio.advance(timedelta(hours=hours))
        rows = get(twilio, "Usage/Records/Daily").json()["usage_records"]
        stamps += sorted({row["as_of"] for row in rows})
    assert stamps == ["2024-06-15T12:00:00+00:00", "2024-06-15T15:00:00+00:00"]
