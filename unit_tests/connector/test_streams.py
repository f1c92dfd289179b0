"""Each stream through the CDK: two accounts, two parents, two pages, two syncs; exact throughout.

The table of streams is the manifest: `expected.py` works out what each must do. Here stands what
only a test can know.
"""

from __future__ import annotations

from typing import Any

import pytest
import time_machine

from sandbox.fields import shape
from sandbox.streams import STREAMS
from sandbox.wire import snake
from unit_tests.support.expected import (
    ACCOUNTS,
    DAY,
    LATER,
    SUBACCOUNT_TOKEN,
    Expected,
    Listed,
    Traps,
    by_key,
    example,
    numbered,
)
from unit_tests.support.mock_twilio import ACCOUNT, CONFIG, SUBACCOUNT, TOKEN, MockTwilio, url
from unit_tests.support.reading import entries, final_state, problems, read, records

MESSAGE = {"date_sent": None, "date_created": "Thu, 15 Jan 2026 10:00:00 +0000"}
OLD_MESSAGE = {"date_sent": None, "date_created": "Wed, 31 Dec 2025 23:59:59 +0000"}


def countries(number_type: str) -> Traps:
    """Of the three countries that offer numbers, one does not offer this type."""
    offered = {"subresource_uris": {number_type: "..."}}
    other = {"subresource_uris": {"other": "..."}, "skipped": True}
    return Traps(above=(Listed(items=(offered, offered, other)),))


# What hangs below a transcript is asked for when the transcript is completed.
TRANSCRIPTS = Traps(
    above=(
        Listed(
            {"AfterDateCreated": "since"},
            (
                {"status": "completed"},
                {"status": "in-progress", "skipped": True},
                {"status": "completed"},
            ),
        ),
    )
)

TRAPS = {
    "available_phone_numbers_local": countries("local"),
    "available_phone_numbers_mobile": countries("mobile"),
    "available_phone_numbers_toll_free": countries("toll_free"),
    "call_events": Traps(
        above=(
            Listed({"StartTime>": "since"}),
            # Rows without start_time come from the second list, without a filter (BEHAVIOR 6).
            Listed(
                {},
                (
                    {"start_time": None, "date_created": "Thu, 15 Jan 2026 10:00:00 +0000"},
                    {
                        "start_time": None,
                        "date_created": "Wed, 31 Dec 2025 23:59:59 +0000",
                        "skipped": True,
                    },
                ),
                ends_early=True,
            ),
        ),
    ),
    # A completed conference has no participants any more (BEHAVIOR 15).
    "conference_participants": Traps(
        above=(Listed({"Status": "init"}, ()), Listed({"Status": "in-progress"}))
    ),
    "message_media": Traps(
        above=(
            # Rows without date_sent come from the second list, without a filter (BEHAVIOR 6).
            Listed(
                {"DateSent>": "since"},
                ({"num_media": "0", "skipped": True}, {"num_media": "1"}),
            ),
            Listed(
                {},
                (
                    {"num_media": "1", **MESSAGE},
                    {"num_media": "0", **MESSAGE, "skipped": True},
                    {"num_media": "1", **OLD_MESSAGE, "skipped": True},
                ),
                ends_early=True,
            ),
        ),
    ),
    # Twilio's table names no values, and its text these.
    "channel_senders": Traps(values=("whatsapp", "rcs")),
    "recordings": Traps({"IncludeSoftDeleted": "true"}),
    "usage_records": Traps({"IncludeSubaccounts": "false"}),
    "usage_records_all_time": Traps({"IncludeSubaccounts": "false"}),
    # Without a start, the last four hours are shown.
    "call_summaries": Traps({"ProcessingState": "all"}),
    "conference_summaries": Traps(margin_seconds=1),
    "conversation_messages": Traps({"Order": "desc"}),
    "intelligence_operator_results": TRANSCRIPTS,
    "intelligence_sentences": TRANSCRIPTS,
    "intelligence_transcripts": Traps(margin_seconds=1),
    "intelligence_v3_conversations": Traps(margin_seconds=1),
    "verify_attempts": Traps(margin_seconds=1),
    # A month is asked for from its first day, or it would begin with a part of one.
    "usage_records_monthly": Traps({"IncludeSubaccounts": "false"}, date_format="%Y-%m-01"),
    # Twilio's table says 1000, and more than 100 are refused.
    "verify_services": Traps(page_size=100),
    # Twilio's table says date-time, and its text says days.
    "video_rooms": Traps(date_format="%Y-%m-%d"),
}
# The fields that a date filter acts on, where the names of its parameters do not tell.
ACTS_ON = {
    "alerts": "date_generated",
    "conference_summaries": "create_time",
    "intelligence_v3_conversations": "createdAt",
    "monitor_events": "event_date",
    "taskrouter_events": "event_date",
    "video_room_summaries": "create_time",
    "voice_transcriptions": "createdAt",
}
# How Twilio names a lower bound, and the upper one that belongs to it.
BOUNDS = [(">", "<"), ("After", "Before"), ("From", "To"), ("Start", "End")]
# A test of its own takes the place of the derived one.
OWN = {"accounts", "video_room_participants", "video_room_transcriptions"}


