"""The rows that a query lists: filters, dates and retention."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from itertools import compress
from threading import RLock
from typing import Any

from sandbox import rules
from sandbox.dataset import build_dataset
from sandbox.endpoints import STREAMS, Endpoint
from sandbox.errors import ApiError
from sandbox.settings import Settings
from sandbox.tables import Match, Table
from sandbox.wire import DAY, iso8601, seconds_of, snake

# Field, lower bound (included), upper bound (excluded), both in POSIX seconds.
Range = tuple[str, float, float]

INFINITY = float("inf")


@dataclass(kw_only=True, eq=False, repr=False)
class Lists(Settings):
    """The data set, its clock, and the rows that a query lists."""

    def __post_init__(self) -> None:
        """Generate the data set."""
        self._lock = RLock()
        self._offset = timedelta()
        self._store = build_dataset(
            self.seed, self._seconds(), self.scale, self.counts, self.account_specs
        )

    def now(self) -> datetime:
        """Return the time here."""
        return self.clock or datetime.now(timezone.utc) + self._offset

    def set_clock(self, moment: datetime | None) -> None:
        """Stop the clock at a time; None goes back to real time."""
        self.clock, self._offset = moment, timedelta()

    def advance(self, by: timedelta) -> None:
        """Move the clock, stopped or running."""
        if self.clock:
            self.clock += by
        else:
            self._offset += by

    def _seconds(self) -> int:
        return int(self.now().timestamp())

    def _as_of(self) -> str:
        return iso8601(self._seconds()).replace("Z", "+00:00")

    def _table(
        self, endpoint: Endpoint, account: str, parent: str, query: Mapping[str, str]
    ) -> Table:
        return rules.table(self._store, endpoint, account, parent, query)

    def _has(self, endpoint: Endpoint, account: str, above: list[str]) -> bool:
        """Return whether the parents of a list exist, from the top, and have such a list."""
        found: Any = None
        for number, (stream, key) in enumerate(zip(endpoint.parents, above, strict=True)):
            over = above[number - 1] if number else ""
            found = self._store.table(stream, account, over).rows.get(key)
            if found is None:
                return False
        return rules.has_children(endpoint, found.wire)

    def _above(self, endpoint: Endpoint, account: str) -> Iterator[list[str]]:
        """Yield the keys of the parents of each list of an account."""
        if not endpoint.parent:
            yield []
            return
        parent = STREAMS[endpoint.parent]
        for above in self._above(parent, account):
            for row in self._select(parent, account, (above or [""])[-1], rules.EVERY).rows:
                if self._has(endpoint, account, [*above, row.key]):
                    yield [*above, row.key]

    def _select(
        self, endpoint: Endpoint, account: str, parent: str, query: Mapping[str, str]
    ) -> Match:
        """Return the rows that fit the query."""
        table = self._table(endpoint, account, parent, query)
        equal = tuple(
            (field, query[name]) for name, field in endpoint.filters.items() if name in query
        )
        hidden, value = rules.hidden(self, endpoint, query)
        ranges = tuple(self._ranges(endpoint, account, query))
        key = equal, ranges, hidden, self.null_dates
        if key not in table.matches:
            rows, shown = table.newest_first(), self.null_dates == "shown"
            fits = [True] * len(rows)
            for name, low, high in ranges:
                times = zip(fits, table.times(name, shown), strict=True)
                fits = [ok and time is not None and low <= time < high for ok, time in times]
            for name, value in equal:
                texts = zip(fits, map(_text, table.column(name)), strict=True)
                fits = [ok and text == value for ok, text in texts]
            if hidden:
                values = zip(fits, table.column(hidden), strict=True)
                fits = [ok and found != value for ok, found in values]
            rows = list(compress(rows, fits))
            table.matches[key] = Match(rows, [row.order for row in rows])
        match = table.matches[key]
        days = rules.retention_days(self, endpoint, account)
        return match.since(self._seconds() - days * DAY) if days else match

    def _ranges(
        self, endpoint: Endpoint, account: str, query: Mapping[str, str]
    ) -> Iterator[Range]:
        """Yield the date ranges of the query."""
        inclusive = self.upper_bound == "inclusive"
        for name in endpoint.dates:
            for sign in ("", "<", ">"):
                if name + sign in query:
                    value = query[name + sign]
                    if sign != "<":
                        self._check_kept(endpoint, account, value)
                    yield self._bound(snake(name), sign, value, inclusive, self.time_of_day)
        for name, (field, sign) in endpoint.between.items():
            if name in query:
                whole_days = endpoint.resource.params[name].format == "date"
                value = rules.relative(query[name], self._seconds()) if whole_days else query[name]
                if sign == ">":
                    self._check_kept(endpoint, account, value)
                yield self._bound(field, sign, value, inclusive or whole_days)

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

    def _check_kept(self, endpoint: Endpoint, account: str, since: str) -> None:
        """Refuse a lower bound older than the retention."""
        days = rules.retention_days(self, endpoint, account)
        if days and _moment(since) < self._seconds() - days * DAY:
            message = f"The date range reaches beyond the retention window of {days} days"
            raise ApiError(400, 20004 if endpoint.stream == "messages" else 20001, message)


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
