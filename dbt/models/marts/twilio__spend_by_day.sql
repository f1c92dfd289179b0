-- Categories lie within each other: only those directly below totalprice are added up. What totalprice
-- has beyond them is `other`, so that the rows of a day add up to totalprice.
with billed as (
  select
    usage.account_sid,
    usage.day,
    upper(coalesce(usage.price_unit, '')) as currency,
    usage.category,
    categories.parent,
    usage.price,
    usage.events,
    usage.used,
    usage.usage_unit
  from {{ ref('stg_twilio__usage_records') }} as usage
  left join {{ ref('twilio_usage_categories') }} as categories on categories.category = usage.category
),

days as (
  select
    account_sid,
    day,
    currency,
    sum(case when category = 'totalprice' then price end) as totalprice,
    coalesce(sum(case when parent = 'totalprice' then price end), 0) as listed
  from billed
  group by account_sid, day, currency
),

parts as (
  select
    account_sid, day, currency, category,
    coalesce(sum(price), 0) as cost, sum(events) as events, sum(used) as used,
    max(usage_unit) as usage_unit
  from billed
  where parent = 'totalprice'
  group by account_sid, day, currency, category
  union all
  select account_sid, day, currency, 'other', totalprice - listed, null, null, null
  from days
  where totalprice <> listed
)

select
  parts.*,
  days.totalprice,
  case
    when days.totalprice is null then 'no totalprice'
    when days.listed > days.totalprice then 'categories exceed totalprice'
    else 'agrees'
  end as verdict
from parts
inner join days
  on days.account_sid = parts.account_sid
  and days.day = parts.day
  and days.currency = parts.currency