@pytest.mark.parametrize("name", [name for name in STREAMS if name not in OWN])
def test_two_syncs(name: str, mock: MockTwilio, clock: time_machine.Traveller) -> None:
    """A first sync reads from start_date; a second one only what the lookback covers."""
    stream, first_sync = STREAMS[name], Expected(name, TRAPS, 0)
    expected = first_sync.tell(mock)
    first = read(first_sync.config, name)
    assert by_key(stream, records(first, name)) == by_key(stream, expected)
    assert problems(first) == []
    assert {*mock.signed} == first_sync.signers
    state = final_state(first, name)
    if stream.cursor_field:
        lists = [{stream.lists[0]: value} for value in stream.lists[1]] if stream.lists else [{}]
        finals = "final_statuses" in stream.parameters
        assert sorted(entries(first, name), key=str) == sorted(
            (
                {
                    "partition": {"account_sid": account, "parent_slice": {}, **of_list},
                    "cursor": {stream.cursor_field: f"2026-01-15T11:00:0{second}Z"},
                }
                for account in ACCOUNTS
                for of_list in lists
                # No row without a date that is not final (BEHAVIOR 6).
                for second in [int(stream.undated and of_list == {"rows": "undated"} and finals)]
            ),
            key=str,
        )

    clock.shift(LATER)
    second_sync = Expected(name, TRAPS, 1)
    expected = second_sync.tell(mock)
    second = read(second_sync.config, name, state={name: state})
    # Read in full, but passed on where date_updated is newer than the lookback (BEHAVIOR 13).
    changed = [] if stream.changed_only else expected
    assert by_key(stream, records(second, name)) == by_key(stream, changed)
    assert problems(second) == []


@pytest.mark.parametrize("name", STREAMS)
def test_names_are_twilios(name: str) -> None:
    """Paths, keys of lists, page sizes and parameters are those of Twilio's table."""
    stream = STREAMS[name]
    for one in [stream, *(parent.stream for parent in stream.ancestors)]:
        resource, trap = one.resource, TRAPS.get(one.name, Traps())
        assert shape(one.url) == shape(resource.url)
        assert one.list_key == resource.list_key
        largest = trap.page_size or resource.page_size or 1000
        assert one.page_size in (None, min(largest, resource.page_size or largest))
        wanted = {*one.query, *(one.date_params or ())}
        assert wanted - {*resource.params} == set()
        if one.lists and not one.undated:
            [param] = [name for name, value in one.query.items() if value == f"{{{one.lists[0]}}}"]
            assert one.lists[1] == [*(trap.values or resource.params[param].values)]


@pytest.mark.parametrize("name", [name for name in STREAMS if STREAMS[name].date_params])
def test_bounds_act_on_the_cursor(name: str) -> None:
    """The two bounds of a filter belong together, and act on the cursor field."""
    stream = STREAMS[name]
    lower, upper = stream.date_params or ("", "")
    [(low, high)] = [pair for pair in BOUNDS if lower != lower.replace(*pair) == upper]
    acts_on = snake(lower if low == "Start" else lower.replace(low, ""))
    assert stream.cursor_field == ACTS_ON.get(name, acts_on)


