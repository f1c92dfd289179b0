"""Each stream through the CDK: two accounts, two pages, exact requests and records, two syncs."""

from __future__ import annotations

import json
from base64 import b64decode
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine

from source_twilio import SourceTwilio
from unit_tests.mock_twilio import ACCOUNT, CONFIG, SUBACCOUNT, TOKEN, MockTwilio, url
from unit_tests.reading import final_state, problems, read, records

WIRE = Path(__file__).with_name("wire")

Query = dict[str, str]
# A query in the first sync, from start_date at NOW, and in the second, a day and an hour later.
Queries = tuple[Query, Query]
FULL: Queries = ({}, {})


def since(name: str, *, day: bool = False, **extra: str) -> Queries:
    """Return the lower bounds: start_date, then the end of the first sync less the lookback."""
    first, second = "2026-01-01T00:00:00Z", "2026-01-14T11:00:00Z"
    size = 10 if day else 20
    return {name: first[:size], **extra}, {name: second[:size], **extra}


@dataclass(frozen=True)
class List:
    """One list: its address, `{a}` being the account and `{p}` the item of the list above it."""

    address: str
    list_key: str
    queries: Queries = FULL
    items: tuple[dict[str, Any], ...] = ()
    # There is a second page, which nobody asks for: the first holds a row from before the window.
    ends_early: bool = False


@dataclass(frozen=True)
class Stream:
    """What a stream asks for in each account, and how its rows are told apart."""

    list: List
    key: str = "sid"
    above: tuple[List, ...] = ()
    cursor_field: str | None = None
    undated: bool = False
    # The field that tells the lists of an account apart, and its values.
    lists: tuple[str, ...] = ()
    # Values of Status whose lists are asked too, and are empty.
    empty: tuple[str, ...] = ()
    added: dict[str, str] = field(default_factory=dict)


def account_list(path: str, list_key: str, queries: Queries = FULL, *items: dict[str, Any]) -> List:
    """Return a list right under the account."""
    return List(f"Accounts/{{a}}/{path}.json", list_key, queries, items)


def numbers(resource: str, number_type: str) -> Stream:
    """Return the inventory of one type: of the three countries, one does not offer it."""
    offered = {number_type: f"/2010-04-01/.../US/{resource}.json"}
    return Stream(
        account_list(f"AvailablePhoneNumbers/US/{resource}", "available_phone_numbers"),
        key="phone_number",
        above=(
            account_list(
                "AvailablePhoneNumbers",
                "countries",
                FULL,
                {"country_code": "US", "subresource_uris": offered},
                {"country_code": "XX", "subresource_uris": {"other": "..."}},
            ),
        ),
        added={"country_code": "US"},
    )


MESSAGE = {"date_sent": None, "date_created": "Thu, 15 Jan 2026 10:00:00 +0000"}
OLD_MESSAGE = {"date_sent": None, "date_created": "Wed, 31 Dec 2025 23:59:59 +0000"}

