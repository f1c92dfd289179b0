with used as (
  select
    account_sid,
    own_number as phone_number,
    case when way = 'inbound' then 'message in' else 'message out' end as kind,
    cost as message_cost,
    null as call_cost,
    coalesce(date_sent, date_created) as used_at
  from {{ ref('int_twilio__messages') }}
  union all
  select
    account_sid,
    case when direction = 'inbound' then to_address else from_address end,
    case when direction = 'inbound' then 'call in' else 'call out' end,
    null,
    -price,
    coalesce(start_time, date_created)
  from {{ ref('stg_twilio__calls') }}
),

totals as (
  select
    account_sid,
    phone_number,
    count(case when kind = 'message in' then 1 end) as messages_in,
    count(case when kind = 'message out' then 1 end) as messages_out,
    count(case when kind = 'call in' then 1 end) as calls_in,
    count(case when kind = 'call out' then 1 end) as calls_out,
    sum(message_cost) as message_cost,
    sum(call_cost) as call_cost,
    max(used_at) as last_used_at
  from used
  group by account_sid, phone_number
)

select
  numbers.sid as number_sid,
  numbers.phone_number,
  numbers.friendly_name,
  numbers.type,
  numbers.status,
  numbers.account_sid,
  accounts.friendly_name as account_name,
  numbers.date_created as owned_since,
  senders.service_sid as messaging_service_sid,
  services.friendly_name as messaging_service_name,
  coalesce(totals.messages_in, 0) as messages_in,
  coalesce(totals.messages_out, 0) as messages_out,
  coalesce(totals.calls_in, 0) as calls_in,
  coalesce(totals.calls_out, 0) as calls_out,
  coalesce(totals.message_cost, 0) as message_cost,
  coalesce(totals.call_cost, 0) as call_cost,
  totals.last_used_at,
  coalesce(
    {{ seconds_between('totals.last_used_at', 'current_timestamp') }} > 90 * 86400, true
  ) as is_unused_for_90_days
from {{ ref('stg_twilio__incoming_phone_numbers') }} as numbers
left join {{ ref('stg_twilio__accounts') }} as accounts on accounts.sid = numbers.account_sid
left join {{ ref('int_twilio__service_senders') }} as senders
  on senders.account_sid = numbers.account_sid and senders.sender = numbers.phone_number
left join {{ ref('stg_twilio__messaging_services') }} as services on services.sid = senders.service_sid
left join totals
  on totals.account_sid = numbers.account_sid and totals.phone_number = numbers.phone_number
