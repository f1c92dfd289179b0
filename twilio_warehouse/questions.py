"""Five questions that companies ask of their Twilio data, in DuckDB's SQL."""

from __future__ import annotations

from collections.abc import Iterator


def parted(entries: str) -> Iterator[tuple[str, str]]:
    """Yield (start, country) of `start=country, ...`."""
    for entry in entries.split(", "):
        start, _, country = entry.partition("=")
        yield start, country


# Longest first: of +1 and +1242 the second is meant.
CODES = (
    "1=US and Canada, 44=United Kingdom, 47=Norway, 49=Germany, 33=France, 34=Spain, 39=Italy, "
    "31=Netherlands, 46=Sweden, 45=Denmark, 372=Estonia, 353=Ireland, 61=Australia, 91=India, "
    "55=Brazil, 52=Mexico, 81=Japan, 65=Singapore"
)
# A WhatsApp user may have an ID instead of a number: the country's letters lead it (BEHAVIOR 54).
LETTERS = (
    "US=US and Canada, CA=US and Canada, GB=United Kingdom, NO=Norway, DE=Germany, FR=France, "
    "ES=Spain, IT=Italy, NL=Netherlands, SE=Sweden, DK=Denmark, EE=Estonia, IE=Ireland, "
    "AU=Australia, IN=India, BR=Brazil, MX=Mexico, JP=Japan, SG=Singapore"
)
# `whatsapp:+14155550100` and `rcs:+...` are numbers too.
ADDRESS = """regexp_replace("to", '^[a-z]+:', '')"""
COUNTRY = (
    "case "
    + " ".join(
        f"when {ADDRESS} like '{start}%' then '{name}'"
        for start, name in (
            *sorted(
                (("+" + code, name) for code, name in parted(CODES)),
                key=lambda entry: -len(entry[0]),
            ),
            *((letters + ".", name) for letters, name in parted(LETTERS)),
        )
    )
    + " else 'other' end"
)
# Categories that hold no other of these; `other` is the rest of what Twilio billed.
BILLED = ("sms", "mms", "calls", "recordings", "recordingstorage", "phonenumbers")

# An account's name, with its SID where another has the name too.
NAMED = """
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
# Not rounded, so that each row adds up. Of accounts that are listed no longer too.
SPEND = f"""
    with named as ({NAMED}),
    bills as (
      select coalesce(named.name, account_sid) as account,
        date_trunc('month', start_date)::date as month,
        upper(coalesce(usage_records.price_unit, '')) as currency, category,
        account_sid, sum(price) as price
      from usage_records left join named on named.sid = account_sid
      group by all),
    parts as (
      select account, month, currency, sum(price) filter (category = 'totalprice') as total,
        {", ".join(f"coalesce(sum(price) filter (category = '{c}'), 0) as {c}" for c in BILLED)}
      from bills group by account, month, currency)
    select account, month, currency, {", ".join(BILLED)},
      total - ({" + ".join(BILLED)}) as other, total
    from parts where total <> 0"""
CALLS = """
    select status, count(*) as calls,
      round(avg(duration) filter (duration > 0)) as "average seconds",
      round(100.0 * count(*) / sum(count(*)) over (), 1) || ' %' as share
    from calls group by status order by calls desc"""
UNUSED = f"""
    with named as ({NAMED}),
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

QUESTIONS = {
    "1. Messages per day, by status (the last 7 days)": f"{MESSAGES_BY_DAY} limit 7",
    "2. Failure rate, by country and error code": f"{FAILURES} limit 8",
    "3. Spend per month, by account and category (the last 3 months)": f"""
        with spend as ({SPEND})
        select account, strftime(month, '%Y-%m') as month,
          {", ".join(f"round({name}, 2) as {name}" for name in (*BILLED, "other", "total"))}
        from spend
        where month >= (select max(month) from spend) - interval 2 month
        order by total desc limit 9""",
    "4. Calls by outcome": CALLS,
    "5. Numbers that nobody has used for 90 days": f"{UNUSED} limit 8",
}


def changes(*tables: str) -> str:
    """Return a query of what differs between the database `earlier` and this one, by table."""
    return " union all ".join(
        f"""
        select '{table}' as "table", (select count(*) from earlier.main.{table}) as "was there",
          count(*) filter (was.sid is null) as "new",
          count(*) filter (was.sid is not null and is_.sid is not null
            and was.row_ is distinct from is_.row_) as changed,
          count(*) filter (is_.sid is null) as gone
        from ({keyed(f"earlier.main.{table}")}) as was
        full join ({keyed(f"main.{table}")}) as is_ using (sid)"""
        for table in tables
    )


def keyed(table: str) -> str:
    """Return a query of the rows of a table, with one key."""
    usage = "account_sid || category || start_date"
    key = usage if table.endswith("usage_records") else "sid"
    left_out = ("as_of",) if table.endswith("usage_records") else ()
    columns = f"* exclude ({', '.join(left_out)})" if left_out else "*"
    return (
        f"select {key} as sid, to_json(r)::varchar as row_ from (select {columns} from {table}) r"
    )
