"""One page about the tables, a file that needs nothing else: `make report`.

`sections.py` says what each section asks, `report.html` is the template.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from twilio_warehouse import freshness, reconcile
from twilio_warehouse.charts import draw
from twilio_warehouse.mistakes import Mistake
from twilio_warehouse.query import TABLES, file_asked, opened
from twilio_warehouse.sections import FIGURES, SECTIONS, Block, Section

REPORT = Path("build/report.html")


def shown(value: Any) -> str:
    """Return a value as a cell shows it."""
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return f"{value:,.2f}"
    if isinstance(value, float):
        return f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def block(connection: duckdb.DuckDBPyConnection, of: Block) -> dict[str, Any]:
    """Return a block as the template takes it."""
    columns, rows = asked(connection, of.query)
    svg = ""
    if of.chart and rows:
        charted = asked(connection, of.charted) if of.charted else (columns, rows)
        svg = draw(of.chart, *charted)
    numbers = [
        all(isinstance(value, int | float | Decimal | None) for value in column)
        for column in (zip(*rows, strict=True) if rows else [""] * len(columns))
    ]
    # Of the chart, Matplotlib has escaped what comes from the tables.
    return {
        **of._asdict(),
        "columns": columns,
        "rows": rows,
        "numbers": numbers,
        "svg": Markup(svg),
    }


def asked(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[list[str], list[Any]]:
    """Return the columns and the rows of a query."""
    found = connection.execute(query)
    return [column[0] for column in found.description or []], found.fetchall()


def section(connection: duckdb.DuckDBPyConnection, of: Section, there: set[str]) -> dict[str, Any]:
    """Return a section as the template takes it; without its tables, it says so."""
    lacking = [name for name in of.needs if name not in there]
    blocks = [] if lacking else [block(connection, one) for one in of.blocks]
    return {**of._asdict(), "lacking": lacking, "blocks": blocks}


def billed(connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """Return what `make reconcile` says, as the template takes it."""
    try:
        rows = reconcile.compared(connection)
    except Mistake as mistake:
        return {"mistake": str(mistake)}
    names = dict(connection.execute("select sid, friendly_name from accounts").fetchall())
    missing = [
        (row.day, names.get(row.account_sid) or row.account_sid, *row[2:4], row.units)
        for row in reconcile.missing(rows)
    ]
    query = reconcile.SUMMARY.format(reconcile.comparison(connection))
    summary = block(connection, Block("Agreement, by account and category", query))
    days = len({(row[0], row[1]) for row in missing})
    return {"missing": missing, "days": days, "summary": summary, "by_design": reconcile.BY_DESIGN}


def page(connection: duckdb.DuckDBPyConnection, name: str) -> str:
    """Return the page about the tables that a connection uses; `name` is that of their file."""
    there = {row[0] for row in connection.execute(TABLES).fetchall()}
    figures = [
        (label, connection.execute(query).fetchall()[0][0])
        for label, needs, query in FIGURES
        if there.issuperset(needs)
    ]
    streams = freshness.streams(connection)
    # What comes from the tables is escaped, whatever customers have written.
    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters["shown"] = shown
    return templates.get_template("report.html").render(
        name=name,
        now=f"{datetime.now(timezone.utc):%Y-%m-%d %H:%M}",
        figures=figures,
        sections=[section(connection, one, there) for one in SECTIONS],
        streams=streams,
        absent=freshness.absent(streams),
        billed=billed(connection),
    )


def main(arguments: Sequence[str]) -> int:
    """Write the page about a DuckDB file; return 0, or 2 for a mistake."""
    report = Path([*arguments[1:], str(REPORT)][0])
    try:
        database = file_asked(arguments)
        with opened(database) as connection:
            text = page(connection, database.name)
    except Mistake as mistake:
        print(mistake, file=sys.stderr)
        return mistake.status
    report.parent.mkdir(parents=True, exist_ok=True)
    report.write_text(text, "utf-8")
    print(
        f"{report} ({len(text.encode()) / 1e6:.1f} MB) is about {database}: open it in a browser."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
