"""How many requests a perfect client would need: `make bench` compares ours with this number."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from sandbox import Request, Sandbox
from sandbox.api import ENDPOINTS, ROUTES
from sandbox.data import seconds_of

Row = Mapping[str, Any]
# The largest page, where Twilio documents no other size.
PAGE = 1000
# A request shows the conferences of one of these (BEHAVIOR 32).
STATUSES = ("init", "in-progress", "completed")
STATUSES_WITH_PARTICIPANTS = ("init", "in-progress")
# The dates of a row that a filter can act on.
DATES = (
    *("date_created", "date_sent", "date_updated", "start_time", "date_generated"),
    *("start_date", "end_date"),
)


def kind(request: Request) -> str:
    """Return the list that a request asks for."""
    product = request.host.partition(".")[0]
    for owner, pattern, endpoint in ROUTES:
        if owner == product and pattern.fullmatch(request.path):
            return endpoint.stream
    return request.path


def needed(twilio: Sandbox, since: float, streams: Iterable[str]) -> Counter[str]:
    """Return how many requests for each list a perfect client needs when nothing has happened.

    It knows which accounts are closed, and asks no list twice. It reads a list page by page. Of a
    list with a date filter it reads the rows `since` that POSIX time. Conferences are one list for
    each status. A list below a list it reads for each parent that can have something.
    """
    wanted = set(streams)
    statuses = STATUSES if "conferences" in wanted else STATUSES_WITH_PARTICIPANTS
    wanted |= {above for each in ENDPOINTS if each.stream in wanted for above in each.parents}
    found: Counter[str] = Counter()
    open_accounts = [account.sid for account in twilio.accounts if account.status != "closed"]
    for endpoint in ENDPOINTS:
        if endpoint.stream not in wanted:
            continue
        for account in open_accounts[: 1 if endpoint.stream == "accounts" else None]:
            if endpoint.parent:
                parents = twilio.rows(endpoint.parent, account)
                found[endpoint.stream] += sum(has(endpoint.stream, row, since) for row in parents)
                continue
            rows = twilio.rows(endpoint.stream, account)
            if endpoint.dates or endpoint.between:
                rows = [row for row in rows if newest(row) >= since]
            if endpoint.stream == "conferences":
                lists = [[row for row in rows if row["status"] == each] for each in statuses]
            else:
                lists = [rows]
            # An empty list has one page.
            size = endpoint.resource.page_size or PAGE
            found[endpoint.stream] += sum(max(1, math.ceil(len(each) / size)) for each in lists)
    return found


def has(stream: str, parent: Row, since: float) -> bool:
    """Return whether a parent can have rows of the stream that a sync has to fetch."""
    if stream == "conference_participants":
        return parent["status"] in STATUSES_WITH_PARTICIPANTS
    if stream == "message_media":
        return parent["num_media"] != "0" and newest(parent) >= since
    if stream.startswith("available_phone_numbers"):
        return stream.removeprefix("available_phone_numbers_") in parent["subresource_uris"]
    return True


def newest(row: Row) -> float:
    """Return the newest date of a row that a filter can act on, as POSIX time; without one, inf."""
    return max((seconds_of(row[name]) for name in DATES if row.get(name)), default=math.inf)
