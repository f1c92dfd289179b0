select
  account_sid,
  day,
  way as direction,
  channel,
  country,
  outcome,
  error_code,
  currency,
  count(*) as messages,
  cast(sum(num_segments) as {{ type_of('integer') }}) as segments,
  coalesce(sum(cost), 0) as cost
from {{ ref('int_twilio__messages') }}
group by account_sid, day, way, channel, country, outcome, error_code, currency
