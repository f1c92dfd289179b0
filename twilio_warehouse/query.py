"""Ask the tables: `make query SQL="select status, count(*) from messages group by 1"`."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb

from twilio_warehouse.log import clean
from twilio_warehouse.mistakes import Mistake, explained

TABLES = """
select table_name as "table", estimated_size as "rows" from duckdb_tables()
where schema_name = current_schema() and table_name not like '\\_dlt%' escape '\\' order by 1
"""
DEMO = Path("build/demo.duckdb")


def main(arguments: Sequence[str]) -> int:
    """Print what the query SQL finds in a DuckDB file; without one, which tables there are.

    With `--check` only whether there are tables is found out.
    """
    try:
        with opened(file_asked(arguments)) as connection:
            if "--check" not in arguments:
                show(connection, os.environ.get("SQL", "").strip() or TABLES)
    except Mistake as mistake:
        print(clean(str(mistake)), file=sys.stderr)
        return mistake.status
    return 0


def file_asked(arguments: Sequence[str]) -> Path:
    """Return the file that is to be asked. Raises `Mistake` if it is no file of DuckDB's.

    The first argument names it; DESTINATION of the environment is what `make` was told.
    """
    if (destination := os.environ.get("DESTINATION") or "duckdb") != "duckdb":
        raise Mistake(
            f"Only DuckDB files are read here. Ask {destination} with its own client: the tables "
            "are in its schema twilio. docs/proof.md has the comparison in plain SQL."
        )
    return Path(arguments[0])


@contextmanager
def opened(database: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a file of tables, in UTC.

    Raises `Mistake` if there are none, and for what DuckDB says of the file or of a query.
    """
    if not database.is_file():
        demo = f" The demo's tables are asked with DATABASE={DEMO}." if DEMO.is_file() else ""
        raise Mistake(f"There is no {database}: make sync writes it.{demo}")
    try:
        with duckdb.connect(str(database), read_only=True) as connection:
            connection.execute("set timezone = 'UTC'")
            if not connection.execute(TABLES).fetchall():
                raise Mistake(f"There are no tables in {database} yet: make sync writes them.")
            yield connection
    except duckdb.Error as wrong:
        said = Mistake(str(wrong).partition("\n\nLINE")[0])
        raise explained(wrong, str(database)) or said from wrong


def show(connection: duckdb.DuckDBPyConnection, query: str) -> None:
    """Print the rows that a query finds as a text table."""
    found = connection.execute(query)
    names = [column[0] for column in found.description or []]
    rows = [["" if v is None else shown(v) for v in row] for row in found.fetchall()]
    right = [bool(rows) and all(is_number(row[i]) for row in rows) for i in range(len(names))]
    widths = [max(map(len, column)) for column in zip(names, *rows, strict=True)]
    for row in [names, ["-" * width for width in widths], *rows]:
        cells = (
            cell.rjust(width) if by_right else cell.ljust(width)
            for cell, width, by_right in zip(row, widths, right, strict=True)
        )
        print("  " + "  ".join(cells).rstrip())


def shown(value: object) -> str:
    """Return a value on one line."""
    text = f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
    return clean(" ".join(text.split()))[:60]


def is_number(text: str) -> bool:
    """Return whether a cell holds a number, or nothing."""
    return not text.strip("0123456789.,%- ")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
