"""What `make report` asks of the tables, in DuckDB's SQL, section by section."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from twilio_warehouse.charts import Chart
from twilio_warehouse.questions import BILLED, CALLS, FAILURES, MESSAGES_BY_DAY, SPEND

CATEGORIES = (*BILLED, "other")


class Block(NamedTuple):
    """A table of a section, with its chart.

    Attributes:
        title: its heading.
        query: what it shows.
        chart: its chart, for which `charted` is asked if that is not the table itself.
    """

    title: str
    query: str
    chart: Chart | None = None
    charted: str = ""


class Section(NamedTuple):
    """A section: the tables that it needs, what the reader should know, and its blocks."""

    title: str
    needs: Sequence[str]
    note: str
    blocks: Sequence[Block]


DAYS = f"""
with days as ({MESSAGES_BY_DAY}) select * from days
where day > (select max(day) from days) - interval 60 day order by day desc
"""
MONTHS = f"""
with spend as ({SPEND}) select strftime(month, '%Y-%m') as month, * exclude (month) from spend
where month > (select max(month) from spend) - interval 12 month
order by month desc, currency, total desc
"""
MONTHS_OF_ALL = f"""
with spend as ({SPEND})
select month, {", ".join(f"sum({name}) as {name}" for name in CATEGORIES)} from spend
where month > (select max(month) from spend) - interval 12 month
  and currency = (select currency from spend group by currency order by sum(total) desc limit 1)
group by month order by month
"""
ALERTS = """
select coalesce(error_code::varchar, 'none') as "error code", count(*) as alerts,
  count(*) filter (date_generated > now() - interval 30 day) as "last 30 days",
  string_agg(distinct log_level, ', ' order by log_level) as levels,
  count(distinct account_sid) as accounts, max(date_generated)::date as newest
from alerts group by 1 order by alerts desc, 1
"""
FAILED = f"""
with failures as ({FAILURES})
select error_code as "error code", sum(messages)::bigint as messages from failures
group by 1 order by messages desc, 1 limit 10
"""
SECTIONS = (
    Section(
        "Delivery",
        ("messages",),
        "Days are in UTC. Failed are messages with status failed or undelivered.",
        (
            Block(
                "Messages per day, by status (the last 60 days)",
                DAYS,
                Chart("day", ("delivered", "received", "failed", "other"), "messages"),
            ),
            Block(
                "Failures, by country and error code",
                f"{FAILURES} limit 50",
                Chart("error code", ("messages",), "outbound messages with an error"),
                FAILED,
            ),
        ),
    ),
    Section(
        "Spend",
        ("usage_records", "accounts"),
        "From usage_records, as Twilio bills. Each line adds up to the category totalprice: other "
        "is what is in none of the categories named. The newest month is not complete. The chart "
        "is of all accounts, in the currency of most of the spend.",
        (
            Block(
                "Spend per month, by account and category (the last 12 months)",
                MONTHS,
                Chart("month", CATEGORIES, "price"),
                MONTHS_OF_ALL,
            ),
        ),
    ),
    Section(
        "Calls",
        ("calls",),
        "The average counts calls that lasted a second or more.",
        (Block("Calls, by outcome", CALLS, Chart("status", ("calls",), "calls")),),
    ),
    Section(
        "Alerts",
        ("alerts",),
        "Twilio's dictionary of errors and warnings explains the codes.",
        (
            Block(
                "Alerts, by error code",
                f"{ALERTS} limit 50",
                Chart("error code", ("alerts",), "alerts"),
                f"{ALERTS} limit 10",
            ),
        ),
    ),
)
# What stands at the top: a label, the tables that it needs, and a query of one value.
FIGURES: Sequence[tuple[str, Sequence[str], str]] = (
    ("last load (UTC)", (), "select strftime(max(inserted_at), '%Y-%m-%d %H:%M') from _dlt_loads"),
    ("accounts", ("accounts",), "select count(*) from accounts"),
    (
        "messages in 30 days",
        ("messages",),
        "select count(*) from messages where date_created > now() - interval 30 day",
    ),
    (
        "of those sent failed",
        ("messages",),
        """select round(100.0 * count(*) filter (status in ('failed', 'undelivered'))
          / nullif(count(*), 0), 1) || ' %' from messages
        where direction like 'outbound%' and date_created > now() - interval 30 day""",
    ),
    (
        "calls in 30 days",
        ("calls",),
        "select count(*) from calls where date_created > now() - interval 30 day",
    ),
)
