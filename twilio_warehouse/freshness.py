"""Freshness: rows, newest row and cursor, by stream and account."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from twilio_warehouse.query import LIST_TABLES, saved_state

SCHEMAS = Path(__file__).parents[1] / "source_twilio" / "schemas"
# The first of these that a table has is the time of its rows.
DATE_COLUMNS = (
    "date_created",
    "created_time",
    "create_time",
    "event_date",
    "join_time",
    "start_date",
)
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


class AccountRows(NamedTuple):
    """The rows of an account in a stream.

    Attributes:
        account: its name or else SID, with its status if that is not active; empty for lists that
            belong to no account.
        rows: their number.
        newest: the date of the newest, UTC; empty if rows have no date.
        cursor: the cursor of the saved state; empty for streams without one.
    """

    account: str
    rows: int
    newest: str
    cursor: str


class Stream(NamedTuple):
    """A stream: the newest row and cursor, the accounts a day behind, and each account."""

    name: str
    rows: int
    newest: str
    cursor: str
    behind: list[str]
    accounts: list[AccountRows]


def streams(connection: duckdb.DuckDBPyConnection) -> list[Stream]:
    """Return the freshness of each stream, in the time zone of the connection."""
    columns: dict[str, list[str]] = dict(connection.execute(COLUMNS).fetchall())
    names: dict[str, str] = {}
    if "accounts" in columns:
        names = dict(connection.execute(NAMES).fetchall())
    cursors_of = cursors(connection)
    found = []
    tables = [table for table, *_ in connection.execute(LIST_TABLES).fetchall()]
    for table in [table for table in tables if table != "_syncs"]:
        cursor = cursors_of.get(table, {})
        rows = count_rows(connection, table, columns[table])
        sids = sorted({*rows, *cursor}, key=lambda sid: (names.get(sid) or sid, sid))
        accounts = [
            AccountRows(names.get(sid) or sid, *rows.get(sid, (0, "")), cursor.get(sid, ""))
            for sid in sids
        ]
        newest = max((account.newest for account in accounts), default="")
        latest = max((account.cursor for account in accounts), default="")
        behind = [a.account for a in accounts if a.cursor and is_behind(a.cursor, latest)]
        total = sum(account.rows for account in accounts)
        found.append(Stream(table, total, newest, latest, behind, accounts))
    return found


def is_behind(cursor: str, latest: str) -> bool:
    """Return whether a cursor is more than a day older than the latest one."""
    return datetime.fromisoformat(cursor) < datetime.fromisoformat(latest) - DAY


def streams_without_table(found: Iterable[Stream]) -> list[str]:
    """Return the streams of the connector that have no table."""
    names = {stream.name for stream in found}
    return sorted(path.stem for path in SCHEMAS.glob("*.json") if path.stem not in names)


def count_rows(
    connection: duckdb.DuckDBPyConnection, table: str, columns: Iterable[str]
) -> dict[str, tuple[int, str]]:
    """Return number and newest date of the rows of a table, by account SID."""
    names = {*columns}
    # A table of the user's own may have any name, and anything in it.
    account = "sid" if table == "accounts" else "account_sid" if "account_sid" in names else "''"
    date = next((name for name in DATE_COLUMNS if name in names), None)
    newest = f"strftime(max(try_cast({date} as timestamptz)), '%Y-%m-%d %H:%M')" if date else "null"
    quoted = '"' + table.replace('"', '""') + '"'
    query = (
        f"select coalesce({account}::varchar, ''), count(*), coalesce({newest}, '') from {quoted}"
    )
    rows = connection.execute(f"{query} group by 1")
    return {sid: (count, when) for sid, count, when in rows.fetchall()}


def cursors(connection: duckdb.DuckDBPyConnection) -> dict[str, dict[str, str]]:
    """Return the cursors of the saved state, by stream and account."""
    states = saved_state(connection).get("states", {})
    return {name: oldest_cursors(state) for name, state in states.items()}


def oldest_cursors(state: Mapping[str, Any]) -> dict[str, str]:
    """Return the oldest cursor of each account in a state of the CDK."""
    found: dict[str, str] = {}
    for entry in state.get("states", []):
        partition = entry.get("partition", {})
        sid = partition.get("account_sid") or partition.get("parent_slice", {}).get("account_sid")
        for cursor in entry.get("cursor", {}).values():
            if sid and isinstance(cursor, str):
                when = cursor[:16].replace("T", " ")
                found[sid] = min(found.get(sid, when), when)
    return found
