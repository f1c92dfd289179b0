"""What no manifest and no table tells of single lists."""

from __future__ import annotations

import re
from collections.abc import Mapping

from sandbox.data import Store
from sandbox.endpoints import Endpoint
from sandbox.settings import Settings
from sandbox.tables import Table
from sandbox.wire import Wire, iso8601, snake

Query = Mapping[str, str]

ALERT_DAYS = 30


def table(store: Store, endpoint: Endpoint, account: str, parent: str, query: Query) -> Table:
    """Return the list that a query is about."""
    if endpoint.stream == "usage_records":
        subaccounts = query.get("IncludeSubaccounts", "true").lower() != "false"
        return store.usage(account, subaccounts)
    if endpoint.stream == "conference_participants":
        conference = store.table("conferences", account).rows[parent]
        if conference.wire["status"] == "completed":
            return Table()
    return store.table(endpoint.stream, account, parent)


def has_children(endpoint: Endpoint, parent: Wire) -> bool:
    """Return whether an item has this list below it: a country lacks some types of number."""
    if endpoint.parent != "available_phone_number_countries":
        return True
    return snake(endpoint.path.removesuffix(".json")) in parent["subresource_uris"]


def effective(settings: Settings, endpoint: Endpoint, query: Query) -> Query:
    """Return what Twilio makes of a request's query."""
    if endpoint.stream == "call_summaries" and query.get("ProcessingState") == "all":
        return {name: query[name] for name in query if name != "ProcessingState"}
    if endpoint.stream != "conferences":
        return query
    if "Status" in query:
        ignored = endpoint.dates if settings.conference_dates == "ignored" else []
        return {name: query[name] for name in query if name.rstrip("<>") not in ignored}
    if settings.conferences_without_status == "all":
        return query
    return {**query, "Status": "in-progress"}


def hides_deleted(endpoint: Endpoint, query: Query) -> bool:
    """Return whether deleted rows are left out."""
    return endpoint.stream == "recordings" and query.get("IncludeSoftDeleted", "").lower() != "true"


def days_kept(settings: Settings, endpoint: Endpoint, account: str) -> int:
    """Return how far back a list goes; 0 is no limit."""
    if endpoint.stream == "messages":
        overrides = settings.message_retention_overrides
        return overrides.get(account, settings.message_retention_days)
    return ALERT_DAYS if endpoint.stream == "alerts" else 0


def relative(value: str, now: int) -> str:
    """Return the date that a distance such as -30days means; bounds of whole days know these."""
    days = re.fullmatch(r"([+-]\d{1,4})days", value)
    return iso8601(now + int(days[1]) * 86_400)[:10] if days else value
