-- The messaging service of each sender: a number, a short code, or `rcs:agent`.
select account_sid, sender, min(service_sid) as service_sid
from (
  select account_sid, sender, service_sid from {{ ref('stg_twilio__messaging_service_phone_numbers') }}
  union all
  select account_sid, sender, service_sid from {{ ref('stg_twilio__messaging_service_short_codes') }}
  union all
  select account_sid, sender, service_sid from {{ ref('stg_twilio__messaging_service_channel_senders') }}
) as senders
group by account_sid, sender
