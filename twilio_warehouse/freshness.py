"""How fresh and complete the tables are: rows, newest row and state, by stream and account."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from twilio_warehouse.query import TABLES

SCHEMAS = Path(__file__).parents[1] / "source_twilio" / "schemas"
# The first of these that a table has says when a row came to be.
DATES = ("date_created", "created_time", "create_time", "event_date", "join_time", "start_date")
COLUMNS = """
select table_name, list(column_name) from duckdb_columns()
where schema_name = current_schema() group by all
"""
NAMES = """
select sid, coalesce(friendly_name, sid)
  || case when status <> 'active' then ' (' || status || ')' else '' end
from accounts
"""
DAY = timedelta(days=1)
moment = datetime.fromisoformat
STATE = "select state from _dlt_pipeline_state order by version desc, created_at desc limit 1"


class Part(NamedTuple):
    """What a stream has of an account.

    Attributes:
        account: its name, with its status if that is not active; its SID if it has no name; or
            nothing for lists that are no account's.
        rows: how many there are.
        newest: when the newest came to be, UTC, or nothing if the rows have no date.
        until: up to where the state says that all is read, or nothing for lists read in full.
    """

    account: str
    rows: int
    newest: str
    until: str


class Stream(NamedTuple):
    """A stream: the newest of all its accounts, those that are `behind` by a day, and each one."""

    name: str
    rows: int
    newest: str
    until: str
    behind: list[str]
    parts: list[Part]


def streams(connection: duckdb.DuckDBPyConnection) -> list[Stream]:
    """Return what the tables hold, by stream and account, in the time zone of the connection."""
    columns: dict[str, list[str]] = dict(connection.execute(COLUMNS).fetchall())
    names: dict[str, str] = {}
    if "accounts" in columns:
        names = dict(connection.execute(NAMES).fetchall())
    read = states(connection)
    found = []
    for table, *_ in connection.execute(TABLES).fetchall():
        until = read.get(table, {})
        rows = counted(connection, table, columns[table])
        accounts = sorted({*rows, *until}, key=lambda sid: (names.get(sid) or sid, sid))
        parts = [
            Part(names.get(sid) or sid, *rows.get(sid, (0, "")), until.get(sid, ""))
            for sid in accounts
        ]
        newest = max((part.newest for part in parts), default="")
        latest = max((part.until for part in parts), default="")
        behind = [p.account for p in parts if p.until and moment(p.until) < moment(latest) - DAY]
        rows_of_all = sum(part.rows for part in parts)
        found.append(Stream(table, rows_of_all, newest, latest, behind, parts))
    return found


def absent(found: Iterable[Stream]) -> list[str]:
    """Return the streams of the connector that have no table."""
    there = {stream.name for stream in found}
    return sorted(path.stem for path in SCHEMAS.glob("*.json") if path.stem not in there)


def counted(
    connection: duckdb.DuckDBPyConnection, table: str, columns: Iterable[str]
) -> dict[str, tuple[int, str]]:
    """Return the rows of a table and the newest of them, by the SID of their account."""
    there = {*columns}
    # A table of the user's own may have any name, and anything in it.
    account = "sid" if table == "accounts" else "account_sid" if "account_sid" in there else "''"
    date = next((name for name in DATES if name in there), None)
    newest = f"strftime(max(try_cast({date} as timestamptz)), '%Y-%m-%d %H:%M')" if date else "null"
    name = '"' + table.replace('"', '""') + '"'
    query = f"select coalesce({account}::varchar, ''), count(*), coalesce({newest}, '') from {name}"
    rows = connection.execute(f"{query} group by 1")
    return {sid: (count, when) for sid, count, when in rows.fetchall()}


def states(connection: duckdb.DuckDBPyConnection) -> dict[str, dict[str, str]]:
    """Return up to where all is read, by stream and account, as the connector's state says it."""
    found = kept(connection).get("states", {})
    return {name: by_account(of_stream) for name, of_stream in found.items()}


def kept(connection: duckdb.DuckDBPyConnection) -> Mapping[str, Any]:
    """Return what syncs keep with the tables, or nothing."""
    try:
        [(packed,)] = connection.execute(STATE).fetchall()
    except (duckdb.CatalogException, ValueError):
        return {}
    # dlt keeps its state as compressed JSON.
    state = json.loads(zlib.decompress(base64.b64decode(packed)))
    return dict(state.get("sources", {}).get("twilio", {}))


def by_account(state: Mapping[str, Any]) -> dict[str, str]:
    """Return the oldest cursor of each account, of a state of the CDK."""
    found: dict[str, str] = {}
    for entry in state.get("states", []):
        partition = entry.get("partition", {})
        sid = partition.get("account_sid") or partition.get("parent_slice", {}).get("account_sid")
        for cursor in entry.get("cursor", {}).values():
            if sid and isinstance(cursor, str):
                when = cursor[:16].replace("T", " ")
                found[sid] = min(found.get(sid, when), when)
    return found
