"""Rows, and the lists that hold them, with their caches."""

from __future__ import annotations

from bisect import bisect_right
from typing import Any, NamedTuple

import orjson

from sandbox.wire import Wire, seconds_of


def _json(wire: Wire) -> bytes:
    # orjson returns 8 KB of memory however short the text is; a copy has its own size.
    return bytes(memoryview(orjson.dumps(wire)))


class Row:
    """One row: its key, its JSON and its position in the list.

    The JSON is kept as bytes: most responses need them, and a large data set takes a third of the
    memory.
    """

    __slots__ = ("key", "order", "raw")

    def __init__(self, key: str, wire: Wire, order: int) -> None:
        """Hold a row."""
        self.key = key
        self.order = order
        self.raw = _json(wire)

    @property
    def wire(self) -> Wire:
        """The row as a response has it, as a copy."""
        wire: Wire = orjson.loads(self.raw)
        return wire

    def update(self, fields: Wire) -> None:
        """Change fields."""
        self.raw = _json(self.wire | fields)


class Match(NamedTuple):
    """The rows of a query, newest first, and their sort keys for binary search."""

    rows: list[Row]
    order: list[int]

    def since(self, seconds: int) -> Match:
        """Return the rows that are not older than a time."""
        length = bisect_right(self.order, -(seconds << 32))
        return self if length == len(self.rows) else Match(self.rows[:length], self.order[:length])


class Table:
    """One list of one account; its caches are valid until it changes."""

    def __init__(self) -> None:
        """Start empty."""
        self.rows: dict[str, Row] = {}
        self.version = 0
        self.matches: dict[Any, Match] = {}
        self._columns: dict[str, list[Any]] = {}
        self._times: dict[tuple[str, bool], list[int | None]] = {}
        self._sorted: list[Row] = []

    def invalidate(self) -> None:
        """Clear the caches."""
        self.version += 1
        self.matches.clear()
        self._columns.clear()
        self._times.clear()
        self._sorted = []

    def only(self, field: str, start: str) -> Table:
        """Return a list of the rows of which a field starts so."""
        found = Table()
        found.rows = {k: row for k, row in self.rows.items() if row.wire[field].startswith(start)}
        return found

    def newest_first(self) -> list[Row]:
        """Return the rows in the order of the list."""
        if not self._sorted:
            self._sorted = sorted(self.rows.values(), key=lambda row: row.order)
        return self._sorted

    def column(self, field: str) -> list[Any]:
        """Return a field of all rows, in the order of the list."""
        if field not in self._columns:
            # Usage has no date_created.
            self._columns[field] = [row.wire.get(field) for row in self.newest_first()]
        return self._columns[field]

    def times(self, field: str, instead: bool) -> list[int | None]:
        """Return a date field as POSIX times; with `instead`, date_created if it is null."""
        key = field, instead
        if key not in self._times:
            texts = self.column(field)
            if instead:
                pairs = zip(texts, self.column("date_created"), strict=True)
                texts = [text or created for text, created in pairs]
            self._times[key] = [seconds_of(text) if text else None for text in texts]
        return self._times[key]
