"""The number of requests of a perfect client, which `make bench` compares with ours."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from sandbox import Request, Sandbox
from sandbox.api import ENDPOINTS, ROUTES, STREAMS
from sandbox.data import seconds_of
from sandbox.wire import DAY

Row = Mapping[str, Any]
# The largest page, where Twilio documents no other size.
PAGE = 1000
# A request lists the conferences or rooms of one status (BEHAVIOR 32, 43).
STATUSES = {
    "conferences": ("init", "in-progress", "completed"),
    "video_rooms": ("in-progress", "completed", "failed"),
}
# And the senders of one channel.
CHANNELS = ("whatsapp", "rcs")
STATUSES_WITH_PARTICIPANTS = ("init", "in-progress")
# These are read for all parents in progress, whatever their dates.
OF_LIVE = ("conference_participants", "video_room_participants", "video_room_transcriptions")
# The dates of rows that filters can use.
DATES = (
    *("date_created", "date_sent", "date_updated", "start_time", "date_generated", "createdAt"),
    *("start_date", "end_date", "create_time", "event_date"),
)


def kind(request: Request) -> str:
    """Return the stream of a request."""
    product = request.host.partition(".")[0]
    for owner, pattern, endpoint in ROUTES:
        if owner == product and pattern.fullmatch(request.path):
            return endpoint.stream
    return request.path


def requests_needed(twilio: Sandbox, since: float, streams: Iterable[str]) -> Counter[str]:
    """Return the number of requests that a perfect client needs for each list without changes.

    It knows the closed accounts, and reads no list twice. Of a list with a date filter it reads the
    rows `since` that POSIX time. Conferences and rooms are one list for each status. A child list
    is read for each parent that can have items, prices for the main account only.
    """
    wanted = set(streams)
    statuses: dict[str, tuple[str, ...]] = dict(STATUSES)
    if "conferences" not in wanted:
        statuses["conferences"] = STATUSES_WITH_PARTICIPANTS
    wanted |= {name for each in ENDPOINTS if each.stream in wanted for name in each.parents}
    found: Counter[str] = Counter()
    open_accounts = [account.sid for account in twilio.accounts if account.status != "closed"]
    for endpoint in ENDPOINTS:
        if endpoint.stream not in wanted:
            continue
        main_only = endpoint.stream == "accounts" or "_pricing_" in endpoint.stream
        for account in open_accounts[: 1 if main_only else None]:
            if endpoint.parent:
                dated = bool(STREAMS[endpoint.parent].between or STREAMS[endpoint.parent].dates)
                for row in twilio.rows(endpoint.parent, account):
                    live = endpoint.stream in OF_LIVE and row["status"] != "completed"
                    old = dated and not live and newest(row) < since
                    found[endpoint.stream] += 0 if old else child_lists(endpoint.stream, row)
                continue
            rows = twilio.rows(endpoint.stream, account)
            if endpoint.dates or endpoint.between:
                rows = [row for row in rows if newest(row) >= since]
            parts = [rows]
            if each_status := statuses.get(endpoint.stream):
                parts = [[row for row in rows if row["status"] == each] for each in each_status]
            if endpoint.stream == "channel_senders":
                parts = [[r for r in rows if r["sender_id"].startswith(c)] for c in CHANNELS]
            # An empty list has one page.
            size = endpoint.resource.page_size or PAGE
            found[endpoint.stream] += sum(max(1, math.ceil(len(each) / size)) for each in parts)
            if endpoint.stream == "intelligence_v3_conversations":
                # Each request may name 31 days (BEHAVIOR 58).
                days = (twilio.now().timestamp() - since) / DAY
                found[endpoint.stream] += math.ceil(days / 31) - 1
    return found


def child_lists(stream: str, parent: Row) -> int:
    """Return the number of lists of a stream that a sync has to read for a parent."""
    if stream == "conference_participants":
        return int(parent["status"] in STATUSES_WITH_PARTICIPANTS)
    if stream == "message_media":
        return int(parent["num_media"] != "0")
    if stream.startswith("available_phone_numbers"):
        return int(stream.removeprefix("available_phone_numbers_") in parent["subresource_uris"])
    if stream in ("intelligence_sentences", "intelligence_operator_results"):
        return int(parent["status"] == "completed")
    if stream == "video_room_participants":
        return {"in-progress": 3, "completed": 1}.get(parent["status"], 0)
    if stream == "video_room_transcriptions":
        return int(parent["status"] != "failed")
    return 1


def newest(row: Row) -> float:
    """Return the newest date of a row that filters can use, as POSIX time; without one, inf."""
    return max((seconds_of(row[name]) for name in DATES if row.get(name)), default=math.inf)
