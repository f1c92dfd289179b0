"""Twilio's list endpoints as a function of a request, over a data set and a clock.

Lists come newest first, by date_created (usage by start_date). Pages follow a key, not a number:
`PageToken` is "PA" and the SID of the last row seen, so rows that arrive meanwhile shift nothing.
"""

from __future__ import annotations

import random
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from http import HTTPStatus
from itertools import compress
from threading import RLock
from typing import Any, Literal, NamedTuple
from urllib.parse import quote

import orjson

from sandbox.data import (
    ACCOUNTS,
    AS_OF,
    DAY,
    Holder,
    Match,
    Row,
    Store,
    Table,
    Wire,
    iso8601,
    rfc2822,
    seconds_of,
    snake,
)

Pairs = list[tuple[str, str]]
Response = tuple[int, bytes]
# Field, lower bound (included), upper bound (excluded), both in POSIX seconds.
Range = tuple[str, float, float]

ACCOUNT = "/2010-04-01/Accounts/{account}"
# Each region and its usual place, which stands in a host's name between product and domain.
REGIONS = {"us1": "", "ie1": ".dublin.ie1", "au1": ".sydney.au1"}
EDGES = ["ashburn", "dublin", "frankfurt", "roaming", "sao-paulo"]
EDGES += ["singapore", "sydney", "tokyo", "umatilla"]
# No place of ie1 or au1 lacks an edge: such hosts led to us1, and are gone since April 2026.
PLACES = {"": "us1", ".us1": "us1"}
PLACES |= {f".{edge}.{region}": region for edge in EDGES for region in REGIONS}
# The product and the region that answer under a name.
HOSTS = {
    f"{product}{place}.twilio.com": (product, region)
    for product in ("api", "monitor")
    for place, region in PLACES.items()
}
MESSAGES = {
    20005: "Account not active",
    20008: "Resource not accessible with Test Account Credentials",
    70051: "Authorization Failed",
}
CODES = {400: 20001, 401: 20003, 404: 20404, 405: 20004, 429: 20429, 500: 20500, 503: 20503}
INFINITY = float("inf")
ALERT_DAYS = 30


class Endpoint(NamedTuple):
    """One list."""

    stream: str
    path: str  # below the account where it does not start with a slash
    parent: str = ""  # stream of the row whose key is the path's {parent}
    filters: str = ""  # parameters that a field of the same name must equal
    dates: str = ""  # parameters that take X=, X<= and X>=
    between: tuple[str, str] = ("", "")  # fields that StartDate and EndDate bound
    key: str = ""  # of the list in the body, where it is not the stream
    product: str = "api"
    paged: bool = True

    def pattern(self) -> re.Pattern[str]:
        """Return what its path looks like."""
        path = self.path if self.path.startswith("/") else f"{ACCOUNT}/{self.path}.json"
        return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path.replace(".", r"\.")))


def _numbers(kind: str) -> Endpoint:
    path, parent = f"AvailablePhoneNumbers/{{parent}}/{kind}", f"{NUMBER}_countries"
    return Endpoint(f"{NUMBER}s_{snake(kind)}", path, parent, key=f"{NUMBER}s", paged=False)


NUMBER = "available_phone_number"
NAME = "FriendlyName"
CREATED = "DateCreated"
DAYS = ("start_date", "end_date")
GENERATED = ("date_generated", "date_generated")
ENDPOINTS = (
    Endpoint("accounts", "/2010-04-01/Accounts.json", filters=f"{NAME} Status"),
    Endpoint("addresses", "Addresses", filters=f"CustomerName EmergencyEnabled {NAME} IsoCountry"),
    Endpoint("alerts", "/v1/Alerts", filters="LogLevel", between=GENERATED, product="monitor"),
    Endpoint("applications", "Applications", filters=NAME),
    Endpoint(f"{NUMBER}_countries", "AvailablePhoneNumbers", key="countries", paged=False),
    _numbers("Local"),
    _numbers("Mobile"),
    _numbers("TollFree"),
    Endpoint("calls", "Calls", "", "From ParentCallSid Status To", "EndTime StartTime"),
    Endpoint(
        "conference_participants",
        "Conferences/{parent}/Participants",
        parent="conferences",
        filters="Coaching Hold Muted",
        key="participants",
    ),
    Endpoint("conferences", "Conferences", "", f"{NAME} Status", f"{CREATED} DateUpdated"),
    Endpoint("dependent_phone_numbers", "Addresses/{parent}/DependentPhoneNumbers", "addresses"),
    Endpoint(
        "incoming_phone_numbers", "IncomingPhoneNumbers", "", f"Beta {NAME} Origin PhoneNumber"
    ),
    Endpoint("keys", "Keys"),
    Endpoint("message_media", "Messages/{parent}/Media", "messages", "", CREATED, key="media_list"),
    Endpoint("messages", "Messages", filters="From To", dates="DateSent"),
    Endpoint("outgoing_caller_ids", "OutgoingCallerIds", filters=f"{NAME} PhoneNumber"),
    Endpoint("queues", "Queues"),
    Endpoint("recordings", "Recordings", "", "CallSid ConferenceSid", CREATED),
    Endpoint("transcriptions", "Transcriptions"),
    Endpoint("usage_records", "Usage/Records/Daily", "", "Category", between=DAYS),
    Endpoint("usage_triggers", "Usage/Triggers", "", "Recurring TriggerBy UsageCategory"),
)
STREAMS = {endpoint.stream: endpoint for endpoint in ENDPOINTS}
ROUTES = [(endpoint.product, endpoint.pattern(), endpoint) for endpoint in ENDPOINTS]
ONE_ACCOUNT = re.compile(r"/2010-04-01/Accounts/([^/]+)\.json")


