-- An estimate, as twilio__opt_out_events is: the last event of each pair tells.
with effects as (
  select events.*, 'sms_mms' as list
  from {{ ref('twilio__opt_out_events') }} as events
  where kind <> 'help' and counts_for_sms_mms
  union all
  select events.*, 'rcs' as list
  from {{ ref('twilio__opt_out_events') }} as events
  where kind <> 'help' and counts_for_rcs
),

ranked as (
  select
    effects.*,
    row_number() over (
      partition by account_sid, recipient, sender, list
      -- Moments are whole seconds: of two in one, the opt-out is believed.
      order by happened_at desc, case when kind = 'opt out' then 0 else 1 end, message_sid
    ) as newest
  from effects
),

decisive as (
  select
    ranked.*,
    row_number() over (
      partition by account_sid, recipient, sender
      order by case when kind = 'opt out' then 0 else 1 end, happened_at desc, message_sid, list
    ) as place
  from ranked
  where newest = 1
),

counted as (
  select
    account_sid,
    recipient,
    sender,
    min(case when kind = 'opt out' then happened_at end) as first_opt_out_at,
    count(distinct case when source = 'keyword' and kind = 'opt out' then message_sid end) as opt_out_keywords,
    count(distinct case when source = 'keyword' and kind = 'opt in' then message_sid end) as opt_in_keywords,
    count(distinct case when source = 'error 21610' then message_sid end) as refused_messages,
    max(case when newest = 1 and list = 'sms_mms' then kind end) as sms_mms,
    max(case when newest = 1 and list = 'rcs' then kind end) as rcs
  from ranked
  group by account_sid, recipient, sender
)

select
  counted.account_sid,
  counted.recipient,
  counted.sender,
  decisive.sender_kind,
  -- Opted out of one channel is opted out here; the columns beside it say of which.
  decisive.kind = 'opt out' as is_opted_out,
  coalesce(counted.sms_mms = 'opt out', false) as is_opted_out_of_sms_mms,
  coalesce(counted.rcs = 'opt out', false) as is_opted_out_of_rcs,
  decisive.happened_at as decided_at,
  decisive.source,
  decisive.keyword,
  decisive.channel,
  decisive.message_sid,
  counted.first_opt_out_at,
  counted.opt_out_keywords,
  counted.opt_in_keywords,
  counted.refused_messages,
  true as is_estimate
from counted
inner join decisive
  on decisive.account_sid = counted.account_sid
  and decisive.recipient = counted.recipient
  and decisive.sender = counted.sender
  and decisive.place = 1