ROWS = ("rows", "undated", "dated")
STREAMS = {
    "addresses": Stream(account_list("Addresses", "addresses")),
    "applications": Stream(account_list("Applications", "applications")),
    "available_phone_number_countries": Stream(
        account_list("AvailablePhoneNumbers", "countries"), key="country_code"
    ),
    "available_phone_numbers_local": numbers("Local", "local"),
    "available_phone_numbers_mobile": numbers("Mobile", "mobile"),
    "available_phone_numbers_toll_free": numbers("TollFree", "toll_free"),
    "calls": Stream(
        account_list("Calls", "calls", since("StartTime>")),
        cursor_field="start_time",
        undated=True,
        lists=ROWS,
    ),
    "conference_participants": Stream(
        account_list("Conferences/CF1/Participants", "participants"),
        key="call_sid",
        above=(
            account_list("Conferences", "conferences", ({"Status": "init"}, {"Status": "init"})),
            account_list(
                "Conferences",
                "conferences",
                ({"Status": "in-progress"}, {"Status": "in-progress"}),
                {"sid": "CF1"},
            ),
        ),
        cursor_field="date_updated",
    ),
    "conferences": Stream(
        account_list(
            "Conferences", "conferences", since("DateUpdated>", day=True, Status="completed")
        ),
        cursor_field="date_updated",
        lists=("status", "init", "in-progress", "completed"),
        empty=("init", "in-progress"),
    ),
    "dependent_phone_numbers": Stream(
        account_list("Addresses/AD1/DependentPhoneNumbers", "dependent_phone_numbers"),
        above=(account_list("Addresses", "addresses", FULL, {"sid": "AD1"}),),
        cursor_field="date_updated",
        added={"address_sid": "AD1"},
    ),
    "incoming_phone_numbers": Stream(
        account_list("IncomingPhoneNumbers", "incoming_phone_numbers"), cursor_field="date_updated"
    ),
    "keys": Stream(account_list("Keys", "keys")),
    "message_media": Stream(
        account_list("Messages/MM1/Media", "media_list"),
        above=(
            # Rows without date_sent come from the second list, without a filter (BEHAVIOR 6).
            account_list(
                "Messages",
                "messages",
                since("DateSent>"),
                {"sid": "SM0", "num_media": "0", **MESSAGE, "date_sent": MESSAGE["date_created"]},
            ),
            List(
                "Accounts/{a}/Messages.json",
                "messages",
                items=(
                    {"sid": "MM1", "num_media": "1", **MESSAGE},
                    {"sid": "SM2", "num_media": "0", **MESSAGE},
                    {"sid": "MM3", "num_media": "1", **OLD_MESSAGE},
                ),
                ends_early=True,
            ),
        ),
        cursor_field="date_created",
        lists=ROWS,
    ),
    "messages": Stream(
        account_list("Messages", "messages", since("DateSent>")),
        cursor_field="date_sent",
        undated=True,
        lists=ROWS,
    ),
    "outgoing_caller_ids": Stream(account_list("OutgoingCallerIds", "outgoing_caller_ids")),
    "queues": Stream(account_list("Queues", "queues")),
    "recordings": Stream(
        account_list("Recordings", "recordings", since("DateCreated>", IncludeSoftDeleted="true")),
        cursor_field="date_created",
    ),
    "transcriptions": Stream(account_list("Transcriptions", "transcriptions")),
    "usage_records": Stream(
        account_list(
            "Usage/Records/Daily",
            "usage_records",
            since("StartDate", day=True, IncludeSubaccounts="false"),
        ),
        key="category",
        cursor_field="start_date",
    ),
    "usage_triggers": Stream(account_list("Usage/Triggers", "usage_triggers")),
}


def wire(name: str, stream: Stream, number: int, account: str) -> tuple[Any, Any]:
    """Return a row as Twilio sends it and as the connector emits it, without nulls."""
    row, record = json.loads((WIRE / f"{name}.json").read_text("utf-8")).values()
    for item in (row, record):
        item[stream.key] = f"{item[stream.key][:-1]}{number}"
        if "account_sid" in item:
            item["account_sid"] = account
    record.update({key: value for key, value in stream.added.items() if key in record})
    return row, {field: value for field, value in record.items() if value is not None}


