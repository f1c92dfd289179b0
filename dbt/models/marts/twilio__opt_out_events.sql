-- An estimate: Twilio has no list of opt-outs that can be read.
with replies as (
  select messages.*, upper({{ trimmed('body') }}) as word
  from {{ ref('int_twilio__messages') }} as messages
  where way = 'inbound' and channel in ('sms', 'mms', 'rcs')
),

events as (
  select
    replies.sid, replies.account_sid, replies.user_number, replies.own_number, replies.service_sid,
    replies.channel, replies.date_created, keywords.kind, 'keyword' as source, keywords.keyword
  from replies
  inner join {{ ref('twilio_keywords') }} as keywords
    on keywords.keyword = replies.word
    and (keywords.since is null or keywords.since <= {{ day_of('replies.date_created') }})
  union all
  -- Refused by Twilio: the recipient had opted out before, in whatever way.
  select
    sid, account_sid, user_number, own_number, service_sid, channel, date_created,
    'opt out', 'error 21610', null
  from {{ ref('int_twilio__messages') }}
  where way = 'outbound' and error_code = 21610 and channel in ('sms', 'mms', 'rcs')
)

select
  sid as message_sid,
  account_sid,
  user_number as recipient,
  -- An opt-out counts for all senders of a messaging service.
  coalesce(service_sid, own_number) as sender,
  case when service_sid is null then 'number' else 'messaging service' end as sender_kind,
  own_number as sender_number,
  kind,
  source,
  keyword,
  channel,
  date_created as happened_at,
  -- One list for SMS and MMS; since 2026-03-15 RCS has the same.
  channel <> 'rcs' or date_created >= {{ moment('2026-03-15 00:00:00+00:00') }} as counts_for_sms_mms,
  channel = 'rcs' or date_created >= {{ moment('2026-03-15 00:00:00+00:00') }} as counts_for_rcs
from events
