"""Tests of the content, order, pages and permissions of lists."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from urllib.parse import parse_qsl, urlsplit

from source_twilio.config import is_scoped
from source_twilio.timestamps import format_timestamp
from twilio_warehouse.verify_api.client import AccountView, Page, Query, Unknown, today
from twilio_warehouse.verify_api.filters import (
    DAY,
    HOUR,
    Answer,
    date_of,
    dated,
    describe,
    key_of,
    recent,
)


def order(view: AccountView, path: str, field: str) -> Answer:
    """Test in which order of a date rows come."""
    found = [
        when for row in view.rows(path, size=100, pages=2).rows if (when := date_of(row, field))
    ]
    if len({*found}) < 2:
        raise Unknown("fewer than two rows with different dates")
    orders = {
        "newest first": found == sorted(found, reverse=True),
        "oldest first": found == sorted(found),
    }
    text = next((name for name, matches in orders.items() if matches), "neither way")
    return Answer(text, f"{len(found)} rows")


def page_size(view: AccountView, path: str, most: int) -> Answer:
    """Test what becomes of a page size above the documented one."""
    asked = most + 1
    page = view.page(path, size=asked)
    if page.status != 200:
        allowed = view.page(path, size=most)
        if allowed.status != 200:
            raise Unknown(f"the list was refused ({allowed.summary})")
        return Answer("refused", f"PageSize={asked} was answered {page.summary}")
    size = page.body.get("page_size") or (page.body.get("meta") or {}).get("page_size")
    if not isinstance(size, int):
        raise Unknown("the response has no page size")
    evidence = f"PageSize={asked} was answered page_size {size}, {len(page.rows)} rows"
    return Answer("accepted" if size >= asked else f"cut to {size}", evidence)


def full_page(view: AccountView, path: str, size: int) -> Answer:
    """Test whether a page that is followed by another holds as many rows as were asked for."""
    page = view.readable_page(path, size=size)
    if not page.next_page:
        raise Unknown(f"{len(page.rows)} rows are no full page of {size}")
    return Answer(
        "yes" if len(page.rows) == size else "no",
        f"PageSize={size} was answered {len(page.rows)} rows and a link",
    )


def next_link(view: AccountView, path: str, since: str = "") -> Answer:
    """Test whether a page of one row links to the next; `since` is a lower bound."""
    bound = recent(since) if since else {}
    page = view.readable_page(path, bound, size=1)
    if not page.rows:
        raise Unknown("no rows")
    if not page.next_page and len(view.readable_page(path, bound, size=50).rows) < 2:
        raise Unknown("one row only")
    text = "yes" if page.next_page else "no"
    return Answer(text, f"PageSize=1 was answered {len(page.rows)} rows")


def begins_after(view: AccountView, path: str) -> Answer:
    """Test whether a page token made of a row's SID shows what comes after that row."""
    page = view.readable_page(path, size=20)
    sids = [str(row.get("sid")) for row in page.rows]
    if len(sids) < 10:
        raise Unknown("fewer than ten rows")
    token = f"PA{sids[4]}"
    found = view.page(path, {"Page": "1", "PageToken": token}, size=5)
    if found.status != 200:
        return Answer("no", f"a token of the fifth row was answered {found.summary}")
    same = [str(row.get("sid")) for row in found.rows] == sids[5:10]
    return Answer("yes" if same else "no", f"{len(found.rows)} rows came with a token")


def link_keeps_parameters(view: AccountView, path: str, query: Query) -> Answer:
    """Test whether the link to the next page has all parameters of the query."""
    page = view.readable_page(path, query, size=1)
    if not page.next_page:
        raise Unknown("no list with a second page")
    link = dict(parse_qsl(urlsplit(page.next_page).query))
    kept = sum(link.get(name) == value for name, value in query.items())
    text = "yes" if kept == len(query) else "no"
    return Answer(text, f"{kept} of {len(query)} parameters")


def link_host(view: AccountView, path: str) -> Answer:
    """Test whether a link names the host that was asked."""
    page = view.readable_page(path, size=1)
    meta = page.body.get("meta") or {}
    link = str(meta.get("next_page_url") or meta.get("first_page_url") or "")
    if not link:
        raise Unknown("no link in the response")
    same = urlsplit(link).hostname == page.host
    return Answer("yes" if same else "no", "1 link")


def describe_page(page: Page) -> str:
    """Return the kind of a response."""
    if page.status != 200:
        return page.summary
    if not any(isinstance(value, list) for value in page.body.values()):
        return "a record"
    return "rows" if page.rows else "an empty list"


def response(view: AccountView, path: str, query: Query | None = None, size: int = 50) -> Answer:
    """Test how Twilio responds to a request."""
    page = view.page(path, query, size)
    return Answer(
        describe_page(page), f"HTTP {page.status}, {len(page.rows)} rows on the first page"
    )


def too_old(view: AccountView, path: str, lower: str, days: int, upper: str = "") -> Answer:
    """Test how Twilio responds to a lower bound older than its retention.

    With an upper bound, some days later, the rows of the response are as old.
    """
    query = {lower: (today() - days * DAY).date().isoformat()}
    query |= {upper: (today() - (days - 8) * DAY).date().isoformat()} if upper else {}
    page = view.page(path, query, size=50)
    text = page.summary if page.status != 200 else "it is answered"
    if upper and page.status == 200:
        text = "with rows of then" if page.rows else "with no rows"
    return Answer(text, f"a bound {days} days back: HTTP {page.status}, {len(page.rows)} rows")


