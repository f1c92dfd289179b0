"""Opens a DuckDB database file, and runs queries on it: `twilio-warehouse query`."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import orjson

from twilio_warehouse.errors import UserError, explain_error
from twilio_warehouse.log import redact
from twilio_warehouse.output import print_json

LIST_TABLES = """
select table_name as "table", estimated_size as "rows" from duckdb_tables()
where database_name = current_database() and schema_name = current_schema()
  and table_name not like '\\_dlt%' escape '\\' order by 1
"""
STATE = "select state from _dlt_pipeline_state order by version desc, created_at desc limit 1"
DEMO_FILE = Path("build/demo.duckdb")


@contextmanager
def open_database(db_file: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a database file read-only, in UTC.

    Raises `UserError` if it has no tables, and for DuckDB's errors, also those of queries.
    """
    if not db_file.is_file():
        demo = ""
        if DEMO_FILE.is_file():
            demo = f" The demo's is --from {DEMO_FILE} (make: DATABASE={DEMO_FILE})."
        raise UserError(f"There is no {db_file}: sync writes it.{demo}")
    try:
        with duckdb.connect(str(db_file), read_only=True) as connection:
            connection.execute("set timezone = 'UTC'")
            if not connection.execute(LIST_TABLES).fetchall():
                raise UserError(f"There are no tables in {db_file} yet: sync writes them.")
            yield connection
    except duckdb.Error as error:
        message = UserError(str(error).partition("\n\nLINE")[0])
        raise explain_error(error, str(db_file), "--from") or message from error


def saved_state(connection: duckdb.DuckDBPyConnection) -> Mapping[str, Any]:
    """Return the state that syncs keep with the tables, empty if there is none."""
    try:
        [(packed,)] = connection.execute(STATE).fetchall()
    except (duckdb.CatalogException, ValueError):
        return {}
    # dlt keeps its state as compressed JSON.
    state = json.loads(zlib.decompress(base64.b64decode(packed)))
    return dict(state.get("sources", {}).get("twilio", {}))


def print_table(connection: duckdb.DuckDBPyConnection, query: str) -> None:
    """Print the result of a query as a text table."""
    result = connection.execute(query)
    names = [column[0] for column in result.description or []]
    rows = [["" if v is None else cell(v) for v in row] for row in result.fetchall()]
    right = [bool(rows) and all(is_number(row[i]) for row in rows) for i in range(len(names))]
    widths = [max(map(len, column)) for column in zip(names, *rows, strict=True)]
    for row in [names, ["-" * width for width in widths], *rows]:
        cells = (
            text.rjust(width) if by_right else text.ljust(width)
            for text, width, by_right in zip(row, widths, right, strict=True)
        )
        print("  " + "  ".join(cells).rstrip())


def print_rows(connection: duckdb.DuckDBPyConnection, query: str) -> None:
    """Print the result of a query as JSON. Raises `UserError` if two columns have one name."""
    result = connection.execute(query)
    columns = result.description or []
    names = [name for name, *_ in columns]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise UserError(f"Two columns are called {twice[0]}: give one another name, with as.")
    kinds = [str(kind) for _, kind, *_ in columns]
    print_json(
        [
            {
                name: as_json(value, kind)
                for name, kind, value in zip(names, kinds, row, strict=True)
            }
            for row in result.fetchall()
        ]
    )


def as_json(value: Any, kind: str) -> Any:
    """Return a value for JSON; orjson itself takes integers of 64 bits."""
    is_written = value is not None and kind in ("JSON", "HUGEINT", "UHUGEINT")
    return orjson.Fragment(str(value)) if is_written else value


def cell(value: object) -> str:
    """Return a value on one line."""
    text = f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
    return redact(" ".join(text.split()))[:60]


def is_number(text: str) -> bool:
    """Return whether a cell holds a number or nothing."""
    return not text.strip("0123456789.,%- ")