class ApiError(Exception):
    """An answer other than the list that was asked for."""

    def __init__(self, status: int, code: int | None = None, message: str = "") -> None:
        """Make the answer; without a code the status tells it, 0 leaves it out."""
        super().__init__(message)
        code = CODES.get(status, 0) if code is None else code
        usual = "Authenticate" if status == 401 else HTTPStatus(status).phrase
        said = message or MESSAGES.get(code, usual)
        body: Wire = {"message": said, "status": status}
        if code:
            body |= {"code": code, "more_info": f"https://www.twilio.com/docs/errors/{code}"}
        self.status = status
        self.body = orjson.dumps(body)


class Account(NamedTuple):
    """An account of the data set."""

    sid: str
    auth_token: str
    status: str


class Key(NamedTuple):
    """Credentials of an account: SID and secret are user and password."""

    sid: str
    secret: str
    account_sid: str
    kind: Literal["main", "standard", "restricted", "test"]
    streams: tuple[str, ...]
    region: str


@dataclass(kw_only=True, eq=False, repr=False)
class Api:
    """What Twilio answers. Every setting may be changed at any time, except those marked *.

    Attributes:
        seed: * what the data set is drawn from.
        scale: * factor on the length of the long lists.
        counts: * rows of the main account by stream, where the scale does not suit.
        holders: * the accounts, the main one first: name, status, share or rows by stream.
        clock: * the time at the start, which then stands still; None is real time.
        upper_bound: whether an upper date bound takes its own day (or second) in.
        time_of_day: whether the 2010 API honours the time in a date filter or cuts it to its day.
        null_dates: whether a date filter drops rows without that date or judges by date_created.
        conferences_without_status: which conferences a request without Status lists: those in
            progress, as since 2026-09-30, or all, as before. Those in status init are listed on
            request only, because Twilio does not say where they go.
        conference_dates: whether the date filters of conferences combine with Status or are
            ignored beside it; Twilio does not say.
        message_retention_days: how far back the messages list goes.
        message_retention_overrides: the same for single accounts, by SID.
        alerts_cap: the number of alerts that one query can page through.
        empty_usage: the answer to a query of usage that no row fits.
        usage_page_limit: the page size above which usage answers 500.
        page_size_max: stands in for the largest page of every list (1000).
        region: the region that holds the data, and is the only one to know the Auth Tokens.
        main_keys_open: whether the main account's main keys open its subaccounts too.
        not_permitted: status and code for what a restricted key has no permission for.
        links_host: the host that links of a product API name; None is the one that was asked.
    """

    seed: int = 1
    scale: float = 1.0
    counts: Mapping[str, int] = field(default_factory=dict)
    holders: Sequence[Holder] = ACCOUNTS
    clock: datetime | None = None
    upper_bound: Literal["exclusive", "inclusive"] = "exclusive"
    time_of_day: bool = True
    null_dates: Literal["hidden", "shown"] = "hidden"
    conferences_without_status: Literal["in-progress", "all"] = "in-progress"
    conference_dates: Literal["combined", "ignored"] = "combined"
    message_retention_days: int = 400
    message_retention_overrides: dict[str, int] = field(default_factory=dict)
    alerts_cap: int = 10_000
    empty_usage: Literal["404", "empty"] = "404"
    usage_page_limit: int | None = None
    page_size_max: int = 1000
    region: str = "us1"
    main_keys_open: Literal["account", "subaccounts"] = "account"
    not_permitted: tuple[int, int] = (401, 70051)
    links_host: str | None = None

    def __post_init__(self) -> None:
        """Draw the data set."""
        self._lock = RLock()
        self._offset = timedelta()
        self._restricted: dict[str, ApiError] = {}
        self._keys: dict[str, Key] = {}
        # Of their own, so that keys change nothing in the data.
        self._dice = random.Random(f"{self.seed} keys")
        self._store = Store(self.seed, self._seconds(), self.scale, self.counts, self.holders)
        for account in self.accounts:
            if account.status == "closed":
                self.restrict(account.sid)

    # ---------------------------------------------------------------------------- clock and data

    def now(self) -> datetime:
        """Return the time here."""
        return self.clock or datetime.now(timezone.utc) + self._offset

    def set_clock(self, moment: datetime | None) -> None:
        """Stop the clock at a time; None goes back to real time."""
        self.clock, self._offset = moment, timedelta()

    def advance(self, by: timedelta) -> None:
        """Move the clock, be it stopped or running."""
        if self.clock:
            self.clock += by
        else:
            self._offset += by

    @property
    def accounts(self) -> list[Account]:
        """The main account, then its subaccounts."""
        with self._lock:
            wires = [row.wire for row in self._store.accounts.values()]
        return [Account(wire["sid"], wire["auth_token"], wire["status"]) for wire in wires]

    def rows(
        self, stream: str, account_sid: str, query: Mapping[str, str] | None = None
    ) -> list[Wire]:
        """Return an account's rows as Twilio would list them now, newest first.

        A stream with a parent gives the rows of all parents. The query is that of a request
        without its paging, say `{"IncludeSoftDeleted": "true"}`. Unlike a request, conferences
        come in every status unless the query names one: no request shows them all.
        """
        endpoint, query = STREAMS[stream], dict(query or {})
        with self._lock:
            found = [
                row.wire
                for parent in self._parents(endpoint, account_sid)
                for row in self._select(endpoint, account_sid, parent, query).rows
            ]
            if stream == "usage_records":
                return [wire | {"as_of": self._as_of()} for wire in found]
            return found

    def add(self, stream: str, account_sid: str, parent: str = "", **fields: Any) -> Wire:
        """Add a row and return it; `parent` is the SID or country that its path names.

        Fields not given follow a pattern, dates the clock. Dates may be given as datetime.
        """
        with self._lock:
            fields = {name: _wired(stream, value) for name, value in fields.items()}
            created = fields.get("date_created") or fields.get("start_date")
            when = seconds_of(created) if created else self._seconds()
            return self._store.add(stream, account_sid, when, parent, **fields).wire

    def update(self, stream: str, sid: str, **fields: Any) -> None:
        """Change a row, wherever it is listed; date_updated is now unless given."""
        with self._lock:
            fields = {name: _wired(stream, value) for name, value in fields.items()}
            for table in self._holders(stream, sid):
                row = table.rows[sid]
                if "date_updated" in row.wire:
                    row.update({"date_updated": _wired(stream, self.now())})
                row.update(fields)

    def delete(self, stream: str, sid: str) -> None:
        """Remove a row, for good: a recording that Twilio keeps listed is `status="deleted"`."""
        with self._lock:
            for table in self._holders(stream, sid):
                del table.rows[sid]

    def restrict(self, account_sid: str, status: int | None = 401, code: int = 20003) -> None:
        """Have everything of an account answer an error from now on; status None lifts that.

        The main account takes its subaccounts with it, as when Twilio suspends it.
        """
        with self._lock:
            self._restricted.pop(account_sid, None)
            if status:
                self._restricted[account_sid] = ApiError(status, code)

    # ------------------------------------------------------------------------------- credentials

    def host(self, product: str = "api") -> str:
        """Return the usual host of the region that holds the data."""
        return f"{product}{REGIONS[self.region]}.twilio.com"

    def key(
        self,
        account_sid: str,
        kind: Literal["main", "standard", "restricted", "test"] = "main",
        streams: tuple[str, ...] = (),
        region: str | None = None,
    ) -> Key:
        """Add an API key and return it, or with kind "test" the account's test credentials.

        The streams are what a restricted key opens. The region is that of the data unless given;
        in another one the key finds the accounts, and no data of theirs.
        """
        region = region or self.region
        if kind == "restricted" and region != "us1":
            raise ValueError("Twilio has restricted keys in us1 only")
        with self._lock:
            sid, secret = (f"{self._dice.getrandbits(128):032x}" for _ in range(2))
            prefix = "AC" if kind == "test" else "SK"
            key = Key(prefix + sid, secret, account_sid, kind, streams, region)
            self._keys[key.sid] = key
            return key

    def revoke(self, key: Key) -> None:
        """Delete a key: from now on nobody knows it."""
        with self._lock:
            del self._keys[key.sid]

    def _key(self, user: str) -> Key | None:
        """Return the credentials of a user; an Auth Token is a main key by another name."""
        account = self._store.accounts.get(user)
        if account is None:
            return self._keys.get(user)
        return Key(user, account.wire["auth_token"], user, "main", (), self.region)

    # ---------------------------------------------------------------------------------- requests

    def answer(self, host: str, path: str, pairs: Pairs, user: str, password: str) -> Response:
        """Return status and body for a GET request."""
        with self._lock:
            try:
                return self._answer(host, path, pairs, user, password)
            except ApiError as error:
                return error.status, error.body

    def _answer(self, host: str, path: str, pairs: Pairs, user: str, password: str) -> Response:
        product, region = HOSTS[host]
        key = self._key(user)
        if key is None or (key.secret, key.region) != (password, region):
            raise ApiError(401)
        for sid in (self._store.main, key.account_sid):
            if sid in self._restricted:
                raise self._restricted[sid]
        if key.kind == "test":
            raise ApiError(403, 20008)
        if product == "api" and (one := ONE_ACCOUNT.fullmatch(path)):
            self._authorise(key, "accounts", one[1], path)
            return 200, self._store.accounts[one[1]].raw
        for owner, pattern, endpoint in ROUTES:
            if owner == product and (found := pattern.fullmatch(path)):
                groups = found.groupdict()
                account = groups.get("account", key.account_sid)
                self._authorise(key, endpoint.stream, account, path)
                if account in self._restricted:
                    raise self._restricted[account]
                if region != self.region and endpoint.stream != "accounts":
                    account = ""  # It has no rows.
                parent = groups.get("parent", "")
                if endpoint.parent and not self._has(endpoint, account, parent):
                    raise _missing(path)
                link_to = self.links_host or host
                return self._list(endpoint, link_to, path, pairs, account, parent)
        raise _missing(path)

    def _authorise(self, key: Key, stream: str, account: str, path: str) -> None:
        """Refuse what the credentials do not open."""
        main = self._store.main
        opens = key.kind == "main" and self.main_keys_open == "subaccounts"
        everywhere = key.account_sid == main and (opens or key.sid == main)
        if account != key.account_sid and not everywhere:
            raise ApiError(401)
        if key.kind == "standard" and stream in ("accounts", "keys"):
            raise ApiError(401)
        if key.kind == "restricted" and stream not in key.streams:
            raise ApiError(*self.not_permitted)
        if account not in self._store.accounts:
            raise _missing(path)

    def _list(
        self, endpoint: Endpoint, host: str, path: str, pairs: Pairs, account: str, parent: str
    ) -> Response:
        query = dict(pairs)
        key = endpoint.key or endpoint.stream
        match = self._select(endpoint, account, parent, self._effective(endpoint, query))
        usage = endpoint.stream == "usage_records"
        if usage and not match.rows and self.empty_usage == "404":
            raise _missing(path)
        if not endpoint.paged:
            return 200, _body({"uri": path}, key, match.rows)

        page, size = _number(query, "Page", 0, 0), _number(query, "PageSize", 50, 1)
        size = min(size, self.page_size_max)
        if usage and self.usage_page_limit and size > self.usage_page_limit:
            raise ApiError(500)
        if endpoint.stream == "alerts" and page * size >= self.alerts_cap:
            limit = f"data is limited to {self.alerts_cap:,} results"
            raise ApiError(400, 0, f"Invalid page and pageSize combination, {limit}")
        start = self._start(match, self._table(endpoint, account, parent, query), query, page, size)
        rows = match.rows[start : start + size]

        kept = [pair for pair in pairs if pair[0] not in ("Page", "PageSize", "PageToken")]
        link = _Link(host if endpoint.product == "monitor" else "", path, kept, size)
        back = forth = None
        if rows and start + size < len(match.rows):
            forth = link.to(page + 1, "PA" + rows[-1].key)
        if rows and start and page:
            back = link.to(page - 1, "PB" + rows[0].key)
        first, here = link.to(0), link.to(page, query.get("PageToken", ""))
        numbers = {"page": page, "page_size": size}
        if endpoint.product == "monitor":
            links = {"first_page_url": first, "next_page_url": forth, "previous_page_url": back}
            meta = numbers | links | {"url": here, "key": key}
            return 200, _body({"meta": meta}, key, rows)
        links = {"first_page_uri": first, "next_page_uri": forth, "previous_page_uri": back}
        end = page * size + max(len(rows) - 1, 0)
        head = numbers | links | {"uri": here, "start": page * size, "end": end}
        body = _body(head, key, rows)
        return 200, body.replace(AS_OF.encode(), self._as_of().encode()) if usage else body

    def _start(
        self, match: Match, table: Table, query: dict[str, str], page: int, size: int
    ) -> int:
        """Return where the page starts in the match."""
        token = query.get("PageToken", "")
        if not token:
            if page:
                raise ApiError(400, 70002, "Pages are reached by their PageToken")
            return 0
        row = table.rows.get(token[2:])
        if row is None or token[:2] not in ("PA", "PB"):
            raise ApiError(400, 21481, "Invalid PageToken")
        if token.startswith("PA"):
            return bisect_right(match.order, row.order)
        return max(0, bisect_left(match.order, row.order) - size)

    # --------------------------------------------------------------------------------- selection

    def _seconds(self) -> int:
        return int(self.now().timestamp())

    def _as_of(self) -> str:
        return iso8601(self._seconds()).replace("Z", "+00:00")

    def _holders(self, stream: str, sid: str) -> list[Table]:
        tables = list(self._store.holders(stream, sid))
        if not tables:
            raise KeyError(f"{stream}: {sid}")
        return tables

    def _has(self, endpoint: Endpoint, account: str, parent: str) -> bool:
        """Return whether the parent exists and has such children, where it says."""
        row = self._store.tables[endpoint.parent, account, ""].rows.get(parent)
        if row is None:
            return False
        name = snake(endpoint.path.removesuffix(".json"))
        return name in row.wire.get("subresource_uris", [name])

    def _parents(self, endpoint: Endpoint, account: str) -> list[str]:
        if not endpoint.parent:
            return [""]
        rows = self._select(STREAMS[endpoint.parent], account, "", {}).rows
        return [row.key for row in rows if self._has(endpoint, account, row.key)]

    def _table(
        self, endpoint: Endpoint, account: str, parent: str, query: Mapping[str, str]
    ) -> Table:
        if endpoint.stream == "usage_records":
            subaccounts = query.get("IncludeSubaccounts", "true").lower() != "false"
            return self._store.usage(account, subaccounts)
        if endpoint.stream == "conference_participants":
            conference = self._store.tables["conferences", account, ""].rows[parent]
            if conference.wire["status"] == "completed":
                return Table()
        return self._store.tables.get((endpoint.stream, account, parent)) or Table()

    def _effective(self, endpoint: Endpoint, query: Mapping[str, str]) -> Mapping[str, str]:
        """Return what Twilio makes of a request's query."""
        if endpoint.stream != "conferences":
            return query
        if "Status" in query:
            ignored = endpoint.dates.split() if self.conference_dates == "ignored" else []
            return {name: query[name] for name in query if name.rstrip("<>") not in ignored}
        if self.conferences_without_status == "all":
            return query
        return {**query, "Status": "in-progress"}

    def _select(
        self, endpoint: Endpoint, account: str, parent: str, query: Mapping[str, str]
    ) -> Match:
        """Return the rows that fit the query."""
        table = self._table(endpoint, account, parent, query)
        equal = tuple(
            (snake(name), query[name]) for name in endpoint.filters.split() if name in query
        )
        deleted = query.get("IncludeSoftDeleted", "").lower() == "true"
        ranges = tuple(self._ranges(endpoint, account, query))
        key = equal, ranges, deleted, self.null_dates
        if key not in table.matches:
            rows, shown = table.newest_first(), self.null_dates == "shown"
            fits = [True] * len(rows)
            for name, low, high in ranges:
                times = zip(fits, table.times(name, shown), strict=True)
                fits = [ok and time is not None and low <= time < high for ok, time in times]
            for name, value in equal:
                texts = zip(fits, map(_text, table.column(name)), strict=True)
                fits = [ok and text == value for ok, text in texts]
            if endpoint.stream == "recordings" and not deleted:
                states = zip(fits, table.column("status"), strict=True)
                fits = [ok and status != "deleted" for ok, status in states]
            rows = list(compress(rows, fits))
            table.matches[key] = Match(rows, [row.order for row in rows])
        match = table.matches[key]
        days = self._days_kept(endpoint, account)
        return match.since(self._seconds() - days * DAY) if days else match

    def _days_kept(self, endpoint: Endpoint, account: str) -> int:
        """Return how far back a list goes; 0 is no limit."""
        if endpoint.stream == "messages":
            return self.message_retention_overrides.get(account, self.message_retention_days)
        return ALERT_DAYS if endpoint.stream == "alerts" else 0

    def _ranges(
        self, endpoint: Endpoint, account: str, query: Mapping[str, str]
    ) -> Iterator[Range]:
        """Yield what the query asks of dates."""
        inclusive = self.upper_bound == "inclusive"
        for name in endpoint.dates.split():
            for sign in ("", "<", ">"):
                if name + sign in query:
                    value = query[name + sign]
                    if sign != "<":
                        self._check_kept(endpoint, account, value)
                    yield self._bound(snake(name), sign, value, inclusive, self.time_of_day)
        start, end = endpoint.between
        if start and "StartDate" in query:
            value = self._relative(endpoint, query["StartDate"])
            self._check_kept(endpoint, account, value)
            yield self._bound(start, ">", value)
        if end and "EndDate" in query:
            inclusive |= endpoint.stream == "usage_records"
            yield self._bound(end, "<", self._relative(endpoint, query["EndDate"]), inclusive)

    def _bound(
        self, name: str, sign: str, value: str, inclusive: bool = False, time_of_day: bool = True
    ) -> Range:
        """Return one condition."""
        moment = _moment(value)
        exact = len(value) > 10 and time_of_day and sign
        if not exact:
            moment -= moment % DAY
        if sign == ">":
            return name, moment, INFINITY
        low = -INFINITY if sign else moment
        return name, low, moment + (1 if exact else DAY) * (inclusive or not sign)

    def _relative(self, endpoint: Endpoint, value: str) -> str:
        """Return the date that a distance such as -30days means; usage alone knows these."""
        days = re.fullmatch(r"([+-]\d{1,4})days", value)
        if endpoint.stream != "usage_records" or not days:
            return value
        return iso8601(self._seconds() + int(days[1]) * DAY)[:10]

    def _check_kept(self, endpoint: Endpoint, account: str, since: str) -> None:
        """Refuse a lower bound before the list begins."""
        days = self._days_kept(endpoint, account)
        if days and _moment(since) < self._seconds() - days * DAY:
            message = f"The date range reaches beyond the retention window of {days} days"
            raise ApiError(400, 20004 if endpoint.stream == "messages" else 20001, message)