def expect(mock: MockTwilio, name: str, stream: Stream, sync: int) -> list[Any]:
    """Tell the mock the requests of one sync and return the records that it must emit."""
    subaccounts = url("Accounts.json", PageSize=1000, Page=1, PageToken="PAAC1")
    mock.page(url("Accounts.json", PageSize=1000), "accounts", [{"sid": ACCOUNT}], subaccounts)
    mock.page(subaccounts, "accounts", [{"sid": SUBACCOUNT}])
    emitted = []
    for account in (ACCOUNT, SUBACCOUNT):
        for above in stream.above:
            address = url(above.address.format(a=account), PageSize=1000, **above.queries[sync])
            never = f"{address}&Page=1&PageToken=PA9" if above.ends_early else None
            mock.page(address, above.list_key, list(above.items), never)
        base = stream.list.address.format(a=account)
        address = url(base, PageSize=1000, **stream.list.queries[sync])
        pairs = [wire(name, stream, number, account) for number in range(3)]
        if account == ACCOUNT:
            second_page = f"{address}&Page=1&PageToken=PA1"
            mock.page(address, stream.list.list_key, [pairs[0][0]], second_page)
            mock.page(second_page, stream.list.list_key, [pairs[1][0]])
            emitted += [pairs[0][1], pairs[1][1]]
        else:
            mock.page(address, stream.list.list_key, [pairs[2][0]])
            emitted += [pairs[2][1]]
        for status in stream.empty:
            query = {**stream.list.queries[sync], "Status": status}
            mock.page(url(base, PageSize=1000, **query), stream.list.list_key, [])
        if stream.undated:
            emitted += [expect_undated(mock, name, stream, account)]
    return emitted


def expect_undated(mock: MockTwilio, name: str, stream: Stream, account: str) -> Any:
    """Expect the pass without a filter, which ends at a row older than the window (BEHAVIOR 6)."""
    assert stream.cursor_field is not None
    (undated, record), (dated, _), (old, _) = (wire(name, stream, n, account) for n in (7, 8, 9))
    undated[stream.cursor_field] = None
    undated["date_created"] = "Thu, 15 Jan 2026 11:59:59 +0000"
    old[stream.cursor_field] = old["date_created"] = "Wed, 31 Dec 2025 23:59:59 +0000"
    address = url(stream.list.address.format(a=account), PageSize=1000)
    never = f"{address}&Page=1&PageToken=PA9"
    mock.page(address, stream.list.list_key, [undated, dated, old], never)
    del record[stream.cursor_field]
    return {**record, "date_created": "2026-01-15T11:59:59Z"}


def by_key(stream: Stream, rows: list[Any]) -> list[Any]:
    """Return rows in an order of their own: accounts are read side by side."""
    return sorted(rows, key=lambda row: (row.get("account_sid", ""), row[stream.key]))


@pytest.mark.parametrize("name", STREAMS)
def test_two_syncs(name: str, mock: MockTwilio, clock: time_machine.Traveller) -> None:
    """A first sync reads from start_date; a second one only what the lookback covers."""
    stream = STREAMS[name]

    expected = expect(mock, name, stream, 0)
    first = read(CONFIG, name)
    assert by_key(stream, records(first, name)) == by_key(stream, expected)
    assert problems(first) == []
    state = final_state(first, name)
    if stream.cursor_field:
        assert sorted(state["states"], key=str) == [
            {
                "partition": {"account_sid": account, "parent_slice": {}, **of_list},
                "cursor": {stream.cursor_field: "2026-01-15T11:00:00Z"},
            }
            for account in (ACCOUNT, SUBACCOUNT)
            for of_list in sorted(({stream.lists[0]: v} for v in stream.lists[1:]), key=str) or [{}]
        ]

    clock.shift(timedelta(days=1, hours=1))
    expected = expect(mock, name, stream, 1)
    second = read(CONFIG, name, state={name: state})
    changed = [] if name in CHANGED_ONLY else expected
    assert by_key(stream, records(second, name)) == by_key(stream, changed)
    assert problems(second) == []


# Read in full, but passed on where date_updated is newer than the lookback (BEHAVIOR 13).
CHANGED_ONLY = {"dependent_phone_numbers", "incoming_phone_numbers"}


