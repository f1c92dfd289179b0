"""A report about the tables, one self-contained HTML file: `twilio-warehouse report`.

`queries.py` has the queries of its sections, `report.html` is the template.
"""

from __future__ import annotations

from collections.abc import Set
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from twilio_warehouse import freshness, models, reconcile
from twilio_warehouse.charts import draw
from twilio_warehouse.errors import UserError
from twilio_warehouse.queries import FIGURES, LAST_LOAD, QUERIES, SECTIONS, Block, Section
from twilio_warehouse.query import LIST_TABLES, open_database

# Twilio's page about an error is below this one.
DICTIONARY = "https://www.twilio.com/docs/api/errors/"


def format_cell(value: Any) -> str:
    """Return a value as text of a cell."""
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return f"{value:,.2f}"
    if isinstance(value, float):
        return f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def is_number(value: Any) -> bool:
    """Return whether a value is a number, a share, or nothing."""
    return str(value).endswith(" %") or isinstance(value, int | float | Decimal | None)


def render_block(connection: duckdb.DuckDBPyConnection, block: Block) -> dict[str, Any]:
    """Return the template's variables of a block."""
    columns, rows = fetch(connection, block.query)
    charts = [
        draw(chart, *(fetch(connection, chart.query) if chart.query else (columns, rows)))
        for chart in (block.charts if rows else ())
    ]
    numbers = [
        all(is_number(value) for value in column)
        for column in (zip(*rows, strict=True) if rows else [""] * len(columns))
    ]
    # Matplotlib has escaped the text in the charts.
    variables = {"columns": columns, "rows": rows, "numbers": numbers}
    return {"title": block.title, **variables, "charts": [Markup(chart) for chart in charts]}


def fetch(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[list[str], list[Any]]:
    """Return the columns and the rows of a query."""
    result = connection.execute(query)
    return [column[0] for column in result.description or []], result.fetchall()


def render_section(
    connection: duckdb.DuckDBPyConnection, section: Section, tables: Set[str]
) -> dict[str, Any]:
    """Return the template's variables of a section."""
    lacking = [name for name in section.needs if name not in tables]
    blocks = [] if lacking else [render_block(connection, block) for block in section.blocks]
    return {"title": section.title, "note": section.note, "lacking": lacking, "blocks": blocks}


def render_reconciliation(connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """Return the template's variables of the reconciliation."""
    try:
        rows = reconcile.compare(connection)
    except UserError as error:
        return {"error": str(error)}
    names = dict(connection.execute("select sid, friendly_name from accounts").fetchall())
    missing = [
        (
            row.day,
            names.get(row.account_sid) or row.account_sid,
            row.category,
            int(row.billed) if row.billed == int(row.billed) else row.billed,
            row.units,
        )
        for row in reconcile.missing(rows)
    ]
    query = reconcile.SUMMARY.format(reconcile.comparison_query(connection))
    summary = render_block(connection, Block("Agreement, by account and category", query))
    days = len({(row[0], row[1]) for row in missing})
    expected = reconcile.EXPECTED_DIFFERENCES.partition("\n")[2]
    return {"missing": missing, "days": days, "summary": summary, "expected": expected}


def page(connection: duckdb.DuckDBPyConnection, name: str) -> str:
    """Return the page about a database; `name` is that of its file."""
    tables = {row[0] for row in connection.execute(LIST_TABLES).fetchall()}
    models.create(connection, *QUERIES, *freshness.QUERIES)
    figures = [
        (label, *connection.execute(query).fetchall()[0])
        for label, needs, query in FIGURES
        if tables.issuperset(needs)
    ]
    [(last_load,)] = connection.execute(LAST_LOAD).fetchall()
    streams = freshness.streams(connection)
    # Values of the tables are escaped: customers can write anything into them.
    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters["cell"] = format_cell
    templates.globals["dictionary"] = DICTIONARY
    return templates.get_template("report.html").render(
        name=name,
        now=f"{datetime.now(timezone.utc):%Y-%m-%d %H:%M}",
        last_load=last_load,
        figures=figures,
        sections=[render_section(connection, section, tables) for section in SECTIONS],
        streams=streams,
        behind=freshness.behind(streams),
        without_table=freshness.streams_without_table(streams),
        reconciliation=render_reconciliation(connection),
    )


def write_report(db_file: Path, output: Path) -> None:
    """Write the page about a database file. Raises `UserError`."""
    with open_database(db_file) as connection:
        text = page(connection, db_file.name)
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(text, "utf-8")
    print(f"{output} ({len(text.encode()) / 1e6:.1f} MB) is about {db_file}: open it in a browser.")
