"""What no API tells: which rows Twilio has deleted, and of which messages the body (BEHAVIOR 21).

The first sync of a day reads `settling_days` again. The connector logs, at level DEBUG, which range
of a list of an account has arrived completely. A row of the table that is well inside such a range,
and did not come with it, is deleted: it stays, with the time of the sync in `deleted_at`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from twilio_warehouse.destination import Destination
from twilio_warehouse.tables import OWN_COLUMNS, Row, Table, timestamp

# Filters act on whole days, in a time zone that Twilio does not name for all lists.
LOWER_MARGIN = timedelta(days=1)
# What has just been created may not be shown yet by all of Twilio's servers.
UPPER_MARGIN = timedelta(hours=1)
# The hourly syncs of a day read about a day again: with margins, nothing that was there before.
LEAST_RANGE = timedelta(days=1)
# How many values a condition holds.
VALUES = 500

Range = tuple[datetime, datetime]


class Deletions:
    """The ranges that a sync has read completely, and the rows that came."""

    def __init__(self, connection: sqlite3.Connection, tables: Iterable[Table]) -> None:
        """Take a database for what has come, and the tables that had rows before this sync."""
        self.began = datetime.now(timezone.utc)
        self.tables = {table.name: table for table in tables if table.name in OWN_COLUMNS}
        # By stream and account.
        self.ranges: dict[str, dict[str, Range]] = {name: {} for name in self.tables}
        # The messages that came without a body since the last load, and their keys.
        self._without_body: dict[str, bytes] = {}
        self._connection = connection
        connection.execute(
            "CREATE TABLE came (stream TEXT, sid TEXT, PRIMARY KEY (stream, sid)) WITHOUT ROWID"
        )

    def observe_row(self, stream: str, row: Row, key: bytes) -> None:
        """Note that a row has come."""
        if stream in self.tables:
            sid = str(row["sid"])
            self._connection.execute("REPLACE INTO came VALUES (?, ?)", (stream, sid))
            if row.get("body") == "":
                self._without_body[sid] = key

    def observe_range(self, logged: Mapping[str, str]) -> None:
        """Note that a range has arrived: a stream, an account, and text with the bounds."""
        stream = logged["stream"]
        if stream not in self.tables:
            return
        since = timestamp(logged["since"]) + LOWER_MARGIN
        until = min(timestamp(logged["until"]), self.began) - UPPER_MARGIN
        if until - since >= LEAST_RANGE:
            self.ranges[stream][logged["account_sid"]] = since, until

    def redacted(self, destination: Destination) -> Iterator[bytes]:
        """Yield the keys of messages that have lost the body since they were loaded, or before."""
        found, self._without_body = self._without_body, {}
        if not found or not destination.updates:
            return
        table = self.tables["messages"]
        lost = "(body <> '' OR is_redacted)"
        if destination.lacks_column(table, "is_redacted"):
            lost = "body <> ''"
        for sids in chunks(sorted(found)):
            where = f"sid IN ({marks(sids)}) AND {lost}", sids
            for (sid,) in destination.select(table, ["sid"], where):
                yield found[sid]

    def mark(self, destination: Destination, ended: Iterable[str]) -> dict[str, int]:
        """Set `deleted_at`, once all is loaded; return the number of rows, by stream.

        `ended` are the streams whose rows have all arrived, those of failed accounts excepted.
        """
        marked = {}
        for name in {*ended} & {*self.tables} if destination.updates else ():
            table, ranges = self.tables[name], self.ranges[name]
            # A table of an earlier release, none of whose rows has come.
            if not ranges or destination.lacks_column(table, "deleted_at"):
                continue
            missing = [*self._missing(destination, table, ranges)]
            for sids in chunks(missing):
                where = f"sid IN ({marks(sids)})", sids
                destination.update(table, "deleted_at", self.began, where)
            if missing:
                marked[name] = len(missing)
        return marked

    def _missing(
        self, destination: Destination, table: Table, ranges: Mapping[str, Range]
    ) -> Iterator[str]:
        """Yield the rows of a table that are in a range and did not come."""
        since, until = min(r[0] for r in ranges.values()), max(r[1] for r in ranges.values())
        date = table.cursor_field
        where = f"{date} >= %s AND {date} <= %s AND deleted_at IS NULL", (since, until)
        for sid, account, moment in destination.select(table, ["sid", "account_sid", date], where):
            first, last = ranges.get(account, (until, since))
            if first <= in_utc(moment) <= last:
                query = "SELECT 1 FROM came WHERE stream = ? AND sid = ?"
                if not self._connection.execute(query, (table.name, sid)).fetchone():
                    yield sid


def in_utc(moment: Any) -> datetime:
    """Return a moment that a database has returned."""
    return timestamp(moment if isinstance(moment, str) else moment.isoformat())


def chunks(values: list[str]) -> Iterator[list[str]]:
    """Yield the values in lists that a condition can hold."""
    for start in range(0, len(values), VALUES):
        yield values[start : start + VALUES]


def marks(values: list[Any]) -> str:
    """Return a placeholder for each value."""
    return ", ".join(["%s"] * len(values))
