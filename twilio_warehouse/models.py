"""The models of the dbt package without dbt, so that each figure has one definition.

`python -m dev.docs.dbt_models` writes models.sql from dbt/: a name, and below it its query.
"""

from __future__ import annotations

import re
from pathlib import Path

import duckdb

SQL = Path(__file__).with_name("models.sql").read_text("utf-8")
# In the order in which they can be created. First come the tables of a sync, empty, with all
# columns: what a database lacks, a table or a column, counts as empty.
MODELS: dict[str, str] = dict(re.findall(r"(?ms)^-- (\w+)\n(.+?)\n(?=\n|\Z)", SQL))
TABLES = """
select table_name from duckdb_tables()
where database_name = current_database() and schema_name = current_schema()
"""
MARTS, SOURCES = "twilio__", "source_"


def create(connection: duckdb.DuckDBPyConnection, *queries: str) -> None:
    """Create the models that queries name, for this connection only.

    Marts are tables, as dbt makes them, because several queries read each.
    """
    there = {name for (name,) in connection.execute(TABLES).fetchall()}
    for name in named(" ".join(queries)):
        kind, query = "table" if name.startswith(MARTS) else "view", MODELS[name]
        if name.startswith(SOURCES) and (table := name.removeprefix(SOURCES)) in there:
            query += f' union all by name select * from main."{table}"'
        connection.execute(f"create temp {kind} {name} as {query}")


def named(text: str) -> list[str]:
    """Return the models that a text names, and those that these read, in the order of MODELS."""
    found: set[str] = set()
    waiting = words(text) & {*MODELS}
    while waiting:
        found |= waiting
        waiting = words(" ".join(MODELS[name] for name in waiting)) & {*MODELS} - found
    return [name for name in MODELS if name in found]


def words(text: str) -> set[str]:
    """Return the words of a text."""
    return {*re.findall(r"\w+", text)}
