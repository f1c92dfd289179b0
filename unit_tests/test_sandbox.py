"""The sandbox answers as the API is known to: to Twilio's own client, to requests and to curl."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest
import requests
from requests.exceptions import (
    ChunkedEncodingError,
    ConnectionError,
    JSONDecodeError,
    ProxyError,
    SSLError,
)
from twilio.base.exceptions import TwilioException  # type: ignore[import-untyped]
from twilio.rest import Client  # type: ignore[import-untyped]

from sandbox import Faults, Key, Sandbox
from sandbox.api import REGIONS, STREAMS, Account
from sandbox.data import seconds_of
from sandbox.server import BUNDLES

NOON = datetime(2024, 6, 15, 12, tzinfo=timezone.utc)
HOSTS = {"api": "https://api.twilio.com", "monitor": "https://monitor.twilio.com"}
PARTS = {
    "accounts": lambda client: client.api.accounts,
    "addresses": lambda client: client.addresses,
    "alerts": lambda client: client.monitor.v1.alerts,
    "applications": lambda client: client.applications,
    "available_phone_number_countries": lambda client: client.available_phone_numbers,
    "calls": lambda client: client.calls,
    "conferences": lambda client: client.conferences,
    "incoming_phone_numbers": lambda client: client.incoming_phone_numbers,
    "keys": lambda client: client.keys,
    "messages": lambda client: client.messages,
    "outgoing_caller_ids": lambda client: client.outgoing_caller_ids,
    "queues": lambda client: client.queues,
    "recordings": lambda client: client.recordings,
    "transcriptions": lambda client: client.transcriptions,
    "usage_records": lambda client: client.usage.records.daily,
    "usage_triggers": lambda client: client.usage.triggers,
}
CHILDREN: dict[str, tuple[str, Callable[[Client, str], Any]]] = {
    "available_phone_numbers_local": (
        "available_phone_number_countries",
        lambda client, code: client.available_phone_numbers(code).local,
    ),
    "available_phone_numbers_mobile": (
        "available_phone_number_countries",
        lambda client, code: client.available_phone_numbers(code).mobile,
    ),
    "available_phone_numbers_toll_free": (
        "available_phone_number_countries",
        lambda client, code: client.available_phone_numbers(code).toll_free,
    ),
    "conference_participants": (
        "conferences",
        lambda client, sid: client.conferences(sid).participants,
    ),
    "dependent_phone_numbers": (
        "addresses",
        lambda client, sid: client.addresses(sid).dependent_phone_numbers,
    ),
    "message_media": ("messages", lambda client, sid: client.messages(sid).media),
}


@pytest.fixture
def twilio(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """A small sandbox whose clock stands at noon, with the environment pointing at it."""
    with Sandbox(scale=0.02, clock=NOON, retry_after=0) as sandbox:
        for name, value in sandbox.environment.items():
            monkeypatch.setenv(name, value)
        yield sandbox


def client_of(twilio: Sandbox, number: int = 0) -> Client:
    """Return Twilio's client with the credentials of an account."""
    account = twilio.accounts[number]
    return Client(account.sid, account.auth_token)


def get(
    twilio: Sandbox,
    path: str,
    query: Mapping[str, Any] | None = None,
    number: int = 0,
    who: Account | Key | None = None,
    place: str = "",
) -> requests.Response:
    """Ask for a path, below the main account where it does not start with a slash."""
    if path[0] != "/":
        path = f"/2010-04-01/Accounts/{twilio.accounts[0].sid}/{path}.json"
    host = f"{'monitor' if path.startswith('/v1/') else 'api'}{place}.twilio.com"
    auth = (who or twilio.accounts[number])[:2]
    return requests.get(f"https://{host}{path}", params=query, auth=auth, timeout=10)


def follow(twilio: Sandbox, link: str) -> Any:
    """Return what a link leads to."""
    return requests.get(link, auth=twilio.accounts[0][:2], timeout=10).json()


def refusal(response: requests.Response) -> tuple[int, int | None]:
    """Return status and code of an error."""
    return response.status_code, response.json().get("code")


def named(rows: Any) -> list[tuple[Any, ...]]:
    """Return what tells rows apart, for rows of the wire and objects of the client alike."""
    names = ("sid", "call_sid", "phone_number", "country_code", "category", "start_date")
    read = [row if isinstance(row, dict) else vars(row) for row in rows]
    return [tuple(str(row.get(name)) for name in names) for row in read]


