"""Freshness: rows, newest row and cursor, by stream and account."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from twilio_warehouse.query import LIST_TABLES, saved_state

ROWS = """
select stream, account_sid, row_count, coalesce(strftime(newest_row_at, '%Y-%m-%d %H:%M'), '')
from twilio__freshness
"""
NAMES = """
select sid, coalesce(friendly_name, sid)
  || case when status <> 'active' then ' (' || status || ')' else '' end
from stg_twilio__accounts
"""
QUERIES = (ROWS, NAMES)
SCHEMAS = Path(__file__).parents[1] / "source_twilio" / "schemas"
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
    """Return the freshness of each stream. The connection has the models of QUERIES, in UTC."""
    names: dict[str, str] = dict(connection.execute(NAMES).fetchall())
    rows_of: dict[str, dict[str, tuple[int, str]]] = {}
    for stream, sid, count, when in connection.execute(ROWS).fetchall():
        rows_of.setdefault(stream, {})[sid] = count, when
    cursors_of = cursors(connection)
    found = []
    for table, *_ in connection.execute(LIST_TABLES).fetchall():
        # The user may have tables of other names.
        if not (SCHEMAS / f"{table}.json").is_file():
            continue
        cursor, rows = cursors_of.get(table, {}), rows_of.get(table, {})
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


def behind(found: Iterable[Stream]) -> dict[str, list[str]]:
    """Return the streams in which an account is behind, by the account's name."""
    streams_of: dict[str, list[str]] = {}
    for stream in found:
        for account in stream.behind:
            streams_of.setdefault(account, []).append(stream.name)
    return streams_of


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
