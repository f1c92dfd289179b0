"""The SQL of demo and report, for DuckDB: sample queries, and the report's sections.

Figures come from the models of the dbt package (models.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

# What is directly below totalprice in dbt/seeds/twilio_usage_categories.csv, and the rest.
CATEGORIES = {
    "sms": "sms",
    "mms": "mms",
    "calls": "calls",
    "recordings": "recordings",
    "recordingstorage": "recording storage",
    "phonenumbers": "phone numbers",
    "other": "other",
}

# The name of each account, with its SID if the name is not unique.
ACCOUNT_NAMES = """
    select sid, coalesce(friendly_name, sid)
        || case when count(*) over (partition by friendly_name) > 1 and friendly_name is not null
          then ' (' || sid || ')' else '' end as name
    from accounts"""
MESSAGES_BY_DAY = """
    select day, sum(messages)::bigint as messages,
      coalesce(sum(messages) filter (outcome = 'delivered'), 0)::bigint as delivered,
      coalesce(sum(messages) filter (outcome = 'received'), 0)::bigint as received,
      coalesce(sum(messages) filter (outcome in ('failed', 'undelivered')), 0)::bigint as failed,
      coalesce(sum(messages) filter (
        outcome not in ('delivered', 'received', 'failed', 'undelivered')), 0)::bigint as other
    from twilio__messages_by_day group by day order by day desc"""
FAILURES = """
    with sent as (
      select country, error_code, sum(messages) as messages from twilio__messages_by_day
      where direction = 'outbound' group by all)
    select coalesce(countries.name, sent.country) as country, error_code::varchar as "error code",
      codes.name as meaning, messages::bigint as messages,
      round(100.0 * messages / total, 1) || ' %' as "of all sent there"
    from sent join (select country, sum(messages) as total from sent group by country)
      using (country)
    left join twilio_countries as countries using (country)
    left join twilio_error_codes as codes on codes.code = sent.error_code
    where error_code is not null order by messages desc, 1, 2"""
COSTS = ", ".join(
    f"coalesce(sum(cost) filter (category = '{category}'), 0) as \"{name}\""
    for category, name in CATEGORIES.items()
)
# Not rounded, so that each row adds up. Also of accounts that are no longer listed.
SPEND = f"""
    with named as ({ACCOUNT_NAMES})
    select coalesce(named.name, account_sid) as account, date_trunc('month', day)::date as month,
      currency,
      {COSTS},
      sum(cost) as total
    from twilio__spend_by_day left join named on named.sid = account_sid
    group by account_sid, account, month, currency having total <> 0"""
CALLS = """
    select outcome as status, sum(calls)::bigint as calls,
      round(sum(seconds) / nullif(sum(calls_with_duration), 0)) as "average seconds",
      round(100.0 * sum(calls) / sum(sum(calls)) over (), 1) || ' %' as share
    from twilio__calls_by_day group by status order by calls desc"""
UNUSED = """
    select phone_number as number, coalesce(account_name, account_sid) as account,
      owned_since::date as "owned since"
    from twilio__numbers where is_unused_for_90_days order by owned_since, number"""

SAMPLE_QUERIES = {
    "1. Messages per day, by status (the last 7 days)": f"{MESSAGES_BY_DAY} limit 7",
    "2. Failure rate, by country and error code": f"{FAILURES} limit 8",
    "3. Spend per month, by account and category (the last 3 months)": f"""
        with spend as ({SPEND})
        select account, strftime(month, '%Y-%m') as month,
          {", ".join(f'round("{name}", 2) as "{name}"' for name in (*CATEGORIES.values(), "total"))}
        from spend
        where month >= (select max(month) from spend) - interval 2 month
        order by total desc limit 9""",
    "4. Calls by outcome": CALLS,
    "5. Numbers unused for 90 days": f"{UNUSED} limit 8",
}


def changes(*tables: str) -> str:
    """Return a query of what differs between the attached database `earlier` and this one."""
    return " union all ".join(
        f"""
        select '{table}' as "table", (select count(*) from earlier.main.{table}) as "was there",
          count(*) filter (was.sid is null) as "new",
          count(*) filter (was.sid is not null and is_.sid is not null
            and was.row_ is distinct from is_.row_) as changed,
          count(*) filter (is_.sid is null) as gone
        from ({rows_by_key(f"earlier.main.{table}")}) as was
        full join ({rows_by_key(f"main.{table}")}) as is_ using (sid)"""
        for table in tables
    )


def rows_by_key(table: str) -> str:
    """Return a query of the rows of a table as JSON, with a key in one column."""
    usage = "account_sid || category || start_date"
    key = usage if table.endswith("usage_records") else "sid"
    left_out = ("as_of",) if table.endswith("usage_records") else ()
    columns = f"* exclude ({', '.join(left_out)})" if left_out else "*"
    return (
        f"select {key} as sid, to_json(r)::varchar as row_ from (select {columns} from {table}) r"
    )


# --- the report
class Chart(NamedTuple):
    """A bar chart of a table.

    Attributes:
        x: the column with dates, for stacked vertical bars, or with names, for horizontal bars.
        values: the columns with numbers.
        label: what the numbers are; `{currency}` is that of the first row.
        query: its rows, if they are not those of the table.
    """

    x: str
    values: Sequence[str]
    label: str
    query: str = ""


class Block(NamedTuple):
    """A table of a section: its heading, its query, and its charts."""

    title: str
    query: str
    charts: Sequence[Chart] = ()


class Section(NamedTuple):
    """A section of the report: the tables that it needs, a note for the reader, and its blocks."""

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
# Of all accounts, in the currency of most of the spend.
CURRENCY = """(
  select currency from twilio__spend_by_day group by currency order by sum(cost) desc limit 1)"""
LAST_MONTHS = f"""
with spend as ({SPEND}), last_months as (
  select * from spend
  where month > (select max(month) from spend) - interval 12 month and currency = {CURRENCY})
