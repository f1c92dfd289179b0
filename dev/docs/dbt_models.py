"""Writes the dbt package's models as DuckDB's SQL: `python -m dev.docs.dbt_models`.

`twilio-warehouse` has no dbt. It reads the models from the file that this writes,
twilio_warehouse/models.sql, so that a figure of the report is that of the dbt package.
"""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import yaml
from dlt.common.normalizers.naming.snake_case import NamingConvention

from twilio_warehouse.tables import OWN_COLUMNS, type_of

ROOT = Path(__file__).parents[2]
PACKAGE, FILE = ROOT / "dbt", ROOT / "twilio_warehouse" / "models.sql"
# `make test` installs it there; see unit_tests/support/dbt-requirements.txt.
DBT = Path(os.environ.get("DBT") or Path(sys.prefix) / "dbt" / "bin" / "dbt")
HEAD = (
    "-- Made by `python -m dev.docs.dbt_models` from dbt/. twilio_warehouse/models.py reads it.\n"
)
NAMING = NamingConvention()
# DuckDB's types, where dlt has others, as it loads into a table.
TYPES = {"timestamp": "timestamptz", "decimal": "decimal(38, 9)"}
LOADS = {"inserted_at": "timestamptz", "status": "bigint"}


def tables() -> dict[str, dict[str, str]]:
    """Return the tables of a sync of all streams: their columns with DuckDB's types."""
    found = {"_dlt_loads": LOADS}
    for path in sorted((ROOT / "source_twilio" / "schemas").glob("*.json")):
        properties = json.loads(path.read_text("utf-8"))["properties"]
        types = {name: type_of(schema) for name, schema in properties.items()}
        types |= OWN_COLUMNS.get(path.stem, {})
        # dlt writes dateCreated as date_created.
        found[path.stem] = {
            NAMING.normalize_identifier(name): TYPES.get(kind, kind) for name, kind in types.items()
        }
    return found


def compiled(folder: Path) -> Mapping[str, Any]:
    """Return the nodes of the package, compiled for a database with all tables."""
    with duckdb.connect(str(folder / "all.duckdb")) as database:
        database.execute("create schema sources")
        for name, types in tables().items():
            columns = ", ".join(f'"{column}" {kind}' for column, kind in types.items())
            database.execute(f"create table sources.{name} ({columns})")
    output = {"type": "duckdb", "path": str(folder / "all.duckdb"), "schema": "models"}
    profile = {"source_twilio": {"outputs": {"all": output}, "target": "all"}}
    (folder / "profiles.yml").write_text(yaml.safe_dump(profile), "utf-8")
    command = [
        *(str(DBT), "--no-send-anonymous-usage-stats", "--log-path", str(folder), "compile"),
        *("--project-dir", str(PACKAGE), "--profiles-dir", str(folder)),
        *("--target-path", str(folder / "target"), "--vars", '{"twilio_raw_schema": "sources"}'),
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    nodes = json.loads((folder / "target" / "manifest.json").read_text("utf-8"))["nodes"]
    return {n: node for n, node in nodes.items() if node["resource_type"] in ("model", "seed")}


def in_order(nodes: Mapping[str, Any]) -> Iterator[Any]:
    """Yield each node after those that it reads."""
    written: set[str] = set()
    while waiting := {name: node for name, node in nodes.items() if name not in written}:
        for name, node in sorted(waiting.items()):
            if written.issuperset(set(node["depends_on"].get("nodes", ())) & {*nodes}):
                yield node
                written.add(name)


def seed(path: Path, types: Mapping[str, str]) -> str:
    """Return the rows of a seed as a query, with the types that dbt gives its columns."""
    head, *rows = csv.reader(path.read_text("utf-8").splitlines())

    def value(name: str, text: str) -> str:
        if not text:
            return "null"
        if text.isdecimal() and name not in types:
            return text
        kind = "date " if re.fullmatch(r"\d{4}-\d\d-\d\d", text) else ""
        return kind + "'" + text.replace("'", "''") + "'"

    lines = ",\n".join(f"  ({', '.join(map(value, head, row))})" for row in rows)
    return f"select * from (values\n{lines}\n) as seed({', '.join(head)})"


def plain(sql: str) -> str:
    """Return a query with the names that the views of twilio_warehouse/models.py have."""
    sql = re.sub(r'"all"\."sources"\."(\w+)"', r"source_\1", sql)
    sql = re.sub(r'"all"\."models"\."(\w+)"', r"\1", sql)
    lines = (line.rstrip() for line in sql.splitlines())
    return "\n".join(line for line in lines if line)


def content() -> str:
    """Return what the file has to say."""
    with TemporaryDirectory() as folder:
        nodes = compiled(Path(folder))
    parts = [HEAD]
    for name, types in tables().items():
        columns = ", ".join(f'null as "{column}"' for column in types)
        parts.append(f"-- source_{name}\nselect {columns} where false\n")
    for node in in_order(nodes):
        if node["resource_type"] == "seed":
            types = node["config"]["column_types"]
            sql = seed(PACKAGE / node["original_file_path"], types)
        else:
            sql = plain(node["compiled_code"])
        parts.append(f"-- {node['name']}\n{sql}\n")
    return "\n".join(parts)


if __name__ == "__main__":
    FILE.write_text(content(), "utf-8")
    print(f"Wrote {FILE.relative_to(ROOT)}")
