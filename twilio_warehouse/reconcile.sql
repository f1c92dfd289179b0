-- What Twilio billed beside the rows that arrived: a row for each account, day (UTC) and category.
-- Plain SQL, for DuckDB and PostgreSQL, in the schema that holds the tables. docs/proof.md explains it.
with recursive
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
-- The moments from which on rows were read. Usage of the first day is that of the whole day.
begun as (
  select
    cast(null as timestamp with time zone) as messages,
    cast(null as timestamp with time zone) as calls,
    cast(null as timestamp with time zone) as recordings
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
uneven as (
  select account_sid, category, day, units - billed as spare
  from compared
  where units <> billed
),
lent as (
  -- What a day lacks may stand on the day before or after it, which lends what it has to spare once:
  -- to the day before first. `rest` is what a day has left after that, or still lacks.
  select later.account_sid, later.category, later.day, later.spare, later.spare as rest
  from uneven as later
  left join uneven as earlier
    on earlier.account_sid = later.account_sid
    and earlier.category = later.category
    and earlier.day = later.day - 1
  where earlier.day is null or sign(earlier.spare) = sign(later.spare)
  union all
  select later.account_sid, later.category, later.day, later.spare,
    case
      when later.spare > 0 then greatest(later.spare + least(earlier.rest, 0), 0)
      else least(later.spare + greatest(earlier.rest, 0), 0)
    end
  from lent as earlier
  join uneven as later
    on later.account_sid = earlier.account_sid
    and later.category = earlier.category
    and later.day = earlier.day + 1
    and sign(later.spare) <> sign(earlier.spare)
),
beside as (
  select
    compared.*,
    known.until,
    compared.billed - compared.units as lacking,
    -coalesce(lent.rest, 0) - coalesce(greatest(after.spare - after.rest, 0), 0) as missing
  from compared
  left join known on known.account_sid = compared.account_sid
  left join lent
    on lent.account_sid = compared.account_sid
    and lent.category = compared.category
    and lent.day = compared.day
  left join lent as after
    on after.account_sid = compared.account_sid
    and after.category = compared.category
    and after.day = compared.day + 1
)
select
  account_sid, day, category, billed, arrived, billable, units,
  case
    when until is null then 'no usage'
    when day >= until then 'not final'
    when day < until - 399 and category like '%ms%' and lacking > 0 then 'not available'
    when lacking > 0 and cast(day as timestamp) < (
      select
        case
          when category like '%ms%' then messages
          when category like 'calls%' then calls
          else recordings
        end at time zone 'UTC'
      from begun
    ) then 'not available'
    when lacking > 0 and missing > 0 then 'missing'
    when lacking > 0 then 'near midnight'
    when lacking < 0 then 'more rows'
    else 'agrees'
  end as verdict
from beside
where billed > 0 or arrived > 0
order by account_sid, day, category