# --------------------------------------------------------------------------------------------------
# Lists
# --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stream", PARTS)
@pytest.mark.parametrize("number", [0, 1, 4], ids=["main", "active", "suspended"])
def test_client_lists_the_rows(twilio: Sandbox, stream: str, number: int) -> None:
    """Twilio's client reads every list to its end, page by page."""
    expected = twilio.rows(stream, twilio.accounts[number].sid)
    assert named(PARTS[stream](client_of(twilio, number)).list(page_size=7)) == named(expected)
    paged = STREAMS[stream].paged
    assert len(twilio.requests) == (-(-len(expected) // 7) if paged else 1)


@pytest.mark.parametrize("stream", CHILDREN)
def test_client_lists_the_children(twilio: Sandbox, stream: str) -> None:
    """The lists below a message, conference, address or country."""
    parent, part = CHILDREN[stream]
    sid, client, found = twilio.accounts[0].sid, client_of(twilio), []
    kind = stream.rpartition("numbers_")[2]
    for row in twilio.rows(parent, sid):
        if "country_code" not in row or kind in row["subresource_uris"]:
            found += part(client, row.get("sid") or row["country_code"]).list(page_size=1)
    expected = twilio.rows(stream, sid)
    assert (named(found), bool(found)) == (named(expected), True)


@pytest.mark.parametrize("stream", STREAMS)
def test_wire(twilio: Sandbox, stream: str) -> None:
    """The body holds the very rows, and the keys that its paging style has."""
    endpoint, sid = STREAMS[stream], twilio.accounts[0].sid
    parents = twilio.rows(endpoint.parent, sid) if endpoint.parent else [{"sid": "none"}]
    keys = [row.get("sid") or row["country_code"] for row in parents]
    answers = [get(twilio, endpoint.path.replace("{parent}", key)) for key in keys]
    bodies = [answer.json() for answer in answers if answer.ok]
    key = endpoint.key or stream
    found = [row for body in bodies for row in body[key]]
    expected = twilio.rows(stream, sid)
    assert found == (expected if endpoint.parent else expected[:50])
    links = {"uri", "first_page_uri", "next_page_uri", "previous_page_uri"}
    paging = links | {"page", "page_size", "start", "end"} if endpoint.paged else {"uri"}
    assert set(bodies[0]) - {key} == ({"meta"} if endpoint.product == "monitor" else paging)


def test_links_repeat_the_query(twilio: Sandbox) -> None:
    """A next link carries filters, page size and the token; the way back leads back."""
    sid, query = twilio.accounts[0].sid, {"DateSent>": "2024-01-01", "To": "+1"}
    for _ in range(5):
        twilio.add("messages", sid, to="+1")
    rows = twilio.rows("messages", sid, query)
    first = get(twilio, "Messages", query | {"PageSize": 2}).json()
    path, filters = first["uri"].split("?")[0], "DateSent%3E=2024-01-01&To=%2B1"
    token = f"PA{rows[1]['sid']}"
    assert first["next_page_uri"] == f"{path}?{filters}&PageSize=2&Page=1&PageToken={token}"
    pages = [first]
    for link in ("next_page_uri", "next_page_uri", "previous_page_uri", "previous_page_uri"):
        pages.append(follow(twilio, HOSTS["api"] + pages[-1][link]))
    found = [(page["page"], page["start"], page["end"], page["messages"]) for page in pages]
    expected = [(0, 0, 1, rows[:2]), (1, 2, 3, rows[2:4]), (2, 4, 4, rows[4:])]
    assert found == [*expected, expected[1], expected[0]]
    ends = first["previous_page_uri"], pages[2]["next_page_uri"]
    assert (ends, first["uri"]) == ((None, None), first["first_page_uri"])


@pytest.mark.parametrize("stream", ["messages", "alerts", "usage_records"])
def test_pages_stay_while_rows_arrive(twilio: Sandbox, stream: str) -> None:
    """What arrives between two pages neither repeats nor hides a row."""
    sid = twilio.accounts[1].sid
    before, seen = twilio.rows(stream, sid), []
    for row in PARTS[stream](client_of(twilio, 1)).stream(page_size=5):
        seen.append(row)
        new = {"category": f"c{len(seen)}"} if stream == "usage_records" else {}
        twilio.add(stream, sid, **new)
    assert named(seen) == named(before)
    assert len(twilio.rows(stream, sid)) == 2 * len(before)


def test_page_size(twilio: Sandbox) -> None:
    """50 by default, and no more than the largest page."""
    sizes = []
    for twilio.page_size_max in (1000, 20):
        for query in ({}, {"PageSize": 5000}):
            body = get(twilio, "Messages", query).json()
            sizes.append((body["page_size"], len(body["messages"])))
    assert sizes == [(50, 50), (1000, 64), (20, 20), (20, 20)]


def test_monitor_links_are_absolute(twilio: Sandbox) -> None:
    """The product APIs name the host, and the list, in `meta`."""
    meta = get(twilio, "/v1/Alerts", {"PageSize": 1, "LogLevel": "error"}).json()["meta"]
    start = "https://monitor.twilio.com/v1/Alerts?LogLevel=error&PageSize=1&Page=1&PageToken=PANO"
    assert (meta["next_page_url"][: len(start)], meta["key"]) == (start, "alerts")


# --------------------------------------------------------------------------------------------------
# Filters
# --------------------------------------------------------------------------------------------------

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


# --------------------------------------------------------------------------------------------------
# Usage
# --------------------------------------------------------------------------------------------------


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


# --------------------------------------------------------------------------------------------------
# Changes
# --------------------------------------------------------------------------------------------------


def test_rows_follow_changes(twilio: Sandbox) -> None:
    """A row added, changed and deleted, each seen by the next request."""
    client, sid = client_of(twilio), twilio.accounts[0].sid
    row = twilio.add("messages", sid, body="¡Hola! 👋")
    assert client.messages.list(limit=1)[0].body == "¡Hola! 👋"
    twilio.advance(timedelta(minutes=1))
    twilio.update("messages", row["sid"], status="failed", date_sent=None)
    [seen] = client.messages.list(limit=1)
    assert (seen.status, seen.date_sent, seen.date_created, seen.date_updated) == (
        "failed",
        None,
        NOON,
        NOON + timedelta(minutes=1),
    )
    twilio.delete("messages", row["sid"])
    assert row["sid"] not in [message.sid for message in client.messages.list()]
    with pytest.raises(KeyError):
        twilio.delete("messages", row["sid"])


def test_participants_leave_with_the_conference(twilio: Sandbox) -> None:
    """Only a conference that goes on has participants."""
    sid = twilio.accounts[0].sid
    conference = twilio.add("conferences", sid, status="in-progress")["sid"]
    twilio.add("conference_participants", sid, conference, label="agent")
    path = f"Conferences/{conference}/Participants"
    before = [row["label"] for row in get(twilio, path).json()["participants"]]
    twilio.update("conferences", conference, status="completed")
    assert (before, get(twilio, path).json()["participants"]) == (["agent"], [])


def test_new_subaccount(twilio: Sandbox) -> None:
    """An account that is added lists itself under its own token."""
    new = twilio.add("accounts", twilio.accounts[0].sid, friendly_name="New")
    assert [item.sid for item in Client(new["sid"], new["auth_token"]).api.accounts.list()] == [
        new["sid"]
    ]
    assert client_of(twilio).api.accounts(new["sid"]).fetch().friendly_name == "New"


def test_accounts_of_any_shape() -> None:
    """Each account holds a share of the long lists, or the numbers of rows that it names."""
    holders = [("Main", "active", {"messages": 7, "calls": 0}), ("Sub", "suspended", {"calls": 3})]
    with Sandbox(holders=holders, scale=0, counts={"keys": 1}) as twilio:
        main, sub = twilio.accounts
        assert (main.status, sub.status) == ("active", "suspended")
        lengths = {
            (stream, account.sid): len(twilio.rows(stream, account.sid))
            for stream in ("messages", "calls", "keys", "recordings")
            for account in (main, sub)
        }
    assert lengths == {
        ("messages", main.sid): 7,
        ("messages", sub.sid): 6,
        ("calls", main.sid): 0,
        ("calls", sub.sid): 3,
        ("keys", main.sid): 1,
        ("keys", sub.sid): 3,
        ("recordings", main.sid): 6,
        ("recordings", sub.sid): 6,
    }


def test_clock() -> None:
    """The clock runs, stands still, and moves."""
    with Sandbox(scale=0) as twilio:
        real = datetime.now(timezone.utc)
        assert abs(twilio.now() - real) < timedelta(seconds=5)
        twilio.advance(timedelta(days=2))
        assert abs(twilio.now() - real - timedelta(days=2)) < timedelta(seconds=5)
        twilio.set_clock(NOON)
        twilio.advance(timedelta(days=2))
        assert twilio.now() == NOON + timedelta(days=2)


@pytest.mark.parametrize("days", [400, 7])
def test_message_retention(twilio: Sandbox, days: int) -> None:
    """Older messages are not shown, and to ask for them is an error that names the days."""
    sid, edge = twilio.accounts[0].sid, NOON - timedelta(days=days)
    twilio.message_retention_overrides[sid] = days
    for created in (edge - timedelta(seconds=1), edge):
        twilio.add("messages", sid, body="edge", date_created=created, date_sent=created)
    for query in ({}, {"DateSent<": f"{edge + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"}):
        rows = twilio.rows("messages", sid, query)
        assert [seconds_of(row["date_sent"]) for row in rows if row["body"] == "edge"] == [
            int(edge.timestamp())
        ]
    early = get(twilio, "Messages", {"DateSent>": f"{edge - timedelta(days=1):%Y-%m-%d}"})
    assert (refusal(early), f"{days} days" in early.json()["message"]) == ((400, 20004), True)
    assert get(twilio, "Messages", {"DateSent>": f"{edge:%Y-%m-%dT%H:%M:%SZ}"}).ok


# --------------------------------------------------------------------------------------------------
# Errors
# --------------------------------------------------------------------------------------------------


def test_credentials(twilio: Sandbox) -> None:
    """The main token opens all accounts but the closed one, a subaccount's only its own."""
    codes = {}
    for user in (0, 1, 5):
        for target in (0, 1, 4, 5):
            path = f"/2010-04-01/Accounts/{twilio.accounts[target].sid}/Keys.json"
            codes[user, target] = get(twilio, path, number=user).status_code
    opened = {pair for pair, status in codes.items() if status == 200}
    assert (opened, set(codes.values())) == ({(0, 0), (0, 1), (0, 4), (1, 1)}, {200, 401})
    account, url = twilio.accounts[0], f"{HOSTS['api']}/2010-04-01/Accounts.json"
    for auth in (None, ("", ""), (account.sid, "wrong"), ("AC0", account.auth_token)):
        response = requests.get(url, auth=auth, timeout=10)
        more = "https://www.twilio.com/docs/errors/20003"
        assert response.json() == {
            "code": 20003,
            "message": "Authenticate",
            "more_info": more,
            "status": 401,
        }
    with pytest.raises(TwilioException, match="20003"):
        Client(account.sid, "wrong").calls.list()


# Who asks, and the code for each of PATHS; none is an answer.
PATHS = ("Accounts", "main", "sub", "main/Calls", "main/Keys", "sub/Calls", "/v1/Alerts")
OPENED: dict[str, list[int | None]] = {
    "token": [None] * 7,
    "main": [None, None, 20003, None, None, 20003, None],
    "main that opens subaccounts": [None] * 7,
    "standard": [20003, 20003, 20003, None, 20003, 20003, None],
    "restricted": [70051, 70051, 20003, None, 70051, 20003, 70051],
    "restricted to alerts": [70051, 70051, 20003, 70051, 70051, 20003, None],
    "test": [20008] * 7,
    "sub token": [None, 20003, None, 20003, 20003, None, None],
    "sub main": [None, 20003, None, 20003, 20003, None, None],
    "sub standard": [20003, 20003, 20003, 20003, 20003, None, None],
}


def holder(twilio: Sandbox, name: str) -> Account | Key:
    """Return the credentials that OPENED calls by a name."""
    main, sub, *_ = twilio.accounts
    account = sub if name.startswith("sub ") else main
    kind: Any = name.removeprefix("sub ").split()[0]
    if kind == "token":
        return account
    streams = {"restricted": ("calls",), "restricted to alerts": ("alerts",)}.get(name, ())
    if name == "main that opens subaccounts":
        twilio.main_keys_open = "subaccounts"
    return twilio.key(account.sid, kind, streams)


@pytest.mark.parametrize("name", OPENED)
def test_kinds_of_credentials(twilio: Sandbox, name: str) -> None:
    """What each kind opens: to a subaccount's credentials nothing but that subaccount."""
    main, sub, *_ = twilio.accounts
    who, found = holder(twilio, name), []
    for path in PATHS:
        if path[0] != "/":
            path = path.replace("main", f"Accounts/{main.sid}").replace(
                "sub", f"Accounts/{sub.sid}"
            )
            path = f"/2010-04-01/{path}.json"
        found.append(refusal(get(twilio, path, who=who)))
    status = {None: 200, 20003: 401, 70051: 401, 20008: 403}
    assert found == [(status[code], code) for code in OPENED[name]]
    assert {request[-2:] for request in twilio.requests} == {
        (sub.sid if name.startswith("sub ") else main.sid, who.sid)
    }


def test_refusals_of_keys(twilio: Sandbox) -> None:
    """What a restricted key, whose refusal is a setting, test credentials and a revoked key say."""
    sid = twilio.accounts[0].sid
    key, test = twilio.key(sid, "restricted"), twilio.key(sid, "test")
    said = []
    for who, code in ((key, None), (key, (403, 20403)), (test, None)):
        twilio.not_permitted = code or twilio.not_permitted
        body = get(twilio, "Calls", who=who).json()
        said.append((body["status"], body["code"], body["message"]))
    twilio.revoke(key)
    body = get(twilio, "Calls", who=key).json()
    assert [*said, (body["status"], body["code"], body["message"])] == [
        (401, 70051, "Authorization Failed"),
        (403, 20403, "Forbidden"),
        (403, 20008, "Resource not accessible with Test Account Credentials"),
        (401, 20003, "Authenticate"),
    ]
    listed = key.sid in [row["sid"] for row in twilio.rows("keys", sid)]
    assert (key.sid[:2], test.sid[:2], listed) == ("SK", "AC", False)
    with pytest.raises(ValueError, match="us1 only"):
        twilio.key(sid, "restricted", region="ie1")


@pytest.mark.parametrize("kind", ["token", "main", "standard"])
def test_credentials_act_for_their_account(twilio: Sandbox, kind: Any) -> None:
    """Each account has alerts of its own, which only its own token or key shows."""
    seen: dict[str, str] = {}
    for account in twilio.accounts[:-1]:
        who = account if kind == "token" else twilio.key(account.sid, kind)
        client = Client(who[0], who[1], account.sid)
        for part in ("alerts", "calls"):
            found = PARTS[part](client).list(page_size=50)
            assert named(found) == named(twilio.rows(part, account.sid))
            seen |= {row.sid: row.account_sid for row in found}
        if kind != "standard":
            listed = {row.sid for row in client.api.accounts.list()}
            whole = account == twilio.accounts[0]
            assert listed == {a.sid for a in twilio.accounts if whole or a == account}
    counts = [len(twilio.rows(p, a.sid)) for a in twilio.accounts[:-1] for p in ("alerts", "calls")]
    assert (min(counts) > 0, sum(counts)) == (True, len(seen))
    assert set(seen.values()) == {account.sid for account in twilio.accounts[:-1]}


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [
        (401, 20003, "Authenticate"),
        (403, 20005, "Account not active"),
        (403, 20403, "Forbidden"),
    ],
)
def test_main_account_suspended(twilio: Sandbox, status: int, code: int, message: str) -> None:
    """It takes all credentials with it, those of its subaccounts too."""
    names = ("token", "main", "standard", "restricted", "test", "sub token", "sub main")
    holders = [holder(twilio, name) for name in names]
    twilio.restrict(twilio.accounts[0].sid, status, code)
    for who in holders:
        for path in ("/2010-04-01/Accounts.json", "/v1/Alerts"):
            body = get(twilio, path, who=who).json()
            assert (body["status"], body["code"], body["message"]) == (status, code, message)
    twilio.restrict(twilio.accounts[0].sid, None)
    assert get(twilio, "Calls").status_code == 200


def test_restrict(twilio: Sandbox) -> None:
    """An account can be barred, and let in again."""
    path = f"/2010-04-01/Accounts/{twilio.accounts[1].sid}/Calls.json"
    seen = []
    for status in (403, None):
        twilio.restrict(twilio.accounts[1].sid, status, 20006)
        seen.append(get(twilio, path).json().get("code"))
    assert seen == [20006, None]
    assert get(twilio, f"/2010-04-01/Accounts/{twilio.accounts[5].sid}.json").json()["status"] == (
        "closed"
    )


@pytest.mark.parametrize(
    "path",
    [
        "/2010-04-01/Accounts",
        "/2010-04-01/Accounts/AC0.json",
        "/2010-04-01/Accounts/AC0/Calls.json",
        "/v1/Alarms",
        "Nothing",
        "Messages/SM0/Media",
        "Conferences/CF0/Participants",
        "Addresses/AD0/DependentPhoneNumbers",
        "AvailablePhoneNumbers/US/Mobile",
        "AvailablePhoneNumbers/NO/TollFree",
        "AvailablePhoneNumbers/XX/Local",
    ],
)
def test_not_found(twilio: Sandbox, path: str) -> None:
    """Paths and parents that are not there, and kinds of number that a country lacks."""
    assert refusal(get(twilio, path)) == (404, 20404)


@pytest.mark.parametrize(
    ("query", "code"),
    [({"Page": 1}, 70002), ({"PageToken": "PASM0"}, 21481), ({"PageToken": "x"}, 21481)],
)
def test_page_tokens(twilio: Sandbox, query: dict[str, Any], code: int) -> None:
    """Pages are reached by their token only."""
    assert refusal(get(twilio, "Messages", query)) == (400, code)


def test_alerts_cap(twilio: Sandbox) -> None:
    """The page that would begin beyond the cap is an error without a code."""
    twilio.alerts_cap = 20
    body, sizes = get(twilio, "/v1/Alerts", {"PageSize": 10}).json(), []
    while "alerts" in body:
        sizes.append(len(body["alerts"]))
        body = follow(twilio, body["meta"]["next_page_url"])
    message = "Invalid page and pageSize combination, data is limited to 20 results"
    assert (sizes, body) == ([10, 10], {"message": message, "status": 400})


def test_usage_page_limit(twilio: Sandbox) -> None:
    """Usage can be made to fail on large pages."""
    twilio.usage_page_limit = 100
    codes = [refusal(get(twilio, "Usage/Records/Daily", {"PageSize": size})) for size in (100, 101)]
    assert codes == [(200, None), (500, 20500)]


def test_fail(twilio: Sandbox) -> None:
    """A rule answers the requests that match, as often as it says."""
    twilio.fail("Messages.*DateSent>=2024", 500, times=2)
    twilio.fail("Calls", 503, body="<html>", headers={"Retry-After": "7"})
    query = {"DateSent>": "2024-01-01"}
    statuses = [get(twilio, "Messages", query).status_code for _ in range(3)]
    calls = get(twilio, "Calls")
    assert (statuses, calls.text, calls.headers["Retry-After"]) == ([500, 500, 200], "<html>", "7")
    twilio.fail("Calls", 429, times=None)
    assert {refusal(get(twilio, "Calls")) for _ in range(3)} == {(429, 20429)}
    twilio.heal()
    assert requests.post(f"{HOSTS['api']}/2010-04-01/Accounts.json", timeout=10).status_code == 405
    seen = [(request.path.split("/")[-1], request.status) for request in twilio.requests[-3:]]
    assert seen == [("Calls.json", 429), ("Calls.json", 429), ("Accounts.json", 405)]


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"reset": 1}, ConnectionError),
        ({"truncate": 1}, ChunkedEncodingError),
        ({"cut": 1}, JSONDecodeError),
        ({"hang": 1, "hang_seconds": 0.1}, ConnectionError),
    ],
)
def test_broken_answers(twilio: Sandbox, fault: dict[str, float], error: type[Exception]) -> None:
    """An answer that does not arrive, or not all of it; the third attempt gets through."""
    twilio.faults = Faults(**fault, in_a_row=2)  # type: ignore[arg-type]
    for _ in range(2):
        with pytest.raises(error):
            get(twilio, "Calls").json()
    assert len(get(twilio, "Calls").json()["calls"]) == 50


