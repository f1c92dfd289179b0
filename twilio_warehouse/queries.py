"""The SQL of demo and report, for DuckDB: sample queries, and the report's sections."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple


def prefixes(entries: str) -> Iterator[tuple[str, str]]:
    """Yield (prefix, country) of `prefix=country, ...`."""
    for entry in entries.split(", "):
        prefix, _, country = entry.partition("=")
        yield prefix, country


CALLING_CODES = (
    "1=US and Canada, 44=United Kingdom, 47=Norway, 49=Germany, 33=France, 34=Spain, 39=Italy, "
    "31=Netherlands, 46=Sweden, 45=Denmark, 372=Estonia, 353=Ireland, 61=Australia, 91=India, "
    "55=Brazil, 52=Mexico, 81=Japan, 65=Singapore"
)
# Some WhatsApp users have an ID instead of a number; it begins with the country (BEHAVIOR 54).
COUNTRY_CODES = (
    "US=US and Canada, CA=US and Canada, GB=United Kingdom, NO=Norway, DE=Germany, FR=France, "
    "ES=Spain, IT=Italy, NL=Netherlands, SE=Sweden, DK=Denmark, EE=Estonia, IE=Ireland, "
    "AU=Australia, IN=India, BR=Brazil, MX=Mexico, JP=Japan, SG=Singapore"
)
# Without the channel of `whatsapp:+14155550100`, `rcs:+...`.
ADDRESS = """regexp_replace("to", '^[a-z]+:', '')"""
COUNTRY = (
    "case "
    + " ".join(
        f"when {ADDRESS} like '{prefix}%' then '{name}'"
        for prefix, name in (
            # The longest first, so that +1242 is not taken for +1.
            *sorted(
                (("+" + code, name) for code, name in prefixes(CALLING_CODES)),
                key=lambda entry: -len(entry[0]),
            ),
            *((letters + ".", name) for letters, name in prefixes(COUNTRY_CODES)),
        )
    )
    + " else 'other' end"
)
# Categories that do not overlap; `other` is the rest of `totalprice`.
CATEGORIES = ("sms", "mms", "calls", "recordings", "recordingstorage", "phonenumbers")

# The name of each account, with its SID if the name is not unique.
ACCOUNT_NAMES = """
    select sid, coalesce(friendly_name, sid)
        || case when count(*) over (partition by friendly_name) > 1 and friendly_name is not null
          then ' (' || sid || ')' else '' end as name
    from accounts"""
MESSAGES_BY_DAY = """
    select date_created::date as day, count(*) as messages,
      count(*) filter (status = 'delivered') as delivered,
      count(*) filter (status = 'received') as received,
      count(*) filter (status in ('failed', 'undelivered')) as failed,
      count(*) filter (status not in ('delivered', 'received', 'failed', 'undelivered'))
        as other
    from messages group by day order by day desc"""
FAILURES = f"""
    with sent as (
      select {COUNTRY} as country, error_code::varchar as error_code
      from messages where direction like 'outbound%')
    select country, error_code, count(*) as messages,
      round(100.0 * count(*) / any_value(total), 1) || ' %' as "of all sent there"
    from sent join (select country, count(*) as total from sent group by country)
      using (country)
    where error_code is not null group by country, error_code order by messages desc"""
# Not rounded, so that each row adds up. Also of accounts that are no longer listed.
SPEND = f"""
    with named as ({ACCOUNT_NAMES}),
    bills as (
      select coalesce(named.name, account_sid) as account,
        date_trunc('month', start_date)::date as month,
        upper(coalesce(usage_records.price_unit, '')) as currency, category,
        account_sid, sum(price) as price
      from usage_records left join named on named.sid = account_sid
      group by all),
    parts as (
      select account, month, currency, sum(price) filter (category = 'totalprice') as total,
        {", ".join(f"coalesce(sum(price) filter (category = '{c}'), 0) as {c}" for c in CATEGORIES)}
      from bills group by account, month, currency)
    select account, month, currency, {", ".join(CATEGORIES)},
      total - ({" + ".join(CATEGORIES)}) as other, total
    from parts where total <> 0"""
CALLS = """
    select status, count(*) as calls,
      round(avg(duration) filter (duration > 0)) as "average seconds",
      round(100.0 * count(*) / sum(count(*)) over (), 1) || ' %' as share
    from calls group by status order by calls desc"""
UNUSED = f"""
    with named as ({ACCOUNT_NAMES}),
    used as (
      select unnest(["from", "to"]) as number from messages
      where date_created > now() - interval 90 day
      union
      select unnest(["from", "to"]) from calls where date_created > now() - interval 90 day)
    select phone_number as number, coalesce(named.name, account_sid) as account,
      incoming_phone_numbers.date_created::date as "owned since"
    from incoming_phone_numbers left join named on named.sid = account_sid
    where phone_number not in (select number from used where number is not null)
    order by 3"""

SAMPLE_QUERIES = {
    "1. Messages per day, by status (the last 7 days)": f"{MESSAGES_BY_DAY} limit 7",
    "2. Failure rate, by country and error code": f"{FAILURES} limit 8",
    "3. Spend per month, by account and category (the last 3 months)": f"""
        with spend as ({SPEND})
        select account, strftime(month, '%Y-%m') as month,
          {", ".join(f"round({name}, 2) as {name}" for name in (*CATEGORIES, "other", "total"))}
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
SPEND_CATEGORIES = (*CATEGORIES, "other")


class Chart(NamedTuple):
    """A bar chart of a table.

    Attributes:
        x: the column with dates, for stacked vertical bars, or with names, for horizontal bars.
        values: the columns with numbers.
        label: the unit of the numbers.
    """

    x: str
    values: Sequence[str]
    label: str


class Block(NamedTuple):
    """A table of a section, with its chart.

    Attributes:
        title: its heading.
        query: the rows of the table.
        chart: its chart.
        chart_query: the rows of the chart, if they are not those of the table.
    """

    title: str
    query: str
    chart: Chart | None = None
    chart_query: str = ""


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
MONTHS_OF_ALL = f"""
with spend as ({SPEND})
select month, {", ".join(f"sum({name}) as {name}" for name in SPEND_CATEGORIES)} from spend
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
                Chart("month", SPEND_CATEGORIES, "price"),
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
# Figures at the top: a label, the tables that it needs, and a query of one value.
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
