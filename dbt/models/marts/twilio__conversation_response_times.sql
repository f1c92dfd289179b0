-- A customer waits from the first of the messages in a row until somebody else writes.
with messages as (
  select
    messages.account_sid,
    messages.conversation_sid,
    messages.place,
    messages.sid,
    messages.date_created,
    -- A participant that has left is not listed: then the author's address tells.
    case
      when participants.sid is not null
        then participants.identity is null
          and {{ json_text('participants.messaging_binding', 'address') }} is not null
      else coalesce(messages.author like '+%' or messages.author like '%:+%', false)
    end as is_customer
  from {{ ref('stg_twilio__conversation_messages') }} as messages
  left join {{ ref('stg_twilio__conversation_participants') }} as participants
    on participants.sid = messages.participant_sid
),

waits as (
  select
    messages.*,
    coalesce(
      lag(is_customer) over (partition by conversation_sid order by place, sid), false
    ) as customer_wrote_before,
    min(case when not is_customer then date_created end) over (
      partition by conversation_sid order by place, sid
      rows between current row and unbounded following
    ) as answered_at
  from messages
),

answers as (
  select
    waits.*,
    is_customer and not customer_wrote_before as is_request,
    case
      when is_customer and not customer_wrote_before
        then {{ seconds_between('date_created', 'answered_at') }}
    end as seconds
  from waits
)

select
  account_sid,
  conversation_sid,
  count(*) as messages,
  count(case when is_customer then 1 end) as customer_messages,
  count(case when is_request then 1 end) as requests,
  count(seconds) as answered_requests,
  min(case when is_request then date_created end) as first_request_at,
  {{ percentile('seconds', 50) }} as median_response_seconds,
  max(seconds) as longest_response_seconds,
  min(case when is_request and answered_at is null then date_created end) as waiting_since
from answers
group by account_sid, conversation_sid