def test_random_faults(twilio: Sandbox) -> None:
    """The same seed gives the same faults, in about the share that was asked for."""
    seen = []
    for seed in (1, 1, 2):
        twilio.faults = Faults(
            seed=seed, rate_429=0.2, rate_500=0.1, rate_503_html=0.1, retry_after="mixed"
        )
        answers = [get(twilio, "Queues", {"PageSize": size + 1}) for size in range(25)]
        answers += [get(twilio, "Queues", {"PageSize": size + 1}) for size in range(25)]
        seen.append([(answer.status_code, answer.headers.get("Retry-After")) for answer in answers])
    assert (seen[0] == seen[1], seen[0] == seen[2]) == (True, False)
    kinds = {(429, "0"), (429, None), (500, None), (503, None), (200, None)}
    assert set(seen[0]) == kinds
    twilio.faults = None
    assert get(twilio, "Queues").ok


def test_concurrency_limit(twilio: Sandbox) -> None:
    """One request too many at a time is refused at once, and says when to come back."""
    twilio.concurrency_limit, twilio.latency_ms = 1, 500
    # A key counts for its account.
    users: list[Key | None] = [None, None, twilio.key(twilio.accounts[0].sid)]
    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda who: get(twilio, "Calls", who=who), users))
    told = sorted((answer.status_code, answer.headers.get("Retry-After")) for answer in answers)
    assert told == [(200, None), (429, "0"), (429, "0")]
    twilio.latency_ms = 0
    assert [get(twilio, "Calls").status_code for _ in range(3)] == [200] * 3