def null_dates(view: AccountView, path: str, field: str, by: str, values: Sequence[str]) -> Answer:
    """Test in which states a row has no date."""
    null, total = Counter[str](), Counter[str]()
    for value in values:
        for row in view.rows(f"{path}?{by}={value}", size=100, pages=1).rows:
            state = str(row.get(by.lower()))
            total[state] += 1
            null[state] += not row.get(field)
    if not total:
        raise Unknown("no such rows")
    lacking = [state for state in total if null[state]]
    text = f"null when {', '.join(sorted(lacking))}" if lacking else "never null"
    shares = (f"{state} {null[state]} of {total[state]}" for state in sorted(total))
    return Answer(text, f"null: {', '.join(shares)}")


def values(view: AccountView, path: str, field: str) -> Answer:
    """Test which values of a field a list shows."""
    counted = Counter(str(row.get(field)) for row in view.rows(path, size=100, pages=2).rows)
    if not counted:
        raise Unknown("no rows")
    return Answer(", ".join(sorted(counted)), describe(counted))


def default_service(view: AccountView, path: str, configured: str) -> Answer:
    """Test whether the list of Conversations services has the default one."""
    default = view.readable_page(configured).body.get("default_chat_service_sid")
    if not default:
        raise Unknown("no default service is configured")
    services = view.rows(path, size=100)
    there = default in [row.get("sid") for row in services.rows]
    if not there and not services.complete:
        raise Unknown(f"more than {len(services.rows)} services")
    return Answer("yes" if there else "no", f"{len(services.rows)} services in the list")


def parent_updated(view: AccountView, path: str, child: str) -> Answer:
    """Test whether a new child changes the `date_updated` of its parent."""
    seen = behind = 0
    for row in view.rows(path, size=100, pages=1).rows[:10]:
        items = view.page(child.format(**row), {"Order": "desc"}, size=1).rows
        updated = date_of(row, "date_updated")
        newest = dated(items, "date_created")
        if updated and newest:
            seen += 1
            behind += updated < newest[0][0]
    if not seen:
        raise Unknown("no conversation with messages")
    return Answer(
        "no" if behind else "yes", f"{behind} of {seen} are older than their last message"
    )


def updated_at_end(view: AccountView, path: str, since: str) -> Answer:
    """Test whether `date_updated` of ended items is later than `date_created`."""
    rows = dated(view.rows(path, recent(since), size=100, pages=2).rows, "date_created")
    ended = [(when, row) for when, row in rows if row.get("status") == "ended"]
    if not ended:
        raise Unknown("none has ended")
    later = sum((date_of(row, "date_updated") or when) > when for when, row in ended)
    return Answer("yes" if later else "no", f"{later} of {len(ended)} that ended have a later one")


def subaccounts_included(view: AccountView, path: str) -> Answer:
    """Test whether usage includes subaccounts by default."""
    since = {"StartDate": str((today() - 30 * DAY).date()), "Category": "totalprice"}
    sums = [
        sum(Decimal(str(row.get("price") or 0)) for row in view.rows(path, {**since, **more}).rows)
        for more in ({}, {"IncludeSubaccounts": "true"}, {"IncludeSubaccounts": "false"})
    ]
    if sums[1] == sums[2]:
        raise Unknown("no usage of subaccounts in 30 days")
    text = {sums[1]: "yes", sums[2]: "no"}.get(sums[0], "neither")
    return Answer(text, "three sums over 30 days")


def cut_to_bound(view: AccountView, path: str) -> Answer:
    """Test whether a monthly sum requested from the 15th begins there."""
    last = (today().replace(day=1) - DAY).replace(day=15)
    query = {"StartDate": str(last.date()), "EndDate": str((last + 10 * DAY).date())}
    starts = {
        str(row.get("start_date"))[8:10] for row in view.readable_page(path, query, size=50).rows
    }
    if not starts:
        raise Unknown("no usage last month")
    text = {"01": "no", "15": "yes"}.get("".join(starts), "in part")
    return Answer(text, f"rows begin on day {', '.join(sorted(starts))} of the month")


def bound_applies_to(
    view: AccountView, path: str, lower: str, upper: str, start: str, end: str
) -> Answer:
    """Test whether an upper bound applies to the start of a row or to its end."""
    rows = view.rows(path, recent(lower), pages=1).rows
    for when, row in dated(rows, start):
        ended = date_of(row, end)
        if ended and ended - when > timedelta(seconds=10):
            between = {
                lower: format_timestamp(when - HOUR),
                upper: format_timestamp(when + (ended - when) / 2),
            }
            shown = key_of(row) in map(key_of, view.rows(path, between).rows)
            how = "shown" if shown else "not shown"
            return Answer(
                "its start" if shown else "its end", f"a row is {how} with a bound inside"
            )
    raise Unknown("no row that lasts longer than ten seconds")


def subaccount_by_key(view: AccountView, path: str) -> Answer:
    """Test whether an API key of the main account can access a subaccount."""
    if not is_scoped(view.client.config):
        raise Unknown("the credentials are an Auth Token")
    page = view.page(path, size=1)
    return Answer("yes" if page.status == 200 else f"no ({page.summary})", "1 list of a subaccount")


def refused_lists(view: AccountView, path: str, lists: Sequence[str]) -> Answer:
    """Test which lists the account cannot access, and how Twilio refuses them."""
    responses: dict[str, list[str]] = {}
    for address in lists:
        try:
            page = view.page(f"https://{address}", size=1)
            how = page.summary if page.status != 200 else "answered"
        except Unknown as unknown:
            how = str(unknown)
        responses.setdefault(how, []).append(address.partition(".")[0])
    refused = {how: names for how, names in responses.items() if how != "answered"}
    text = "; ".join(f"{how}: {', '.join(names)}" for how, names in sorted(refused.items()))
    return Answer(
        text or "none is refused", f"{len(responses.get('answered', []))} of {len(lists)} answer"
    )