def test_accounts(mock: MockTwilio) -> None:
    """The account list, without the live tokens it carries (BEHAVIOR 2)."""
    rows, expected = [], []
    for number in range(2):
        row, record = example("accounts")
        row["sid"] = record["sid"] = numbered(row["sid"], number + 1)
        rows.append(row)
        expected.append({name: value for name, value in record.items() if value is not None})
    link = url("Accounts.json", PageSize=1000, Page=1, PageToken="PA1")
    mock.page(url("Accounts.json", PageSize=1000), "accounts", rows[:1], link)
    mock.page(link, "accounts", rows[1:])
    output = read(CONFIG, "accounts")
    # The main account comes first.
    expected.sort(key=lambda row: row["sid"] != ACCOUNT)
    assert records(output, "accounts") == expected
    assert problems(output) == []


def test_alerts(mock: MockTwilio, clock: time_machine.Traveller) -> None:
    """Days side by side; all but the newest end two hours late; one page may hold all (1, 25).

    Each account is asked with its own token, of which the account list tells (BEHAVIOR 14).
    """
    address_of_list, stream = "https://monitor.twilio.com/v1/Alerts", STREAMS["alerts"]
    pairs = [example("alerts") for _ in range(3)]
    for number, pair in enumerate(pairs):
        for item in pair:
            item["sid"] = numbered(item["sid"], number)
            item["account_sid"] = ACCOUNTS[number // 2]
    row, row_2, row_3 = (row for row, _ in pairs)
    record, record_2, record_3 = (
        {name: value for name, value in record.items() if value is not None} for _, record in pairs
    )
    accounts = [
        {"sid": account, "auth_token": token, "status": "active"}
        for account, token in ((ACCOUNT, TOKEN), (SUBACCOUNT, SUBACCOUNT_TOKEN))
    ]

    def window(
        start: str,
        end: str | None,
        rows: list[Any],
        second: list[Any] | None = None,
        more: bool = False,
        account: str = ACCOUNT,
    ) -> None:
        query = {"StartDate": start, **({"EndDate": end} if end else {})}
        address = url(address_of_list, PageSize=1000, **query)
        link = f"{address}&Page=1&PageToken=PA1"
        mock.page(address, "alerts", rows, link if second or more else None, account)
        if second:
            mock.page(link, "alerts", second, account=account)

    mock.page(url("Accounts.json", PageSize=1000), "accounts", accounts)
    window("2026-01-12T00:00:00Z", None, [row], more=True)
    window("2026-01-12T00:00:00Z", None, [row_3], more=True, account=SUBACCOUNT)
    window("2026-01-12T00:00:00Z", "2026-01-13T01:59:59Z", [row], [row_2])
    window("2026-01-12T00:00:00Z", "2026-01-13T01:59:59Z", [row_3], account=SUBACCOUNT)
    for account in ACCOUNTS:
        window("2026-01-13T00:00:00Z", "2026-01-14T01:59:59Z", [], account=account)
        window("2026-01-14T00:00:00Z", "2026-01-15T01:59:59Z", [], account=account)
        window("2026-01-15T00:00:00Z", None, [], account=account)
    first = read({**CONFIG, "start_date": "2026-01-12T00:00:00Z", "num_workers": 1}, "alerts")
    assert by_key(stream, records(first, "alerts")) == [record, record_2, record_3]
    # The list, six requests of the main account and five of the other.
    users = {f"{account['sid']}:{account['auth_token']}" for account in accounts}
    assert ({*mock.signed}, len(mock.signed)) == (users, 12)
    state = final_state(first, "alerts")
    assert sorted(entries(first, "alerts"), key=str) == [
        {
            "partition": {"account_sid": account, "parent_slice": {}},
            "cursor": {"date_generated": "2026-01-15T11:00:00Z"},
        }
        for account in (ACCOUNT, SUBACCOUNT)
    ]

    clock.shift(DAY)
    mock.page(url("Accounts.json", PageSize=1000), "accounts", accounts)
    for account, rows in zip(ACCOUNTS, ([row], []), strict=True):
        # Alerts may be late (BEHAVIOR 51).
        window("2026-01-14T10:00:00Z", None, rows, account=account)
    settings = {**CONFIG, "start_date": "2026-01-12T00:00:00Z"}
    second = read(settings, "alerts", state={"alerts": state})
    assert records(second, "alerts") == [record]
    assert problems(first) + problems(second) == []