# --------------------------------------------------------------------------------------------------
# The network
# --------------------------------------------------------------------------------------------------


def test_request_log(twilio: Sandbox) -> None:
    """The log holds what was asked, decoded and in order."""
    get(twilio, "Calls", {"StartTime>": "2024-01-01", "PageSize": 3})
    [request] = twilio.requests
    sid = twilio.accounts[0].sid
    assert tuple(request) == (
        "GET",
        "api.twilio.com",
        f"/2010-04-01/Accounts/{sid}/Calls.json",
        "StartTime>=2024-01-01&PageSize=3",
        [("StartTime>", "2024-01-01"), ("PageSize", "3")],
        200,
        sid,
        sid,
    )


def test_other_hosts_are_refused(twilio: Sandbox) -> None:
    """Nothing but Twilio is reached through the proxy; without an edge nothing but us1."""
    gone = (
        "api.ie1.twilio.com",
        "api.au1.twilio.com",
        "api.dublin.twilio.com",
        "api.x.us1.twilio.com",
    )
    for host in ("example.com", "www.twilio.com", "api.twilio.com.example.com", *gone):
        with pytest.raises(ProxyError, match="502"):
            requests.get(f"https://{host}/", timeout=10)
    assert (get(twilio, "Keys").headers["Twilio-Concurrent-Requests"], len(twilio.requests)) == (
        "1",
        1,
    )


