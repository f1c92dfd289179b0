-- No API tells what was deleted. twilio-warehouse knows which ranges it has read again completely, and
-- sets deleted_at and is_redacted. Of Airbyte's tables both are an estimate.
{% set airbyte = var('twilio_loader') == 'airbyte' -%}
{% set dates = {'messages': 'date_sent', 'calls': 'start_time', 'recordings': 'date_created'} -%}
with listed as (
  {% for stream, date in dates.items() -%}
  select
    '{{ stream }}' as stream, sid, account_sid, date_created, {{ date }} as dated_at, deleted_at, read_at,
    {% if stream == 'recordings' -%}
    case when status = 'deleted' then date_updated end as listed_as_deleted_at,
    {%- else -%}
    cast(null as {{ type_of('moment') }}) as listed_as_deleted_at,
    {%- endif %}
    {% if stream != 'messages' -%}
    false
    {%- elif airbyte -%}
    -- Outbound messages have a body or media.
    coalesce(body = '' and num_media = 0 and direction <> 'inbound', false)
    {%- else -%}
    coalesce(is_redacted, false)
    {%- endif %} as is_redacted
  from {{ ref('stg_twilio__' ~ stream) }}
  {% if not loop.last %}union all{% endif %}
  {% endfor %}
),

read_again as (
  -- A sync reads everything from some moment on: a row is gone if it did not come when an older one did.
  select
    listed.*,
    max(read_at) over (
      partition by stream, account_sid, case when dated_at is null then 1 else 0 end
      order by dated_at, sid
      rows between unbounded preceding and 1 preceding
    ) as older_row_read_at
  from listed
),

found as (
  select
    read_again.*,
    {% if airbyte -%}
    -- A day and a half: a sync that was interrupted is complete by then.
    case when dated_at is not null and {{ seconds_between('read_at', 'older_row_read_at') }} >= 129600
      then {{ dbt.dateadd('day', 1, 'read_at') }} end
    {%- else -%}
    deleted_at
    {%- endif %} as missing_at
  from read_again
)

select
  stream,
  sid,
  account_sid,
  date_created,
  coalesce(listed_as_deleted_at, missing_at) as deleted_at,
  is_redacted,
  case
    when listed_as_deleted_at is not null then 'status'
    when missing_at is not null or is_redacted then '{{ 'estimate' if airbyte else 'read again' }}'
  end as source
from found
where coalesce(listed_as_deleted_at, missing_at) is not null or is_redacted
