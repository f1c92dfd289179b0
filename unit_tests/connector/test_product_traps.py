"""What product APIs do unless they are asked otherwise: rooms, events, prices."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine

from sandbox.streams import STREAMS
from unit_tests.support.expected import DAY, HOUR, LATER, by_key, example, numbered
from unit_tests.support.mock_twilio import ACCOUNT, CONFIG, TOKEN, MockTwilio, url
from unit_tests.support.reading import entries, final_state, problems, read, records

ROOMS = "https://video.twilio.com/v1/Rooms"
EVENTS = "https://taskrouter.twilio.com/v1/Workspaces/WS{:032}/Events"
CONVERSATIONS = "https://conversations.twilio.com/v1"
BELOW_TRANSCRIPTS = {
    "intelligence_sentences": ("sentences", "Sentences", 5000),
    "intelligence_operator_results": ("operator_results", "OperatorResults", 1000),
}
PRICES = "https://pricing.twilio.com/v1/PhoneNumbers/Countries"


def one_account(mock: MockTwilio) -> None:
    """Expect the list of accounts, with the main one."""
    row = {"sid": ACCOUNT, "auth_token": TOKEN, "status": "active"}
    mock.page(url("Accounts.json", PageSize=1000), "accounts", [row])


def rows(stream: str, *changes: dict[str, Any]) -> tuple[list[Any], list[Any]]:
    """Return rows as Twilio sends them and as they leave, each with its own key and changes."""
    pairs = [example(stream) for _ in changes]
    for number, (pair, change) in enumerate(zip(pairs, changes, strict=True)):
        for item in pair:
            item.update(sid=numbered(item["sid"], number), account_sid=ACCOUNT, **change)
    sent, left = zip(*pairs, strict=True)
    return [*sent], [{n: v for n, v in row.items() if v is not None} for row in left]


def test_participants_of_rooms(mock: MockTwilio, clock: time_machine.Traveller) -> None:
    """A room that goes on is asked for each status, one that ended since for one (43)."""
    name = "video_room_participants"
    going = "RM00000000000000000000000000000001"
    ended, before = going[:-1] + "2", going[:-1] + "3"
    statuses = ("connected", "disconnected", "reconnecting")
    since = ("2025-12-25", "2026-01-07")
    sent, left = rows(
        name,
        *({"room_sid": going, "status": status} for status in statuses),
        {"room_sid": ended, "status": "disconnected"},
    )
    state = None
    for sync in range(2):
        one_account(mock)
        for status in statuses:
            in_progress = url(ROOMS, PageSize=1000, Status="in-progress")
            mock.page(
                in_progress, "rooms", [{"sid": going, "date_created": "2020-01-01T00:00:00Z"}]
            )
            completed = [
                {"sid": ended, "date_updated": "2026-01-15T11:30:00Z" if sync == 0 else None},
                {"sid": before, "date_updated": "2025-12-31T23:59:59Z"},
            ]
            address = url(ROOMS, PageSize=1000, Status="completed", DateCreatedAfter=since[sync])
            mock.page(address, "rooms", completed)
            asked = url(f"{ROOMS}/{going}/Participants", PageSize=1000, Status=status)
            mock.page(asked, "participants", [sent[statuses.index(status)]])
        asked = url(f"{ROOMS}/{ended}/Participants", PageSize=1000, Status="disconnected")
        mock.page(asked, "participants", [sent[3]])
        config = {**CONFIG, "start_date": "2026-01-01T00:00:00Z"}
        output = read(config, name, state={name: state} if state else None)
        assert by_key(STREAMS[name], records(output, name)) == by_key(STREAMS[name], left)
        assert problems(output) == []
        state = final_state(output, name)
        # The cursor goes on by a list of its own for each status.
        cursors = {
            one["partition"]["participant_status"]: one["cursor"] for one in entries(output, name)
        }
        moment = "2026-01-15T11:00:00Z" if sync == 0 else "2026-01-16T12:00:00Z"
        assert cursors == dict.fromkeys(statuses, {"date_created": moment})
        clock.shift(LATER)


def test_transcriptions_of_rooms(mock: MockTwilio, clock: time_machine.Traveller) -> None:
    """A room that goes on is asked at each sync, one that ended when it did so since (43)."""
    name, state = "video_room_transcriptions", None
    going, ended, before = (f"RM{number:032}" for number in (1, 2, 3))
    pairs = [example(name) for _ in range(2)]
    for room, pair in zip((going, ended), pairs, strict=True):
        for item in pair:
            item.update(ttid=f"video_extension_{room}", room_sid=room)
    for sync, since in enumerate(("2025-12-25", "2026-01-07")):
        one_account(mock)
        in_progress = url(ROOMS, PageSize=1000, Status="in-progress")
        mock.page(in_progress, "rooms", [{"sid": going, "date_created": "2020-01-01T00:00:00Z"}])
        completed = [
            {"sid": ended, "date_updated": "2026-01-15T11:30:00Z" if sync == 0 else None},
            {"sid": before, "date_updated": "2025-12-31T23:59:59Z"},
        ]
        address = url(ROOMS, PageSize=1000, Status="completed", DateCreatedAfter=since)
        mock.page(address, "rooms", completed)
        for room, (row, _) in zip((going, ended), pairs, strict=True):
            mock.page(url(f"{ROOMS}/{room}/Transcriptions", PageSize=1000), "transcriptions", [row])
        config = {**CONFIG, "start_date": "2026-01-01T00:00:00Z"}
        output = read(config, name, state={name: state} if state else None)
        assert sorted(records(output, name), key=lambda row: str(row["ttid"])) == [
            record for _, record in pairs
        ]
        assert problems(output) == []
        state = final_state(output, name)
        clock.shift(LATER)
    [cursor] = entries(output, name)
    assert cursor["cursor"] == {"date_created": "2026-01-16T12:00:00Z"}


def test_no_list_of_failed_rooms(mock: MockTwilio, clock: time_machine.Traveller) -> None:
    """A status that Twilio does not know is an empty list, in one line; its cursor stays (43)."""
    one_account(mock)
    sent, left = rows("video_rooms", {"status": "completed"})
    since = {"DateCreatedAfter": "2026-01-01"}
    mock.page(url(ROOMS, PageSize=1000, Status="in-progress", **since), "rooms", [])
    mock.page(url(ROOMS, PageSize=1000, Status="completed", **since), "rooms", sent)
    mock.expect(
        url(ROOMS, PageSize=1000, Status="failed", **since),
        {"code": 20001, "message": "Invalid Status value", "status": 400},
        400,
    )
    output = read({**CONFIG, "start_date": "2026-01-01T00:00:00Z"}, "video_rooms")
    assert records(output, "video_rooms") == left
    [warning] = problems(output)
    assert warning.startswith(f"video_rooms: GET {ROOMS} returned HTTP 400, code 20001")
    cursors = {
        one["partition"]["status"]: one["cursor"]["date_created"]
        for one in entries(output, "video_rooms")
    }
    reached = "2026-01-15T11:00:00Z"
    assert cursors == {
        "in-progress": reached,
        "completed": reached,
        "failed": "2026-01-01T00:00:00Z",
    }


def test_full_page_of_events_is_split(mock: MockTwilio, clock: time_machine.Traveller) -> None:
    """A full page without a link is a part, however it is sorted; a shorter one is all (40)."""
    name = "taskrouter_events"
    one_account(mock)
    sent, left = rows(
        name, *({"event_date": f"2026-01-{day:02}T06:00:00Z"} for day in (9, 10, 11, 12, 13, 14))
    )
    workspace, other = ({"sid": f"WS{number:032}"} for number in (1, 2))
    address = "https://taskrouter.twilio.com/v1/Workspaces"
    mock.page(url(address, PageSize=1000), "workspaces", [workspace, other])
    full = [sent[3]] * 998 + [sent[4], sent[5]]
    events = EVENTS.format(1)

    def window(lower: str, upper: str | None, found: list[Any]) -> None:
        query = {"StartDate": lower, **({"EndDate": upper} if upper else {})}
        mock.page(url(events, PageSize=1000, **query), "events", found)

    window("2026-01-09T00:00:00Z", None, full)
    # From the oldest row that was shown, or from the middle: what is later.
    window("2026-01-09T00:00:00Z", "2026-01-12T06:00:00Z", sent[:4])
    window("2026-01-12T06:00:00Z", None, sent[3:])
    mock.page(url(EVENTS.format(2), PageSize=1000, StartDate="2026-01-09T00:00:00Z"), "events", [])
    output = read({**CONFIG, "start_date": "2026-01-09T00:00:00Z"}, name)
    assert by_key(STREAMS[name], records(output, name)) == by_key(STREAMS[name], left)
    assert problems(output) == []
    [state] = entries(output, name)
    assert state["cursor"] == {"event_date": "2026-01-15T11:00:00Z"}


def test_a_transcript_without_a_date(mock: MockTwilio, clock: time_machine.Traveller) -> None:
    """What hangs below it has no date either, and not the text "None" (BEHAVIOR 3)."""
    base, streams = "https://intelligence.twilio.com/v2/Transcripts", [*BELOW_TRANSCRIPTS]
    one_account(mock)
    listed = {"sid": "GT1", "status": "completed", "date_created": None}
    for name in streams:
        query = {"PageSize": 1000, "AfterDateCreated": "2025-12-31T23:59:59Z"}
        mock.page(url(base, **query), "transcripts", [listed])
        list_key, path, size = BELOW_TRANSCRIPTS[name]
        sent, _ = example(name)
        mock.page(url(f"{base}/GT1/{path}", PageSize=size), list_key, [sent])
    output = read({**CONFIG, "num_workers": 1}, *streams)
    for name in streams:
        [row] = records(output, name)
        assert (row["transcript_sid"], row.get("date_created")) == ("GT1", None)
    assert problems(output) == []


def test_prices_of_a_country_without_numbers(mock: MockTwilio) -> None:
    """A body of nulls is no row; a country that answers 404 has none (41)."""
    name = "phone_number_pricing_countries"
    row, record = example(name)
    countries = [{"iso_country": code} for code in (row["iso_country"], "AQ", "XX")]
    mock.page(url(PRICES, PageSize=1000), "countries", countries)
    mock.expect(f"{PRICES}/{row['iso_country']}", row)
    mock.expect(f"{PRICES}/AQ", dict.fromkeys(row))
    mock.expect(f"{PRICES}/XX", {"code": 20404, "message": "not found", "status": 404}, 404)
    output = read(CONFIG, name)
    record["account_sid"] = ACCOUNT
    assert records(output, name) == [{n: v for n, v in record.items() if v is not None}]
    assert problems(output) == []


@pytest.mark.parametrize("default", ["IS1", None])
def test_default_service_is_read_once(default: str | None, mock: MockTwilio) -> None:
    """Where the list has the default service, or there is none, each is asked once (39)."""
    one_account(mock)
    services = [{"sid": "IS1", "account_sid": ACCOUNT}, {"sid": "IS2", "account_sid": ACCOUNT}]
    mock.page(url(f"{CONVERSATIONS}/Services", PageSize=100), "services", services)
    mock.expect(f"{CONVERSATIONS}/Configuration", {"default_chat_service_sid": default})
    sent, left = rows("roles", {"chat_service_sid": "IS1"}, {"chat_service_sid": "IS2"})
    for row in sent:
        address = f"{CONVERSATIONS}/Services/{row['chat_service_sid']}/Roles"
        mock.page(url(address, PageSize=50), "roles", [row])
    output = read(CONFIG, "roles")
    assert by_key(STREAMS["roles"], records(output, "roles")) == by_key(STREAMS["roles"], left)
    assert problems(output) == []


def test_messages_newest_first(mock: MockTwilio, clock: time_machine.Traveller) -> None:
    """Down to the first page that is older than the last sync; once a day to the end (36)."""
    name, address = "conversation_messages", f"{CONVERSATIONS}/Services/IS1/Conversations/CH1"
    dates = ("2026-01-15T10:00:00Z", "2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z")
    # A message without a date may be new.
    sent, left = rows(name, *({"date_created": date} for date in (*dates, None)))
    state = None
    everything, beginning = [[0], [1], [3, 2]], [[0], [1, 3], [2]]
    # The first sync, the next one of that day, and the first one of the next day.
    for pages, shift in ((everything, HOUR), (beginning, DAY), (everything, HOUR)):
        one_account(mock)
        services = [{"sid": "IS1", "account_sid": ACCOUNT}]
        mock.page(url(f"{CONVERSATIONS}/Services", PageSize=100), "services", services)
        mock.expect(f"{CONVERSATIONS}/Configuration", {"default_chat_service_sid": "IS1"})
        conversations = url(address.removesuffix("/CH1"), PageSize=100)
        mock.page(conversations, "conversations", [{"sid": "CH1", "date_updated": None}])
        link = url(f"{address}/Messages", PageSize=100, Order="desc")
        for number, page in enumerate(pages):
            more = f"{link.partition('&Page=')[0]}&Page={number + 1}&PageToken=PA{number}"
            last = pages is everything and number == len(pages) - 1
            mock.page(link, "messages", [sent[n] for n in page], None if last else more)
            link = more
        output = read(CONFIG, name, state={name: state} if state else None)
        expected = [left[n] for page in pages for n in page]
        assert by_key(STREAMS[name], records(output, name)) == by_key(STREAMS[name], expected)
        state = final_state(output, name)
        clock.shift(shift)


def test_ranges_of_intelligence_conversations(
    mock: MockTwilio, clock: time_machine.Traveller
) -> None:
    """No request names more than 31 days, also where windows hold few rows or none (58)."""
    name, address = (
        "intelligence_v3_conversations",
        "https://intelligence.twilio.com/v3/Conversations",
    )
    one_account(mock)
    start, end = datetime(2025, 1, 1), datetime(2026, 1, 15, 12)
    asked: list[tuple[datetime, datetime]] = []
    while not asked or asked[-1][1] < end:
        since = start - timedelta(seconds=1)
        start = (start + timedelta(days=28)).replace(hour=0)
        until = start - timedelta(seconds=1) + timedelta(days=2)
        asked.append((since, until))
        bounds = {"createdAtAfter": f"{since:%Y-%m-%dT%H:%M:%SZ}"}
        if until < end:
            bounds["createdAtBefore"] = f"{until:%Y-%m-%dT%H:%M:%SZ}"
        mock.page(url(address, pageSize=1000, **bounds), "items", [], paging="nextToken")
    assert max(until - since for since, until in asked) <= timedelta(days=31)
    assert len(asked) > 10
    output = read({**CONFIG, "start_date": "2025-01-01T00:00:00Z"}, name)
    assert problems(output) == []
    [cursor] = entries(output, name)
    assert cursor["cursor"] == {"createdAt": "2026-01-15T11:00:00Z"}


def test_events_of_a_call_have_no_key(mock: MockTwilio, clock: time_machine.Traveller) -> None:
    """Rows that differ in anything stay apart, and one that comes again has the same key (59)."""
    name, sid = "call_insights_events", f"CA{1:032}"
    first = {**example(name)[0], "call_sid": sid}
    sent = [first, {**first, "sdk_edge": {"error": {"code": 31601}}}, {**first, "level": None}]
    # The order of fields says nothing.
    sent.append(dict(reversed(first.items())))
    one_account(mock)
    insights = "https://insights.twilio.com/v1/Voice"
    bounds = {"ProcessingState": "all", "StartTime": "2026-01-01T00:00:00Z"}
    address = url(f"{insights}/Summaries", PageSize=1000, **bounds)
    mock.page(address, "call_summaries", [{"call_sid": sid}])
    mock.page(url(f"{insights}/{sid}/Events", PageSize=1000), "events", sent)
    output = read(CONFIG, name)
    keys = [row["row_id"] for row in records(output, name)]
    assert (len(keys), len({*keys}), keys[0]) == (4, 3, keys[3])
    assert problems(output) == []
