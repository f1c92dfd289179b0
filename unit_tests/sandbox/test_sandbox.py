"""The sandbox lists what it holds, page by page, and follows changes."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from twilio.rest import Client  # type: ignore[import-untyped]

from sandbox import Sandbox
from sandbox.api import STREAMS
from sandbox.data import key_of, seconds_of
from sandbox.fields import PAGE_PARAMS
from sandbox.rules import EVERY, RECENT, STATUS
from unit_tests.support.sandbox_client import (
    CHILDREN,
    HOSTS,
    NOON,
    PARTS,
    client_of,
    follow,
    get,
    named,
    refusal,
)

# What a list is narrowed to where a request does not say.
UNASKED = {name: {"Status": status} for name, status in STATUS.items()}
# What has to be asked for, or the last hours are shown only: all that is kept.
ALL_TIMES = {name: {start: "2024-05-16T12:00:01Z"} for name, (start, _) in RECENT.items()}


@pytest.mark.parametrize("stream", PARTS)
@pytest.mark.parametrize("number", [0, 1, 4], ids=["main", "active", "suspended"])
def test_client_lists_the_rows(twilio: Sandbox, stream: str, number: int) -> None:
    """Twilio's client reads every list to its end, page by page."""
    expected = twilio.rows(stream, twilio.accounts[number].sid, UNASKED.get(stream))
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
    paths = [endpoint.resource.url.replace("{AccountSid}", sid)]
    for name, parent in zip(endpoint.resource.placeholders, endpoint.parents, strict=True):
        keys = dict.fromkeys(key_of(parent, row) for row in twilio.rows(parent, sid, EVERY))
        paths = [path.replace(f"{{{name}}}", key) for path in paths for key in keys]
    answers = [get(twilio, path, ALL_TIMES.get(stream)) for path in paths]
    bodies = [answer.json() for answer in answers if answer.ok]
    expected = twilio.rows(stream, sid, UNASKED.get(stream))
    if endpoint.key is None:
        assert sorted(bodies, key=str) == sorted(expected, key=str)
        return
    found = [row for body in bodies for row in body[endpoint.key]]
    assert found == (expected if endpoint.parent else expected[:50])
    links = {"uri", "first_page_uri", "next_page_uri", "previous_page_uri"}
    paging = links | {"page", "page_size", "start", "end"} if endpoint.paged else {"uri"}
    in_meta = endpoint.resource.paging in ("meta", *PAGE_PARAMS)
    assert set(bodies[0]) - {endpoint.key} == ({"meta"} if in_meta else paging)


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


def test_client_follows_tokens(twilio: Sandbox) -> None:
    """Lists with tokens instead of links, which are valid with the same query (BEHAVIOR 57)."""
    client, sid = client_of(twilio), twilio.accounts[0].sid
    for status in ("ACTIVE", "CLOSED") * 5:
        twilio.add("intelligence_v3_conversations", sid, status=status)
    expected = twilio.rows("intelligence_v3_conversations", sid, {"status": "CLOSED"})
    found = client.intelligence.v3.conversations.list(status="CLOSED", page_size=2)
    assert [row.id for row in found] == [row["id"] for row in expected]
    assert len(twilio.requests) == -(-len(expected) // 2) > 2
    url = STREAMS["port_in_requests"].resource.url
    token, pages = None, list[Any]()
    while token or not pages:
        query = {"Size": "1", **({"Token": token} if token else {})}
        pages.append(get(twilio, url, query).json())
        token = pages[-1]["meta"].get("next_token")
    shown = [row for page in pages for row in page["port_in_requests"]]
    assert shown == twilio.rows("port_in_requests", sid)
    assert len(shown) == len(pages) > 1


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
    with Sandbox(account_specs=holders, scale=0, counts={"keys": 1}) as twilio:
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