class _Link(NamedTuple):
    """Where the pages of a list are."""

    host: str
    path: str
    kept: Pairs
    size: int

    def to(self, page: int, token: str = "") -> str:
        pairs = [*self.kept, ("PageSize", str(self.size)), ("Page", str(page))]
        if token:
            pairs.append(("PageToken", token))
        query = "&".join(f"{quote(name, '')}={quote(value, ':')}" for name, value in pairs)
        return (f"https://{self.host}" if self.host else "") + f"{self.path}?{query}"


def _wired(stream: str, value: Any) -> Any:
    """Return a field as the wire has it."""
    if not isinstance(value, datetime):
        return value
    return (iso8601 if stream == "alerts" else rfc2822)(int(value.timestamp()))


def _moment(value: str) -> int:
    """Return the time that a date filter names."""
    try:
        if not re.fullmatch(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d:\d\d(\.\d{3})?Z?)?", value):
            raise ValueError(value)
        return seconds_of(value)
    except ValueError:
        raise ApiError(400, 20001, f"Invalid date value: {value}") from None


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _number(query: Mapping[str, str], name: str, default: int, least: int) -> int:
    value = query.get(name, str(default))
    if not value.isdecimal() or int(value) < least:
        raise ApiError(400, 20001, f"Invalid {name} value: {value}")
    return int(value)


def _missing(path: str) -> ApiError:
    return ApiError(404, 20404, f"The requested resource {path} was not found")


def _body(head: Wire, key: str, rows: list[Row]) -> bytes:
    raws = b",".join([row.raw for row in rows])
    return b'%b,"%b":[%b]}' % (orjson.dumps(head)[:-1], key.encode(), raws)
