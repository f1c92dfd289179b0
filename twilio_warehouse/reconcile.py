"""Compares what Twilio billed with the rows that arrived: `twilio-warehouse reconcile`.

`reconcile.sql` compares each account, day and category; this module reports the result.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import duckdb

from twilio_warehouse.errors import UserError
from twilio_warehouse.log import redact
from twilio_warehouse.output import print_json
from twilio_warehouse.queries import ACCOUNT_NAMES
from twilio_warehouse.query import LIST_TABLES, print_table, saved_state

SQL = Path(__file__).with_name("reconcile.sql").read_text("utf-8")
NEEDED_TABLES = ("accounts", "usage_records", "messages", "calls", "recordings")
EXPECTED_DIFFERENCES = """\
Expected differences, not counted as missing:
- SMS are billed by segment: a long message is one row and several segments. MMS are billed by
  message.
- Messages that have not left Twilio (failed, canceled, scheduled) and unanswered calls are rows,
  but not billed as messages and calls.
- Usage is by day in UTC, like the days here; the Twilio Console may show another time zone. What
  happens around midnight may be billed on the day before or after ("near midnight").
- The day of the last sync is not final. Usage of the days before it may still rise: the next syncs
  read it again.
- Usage of the day of start_date is that of the whole day, also where rows begin in the middle of
  it ("not available").
- Messages go back 400 days at most, usage goes back further ("not available").
- WhatsApp, RCS and the like, SIP and in-app calls have categories of their own, which are not
  compared.
Counted as missing, although no sync can read them: rows that were deleted in Twilio before they
were read, and messages older than the account's own retention, if that is less than 400 days."""


class Comparison(NamedTuple):
    """A row of `reconcile.sql`: an account, day and category.

    Attributes:
        billed: the count of usage_records; SMS in segments.
        arrived: the rows in the tables.
        billable: the rows that Twilio bills.
        units: the same in the unit of `billed`.
        verdict: `agrees`, `missing`, `near midnight` (the difference is on the day before or
            after), `more rows`, `not final`, `not available` (older than Twilio shows, or than
            start_date) or `no usage` (the account has none at all).
    """

    account_sid: str
    day: date
    category: str
    billed: Decimal
    arrived: int
    billable: int
    units: int
    verdict: str


def compare(connection: duckdb.DuckDBPyConnection) -> list[Comparison]:
    """Return the rows of `reconcile.sql`.

    The connection uses the schema of the tables. Raises `UserError` if a table is missing.
    """
    tables = {row[0] for row in connection.execute(LIST_TABLES).fetchall()}
    if lacking := [name for name in NEEDED_TABLES if name not in tables]:
        raise UserError(f"There is no table {', '.join(lacking)}: sync these streams to compare.")
    return [Comparison(*row) for row in connection.execute(comparison_query(connection)).fetchall()]


def comparison_query(connection: duckdb.DuckDBPyConnection) -> str:
    """Return `reconcile.sql` with the start_date of each table in it."""
    query = SQL
    states = saved_state(connection).get("states", {})
    # One entry of each state holds the start_date that was read from (BEHAVIOR 45).
    starts = {
        table: entry["partition"]["start_date"]
        for table, state in states.items()
        for entry in state.get("states", [])
        if "start_date" in entry["partition"]
    }
    for table, start_date in starts.items():
        since = f"{datetime.fromisoformat(start_date.replace('Z', '+00:00'))}"
        column = f"cast({{}} as timestamp with time zone) as {table}"
        query = query.replace(column.format("null"), column.format(f"'{since}'"))
    return query


def missing(rows: Sequence[Comparison]) -> list[Comparison]:
    """Return the days with missing rows; of a category and its subcategories the latter."""
    named = [row for row in rows if row.verdict == "missing"]
    subcategories = {
        (r.account_sid, r.day, r.category.partition("-")[0]) for r in named if "-" in r.category
    }
    return [
        r
        for r in named
        if "-" in r.category or (r.account_sid, r.day, r.category) not in subcategories
    ]


# By account and category.
SUMMARY = f"""
with compared as ({{}}), named as ({ACCOUNT_NAMES})
select coalesce(named.name, compared.account_sid) as account, category,
  count(*) as days, sum(arrived)::bigint as "rows", sum(units)::bigint as "billable units",
  sum(billed)::bigint as billed,
  count(*) filter (verdict = 'agrees') as agree,
  count(*) filter (verdict = 'more rows') as "more rows",
  count(*) filter (verdict = 'near midnight') as "near midnight",
  count(*) filter (verdict in ('not final', 'not available', 'no usage')) as "not compared",
  count(*) filter (verdict = 'missing') as missing
from compared left join named on named.sid = compared.account_sid
group by 1, 2, compared.account_sid order by 1, 2
"""


def gaps(rows: Sequence[Comparison]) -> list[list[Comparison]]:
    """Return the gaps: consecutive days of an account and category with missing rows."""
    found: list[list[Comparison]] = []
    for row in sorted(missing(rows), key=lambda row: (row.account_sid, row.category, row.day)):
        last = found[-1][-1] if found else None
        is_same = last and (last.account_sid, last.category) == (row.account_sid, row.category)
        if last and is_same and row.day - last.day == timedelta(days=1):
            found[-1].append(row)
        else:
            found.append([row])
    return sorted(found, key=lambda gap: gap[0].day)


def gap_lines(rows: Sequence[Comparison], names: Mapping[str, str]) -> Iterator[str]:
    """Yield a line for each gap; `names` are those of the accounts."""
    found = gaps(rows)
    days = len({(row.account_sid, row.day) for gap in found for row in gap})
    if not days:
        yield "No day is missing rows."
        return
    yield f"Rows are missing on {days} {'day' if days == 1 else 'days'}:"
    for gap in found:
        first, last = gap[0], gap[-1]
        when = f"{first.day}" if first is last else f"{first.day} to {last.day}"
        account = f"{names.get(first.account_sid, 'Account')} ({first.account_sid})"
        billed = sum((row.billed for row in gap), Decimal())
        units = sum(row.units for row in gap)
        counts = f"{billed.normalize():f} billed, {units} arrived"
        yield f"  {when}  {account}  {first.category}: {counts}"


def print_reconciliation(connection: duckdb.DuckDBPyConnection, as_json: bool = False) -> bool:
    """Print the comparison; return whether rows are missing. Raises `UserError`."""
    rows = compare(connection)
    if as_json:
        print_json([row._asdict() for row in rows])
        return bool(missing(rows))
    print_table(connection, SUMMARY.format(comparison_query(connection)))
    names = dict(connection.execute("select sid, friendly_name from accounts").fetchall())
    print()
    for line in gap_lines(rows, names):
        print(redact(line))
    print(f"\n{EXPECTED_DIFFERENCES}")
    return bool(missing(rows))
