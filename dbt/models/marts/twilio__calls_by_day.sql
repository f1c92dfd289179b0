select
  account_sid,
  {{ day_of('coalesce(start_time, date_created)') }} as day,
  case when direction = 'inbound' then 'inbound' else 'outbound' end as direction,
  status as outcome,
  upper(price_unit) as currency,
  count(*) as calls,
  count(case when duration > 0 then 1 end) as calls_with_duration,
  cast(coalesce(sum(duration), 0) as {{ type_of('integer') }}) as seconds,
  avg(case when duration > 0 then duration end) as average_seconds,
  max(duration) as longest_seconds,
  coalesce(sum(-price), 0) as cost
from {{ ref('stg_twilio__calls') }}
group by 1, 2, 3, 4, 5
