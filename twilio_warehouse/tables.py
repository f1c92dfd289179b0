"""The table of a stream: its key, its columns, and values of their types."""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timezone
from decimal import Context, Decimal
from functools import lru_cache
from itertools import islice
from typing import Any

import orjson
import pyarrow
from dlt.common.normalizers.naming.snake_case import NamingConvention

from twilio_warehouse.connector import DELETABLE

Row = dict[str, Any]
# Columns that the sync fills itself, by stream (deletions.py).
OWN_COLUMNS: Mapping[str, Mapping[str, str]] = {
    **dict.fromkeys(DELETABLE, {"deleted_at": "timestamp"}),
    "messages": {"deleted_at": "timestamp", "is_redacted": "bool"},
}
# How many rows are in memory at a time.
CHUNK = 10_000


def timestamp(value: str) -> datetime:
    """Return a timestamp, in UTC if it has no time zone."""
    found = datetime.fromisoformat(value.replace("Z", "+00:00"))
    return found if found.tzinfo else found.replace(tzinfo=timezone.utc)


# Of a column decimal(38, 9).
PRECISION, SCALE = Context(prec=38), Decimal("1e-9")


def decimal(value: float) -> Decimal:
    """Return a number as it was written, and not as a float holds it."""
    found = Decimal(str(value))
    if not found.is_finite():
        raise ValueError
    return found.quantize(SCALE, context=PRECISION)


def integer(value: Any) -> int:
    """Return an integer of 64 bits."""
    if int(value) != value or not -(2**63) <= value < 2**63:
        raise ValueError
    return int(value)


def boolean(value: Any) -> bool:
    """Return true or false; 1 and 0 are allowed."""
    if value not in (True, False):
        raise ValueError
    return bool(value)


def text(value: Any) -> str:
    """Return text; anything else as JSON."""
    return value if isinstance(value, str) else orjson.dumps(value).decode()


# By dlt's type of a column: how its values are read, and Arrow's type.
TYPES: Mapping[str, tuple[Callable[[Any], Any], Any]] = {
    "text": (text, pyarrow.string()),
    "timestamp": (timestamp, pyarrow.timestamp("us", "UTC")),
    "date": (date.fromisoformat, pyarrow.date32()),
    "bigint": (integer, pyarrow.int64()),
    "decimal": (decimal, pyarrow.decimal128(38, 9)),
    "bool": (boolean, pyarrow.bool_()),
    "json": (lambda value: value, pyarrow.string()),
}
# Raised for a value of another type.
TYPE_ERRORS = (ArithmeticError, AttributeError, TypeError, ValueError)
TYPES_OF_FORMATS = {"date-time": "timestamp", "date": "date"}
TYPES_OF_SCHEMA = {"integer": "bigint", "number": "decimal", "boolean": "bool"}
TYPES_OF_SCHEMA |= {"object": "json", "array": "json"}


@lru_cache(maxsize=10_000)
def column_of(field_name: str) -> str:
    """Return the column of a field that no schema declares.

    dlt writes `SID` and `dateCreated` as `sid` and `date_created`, over columns of these names, and
    has columns of its own, `_dlt_id` for one. Such a field's column has a checksum in its name.
    """
    naming = NamingConvention()
    written = naming.normalize_identifier(field_name) if field_name.strip() else "unnamed"
    if written == field_name and not field_name.startswith("_dlt"):
        return field_name
    suffix = f"_{zlib.crc32(field_name.encode()):08x}"
    return str(naming.normalize_identifier(written.strip("_") + suffix))


# How orjson writes U+0000, after an even number of backslashes.
NULL_CHARACTER = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")


def type_of(schema: Mapping[str, Any]) -> str:
    """Return dlt's type of a property of a JSON schema."""
    declared = schema.get("type", "string")
    names = [declared] if isinstance(declared, str) else [t for t in declared if t != "null"]
    if names == ["string"]:
        return TYPES_OF_FORMATS.get(schema.get("format", ""), "text")
    return TYPES_OF_SCHEMA[names[0]]


@dataclass(frozen=True)
class Table:
    """A table, how many of its values could not be read, by column, and of its keys."""

    name: str
    key: list[str]
    incremental: bool
    types: Mapping[str, str]
    cursor_field: str = ""
    unreadable: Counter[str] = field(default_factory=Counter)
    without_key: Counter[str] = field(default_factory=Counter)

    @classmethod
    def from_stream(cls, stream: Mapping[str, Any]) -> Table:
        """Return the table of a stream of the catalog."""
        return cls(
            name=stream["name"],
            key=[path[0] for path in stream["source_defined_primary_key"]],
            incremental="incremental" in stream["supported_sync_modes"],
            cursor_field=(stream.get("default_cursor_field") or [""])[0],
            types={k: type_of(v) for k, v in stream["json_schema"]["properties"].items()}
            | {**OWN_COLUMNS.get(stream["name"], {})},
        )

    @property
    def columns(self) -> dict[str, Any]:
        """Return the columns as dlt wants them."""
        return {
            name: {"name": name, "data_type": kind, "nullable": name not in self.key}
            for name, kind in self.types.items()
        }

    def key_of(self, row: Row) -> bytes | None:
        """Return what is the same for all versions of a row; None, counted, if it has no key."""
        key = [row.get(name) for name in self.key]
        try:
            for name, value in zip(self.key, key, strict=True):
                if value is None:
                    raise ValueError
                TYPES[self.types[name]][0](value)
        except TYPE_ERRORS:
            self.without_key[self.name] += 1
            return None
        return orjson.dumps(key)

    def rows(self, records: Iterable[bytes], postgres: bool = False) -> Iterator[list[Row]]:
        """Yield lists of rows with values of the columns' types.

        dlt parses text in a column of JSON, and gives PostgreSQL what comes of it as it is. It
        leaves U+0000 out of text; PostgreSQL holds it in no JSON either.
        """
        if postgres:
            records = (NULL_CHARACTER.sub(rb"\1", record) for record in records)
        for rows in self._chunks(records):
            for name in [name for name, kind in self.types.items() if kind == "json"]:
                for row in rows:
                    value = row.get(name)
                    if value is not None and not isinstance(value, dict | list):
                        text = orjson.dumps(value).decode()
                        row[name] = orjson.dumps(text).decode() if postgres else text
            yield rows

    def arrow(self, records: Iterable[bytes]) -> Iterator[Any]:
        """Yield the same as Arrow tables, at least one: DuckDB loads them five times as fast."""
        empty = True
        for rows in self._chunks(records):
            empty = False
            yield self._arrow(rows)
        if empty:
            yield self._arrow([])

    def _chunks(self, records: Iterable[bytes]) -> Iterator[list[Row]]:
        found = iter(records)
        while chunk := [self._typed(orjson.loads(record)) for record in islice(found, CHUNK)]:
            yield chunk

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
        for name in row.keys() - self.types.keys():
            row[column_of(name)] = row.pop(name)
        for name, value in row.items():
            if value is not None and name in self.types:
                try:
                    row[name] = TYPES[self.types[name]][0](value)
                except TYPE_ERRORS:
                    # The row stays, and the end of the sync says what it lacks.
                    row[name] = None
                    self.unreadable[name] += 1
        return row