"""
MONTHS_OF_ALL = f"""{LAST_MONTHS}
select month, currency, {", ".join(f'sum("{name}") as "{name}"' for name in CATEGORIES.values())}
from last_months group by month, currency order by month
"""
ACCOUNTS_BY_SPEND = f"""{LAST_MONTHS}
select account, currency, sum(total) as spend from last_months group by account, currency
order by spend desc, account limit 10
"""
ALERTS = """
select coalesce(error_code::varchar, 'none') as "error code", any_value(codes.name) as meaning,
  count(*) as alerts,
  count(*) filter (date_generated > now() - interval 30 day) as "in 30 days",
  string_agg(distinct log_level, ', ' order by log_level) as levels,
  count(distinct account_sid) as accounts, max(date_generated)::date as newest
from alerts left join twilio_error_codes as codes
  on codes.code = try_cast(alerts.error_code as integer)
group by 1 order by alerts desc, 1
"""
FAILED_BY_CODE = f"""
with failures as ({FAILURES})
select concat_ws(' ', "error code", any_value(meaning)) as "error code",
  sum(messages)::bigint as messages
from failures group by failures."error code" order by messages desc, 1 limit 10
"""
FAILED_BY_COUNTRY = f"""
with failures as ({FAILURES})
select country, sum(messages)::bigint as messages from failures
group by country order by messages desc, country limit 6
"""
ALERTS_BY_CODE = f"""
with alerts_by_code as ({ALERTS})
select concat_ws(' ', "error code", meaning) as "error code", alerts from alerts_by_code limit 10
"""
SECTIONS = (
    Section(
        "Delivery",
        ("messages",),
        "Days are in UTC: the day on which a message was sent, by which Twilio bills, or else was "
        "created. Delivered includes read, and failed includes undelivered.",
        (
            Block(
                "Messages per day, by status (the last 60 days)",
                DAYS,
                (Chart("day", ("delivered", "received", "failed", "other"), "messages"),),
            ),
            Block(
                "Failures, by country and error code",
                f"{FAILURES} limit 50",
                (
                    Chart("error code", ("messages",), "messages by error", FAILED_BY_CODE),
                    Chart("country", ("messages",), "messages by country", FAILED_BY_COUNTRY),
                ),
            ),
        ),
    ),
    Section(
        "Spend",
        ("usage_records", "accounts"),
        "From usage_records, as Twilio bills. Each line adds up to the category totalprice: other "
        "is what is in none of the categories named. The newest month is not complete. The charts "
        "are in the currency of most of the spend.",
        (
            Block(
                "Spend per month, by account and category (the last 12 months)",
                MONTHS,
                (
                    Chart("month", (*CATEGORIES.values(),), "{currency} per month", MONTHS_OF_ALL),
                    Chart(
                        "account",
                        ("spend",),
                        "{currency} by account, in all these months",
                        ACCOUNTS_BY_SPEND,
                    ),
                ),
            ),
        ),
    ),
    Section(
        "Calls",
        ("calls",),
        "The average counts calls that lasted a second or more.",
        (Block("Calls, by outcome", CALLS, (Chart("status", ("calls",), "calls"),)),),
    ),
    Section(
        "Alerts",
        ("alerts",),
        "Each code leads to its page in Twilio's dictionary of errors and warnings.",
        (
            Block(
                "Alerts, by error code",
                f"{ALERTS} limit 50",
                (Chart("error code", ("alerts",), "alerts", ALERTS_BY_CODE),),
            ),
        ),
    ),
)


def in_30_days(source: str, value: str) -> str:
    """Return the query of a value of the last 30 days, and of the 30 days before them."""

    def between(first: int, last: int) -> str:
        days = f"day > current_date - {first} and day <= current_date - {last}"
        return f"(select {value} from (select * from {source}) where {days})"

    return f"select {between(30, 0)}, {between(60, 30)}"


# Figures at the top: a label, the tables that it needs, and a query of one value, and of the same
# value earlier.
FIGURES: Sequence[tuple[str, Sequence[str], str]] = (
    ("accounts", ("accounts",), "select count(*), null from accounts"),
    (
        "spend in 30 days",
        ("usage_records",),
        in_30_days(
            f"twilio__spend_by_day where currency = {CURRENCY}",
            "trim(format('{:,.2f} {}', coalesce(sum(cost), 0)::double, any_value(currency)))",
        ),
    ),
    (
        "messages in 30 days",
        ("messages",),
        in_30_days("twilio__messages_by_day", "coalesce(sum(messages), 0)::bigint"),
    ),
    (
        "of those sent failed",
        ("messages",),
        in_30_days(
            "twilio__messages_by_day where direction = 'outbound'",
            """round(100.0 * sum(if(outcome in ('failed', 'undelivered'), messages, 0))
              / nullif(sum(messages), 0), 1) || ' %'""",
        ),
    ),
    (
        "calls in 30 days",
        ("calls",),
        in_30_days("twilio__calls_by_day", "coalesce(sum(calls), 0)::bigint"),
    ),
)
LAST_LOAD = "select strftime(max(inserted_at), '%Y-%m-%d %H:%M') from _dlt_loads"
# All of them, for models.create.
QUERIES = [
    *(query for _, _, query in FIGURES),
    *(
        query
        for section in SECTIONS
        for block in section.blocks
        for query in (block.query, *(chart.query for chart in block.charts))
    ),
]
