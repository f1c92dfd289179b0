-- Twilio has no moment of delivery. The last change of a delivered message is the nearest to it.
with sent as (
  select
    account_sid,
    day,
    channel,
    country,
    outcome,
    greatest({{ seconds_between('date_created', 'date_sent') }}, 0) as seconds_to_send,
    case
      when outcome = 'delivered' and date_updated is not null
        then greatest({{ seconds_between('date_sent', 'date_updated') }}, 0)
    end as seconds_to_deliver
  from {{ ref('int_twilio__messages') }}
  where way = 'outbound' and date_sent is not null and date_created is not null
)

select
  account_sid,
  day,
  channel,
  country,
  count(*) as sent,
  count(case when outcome = 'delivered' then 1 end) as delivered,
  {{ percentile('seconds_to_send', 50) }} as median_seconds_to_send,
  {{ percentile('seconds_to_deliver', 50) }} as median_seconds_to_deliver,
  {{ percentile('seconds_to_deliver', 95) }} as p95_seconds_to_deliver
from sent
group by account_sid, day, channel, country
