"""Rules of single lists that neither manifest nor `fields.json` has."""

from __future__ import annotations

import re
from collections.abc import Mapping

from sandbox.data import Store
from sandbox.endpoints import Endpoint
from sandbox.errors import ApiError
from sandbox.generated import DEFAULT_SERVICE
from sandbox.settings import Settings
from sandbox.streams import STREAMS as DECLARED
from sandbox.tables import Table
from sandbox.wire import DAY, Wire, iso8601, seconds_of, snake

Query = Mapping[str, str]

# The retention of lists that show the last days only.
DAYS = 30
# The query that lists also rows that no request lists.
EVERY = {"Every": "row"}
# Defaults of a query: a status, or the seconds before now.
STATUS = {
    "conferences": "in-progress",
    "video_room_participants": "connected",
    "video_rooms": "in-progress",
}
RECENT = {"call_summaries": ("StartTime", 4 * 3600), "taskrouter_events": ("StartDate", 15 * 60)}


def table(store: Store, endpoint: Endpoint, account: str, parent: str, query: Query) -> Table:
    """Return the list that a query is about."""
    if endpoint.stream == "usage_records":
        subaccounts = query.get("IncludeSubaccounts", "true").lower() != "false"
        return store.usage(account, subaccounts)
    if endpoint.stream == "channel_senders" and "Channel" in query:
        return store.table(endpoint.stream, account).only("sender_id", f"{query['Channel']}:")
    if endpoint.stream == "conference_participants":
        conference = store.table("conferences", account).rows[parent]
        if conference.wire["status"] == "completed":
            return Table()
    return store.table(endpoint.stream, account, parent)


def has_children(endpoint: Endpoint, parent: Wire) -> bool:
    """Return whether an item has this child list.

    A country lacks some types of number, a transcript has no results before it is completed, and
    nobody was in a room that failed.
    """
    if endpoint.stream in ("video_room_participants", "video_room_transcriptions"):
        return bool(parent["status"] != "failed")
    if endpoint.parent == "intelligence_transcripts":
        return bool(parent["status"] == "completed")
    if endpoint.parent != "available_phone_number_countries":
        return True
    return snake(endpoint.path.removesuffix(".json")) in parent["subresource_uris"]


def effective_query(settings: Settings, endpoint: Endpoint, query: Query, now: int) -> Query:
    """Return the query that Twilio applies for a request; `now` is in POSIX seconds."""
    name = endpoint.stream
    if name == "intelligence_v3_conversations" and "createdAtAfter" in query:
        until = query.get("createdAtBefore") or iso8601(now)
        if seconds_of(until) - seconds_of(query["createdAtAfter"]) > 31 * DAY:
            raise ApiError(400, 20001, "The time range may have 31 days")
    if name == "call_summaries" and query.get("ProcessingState") == "all":
        query = {name: query[name] for name in query if name != "ProcessingState"}
    start, seconds = RECENT.get(name, ("", 0))
    if start:
        query = {start: iso8601(now - seconds), **query}
    if name == "conferences" and "Status" in query:
        ignored = endpoint.dates if settings.conference_dates == "ignored" else []
        return {name: query[name] for name in query if name.rstrip("<>") not in ignored}
    if name == "conferences" and settings.conferences_without_status == "all":
        return query
    return {"Status": STATUS[name], **query} if name in STATUS else query


def hidden(settings: Settings, endpoint: Endpoint, query: Query) -> tuple[str, str]:
    """Return field and value of the rows that are not listed."""
    if endpoint.stream == "recordings" and query.get("IncludeSoftDeleted", "").lower() != "true":
        return "status", "deleted"
    if endpoint.stream == "services" and settings.default_service == "unlisted" and query != EVERY:
        return "friendly_name", DEFAULT_SERVICE
    return "", ""


def retention_days(settings: Settings, endpoint: Endpoint, account: str) -> int:
    """Return the retention of a list; 0 is no limit."""
    if endpoint.stream == "messages":
        overrides = settings.message_retention_overrides
        return overrides.get(account, settings.message_retention_days)
    declared = DECLARED.get(endpoint.stream)
    kept = declared.parameters.get("retention") if declared and declared.date_params else ""
    return DAYS if kept == f"P{DAYS}D" else 0


def relative(value: str, now: int) -> str:
    """Return the date of a relative date such as -30days, which filters by day accept."""
    days = re.fullmatch(r"([+-]\d{1,4})days", value)
    return iso8601(now + int(days[1]) * 86_400)[:10] if days else value
