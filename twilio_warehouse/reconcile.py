"""What Twilio billed beside the rows that arrived: `make reconcile`.

`reconcile.sql` compares, for each account, day and category; here stands what is said about it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import duckdb

from twilio_warehouse.freshness import kept
from twilio_warehouse.log import clean
from twilio_warehouse.mistakes import Mistake
from twilio_warehouse.query import TABLES, file_asked, opened, show
from twilio_warehouse.questions import NAMED

SQL = Path(__file__).with_name("reconcile.sql").read_text("utf-8")
NEEDED = ("accounts", "usage_records", "messages", "calls", "recordings")
BY_DESIGN = """\
What cannot agree by design, and is not counted as missing:
- SMS are billed by segment: a long message is one row and several segments. MMS are billed by
  message.
- Messages that have not left Twilio (failed, canceled, scheduled) and calls that nobody answered
  are rows, but not billed as messages and calls.
- Usage is by day in UTC, like the days here; the Twilio Console may show another time zone. What
  happens around midnight may be billed on the day before or after ("near midnight").
- The day of the last sync is not final. Usage of the days before it may still rise: the next syncs
  read it again.
- Usage of the day of start_date is that of the whole day, also where rows begin in the middle of
  it ("out of reach").
- Messages go back 400 days at most, usage goes back further ("out of reach").
- WhatsApp, RCS and the like, SIP and in-app calls have categories of their own, which are not
  compared.
What is counted as missing and cannot arrive: what was deleted in Twilio before a sync had read it,
and messages older than the account's own retention, if that is less than 400 days."""


class Compared(NamedTuple):
    """An account's day and category, as `reconcile.sql` compares them.

    Attributes:
        billed: what Twilio counts in usage_records; SMS in segments.
        arrived: rows in the tables.
        billable: those of them that Twilio bills.
        units: the same in the unit of `billed`.
        verdict: `agrees`, `missing`, `near midnight` (what lacks is on the day before or after),
            `more rows`, `not final`, `out of reach` or `no usage` (none of the account is known).
    """

    account_sid: str
    day: date
    category: str
    billed: Decimal
    arrived: int
    billable: int
    units: int
    verdict: str


def compared(connection: duckdb.DuckDBPyConnection) -> list[Compared]:
    """Return what was billed beside what arrived, by account, day and category.

    The connection uses the schema of the tables. Raises `Mistake` if a table is
    missing.
    """
    there = {row[0] for row in connection.execute(TABLES).fetchall()}
    if lacking := [name for name in NEEDED if name not in there]:
        raise Mistake(
            f"There is no table {', '.join(lacking)}: make sync them, to compare with them."
        )
    return [Compared(*row) for row in connection.execute(comparison(connection)).fetchall()]


def comparison(connection: duckdb.DuckDBPyConnection) -> str:
    """Return `reconcile.sql` with the moments in it from which on the rows have been read."""
    query = SQL
    states = kept(connection).get("states", {})
    # In each state one entry says what the sync was asked for (BEHAVIOR 45).
    starts = {
        table: entry["partition"]["start_date"]
        for table, state in states.items()
        for entry in state.get("states", [])
        if "start_date" in entry["partition"]
    }
    for table, moment in starts.items():
        since = f"{datetime.fromisoformat(moment.replace('Z', '+00:00'))}"
        empty = f"cast({{}} as timestamp with time zone) as {table}"
        query = query.replace(empty.format("null"), empty.format(f"'{since}'"))
    return query


def missing(rows: Sequence[Compared]) -> list[Compared]:
    """Return the days on which rows are missing; a category only if no part of it says so."""
    named = [row for row in rows if row.verdict == "missing"]
    parts = {
        (r.account_sid, r.day, r.category.partition("-")[0]) for r in named if "-" in r.category
    }
    return [
        r for r in named if "-" in r.category or (r.account_sid, r.day, r.category) not in parts
    ]


# For each account and category, in the tables and in what is compared.
SUMMARY = f"""
with compared as ({{}}), named as ({NAMED})
select coalesce(named.name, compared.account_sid) as account, category,
  count(*) as days, sum(arrived)::bigint as "rows", sum(units)::bigint as "to be billed",
  sum(billed)::bigint as billed,
  count(*) filter (verdict = 'agrees') as agree,
  count(*) filter (verdict = 'more rows') as "more rows",
  count(*) filter (verdict = 'near midnight') as "near midnight",
  count(*) filter (verdict in ('not final', 'out of reach', 'no usage')) as "not compared",
  count(*) filter (verdict = 'missing') as missing
from compared left join named on named.sid = compared.account_sid
group by 1, 2, compared.account_sid order by 1, 2
"""


def gaps(rows: Sequence[Compared]) -> list[list[Compared]]:
    """Return the days on which rows are missing; days of a category that follow are one gap."""
    found: list[list[Compared]] = []
    for row in sorted(missing(rows), key=lambda row: (row.account_sid, row.category, row.day)):
        last = found[-1][-1] if found else None
        follows = last and (last.account_sid, last.category) == (row.account_sid, row.category)
        if last and follows and row.day - last.day == timedelta(days=1):
            found[-1].append(row)
        else:
            found.append([row])
    return sorted(found, key=lambda gap: gap[0].day)


def lines(rows: Sequence[Compared], names: Mapping[str, str]) -> Iterator[str]:
    """Yield a line for each gap in an account's category; the names are those of accounts."""
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
        said = f"{billed.normalize():f} billed, {units} arrived"
        yield f"  {when}  {account}  {first.category}: {said}"


def main(arguments: Sequence[str]) -> int:
    """Compare the tables of a DuckDB file; return 1 if rows are missing, 2 for a mistake."""
    try:
        with opened(file_asked(arguments)) as connection:
            rows = compared(connection)
            show(connection, SUMMARY.format(comparison(connection)))
            names = dict(connection.execute("select sid, friendly_name from accounts").fetchall())
    except Mistake as mistake:
        print(mistake, file=sys.stderr)
        return mistake.status
    print()
    for line in lines(rows, names):
        print(clean(line))
    print(f"\n{BY_DESIGN}")
    return 1 if missing(rows) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
