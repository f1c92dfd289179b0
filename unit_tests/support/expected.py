"""What a stream must ask for and emit, worked out from Twilio's table, the manifest and `wire/`.

URLs, keys of lists, page sizes, the names and formats of parameters and the values of a status are
Twilio's (`sandbox/fields.json`), so that a manifest that says otherwise fails. From the manifest
come the shape of a stream: what it hangs under, its cursor, its lists.

A stream is read in two accounts. Each list above it has two items; the first list of the first
account has two pages, every other one has one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from airbyte_cdk.sources.declarative.interpolation.macros import duration
from jinja2.utils import htmlsafe_json_dumps

from sandbox.endpoints import ENDPOINTS, Endpoint
from sandbox.fields import PAGE_PARAMS, PLACEHOLDER, Resource
from sandbox.streams import STREAMS, Stream
from unit_tests.conftest import NOW
from unit_tests.support.mock_twilio import ACCOUNT, CONFIG, SUBACCOUNT, TOKEN, MockTwilio, url

WIRE = Path(__file__).with_name("wire")
ENDPOINT = {endpoint.stream: endpoint for endpoint in ENDPOINTS}
SUBACCOUNT_TOKEN = "5ec2e7" * 5 + "00"
ACCOUNTS = (ACCOUNT, SUBACCOUNT)
# The first sync is at NOW, the second a day and an hour later. The default lookback is a day.
LATER = timedelta(days=1, hours=1)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)

Row = dict[str, Any]
Query = dict[str, str]


@dataclass(frozen=True)
class Listed:
    """One query of a list above a stream, and what tells its items from the example."""

    query: Query = field(default_factory=dict)
    items: tuple[Row, ...] = ({}, {})
    # There is a second page, which nobody asks for: the first holds a row from before the window.
    ends_early: bool = False


@dataclass(frozen=True)
class Traps:
    """What only a test can know of a stream."""

    # Parameters that every request must have.
    query: Query = field(default_factory=dict)
    # Values of the parameter that tells the lists of an account apart, where Twilio's table has
    # none; rows come in the list of the last one.
    values: tuple[str, ...] = ()
    # How the list right under the account is asked on behalf of the streams below it.
    above: tuple[Listed, ...] = ()
    page_size: int | None = None
    # The filter leaves out the moment that it begins with: it is asked so much earlier.
    margin_seconds: int = 0
    # How a bound is written, where the format of Twilio's table does not tell.
    date_format: str = ""


def start_date(stream: Stream) -> datetime:
    """Return the start date of the first sync: all that it asks must be in one window."""
    usual, days = datetime.fromisoformat("2026-01-01T00:00:00+00:00"), 36500.0
    for one in [stream, *(parent.stream for parent in stream.ancestors)]:
        text = one.parameters.get("window", "")
        days = min(days, float(text[1:-1]) if text.endswith("D") else days)
    return usual if NOW - usual < timedelta(days=days) else NOW - timedelta(days=days) / 2


class Expected:
    """The requests and records of one sync of a stream; `sync` is 0 or 1."""

    def __init__(self, name: str, traps: dict[str, Traps], sync: int) -> None:
        """Take a stream."""
        self.stream, self.traps, self.sync = STREAMS[name], traps, sync
        self.trap = traps.get(name, Traps())
        self.endpoint = ENDPOINT[name]
        self.start = start_date(self.stream)
        self.paged = sync == 0 or self.start == start_date(STREAMS["accounts"])
        self.numbers = count()
        self.records: list[Row] = []

    @property
    def config(self) -> Row:
        """The configuration to read with."""
        return {**CONFIG, "start_date": self.start.strftime("%Y-%m-%dT%H:%M:%SZ")}

    @property
    def signers(self) -> set[str]:
        """Who signs requests, as user and password."""
        pairs = {f"{ACCOUNT}:{TOKEN}"}
        own = self.endpoint.product != "api" and not self.stream.main_only
        return pairs | ({f"{SUBACCOUNT}:{SUBACCOUNT_TOKEN}"} if own else set())

    def tell(self, mock: MockTwilio) -> list[Row]:
        """Tell the mock the requests, and return the records that they must lead to."""
        if not self.stream.main_only:
            self._accounts(mock)
        for account in ACCOUNTS[:1] if self.stream.main_only else ACCOUNTS:
            lists = [{"account_sid": account}]
            for number, parent in enumerate(self.stream.ancestors):
                lists = [
                    {**above, placeholder: item}
                    for above in lists
                    for placeholder, item in self._above(mock, number, parent, above)
                ]
            for number, above in enumerate(lists):
                self._list(mock, above, self.paged and not number and account == ACCOUNT)
        return self.records

    @staticmethod
    def _accounts(mock: MockTwilio) -> None:
        """Expect the list of accounts, in two pages."""
        rest = url("Accounts.json", PageSize=1000, Page=1, PageToken="PAAC1")
        first = {"sid": ACCOUNT, "auth_token": TOKEN}
        mock.page(url("Accounts.json", PageSize=1000), "accounts", [first], rest)
        mock.page(rest, "accounts", [{"sid": SUBACCOUNT, "auth_token": SUBACCOUNT_TOKEN}])

    def _above(
        self, mock: MockTwilio, number: int, parent: Any, above: Row
    ) -> Iterator[tuple[str, Any]]:
        """Expect a list above the stream; yield the placeholder of its items and their keys."""
        resource, name = parent.stream.resource, parent.stream.name
        queries = self._queries(parent.stream, self.traps.get(name, Traps()))
        plain = tuple(Listed(query, () if query in queries[:-1] else ({}, {})) for query in queries)
        placeholder = self.endpoint.resource.placeholders[number]
        for listed in self.trap.above if self.trap.above and not number else plain:
            trap = self.traps.get(name, Traps())
            query = {n: self._since(v, resource, n, trap) for n, v in listed.query.items()}
            address = self._address(parent.stream, above, query)
            rows = []
            for given in listed.items:
                row = example(name)[0] | self._of_above(ENDPOINT[name], above)
                ordinal = next(self.numbers)
                row[parent.key] = numbered(row.get(parent.key, "XX00"), ordinal)
                rows.append(row | given)
                if not given.get("skipped"):
                    yield placeholder, rows[-1][parent.key]
            rows = [{k: v for k, v in row.items() if k != "skipped"} for row in rows]
            yield from self._others(
                mock, number, placeholder, above, (rows or [{}])[0].get(parent.key)
            )
            never = self._next(resource, address, "PA9") if listed.ends_early else None
            key, account = resource.list_key or "", above["account_sid"]
            mock.page(address, key, rows, never, account, resource.paging)

    def _others(
        self, mock: MockTwilio, number: int, placeholder: str, above: Row, known: Any
    ) -> Iterator[tuple[str, Any]]:
        """Expect the bodies that name one more item than the list."""
        children = [*(parent.stream for parent in self.stream.ancestors), self.stream]
        for other in children[number + 1].other_parents:
            named = numbered(known, next(self.numbers))
            address = self._address(other.stream, above, {})
            mock.expect(address, {other.key: named}, account=above["account_sid"])
            yield placeholder, named

    def _list(self, mock: MockTwilio, above: Row, two_pages: bool) -> None:
        """Expect the list itself, in all its queries."""
        key, resource = self.endpoint.key, self.endpoint.resource
        account = above["account_sid"]
        *others, last = self._queries(self.stream, self.trap)
        for query in others:
            mock.page(self._address(self.stream, above, query), key or "", [], account=account)
        address = self._address(self.stream, above, last)
        rows = [self._row(above)]
        if key is None:
            mock.expect(address, rows[0], account=account)
        elif two_pages:
            rows.append(self._row(above))
            link = self._next(resource, address, "PA1")
            mock.page(address, key, rows[:1], link, account, resource.paging)
            mock.page(link, key, rows[1:], None, account, resource.paging)
        else:
            mock.page(address, key, rows, None, account, resource.paging)
        if self.stream.undated and self.stream.date_params:
            self._undated(mock, above)

    def _undated(self, mock: MockTwilio, above: Row) -> None:
        """Expect the pass without a filter, which ends at a row older than the window (6)."""
        cursor_field = self.stream.cursor_field or ""
        undated, dated, old = self._row(above), self._row(above), self._row(above)
        del self.records[-2:]
        undated[cursor_field] = None
        undated["date_created"] = "Thu, 15 Jan 2026 11:59:59 +0000"
        old[cursor_field] = old["date_created"] = "Wed, 31 Dec 2025 23:59:59 +0000"
        address = self._address(self.stream, above, self.trap.query)
        never = self._next(self.endpoint.resource, address, "PA9")
        account = above["account_sid"]
        mock.page(address, self.endpoint.key or "", [undated, dated, old], never, account)
        del self.records[-1][cursor_field]
        self.records[-1]["date_created"] = "2026-01-15T11:59:59Z"

    def _row(self, above: Row) -> Row:
        """Return the next row as Twilio sends it; its record is expected."""
        row, record = example(self.stream.name)
        number = next(self.numbers)
        names = self._of_above(self.endpoint, above)
        for parent in self.stream.ancestors:
            # What the connector adds has the name that the manifest gives it.
            placeholder = self.endpoint.resource.placeholders[
                self.stream.fields.index(parent.field)
            ]
            names[parent.field] = above[placeholder]
        for item in (row, record):
            item.update({name: value for name, value in names.items() if name in item})
            for key in self.endpoint.row_key[:1]:
                item[key] = numbered(item[key], number)
        if "row_id" in self.stream.added:
            record["row_id"] = row_id(row)
        self.records.append({name: value for name, value in record.items() if value is not None})
        return row

    @staticmethod
    def _of_above(endpoint: Endpoint, above: Row) -> Row:
        """Return the fields that repeat the account and the items above."""
        names = zip(endpoint.resource.placeholders, endpoint.path_fields, strict=True)
        found = {field: above[name] for name, field in names if name in above}
        account = above["account_sid"]
        return {"account_sid": account, "accountId": account, **found}

    def _queries(self, stream: Stream, trap: Traps) -> list[Query]:
        """Return the queries of a list, but for those without a date; the last one has rows."""
        query = dict(trap.query)
        if stream.date_params:
            lower = stream.date_params[0]
            query[lower] = self._since("since", stream.resource, lower, trap)
        told_apart = [
            name
            for name, value in stream.query.items()
            if value.startswith("{") and value != "{account_sid}"
        ]
        if not told_apart:
            return [query]
        [name] = told_apart
        values = trap.values or stream.resource.params[name].values
        return [{**query, name: value} for value in values]

    def _since(self, text: str, resource: Resource, name: str, trap: Traps = Traps()) -> str:
        """Return the lower bound of a sync for "since", and anything else as it is."""
        if text != "since":
            return text
        # The second sync is the first of its day, which goes back as far as rows are followed.
        followed = "reread_window" in self.stream.parameters and not self.stream.undated
        # Longer than the lookback, where rows appear that late (BEHAVIOR 51).
        back = max(DAY, duration(self.stream.parameters.get("appears_within", "PT0S")))
        since = self.start if self.sync == 0 or followed else max(self.start, NOW - HOUR - back)
        since -= timedelta(seconds=trap.margin_seconds)
        days_only = resource.params[name].format == "date"
        usual = "%Y-%m-%d" if days_only else "%Y-%m-%dT%H:%M:%SZ"
        return since.strftime(trap.date_format or usual)

    @staticmethod
    def _next(resource: Resource, address: str, token: str) -> str:
        """Return the URL of a list's next page."""
        number = "" if resource.paging in PAGE_PARAMS else "Page=1&"
        return f"{address}&{number}{resource.page_params[1]}={token}"

    def _address(self, stream: Stream, above: Row, query: Query) -> str:
        """Return the URL of a list's first page, with Twilio's own path."""
        resource, values = stream.resource, iter(above.values())
        size = self.traps.get(stream.name, Traps()).page_size or resource.page_size
        # Of a body that is the record Twilio does not say.
        size = size or stream.page_size
        if "AccountSid" in resource.params:
            query = {"AccountSid": above["account_sid"], **query}
        next(values)
        path = PLACEHOLDER.sub(
            lambda found: above["account_sid"] if found[1] == "AccountSid" else next(values),
            resource.url,
        )
        return url(path, **({resource.page_params[0]: size} if size else {}), **query)


def example(name: str) -> tuple[Row, Row]:
    """Return the example of a stream, as Twilio sends it and as the connector emits it."""
    path = WIRE / f"{name}.json"
    if not path.exists():
        return {}, {}
    found = json.loads(path.read_text("utf-8"))
    return deepcopy(found["row"]), deepcopy(found["record"])


def row_id(row: Row) -> str:
    """Return the hash of all that Twilio's row has (BEHAVIOR 59)."""
    return hashlib.sha256(htmlsafe_json_dumps(row, sort_keys=True).encode()).hexdigest()


def numbered(value: Any, number: int) -> Any:
    """Return a value like the one given, and unlike those of other numbers."""
    if isinstance(value, dict):
        return {**value, "url": f"https://example.com/{number}"}
    return f"{value[:-2]}{number:02}" if isinstance(value, str) else number


def by_key(stream: Stream, rows: list[Row]) -> list[Row]:
    """Return rows in an order of their own: lists are read side by side."""
    return sorted(
        rows, key=lambda row: [str(row.get(name)) for name in sorted({*stream.key, "account_sid"})]
    )
