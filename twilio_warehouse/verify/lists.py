"""How to find out what lists hold, in which order and pages, and what is refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from urllib.parse import parse_qsl, urlsplit

from source_twilio.config import has_key
from source_twilio.timestamps import format_timestamp
from twilio_warehouse.verify.client import Page, Query, Unknown, View, today
from twilio_warehouse.verify.filters import DAY, HOUR, Answer, dated, key, listed, moment, recent


def order(view: View, path: str, field: str) -> Answer:
    """Find out in which order of a date rows come."""
    found = [
        when for row in view.rows(path, size=100, pages=2).rows if (when := moment(row, field))
    ]
    if len({*found}) < 2:
        raise Unknown("fewer than two rows with different dates")
    ways = {
        "newest first": found == sorted(found, reverse=True),
        "oldest first": found == sorted(found),
    }
    says = next((name for name, is_so in ways.items() if is_so), "neither way")
    return Answer(says, f"{len(found)} rows")


def page_size(view: View, path: str, most: int) -> Answer:
    """Find out what becomes of a page size above the documented one."""
    asked = most + 1
    page = view.page(path, size=asked)
    if page.status != 200:
        usual = view.page(path, size=most)
        if usual.status != 200:
            raise Unknown(f"the list was refused ({usual.said})")
        return Answer("refused", f"PageSize={asked} was answered {page.said}")
    told = page.body.get("page_size") or (page.body.get("meta") or {}).get("page_size")
    if not isinstance(told, int):
        raise Unknown("the answer does not tell its page size")
    evidence = f"PageSize={asked} was answered page_size {told}, {len(page.rows)} rows"
    return Answer("taken" if told >= asked else f"cut to {told}", evidence)


def full_page(view: View, path: str, size: int) -> Answer:
    """Find out whether a page that is followed by another holds as many rows as were asked for."""
    page = view.shown(path, size=size)
    if not page.more:
        raise Unknown(f"{len(page.rows)} rows are no full page of {size}")
    return Answer(
        "yes" if len(page.rows) == size else "no",
        f"PageSize={size} was answered {len(page.rows)} rows and a link",
    )


def next_link(view: View, path: str, since: str = "") -> Answer:
    """Find out whether a page of one row links to the next; `since` is a lower bound."""
    bound = recent(since) if since else {}
    page = view.shown(path, bound, size=1)
    if not page.rows:
        raise Unknown("no rows")
    if not page.more and len(view.shown(path, bound, size=50).rows) < 2:
        raise Unknown("one row only")
    says = "yes" if page.more else "no"
    return Answer(says, f"PageSize=1 was answered {len(page.rows)} rows")


def begins_after(view: View, path: str) -> Answer:
    """Find out whether a page token made of a row's SID shows what comes after that row."""
    page = view.shown(path, size=20)
    sids = [str(row.get("sid")) for row in page.rows]
    if len(sids) < 10:
        raise Unknown("fewer than ten rows")
    token = f"PA{sids[4]}"
    found = view.page(path, {"Page": "1", "PageToken": token}, size=5)
    if found.status != 200:
        return Answer("no", f"a token of the fifth row was answered {found.said}")
    same = [str(row.get("sid")) for row in found.rows] == sids[5:10]
    return Answer("yes" if same else "no", f"{len(found.rows)} rows came with a token")


def link_keeps(view: View, path: str, query: Query) -> Answer:
    """Find out whether a link has the host that was asked, and all of the query."""
    page = view.shown(path, query, size=1)
    if not page.more:
        raise Unknown("no list with a second page")
    link = dict(parse_qsl(urlsplit(page.more).query))
    kept = sum(link.get(name) == value for name, value in query.items())
    says = "yes" if kept == len(query) else "no"
    return Answer(says, f"{kept} of {len(query)} parameters")


def link_host(view: View, path: str) -> Answer:
    """Find out whether a link names the host that was asked."""
    page = view.shown(path, size=1)
    meta = page.body.get("meta") or {}
    link = str(meta.get("next_page_url") or meta.get("first_page_url") or "")
    if not link:
        raise Unknown("no link in the answer")
    same = urlsplit(link).hostname == page.host
    return Answer("yes" if same else "no", "1 link")


def said(page: Page) -> str:
    """Return what an answer is, in short."""
    if page.status != 200:
        return page.said
    if not any(isinstance(value, list) for value in page.body.values()):
        return "a record"
    return "rows" if page.rows else "an empty list"


def answers(view: View, path: str, query: Query | None = None, size: int = 50) -> Answer:
    """Find out what a request is answered."""
    page = view.page(path, query, size)
    return Answer(said(page), f"HTTP {page.status}, {len(page.rows)} rows on the first page")


def too_old(view: View, path: str, lower: str, days: int, upper: str = "") -> Answer:
    """Find out what a lower bound is answered that is further back than a list goes.

    With an upper bound, some days later, the rows of the answer are as old.
    """
    query = {lower: (today() - days * DAY).date().isoformat()}
    query |= {upper: (today() - (days - 8) * DAY).date().isoformat()} if upper else {}
    page = view.page(path, query, size=50)
    says = page.said if page.status != 200 else "it is answered"
    if upper and page.status == 200:
        says = "with rows of then" if page.rows else "with no rows"
    return Answer(says, f"a bound {days} days back: HTTP {page.status}, {len(page.rows)} rows")