@pytest.mark.parametrize("region", REGIONS)
def test_regions(twilio: Sandbox, region: str) -> None:
    """The data and the credentials are known to one region, whatever the edge."""
    twilio.region, found = region, {}
    holders: list[Account | Key] = [twilio.accounts[0], twilio.key(twilio.accounts[0].sid)]
    places = {"": "us1", ".us1": "us1", ".umatilla.us1": "us1", ".dublin.us1": "us1"}
    places |= {".dublin.ie1": "ie1", ".frankfurt.ie1": "ie1", ".roaming.ie1": "ie1"}
    places |= {".sydney.au1": "au1", ".sao-paulo.au1": "au1", ".ashburn.au1": "au1"}
    for place in places:
        paths = ("Calls", "/v1/Alerts")
        answers = [get(twilio, path, who=who, place=place) for path in paths for who in holders]
        found[place] = {refusal(answer) for answer in answers}
    expected = {True: {(200, None)}, False: {(401, 20003)}}
    assert found == {place: expected[there == region] for place, there in places.items()}


@pytest.mark.parametrize(
    ("edge", "region", "host"),
    [
        ("dublin", "ie1", "api.dublin.ie1.twilio.com"),
        ("tokyo", "au1", "api.tokyo.au1.twilio.com"),
        ("dublin", None, "api.dublin.us1.twilio.com"),
        (None, "us1", "api.us1.twilio.com"),
        (None, None, "api.twilio.com"),
    ],
)
def test_client_finds_the_region(
    twilio: Sandbox, edge: str | None, region: str | None, host: str
) -> None:
    """Twilio's client reaches the regions by the names that it makes of its settings."""
    twilio.region = region or "us1"
    account = twilio.accounts[0]
    client = Client(account.sid, account.auth_token, region=region, edge=edge)
    assert named(client.keys.list()) == named(twilio.rows("keys", account.sid))
    assert [request.host for request in twilio.requests] == [host]


