-- What Twilio billed beside the rows that arrived: a row for each account, day (UTC) and category.
-- Plain SQL, for DuckDB and PostgreSQL, in the schema that holds the tables. docs/proof.md explains it.
with
message_rows as (
  select
    account_sid,
    cast(coalesce(date_sent, date_created) at time zone 'UTC' as date) as day,
    case when sid like 'MM%' or num_media > 0 then 'mms' else 'sms' end as kind,
    case when direction = 'inbound' then 'inbound' else 'outbound' end as way,
    -- Not billed: what has not left Twilio. A price says more than a status.
    case
      when coalesce(price, 0) <> 0 then 1
      when status in ('delivered', 'undelivered', 'sent', 'delivery_unknown', 'received', 'read') then 1
      else 0
    end as billable,
    -- SMS are billed by segment, MMS by message.
    case
      when sid like 'MM%' or num_media > 0 or coalesce(num_segments, 0) < 1 then 1 else num_segments
    end as units
  from messages
  -- WhatsApp, RCS and the like have categories of their own.
  where coalesce("from", '') not like '%:%' and coalesce("to", '') not like '%:%'
),
call_rows as (
  select
    account_sid,
    cast(coalesce(start_time, date_created) at time zone 'UTC' as date) as day,
    case when direction = 'inbound' then 'calls-inbound' else 'calls-outbound' end as category,
    case when coalesce(price, 0) <> 0 or coalesce(duration, 0) > 0 then 1 else 0 end as billable
  from calls
),
recording_rows as (
  select
    account_sid,
    cast(date_created at time zone 'UTC' as date) as day,
    case when status in ('processing', 'in-progress', 'paused', 'absent', 'failed') then 0 else 1 end as billable
  from recordings
),
all_rows as (
  select account_sid, day, kind as category, billable, billable * units as units from message_rows
  union all
  select account_sid, day, kind || '-' || way, billable, billable * units from message_rows
  union all
  select account_sid, day, 'calls', billable, billable from call_rows
  union all
  select account_sid, day, category, billable, billable from call_rows
  union all
  select account_sid, day, 'recordings', billable, billable from recording_rows
),
arrived as (
  select
    account_sid, day, category,
    count(*) as arrived, sum(billable) as billable, sum(units) as units
  from all_rows
  group by account_sid, day, category
),
billed as (
  select account_sid, start_date as day, category, sum("count") as billed
  from usage_records
  where category in (
    'sms', 'sms-inbound', 'sms-outbound', 'mms', 'mms-inbound', 'mms-outbound',
    'calls', 'calls-inbound', 'calls-outbound', 'recordings'
  )
  group by account_sid, start_date, category
),
-- Until when the usage of an account is known.
known as (
  select account_sid, cast(max(as_of) at time zone 'UTC' as date) as until
  from usage_records
  group by account_sid
),
compared as (
  select
    coalesce(billed.account_sid, arrived.account_sid) as account_sid,
    coalesce(billed.day, arrived.day) as day,
    coalesce(billed.category, arrived.category) as category,
    coalesce(billed.billed, 0) as billed,
    coalesce(arrived.arrived, 0) as arrived,
    coalesce(arrived.billable, 0) as billable,
    coalesce(arrived.units, 0) as units
  from billed
  full join arrived
    on arrived.account_sid = billed.account_sid
    and arrived.day = billed.day
    and arrived.category = billed.category
),
beside as (
  -- What a day lacks may stand on the day before or after it.
  select
    compared.*,
    known.until,
    compared.billed - compared.units as lacking,
    coalesce(greatest(before.units - before.billed, 0), 0)
      + coalesce(greatest(after.units - after.billed, 0), 0) as spare
  from compared
  left join known on known.account_sid = compared.account_sid
  left join compared as before
    on before.account_sid = compared.account_sid
    and before.category = compared.category
    and before.day = compared.day - 1
  left join compared as after
    on after.account_sid = compared.account_sid
    and after.category = compared.category
    and after.day = compared.day + 1
)
select
  account_sid, day, category, billed, arrived, billable, units,
  case
    when until is null then 'no usage'
    when day >= until then 'not final'
    when day < until - 399 and category like '%ms%' and lacking > 0 then 'out of reach'
    when lacking > spare then 'missing'
    when lacking > 0 then 'near midnight'
    when lacking < 0 then 'more rows'
    else 'agrees'
  end as verdict
from beside
where billed > 0 or arrived > 0
order by account_sid, day, category