def nulls(view: View, path: str, field: str, by: str, values: Sequence[str]) -> Answer:
    """Find out in which states a row has no date."""
    null, total = Counter[str](), Counter[str]()
    for value in values:
        for row in view.rows(f"{path}?{by}={value}", size=100, pages=1).rows:
            state = str(row.get(by.lower()))
            total[state] += 1
            null[state] += not row.get(field)
    if not total:
        raise Unknown("no such rows")
    lacking = [state for state in total if null[state]]
    says = f"null when {', '.join(sorted(lacking))}" if lacking else "never null"
    shares = (f"{state} {null[state]} of {total[state]}" for state in sorted(total))
    return Answer(says, f"null: {', '.join(shares)}")


def kinds(view: View, path: str, field: str) -> Answer:
    """Find out which states a list shows that is not asked for one."""
    counted = Counter(str(row.get(field)) for row in view.rows(path, size=100, pages=2).rows)
    if not counted:
        raise Unknown("no rows")
    return Answer(", ".join(sorted(counted)), listed(counted))


def default_service(view: View, path: str, configured: str) -> Answer:
    """Find out whether the list of Conversations services has the default one."""
    default = view.shown(configured).body.get("default_chat_service_sid")
    if not default:
        raise Unknown("no default service is configured")
    services = view.rows(path, size=100)
    there = default in [row.get("sid") for row in services.rows]
    if not there and not services.complete:
        raise Unknown(f"more than {len(services.rows)} services")
    return Answer("yes" if there else "no", f"{len(services.rows)} services in the list")


def touched(view: View, path: str, below: str) -> Answer:
    """Find out whether a new item below changes the `date_updated` of the item above."""
    seen = behind = 0
    for row in view.rows(path, size=100, pages=1).rows[:10]:
        items = view.page(below.format(**row), {"Order": "desc"}, size=1).rows
        updated = moment(row, "date_updated")
        newest = dated(items, "date_created")
        if updated and newest:
            seen += 1
            behind += updated < newest[0][0]
    if not seen:
        raise Unknown("no conversation with messages")
    return Answer(
        "no" if behind else "yes", f"{behind} of {seen} are older than their last message"
    )


def moved(view: View, path: str, since: str) -> Answer:
    """Find out whether `date_updated` is later than `date_created` once something has gone on."""
    rows = dated(view.rows(path, recent(since), size=100, pages=2).rows, "date_created")
    ended = [(when, row) for when, row in rows if row.get("status") == "ended"]
    if not ended:
        raise Unknown("none has ended")
    later = sum((moment(row, "date_updated") or when) > when for when, row in ended)
    return Answer("yes" if later else "no", f"{later} of {len(ended)} that ended have a later one")


def subaccounts_included(view: View, path: str) -> Answer:
    """Find out whether usage includes that of subaccounts unless asked."""
    since = {"StartDate": str((today() - 30 * DAY).date()), "Category": "totalprice"}
    sums = [
        sum(Decimal(str(row.get("price") or 0)) for row in view.rows(path, {**since, **more}).rows)
        for more in ({}, {"IncludeSubaccounts": "true"}, {"IncludeSubaccounts": "false"})
    ]
    if sums[1] == sums[2]:
        raise Unknown("no usage of subaccounts in 30 days")
    says = {sums[1]: "yes", sums[2]: "no"}.get(sums[0], "neither")
    return Answer(says, "three sums over 30 days")


def cut_to_bound(view: View, path: str) -> Answer:
    """Find out whether a monthly sum that is asked from the 15th on begins there."""
    last = (today().replace(day=1) - DAY).replace(day=15)
    query = {"StartDate": str(last.date()), "EndDate": str((last + 10 * DAY).date())}
    starts = {str(row.get("start_date"))[8:10] for row in view.shown(path, query, size=50).rows}
    if not starts:
        raise Unknown("no usage last month")
    says = {"01": "no", "15": "yes"}.get("".join(starts), "in part")
    return Answer(says, f"rows begin on day {', '.join(sorted(starts))} of the month")


def acts_on(view: View, path: str, lower: str, upper: str, start: str, end: str) -> Answer:
    """Find out whether an upper bound acts on the start of a row or on its end."""
    rows = view.rows(path, recent(lower), pages=1).rows
    for when, row in dated(rows, start):
        ended = moment(row, end)
        if ended and ended - when > timedelta(seconds=10):
            between = {
                lower: format_timestamp(when - HOUR),
                upper: format_timestamp(when + (ended - when) / 2),
            }
            shown = key(row) in map(key, view.rows(path, between).rows)
            how = "shown" if shown else "not shown"
            return Answer(
                "its start" if shown else "its end", f"a row is {how} with a bound inside"
            )
    raise Unknown("no row that lasts longer than ten seconds")


def subaccount_by_key(view: View, path: str) -> Answer:
    """Find out whether an API key of the main account opens a subaccount."""
    if not has_key(view.client.config):
        raise Unknown("the credentials are an Auth Token")
    page = view.page(path, size=1)
    return Answer("yes" if page.status == 200 else f"no ({page.said})", "1 list of a subaccount")


def many(view: View, path: str, lists: Sequence[str]) -> Answer:
    """Find out which lists the account does not open, and how they say so."""
    told: dict[str, list[str]] = {}
    for address in lists:
        try:
            page = view.page(f"https://{address}", size=1)
            how = page.said if page.status != 200 else "answered"
        except Unknown as unknown:
            how = str(unknown)
        told.setdefault(how, []).append(address.partition(".")[0])
    refused = {how: names for how, names in told.items() if how != "answered"}
    says = "; ".join(f"{how}: {', '.join(names)}" for how, names in sorted(refused.items()))
    return Answer(
        says or "none is refused", f"{len(told.get('answered', []))} of {len(lists)} answer"
    )