def test_accounts(mock: MockTwilio) -> None:
    """The account list, without the live tokens it carries (BEHAVIOR 2)."""
    stream = Stream(List("Accounts.json", "accounts"))
    pairs = [wire("accounts", stream, number, "") for number in range(2)]
    link = url("Accounts.json", PageSize=1000, Page=1, PageToken="PA1")
    mock.page(url("Accounts.json", PageSize=1000), "accounts", [pairs[0][0]], link)
    mock.page(link, "accounts", [pairs[1][0]])
    output = read(CONFIG, "accounts")
    # The main account comes first.
    expected = sorted((record for _, record in pairs), key=lambda row: row["sid"] != ACCOUNT)
    assert records(output, "accounts") == expected
    assert problems(output) == []


def test_alerts(mock: MockTwilio, clock: time_machine.Traveller) -> None:
    """Days side by side; all but the newest end two hours late; one page may hold all (1, 25).

    Each account is asked with its own token, of which the account list tells (BEHAVIOR 14).
    """
    stream = Stream(List("https://monitor.twilio.com/v1/Alerts", "alerts"))
    (row, record), (row_2, record_2) = (wire("alerts", stream, n, ACCOUNT) for n in range(2))
    row_3, record_3 = wire("alerts", stream, 3, SUBACCOUNT)
    accounts = [
        {"sid": account, "auth_token": token, "status": "active"}
        for account, token in ((ACCOUNT, TOKEN), (SUBACCOUNT, "5ec2e7" * 5 + "00"))
    ]

    def window(
        start: str,
        end: str | None,
        rows: list[Any],
        second: list[Any] | None = None,
        more: bool = False,
    ) -> None:
        query = {"StartDate": start, **({"EndDate": end} if end else {})}
        address = url(stream.list.address, PageSize=1000, **query)
        link = f"{address}&Page=1&PageToken=PA1"
        mock.page(address, "alerts", rows, link if second or more else None)
        if second:
            mock.page(link, "alerts", second)

    mock.page(url("Accounts.json", PageSize=1000), "accounts", accounts)
    window("2026-01-12T00:00:00Z", None, [row], more=True)
    window("2026-01-12T00:00:00Z", None, [row_3], more=True)
    window("2026-01-12T00:00:00Z", "2026-01-13T01:59:59Z", [row], [row_2])
    window("2026-01-12T00:00:00Z", "2026-01-13T01:59:59Z", [row_3])
    for _ in accounts:
        window("2026-01-13T00:00:00Z", "2026-01-14T01:59:59Z", [])
        window("2026-01-14T00:00:00Z", "2026-01-15T01:59:59Z", [])
        window("2026-01-15T00:00:00Z", None, [])
    first = read({**CONFIG, "start_date": "2026-01-12T00:00:00Z", "num_workers": 1}, "alerts")
    assert by_key(stream, records(first, "alerts")) == [record, record_2, record_3]
    # The list, then twelve requests, six or five of each account: who asks first gets two pages.
    signed = [b64decode(header.removeprefix("Basic ")).decode() for header in mock.headers]
    pairs = [f"{account['sid']}:{account['auth_token']}" for account in accounts]
    assert (set(signed), len(signed)) == (set(pairs), 12)
    state = final_state(first, "alerts")
    assert sorted(state["states"], key=str) == [
        {
            "partition": {"account_sid": account, "parent_slice": {}},
            "cursor": {"date_generated": "2026-01-15T11:00:00Z"},
        }
        for account in (ACCOUNT, SUBACCOUNT)
    ]

    clock.shift(timedelta(days=1))
    mock.page(url("Accounts.json", PageSize=1000), "accounts", accounts)
    for rows in ([row], []):
        window("2026-01-14T11:00:00Z", None, rows)
    second = read(CONFIG, "alerts", state={"alerts": state})
    assert records(second, "alerts") == [record]
    assert problems(first) + problems(second) == []


def test_table_is_complete() -> None:
    """Every stream of the connector has a row above, or a test of its own."""
    names = {stream.name for stream in SourceTwilio(config=CONFIG).streams(CONFIG)}
    assert names == {*STREAMS, "accounts", "alerts"}