def test_key_of_a_region_without_data(twilio: Sandbox) -> None:
    """It is unknown elsewhere; its own region has the accounts, and no rows of theirs."""
    sid = twilio.accounts[0].sid
    key = twilio.key(sid, region="ie1")
    client = Client(key.sid, key.secret, sid, region="ie1", edge="dublin")
    assert refusal(get(twilio, "Calls", who=key)) == (401, 20003)
    assert named(client.api.accounts.list()) == named(twilio.rows("accounts", sid))
    lists = [name for name in PARTS if name not in ("accounts", "usage_records")]
    assert [name for name in lists if PARTS[name](client).list()] == []
    usage = get(twilio, "Usage/Records/Daily", who=key, place=".dublin.ie1")
    conference = twilio.rows("conferences", sid)[0]["sid"]
    path = f"Conferences/{conference}/Participants"
    participants = get(twilio, path, who=key, place=".dublin.ie1")
    assert [refusal(usage), refusal(participants)] == [(404, 20404)] * 2


def test_links_to_another_host(twilio: Sandbox) -> None:
    """Links of a product API name the host that was asked, or the one that is set."""
    twilio.region, place, found = "ie1", ".dublin.ie1", []
    for twilio.links_host in (None, "monitor.twilio.com"):
        link = get(twilio, "/v1/Alerts", {"PageSize": 1}, place=place).json()["meta"]
        found.append((link["next_page_url"].split("/")[2], follow(twilio, link["url"]).get("code")))
    assert found == [(twilio.host("monitor"), None), ("monitor.twilio.com", 20003)]
    assert get(twilio, "Calls", place=place).json()["uri"].startswith("/2010-04-01/")


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (403, ["HTTP/1.1 403 Forbidden"]),
        (
            407,
            [
                "HTTP/1.1 407 Proxy Authentication Required",
                'Proxy-Authenticate: Basic realm="proxy"',
            ],
        ),
        (502, ["HTTP/1.1 502 Bad Gateway"]),
    ],
)
def test_proxy_refuses(twilio: Sandbox, status: int, answer: list[str]) -> None:
    """The proxy can refuse to connect, or demand that one authenticates."""
    twilio.proxy_status = status
    with pytest.raises(ProxyError, match=f"Tunnel connection failed: {status}"):
        get(twilio, "Calls")
    with socket.create_connection(("127.0.0.1", twilio.port), timeout=10) as proxy:
        proxy.sendall(b"CONNECT api.twilio.com:443 HTTP/1.1\r\n\r\n")
        said = proxy.makefile("r", newline="").read()
    assert said == "\r\n".join([*answer, "Content-Length: 0", "", ""])
    assert twilio.requests == []
    twilio.proxy_status = None
    assert get(twilio, "Calls").ok


