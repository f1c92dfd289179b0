-- Each parent category beside the sum of its children.
with usage as (
  select account_sid, day, upper(coalesce(price_unit, '')) as currency, category, sum(price) as price
  from {{ ref('stg_twilio__usage_records') }}
  group by account_sid, day, upper(coalesce(price_unit, '')), category
),

children as (
  select
    usage.account_sid,
    usage.day,
    usage.currency,
    categories.parent,
    count(*) as children,
    coalesce(sum(usage.price), 0) as children_cost
  from usage
  inner join {{ ref('twilio_usage_categories') }} as categories on categories.category = usage.category
  group by usage.account_sid, usage.day, usage.currency, categories.parent
)

select
  children.account_sid,
  children.day,
  children.currency,
  children.parent,
  children.children,
  children.children_cost,
  usage.price as parent_cost,
  coalesce(usage.price, 0) - children.children_cost as difference,
  case
    when usage.price is null then 'no parent'
    when usage.price = children.children_cost then 'agrees'
    when usage.price > children.children_cost then 'parent has more'
    else 'children have more'
  end as verdict
from children
left join usage
  on usage.account_sid = children.account_sid
  and usage.day = children.day
  and usage.currency = children.currency
  and usage.category = children.parent
