-- Messages, with what is asked of them: the day, the channel, both ends, the outcome.
with sides as (
  select
    messages.*,
    -- Twilio bills by this day.
    {{ day_of('coalesce(date_sent, date_created)') }} as day,
    case when direction = 'inbound' then 'inbound' else 'outbound' end as way,
    case when direction = 'inbound' then from_address else to_address end as user_address,
    case when direction = 'inbound' then to_address else from_address end as own_address,
    lower(case
      when from_address like '%:%' then {{ dbt.split_part('from_address', "':'", 1) }}
      when to_address like '%:%' then {{ dbt.split_part('to_address', "':'", 1) }}
      when sid like 'MM%' or num_media > 0 then 'mms'
      else 'sms'
    end) as channel,
    case
      when status in ('delivered', 'read') then 'delivered'
      when status in ('received', 'undelivered', 'failed', 'canceled') then status
      when status in ('sent', 'delivery_unknown', 'partially_delivered') then 'unconfirmed'
      else 'pending'
    end as outcome,
    -- Twilio's prices are negative.
    -price as cost,
    upper(price_unit) as currency
  from {{ ref('stg_twilio__messages') }} as messages
),

bare as (
  select
    sides.*,
    {{ bare('user_address') }} as user_number,
    {{ bare('own_address') }} as own_number
  from sides
)

select
  bare.*,
  coalesce(bare.messaging_service_sid, senders.service_sid) as service_sid,
  -- The longest calling code is meant: +1242 is not +1.
  coalesce(
    code4.country, code3.country, code2.country, code1.country,
    -- A WhatsApp user may have an ID instead of a number: the country's letters lead it.
    case when bare.user_number like '__.%' then substr(bare.user_number, 1, 2) end,
    'unknown'
  ) as country
from bare
left join {{ ref('int_twilio__service_senders') }} as senders
  on senders.account_sid = bare.account_sid and senders.sender = bare.own_address
{% for length in [4, 3, 2, 1] -%}
left join {{ ref('twilio_calling_codes') }} as code{{ length }}
  -- As one comparison: with a second one DuckDB does not hash, and needs 50 times as long.
  on code{{ length }}.prefix = case when bare.user_number like '+%' then substr(bare.user_number, 2, {{ length }}) end
{% endfor %}
