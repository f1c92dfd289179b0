"""The rows of the warehouse that are marked as deleted, and those that should be."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from dev.soak.streams import Row
from dev.soak.warehouse import Warehouse
from sandbox import Sandbox
from twilio_warehouse.deletions import LOWER_MARGIN, UPPER_MARGIN, Deletions
from twilio_warehouse.tables import OWN_COLUMNS, Table, timestamp

# What the first sync of a day reads again, less the margin of its oldest day.
FOUND = timedelta(days=14) - LOWER_MARGIN
QUERY = {"IncludeSoftDeleted": "true"}


@dataclass
class Marks:
    """The rows that are marked, by stream; a destination as `Deletions` uses it."""

    warehouse: Warehouse
    marked: dict[str, set[str]] = field(default_factory=dict)
    updates = True

    def __post_init__(self) -> None:
        """Begin without marks."""
        streams = [s for name, s in self.warehouse.streams.items() if name in OWN_COLUMNS]
        self.tables = [Table.from_stream(stream.catalog["stream"]) for stream in streams]
        self.marked = {table.name: set() for table in self.tables}

    def merge(self, messages: Sequence[Row]) -> None:
        """Mark what a complete sync lacks."""
        deletions = Deletions(sqlite3.connect(":memory:"), self.tables)
        ended = []
        for message in messages:
            if message["type"] == "RECORD":
                record = message["record"]
                deletions.observe_row(record["stream"], record["data"], b"")
                self.marked.get(record["stream"], set()).discard(record["data"].get("sid"))
            elif message["type"] == "DEBUG":
                deletions.observe_range(message["data"])
            elif message.get("trace", {}).get("type") == "STREAM_STATUS":
                status = message["trace"]["stream_status"]
                if status["status"] in ("COMPLETE", "INCOMPLETE"):
                    ended.append(status["stream_descriptor"]["name"])
        deletions.mark(self, ended)  # type: ignore[arg-type]

    def lacks_column(self, table: Table, name: str) -> bool:
        """Return False: the marks are there."""
        return False

    def select(self, table: Table, columns: Sequence[str], where: Any) -> Iterator[list[Any]]:
        """Yield the columns of the rows with a date that are not marked."""
        for row in self.warehouse.tables.get(table.name, {}).values():
            if row.get(table.cursor_field) and row["sid"] not in self.marked[table.name]:
                yield [row[name] for name in columns]

    def update(self, table: Table, column: str, value: Any, where: tuple[str, list[str]]) -> None:
        """Mark rows, by their SIDs."""
        self.marked[table.name].update(where[1])

    # ---------------------------------------------------------------------------- the comparison

    def invented(self, twilio: Sandbox) -> Iterator[str]:
        """Yield the rows that are marked and that Twilio shows."""
        for name, sids in self.marked.items():
            yield from (f"{name} {sid} deleted" for sid in sids & shown(twilio, name))

    def missing(self, twilio: Sandbox, accounts: Iterable[str]) -> Iterator[str]:
        """Yield the rows that Twilio has deleted, and that a complete deep sync should have found.

        Of accounts that it has read.
        """
        readable, now = {*accounts}, twilio.now()
        for table in self.tables:
            there = shown(twilio, table.name)
            for sid, account, date in self.select(
                table, ["sid", "account_sid", table.cursor_field], None
            ):
                age = now - timestamp(date)
                if account in readable and sid not in there and UPPER_MARGIN < age < FOUND:
                    yield f"{table.name} {sid} not deleted"


def shown(twilio: Sandbox, stream: str) -> set[str]:
    """Return the SIDs of the rows of all accounts."""
    accounts: list[str] = [account.sid for account in twilio.accounts]
    return {row["sid"] for sid in accounts for row in twilio.rows(stream, sid, QUERY)}