def test_unknown_authority(twilio: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is not told of the sandbox's authority does not trust it."""
    for name in BUNDLES:
        monkeypatch.delenv(name)
    with pytest.raises(SSLError, match="CERTIFICATE_VERIFY_FAILED"):
        get(twilio, "Calls")
    assert twilio.requests == []


@pytest.mark.skipif(not shutil.which("curl"), reason="needs curl")
def test_curl(twilio: Sandbox) -> None:
    """The command curl needs the environment only."""
    account = twilio.accounts[0]
    url = f"{HOSTS['api']}/2010-04-01/Accounts/{account.sid}/Messages.json?DateSent%3E=2024-05-01"
    command = ["curl", "-sSf", "-u", f"{account.sid}:{account.auth_token}", url]
    body = orjson.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    expected = twilio.rows("messages", account.sid, {"DateSent>": "2024-05-01"})
    assert (body["messages"], body["next_page_uri"]) == (expected, None)


def test_sandboxes_are_apart_and_clean_up() -> None:
    """Two at once share nothing but what their seed gives, and leave no file."""
    with Sandbox(scale=0.01, clock=NOON) as one, Sandbox(scale=0.01, clock=NOON) as other:
        assert one.accounts == other.accounts
        sid = one.accounts[0].sid
        assert one.rows("calls", sid) == other.rows("calls", sid)
        one.add("calls", sid)
        assert len(one.rows("calls", sid)) == len(other.rows("calls", sid)) + 1
        bundles = {twilio.environment["SSL_CERT_FILE"] for twilio in (one, other)}
        assert (len(bundles), all(map(os.path.exists, bundles))) == (2, True)
    assert not any(map(os.path.exists, bundles))


def test_default_set() -> None:
    """The long lists have several pages of 1000, and the accounts are of all kinds."""
    with Sandbox() as twilio:
        main, sub = twilio.accounts[:2]
        long = ("messages", "calls", "recordings", "alerts", "usage_records")
        pages = {
            name: [-(-len(twilio.rows(name, account.sid)) // 1000) for account in (main, sub)]
            for name in long
        }
    assert pages == {
        "messages": [4, 2],
        "calls": [3, 2],
        "recordings": [3, 2],
        "alerts": [3, 2],
        "usage_records": [3, 2],
    }
    assert [account.status for account in twilio.accounts[3:]] == ["active", "suspended", "closed"]


def test_command_line() -> None:
    """The command prints what a shell needs, refuses a port in use, and ends when asked to."""
    command = [sys.executable, "-m", "sandbox", "--scale", "0.01", "--region", "ie1", "--port"]
    root = Path(__file__).parents[1]
    with subprocess.Popen([*command, "0"], cwd=root, stdout=subprocess.PIPE, text=True) as served:
        assert served.stdout is not None
        lines = list(iter(served.stdout.readline, "# Ctrl-C stops it.\n"))
        values = dict(line[7:].rstrip().split("=", 1) for line in lines if line[:7] == "export ")
        port = values["HTTPS_PROXY"].rpartition(":")[2]
        second = subprocess.run([*command, port], cwd=root, capture_output=True, text=True)
        served.send_signal(signal.SIGTERM)
    assert (served.returncode, second.returncode, second.stderr.count("\n")) == (0, 2, 1)
    assert [line.split()[-1] for line in lines if line.startswith("# curl")] == [
        "https://api.dublin.ie1.twilio.com/2010-04-01/Accounts.json"
    ]
    assert sorted(values) == sorted(
        ["HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy", "REQUESTS_CA_BUNDLE"]
        + ["CURL_CA_BUNDLE", "SSL_CERT_FILE", "ACCOUNT_SID", "AUTH_TOKEN"]
    )
