"""A stream becomes a table: its key, its columns, and values of their types."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timezone
from decimal import Decimal
from itertools import islice
from typing import Any

import orjson
import pyarrow

Row = dict[str, Any]
# How many rows are in memory at a time.
CHUNK = 10_000


def moment(value: str) -> datetime:
    """Return a moment, in UTC where it names no zone."""
    found = datetime.fromisoformat(value.replace("Z", "+00:00"))
    return found if found.tzinfo else found.replace(tzinfo=timezone.utc)


def decimal(value: float) -> Decimal:
    """Return a number as it was written, and not as a float holds it."""
    return round(Decimal(str(value)), 9)


def whole(value: Any) -> int:
    """Return a whole number."""
    if int(value) != value:
        raise ValueError
    return int(value)


def text(value: Any) -> str:
    """Return text; anything else as JSON."""
    return value if isinstance(value, str) else orjson.dumps(value).decode()


# dlt's type of a column, how its values are read, and what Arrow calls it.
TYPES: Mapping[str, tuple[Callable[[Any], Any], Any]] = {
    "text": (text, pyarrow.string()),
    "timestamp": (moment, pyarrow.timestamp("us", "UTC")),
    "date": (date.fromisoformat, pyarrow.date32()),
    "bigint": (whole, pyarrow.int64()),
    "decimal": (decimal, pyarrow.decimal128(38, 9)),
    "bool": (bool, pyarrow.bool_()),
    "json": (lambda value: value, pyarrow.string()),
}
OF_STRINGS = {"date-time": "timestamp", "date": "date"}
OF_SCHEMA = {"integer": "bigint", "number": "decimal", "boolean": "bool"}
OF_SCHEMA |= {"object": "json", "array": "json"}


def type_of(schema: Mapping[str, Any]) -> str:
    """Return dlt's type of a property of a JSON schema."""
    declared = schema.get("type", "string")
    names = [declared] if isinstance(declared, str) else [t for t in declared if t != "null"]
    if names == ["string"]:
        return OF_STRINGS.get(schema.get("format", ""), "text")
    return OF_SCHEMA[names[0]]


@dataclass(frozen=True)
class Table:
    """A table, and how many of its values could not be read, by column."""

    name: str
    key: list[str]
    incremental: bool
    types: Mapping[str, str]
    unreadable: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, stream: Mapping[str, Any]) -> Table:
        """Return the table of a stream of the catalog."""
        return cls(
            name=stream["name"],
            key=[path[0] for path in stream["source_defined_primary_key"]],
            incremental="incremental" in stream["supported_sync_modes"],
            types={k: type_of(v) for k, v in stream["json_schema"]["properties"].items()},
        )

    @property
    def columns(self) -> dict[str, Any]:
        """Return the columns as dlt wants them."""
        return {
            name: {"name": name, "data_type": kind, "nullable": name not in self.key}
            for name, kind in self.types.items()
        }

    def key_of(self, row: Row) -> bytes:
        """Return what is the same for all versions of a row."""
        return orjson.dumps([row.get(name) for name in self.key])

    def rows(self, records: Iterable[bytes]) -> Iterator[list[Row]]:
        """Yield lists of rows with values of the columns' types."""
        found = iter(records)
        while chunk := [self._typed(orjson.loads(record)) for record in islice(found, CHUNK)]:
            yield chunk

    def arrow(self, records: Iterable[bytes]) -> Iterator[Any]:
        """Yield the same as Arrow tables, at least one: DuckDB loads them five times as fast."""
        empty = True
        for rows in self.rows(records):
            empty = False
            yield self._arrow(rows)
        if empty:
            yield self._arrow([])

    def _arrow(self, rows: list[Row]) -> Any:
        # A field that no schema declares becomes JSON.
        extra = sorted({name for row in rows for name in row} - {*self.types})
        columns = {}
        for name, kind in {**self.types, **dict.fromkeys(extra, "json")}.items():
            values = [row.get(name) for row in rows]
            if kind == "json":
                values = [None if v is None else orjson.dumps(v).decode() for v in values]
            columns[name] = pyarrow.array(values, TYPES[kind][1])
        return pyarrow.table(columns)

    def _typed(self, row: Row) -> Row:
        for name, value in row.items():
            if value is not None and name in self.types:
                try:
                    row[name] = TYPES[self.types[name]][0](value)
                except (ArithmeticError, AttributeError, TypeError, ValueError):
                    # The row stays, and the end of the sync says what it lacks.
                    row[name] = None
                    self.unreadable[name] += 1
        return row
